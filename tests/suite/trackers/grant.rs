//! Jira Cloud by OAuth: signing in, and pairs of tokens that are renewed once.

use std::collections::BTreeMap;

use chrono::Duration;
use domain::trackers::{Ask, TrackerError, TrackerKind, Verdict, oauth::Departure};
use integrations::{
    http::Reach,
    llm::Clock,
    trackers::{Auth, SetupError, Trackers},
};
use reqwest::redirect::Policy;
use tests::fakes::jira::{CLOUD_ID, FakeJira};
use url::Url;

use super::support::{MemoryTokens, by_oauth, config, connection, noon, trackers};

const EVERYTHING: Ask = Ask {
    since: None,
    page: None,
};

const BACK: &str = "https://pa.example.com/api/trackers/jira/callback";

/// Follows the address of consent and comes back with what the address then holds.
async fn consent(address: &str) -> BTreeMap<String, String> {
    let browser = reqwest::Client::builder().redirect(Policy::none()).build();
    let reply = browser
        .expect("a client")
        .get(address)
        .send()
        .await
        .expect("an answer");
    assert_eq!(reply.status(), 302);
    let back: Url = reply.headers()["location"]
        .to_str()
        .expect("text")
        .parse()
        .expect("an address");
    back.query_pairs().into_owned().collect()
}

#[tokio::test]
async fn somebody_signs_in_and_chooses_a_site() {
    let fake = FakeJira::start(noon()).await;
    let app = trackers(fake.url(), &fake.shared)
        .atlassian()
        .expect("an app");
    let departure = Departure::new();
    let back = consent(&app.address(&departure, BACK)).await;
    assert_eq!(back["state"], departure.state.reveal());
    let pair = app
        .exchange(&back["code"], &departure, BACK)
        .await
        .expect("a pair");
    let sites = app.sites(&pair.access).await.expect("sites");
    assert_eq!(
        sites
            .iter()
            .map(|site| site.cloud_id.as_str())
            .collect::<Vec<_>>(),
        [CLOUD_ID]
    );
    fake.shared.world().create("DEMO", "Ducks");
    let client = by_oauth(&fake, MemoryTokens::holding(pair));
    let account = client.check().await.expect("an account");
    assert_eq!(account.person.name, "Ann Drake");
    let page = client.fetch_since(&EVERYTHING).await.expect("a page");
    assert_eq!(
        page.issues[0].url,
        "https://example.atlassian.net/browse/DEMO-1"
    );
}

#[tokio::test]
async fn a_code_is_good_once_and_for_who_left() {
    let fake = FakeJira::start(noon()).await;
    let app = trackers(fake.url(), &fake.shared)
        .atlassian()
        .expect("an app");
    let departure = Departure::new();
    let back = consent(&app.address(&departure, BACK)).await;
    let stolen = app.exchange(&back["code"], &Departure::new(), BACK).await;
    assert_eq!(stolen.expect_err("another").verdict(), Verdict::Reconnect);
    let back = consent(&app.address(&departure, BACK)).await;
    app.exchange(&back["code"], &departure, BACK)
        .await
        .expect("a pair");
    let again = app.exchange(&back["code"], &departure, BACK).await;
    assert_eq!(again.expect_err("spent").verdict(), Verdict::Reconnect);
}

#[tokio::test]
async fn a_pair_that_is_due_is_renewed_once_by_however_many_and_stored_before_it_is_used() {
    let fake = FakeJira::start(noon()).await;
    let tokens = MemoryTokens::holding(fake.grant());
    fake.shared
        .world()
        .wait(Duration::minutes(59) + Duration::seconds(1));
    let calls = (0..8).map(|_| {
        let client = by_oauth(&fake, tokens.clone());
        async move { client.fetch_since(&EVERYTHING).await }
    });
    for page in futures::future::join_all(calls).await {
        page.expect("a page");
    }
    assert_eq!(fake.renewals(), 1);
    assert_eq!(tokens.stored.lock().expect("no panic").len(), 1);
}

#[tokio::test]
async fn a_pair_that_is_refused_before_its_time_is_renewed_and_shown_once_more() {
    let fake = FakeJira::start(noon()).await;
    let client = by_oauth(&fake, MemoryTokens::holding(fake.grant()));
    fake.end_access();
    client.fetch_since(&EVERYTHING).await.expect("a page");
    assert_eq!((fake.renewals(), fake.stage.calls()), (1, 3));
    let again = by_oauth(&fake, MemoryTokens::holding(fake.grant()));
    again.fetch_since(&EVERYTHING).await.expect("a page");
    assert_eq!(fake.renewals(), 1, "one that is good is kept");
}

#[tokio::test]
async fn a_refresh_token_that_is_used_twice_ends_the_grant() {
    let fake = FakeJira::start(noon()).await;
    let pair = fake.grant();
    let (first, second) = (
        MemoryTokens::holding(pair.clone()),
        MemoryTokens::holding(pair),
    );
    fake.shared.world().wait(Duration::hours(2));
    by_oauth(&fake, first.clone())
        .check()
        .await
        .expect("an account");
    let error = by_oauth(&fake, second).check().await.expect_err("spent");
    assert_eq!(error.verdict(), Verdict::Reconnect);
    let error = by_oauth(&fake, first).check().await.expect_err("revoked");
    assert_eq!(error.verdict(), Verdict::Reconnect, "all that came of it");
    assert!(!format!("{error:?}").contains("token-"), "{error:?}");
}

#[tokio::test]
async fn within_the_leeway_a_pair_whose_storing_failed_is_not_lost() {
    let fake = FakeJira::start(noon()).await;
    fake.leeway(Duration::minutes(10));
    let pair = fake.grant();
    let lost = MemoryTokens::holding(pair.clone());
    fake.shared.world().wait(Duration::hours(2));
    by_oauth(&fake, lost).check().await.expect("an account");
    fake.shared.world().wait(Duration::minutes(5));
    let kept = by_oauth(&fake, MemoryTokens::holding(pair));
    kept.check().await.expect("an account");
}

#[tokio::test]
async fn what_is_no_site_is_not_called() {
    let fake = FakeJira::start(noon()).await;
    for cloud_id in ["", "..", "a/b", "../../oauth/token"] {
        let auth = Auth::Grant {
            cloud_id: cloud_id.into(),
            tokens: MemoryTokens::holding(fake.grant()),
        };
        let connection = connection(TrackerKind::Jira, "https://example.atlassian.net", auth);
        let refused = trackers(fake.url(), &fake.shared).client(connection);
        assert!(
            matches!(refused.err(), Some(SetupError::Site(_))),
            "{cloud_id}"
        );
    }
}

#[tokio::test]
async fn a_wrong_secret_is_our_fault_and_nobody_is_asked_to_sign_in_again() {
    let fake = FakeJira::start(noon()).await;
    let mut settings = config(fake.url());
    settings.jira_client_secret = Some("another secret".into());
    let shared = fake.shared.clone();
    let clock = Clock::from_fn(move || shared.now());
    let trackers = Trackers::new(&settings, &Reach::default(), clock).expect("valid settings");
    let app = trackers.atlassian().expect("an app");
    let error = app
        .exchange("code", &Departure::new(), BACK)
        .await
        .expect_err("refused");
    assert!(matches!(error, TrackerError::Misconfigured(_)), "{error}");
    assert!(!format!("{app:?} {trackers:?} {error:?}").contains("another secret"));
    settings.jira_client_id = None;
    let none =
        Trackers::new(&settings, &Reach::default(), Clock::system()).expect("valid settings");
    assert!(!none.has_app());
}
