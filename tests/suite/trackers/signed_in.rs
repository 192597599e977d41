//! Jira Cloud by OAuth, through the real server and the real worker.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{Duration, Utc};
use domain::trackers::{
    TrackerKind, hooks,
    oauth::{Renewal as _, TokenPair},
};
use reqwest::{Method, redirect::Policy};
use serde_json::{Value, json};
use tests::{
    fakes::{
        jira::{CLIENT_SECRET, CLOUD_ID, FakeJira},
        stage::Cue,
    },
    support::{Client, Reply},
};

use super::{
    desk::{Desk, desk, path_of, until},
    support::AnyFake,
};

pub(crate) fn jira(desk: &Desk) -> &FakeJira {
    match &desk.fake {
        AnyFake::Jira(fake) => fake,
        _ => panic!("a Jira"),
    }
}

/// Somebody who left: the cookie of their browser, and where they are sent to.
pub(crate) async fn leave(client: &Client) -> (String, String) {
    let left = client.get("/api/trackers/jira/authorize").await;
    let cookie = left.expect(200).header("set-cookie").expect("a cookie");
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
        "{cookie}"
    );
    let cookie = cookie.split(';').next().expect("a pair").to_owned();
    let url = left.json()["url"].as_str().expect("an address").to_owned();
    (cookie, url)
}

/// Consents, and gives the path to come back by.
pub(crate) async fn consent(url: &str) -> String {
    let browser = reqwest::Client::builder().redirect(Policy::none()).build();
    let reply = browser.expect("a client").get(url).send().await;
    let reply = reply.expect("an answer");
    path_of(reply.headers()["location"].to_str().expect("text"))
}

pub(crate) async fn come_back(client: &Client, path: &str, cookie: Option<&str>) -> Reply {
    let mut request = client.request(Method::GET, path);
    if let Some(cookie) = cookie {
        request = request.header("cookie", cookie);
    }
    Reply::to(request).await
}

/// Signs in and connects the site; the path of the tracker.
pub(crate) async fn connect(desk: &Desk) -> String {
    let (cookie, url) = leave(&desk.admin).await;
    let back = consent(&url).await;
    let granted = come_back(&desk.app.anonymous(), &back, Some(&cookie)).await;
    let granted = granted.expect(200).json();
    assert_eq!(granted["sites"][0]["cloudId"], CLOUD_ID);
    desk.connect_as(&body(&granted["grantId"], CLOUD_ID)).await
}

fn body(grant: &Value, cloud_id: &str) -> Value {
    json!({ "type": "jira", "name": format!("Ducks {}", rand::random::<u64>()),
        "auth": { "grantId": grant, "cloudId": cloud_id } })
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_signs_in_chooses_a_site_and_has_it_read() {
    let desk = desk(TrackerKind::Jira).await;
    desk.fake.shared().world().create("DEMO", "Ducks");
    let path = connect(&desk).await;
    let tracker = desk.tracker(&path).await;
    assert_eq!(tracker["authKind"], "grant");
    assert_eq!(tracker["baseUrl"], jira(&desk).url());
    assert_eq!(desk.sync(&path).await["state"], "done");
    desk.has_everything("by OAuth").await;
    assert_eq!(desk.app.count("tracker_grants").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_is_good_once_for_who_left_and_not_for_long() {
    let desk = desk(TrackerKind::Jira).await;
    let other = desk.app.register().await;
    let nobody = desk.app.anonymous();
    let refused = |reply: &Reply| {
        let problem = reply.expect_problem(400, "invalid_query");
        assert_eq!(problem["errors"][0]["field"], "state");
    };
    // Somebody else, in another browser, who was talked into consenting.
    let (cookie, url) = leave(&desk.admin).await;
    let back = consent(&url).await;
    refused(&come_back(&nobody, &back, None).await);
    refused(&come_back(&other, &back, None).await);
    refused(&come_back(&nobody, &back, Some(&cookie)).await);
    let (_, url) = leave(&other).await;
    refused(&come_back(&nobody, &consent(&url).await, Some(&cookie)).await);
    // Twice.
    let (cookie, url) = leave(&desk.admin).await;
    let back = consent(&url).await;
    come_back(&desk.admin, &back, None).await.expect(200);
    refused(&come_back(&nobody, &back, Some(&cookie)).await);
    // Late.
    let (cookie, url) = leave(&desk.admin).await;
    let back = consent(&url).await;
    desk.app
        .database()
        .run("UPDATE tracker_grants SET expires_at = now()")
        .await;
    refused(&come_back(&nobody, &back, Some(&cookie)).await);
    for state in ["", "x", &"A".repeat(43)] {
        let back = format!("/api/trackers/jira/callback?code=x&state={state}");
        refused(&come_back(&nobody, &back, Some(&cookie)).await);
    }
    // Refused by the person, and with a code of nobody.
    let (cookie, url) = leave(&desk.admin).await;
    let denied = consent(&url)
        .await
        .replace("code=", "error=access_denied&x=");
    let reply = come_back(&nobody, &denied, Some(&cookie)).await;
    reply.expect_problem(422, "invalid");
    let (cookie, url) = leave(&desk.admin).await;
    let forged = consent(&url).await.replace("code=code", "code=other");
    let reply = come_back(&nobody, &forged, Some(&cookie)).await;
    reply.expect_problem(502, "tracker_failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_is_used_once_by_who_was_granted_it_and_for_its_sites() {
    let desk = desk(TrackerKind::Jira).await;
    let (cookie, url) = leave(&desk.admin).await;
    let departed = desk.app.count("tracker_grants").await;
    assert_eq!(departed, 1);
    let back = consent(&url).await;
    let granted = come_back(&desk.app.anonymous(), &back, Some(&cookie))
        .await
        .json();
    let grant = &granted["grantId"];
    let elsewhere = desk.admin.post("/api/trackers", &body(grant, "99")).await;
    assert_eq!(elsewhere.faulty_fields(), ["auth.cloudId"]);
    let colleague = desk.app.member(&desk.admin, "admin").await;
    let stolen = colleague
        .post("/api/trackers", &body(grant, CLOUD_ID))
        .await;
    assert_eq!(stolen.faulty_fields(), ["auth.grantId"]);
    desk.connect_as(&body(grant, CLOUD_ID)).await;
    let again = desk
        .admin
        .post("/api/trackers", &body(grant, CLOUD_ID))
        .await;
    assert_eq!(again.faulty_fields(), ["auth.grantId"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_installations_without_an_app_do_not_sign_in() {
    let desk = desk(TrackerKind::Jira).await;
    let key = json!({ "name": "laptop", "scopes": ["read", "write"] });
    let key = desk
        .admin
        .post("/api/api-keys", &key)
        .await
        .expect(201)
        .json();
    let key = desk
        .app
        .anonymous()
        .bearing(key["key"].as_str().expect("a key"));
    let left = key.get("/api/trackers/jira/authorize").await;
    left.expect_problem(403, "forbidden");
    let plain = tests::support::App::start().await;
    let left = plain
        .register()
        .await
        .get("/api/trackers/jira/authorize")
        .await;
    left.expect_problem(503, "unavailable");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_whose_token_is_refused_at_once_renew_it_once() {
    let desk = desk(TrackerKind::Jira).await;
    desk.fake
        .shared()
        .world()
        .populate("DEMO", 10, Duration::seconds(37));
    let path = connect(&desk).await;
    desk.sync(&path).await;
    let before = jira(&desk).renewals();
    jira(&desk).end_access();
    let workers: Vec<_> = (0..4).map(|_| desk.app.worker()).collect();
    let id: domain::trackers::TrackerId = path
        .rsplit('/')
        .next()
        .expect("an id")
        .parse()
        .expect("an id");
    let calls = workers.iter().map(|worker| async move {
        let mut conn = worker.pool.get().await.expect("a connection");
        let tracker = db::trackers::work::find(&mut conn, id)
            .await
            .expect("a row")
            .expect("a tracker");
        drop(conn);
        let client =
            tasks::trackers::connect(&worker.pool, &worker.gateway.trackers, &tracker).await;
        let checks = (0..4).map(|_| client.as_ref().expect("a client").check());
        futures::future::join_all(checks).await
    });
    // All are refused at once, and the renewal takes a while: nobody comes when it is over.
    let stage = desk.fake.stage();
    let gates: Vec<_> = (0..16).map(|_| stage.keep_answer()).collect();
    let slow = Cue {
        delay_ms: 200,
        ..Cue::default()
    };
    let cues = (0..16).map(|_| Cue::default());
    stage.script(cues.chain((0..16).map(|_| slow.clone())));
    let refuse = async {
        until("all have called", async || stage.kept() == 16).await;
        drop(gates);
    };
    let (accounts, ()) = futures::future::join(futures::future::join_all(calls), refuse).await;
    for account in accounts.into_iter().flatten() {
        account.expect("an account");
    }
    assert_eq!(jira(&desk).renewals() - before, 1);
    assert_eq!(desk.sync(&path).await["state"], "done");
    assert_eq!(
        jira(&desk).renewals() - before,
        1,
        "what was renewed is kept"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_killed_while_it_renews_holds_up_nobody_for_long() {
    let desk = desk(TrackerKind::Jira).await;
    let path = connect(&desk).await;
    desk.sync(&path).await;
    jira(&desk).end_access();
    let held = "UPDATE trackers SET renewing_by = gen_random_uuid(), renewing_until = now() + interval '1 second'";
    desk.app.database().run(held).await;
    let trial = desk.admin.post_empty(&format!("{path}/test")).await.json();
    assert_eq!(trial["ok"], true, "{trial}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_that_is_renewed_while_its_tracker_is_deleted_is_not_stored() {
    use db::trackers::secrets;
    let desk = desk(TrackerKind::Jira).await;
    let path = connect(&desk).await;
    let tracker_id = desk.tracker(&path).await["id"].clone();
    let tracker_id = serde_json::from_value(tracker_id).expect("an id");
    let mut conn = desk.app.database().connect().await;
    let claim = uuid::Uuid::now_v7();
    let claimed = secrets::claim_renewal(&mut conn, tracker_id, claim, 60.0).await;
    assert!(claimed.expect("an answer"), "it is ours to renew");
    desk.admin.delete(&path).await.expect(204);
    let text = secrets::SealedText {
        tracker_id,
        purpose: secrets::AUTH.to_owned(),
        company_id: super::issues::company(&desk.app, &desk.admin).await,
        sealed: vec![0; 40],
        sealing_key_id: "test".to_owned(),
    };
    let stored = secrets::store_renewed(&mut conn, claim, &text).await;
    assert!(!stored.expect("an answer"), "the tracker is gone");
    assert_eq!(desk.app.count("tracker_secrets").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stored_goes_to_no_address_that_was_not_seen_with_it() {
    use db::trackers::{ChangeError, TrackerChanges};
    let desk = desk(TrackerKind::Jira).await;
    let path = connect(&desk).await;
    let tracker_id = desk.tracker(&path).await["id"].clone();
    let tracker_id = serde_json::from_value(tracker_id).expect("an id");
    let company = super::issues::company(&desk.app, &desk.admin).await;
    // As if the address had been this one when the request was looked at.
    let elsewhere = TrackerChanges {
        base_url: Some("https://elsewhere.example.com".to_owned()),
        ..TrackerChanges::default()
    };
    let mut conn = desk.app.inner.pool.get().await.expect("a connection");
    let any = domain::revision::Expected::Any;
    let changed = db::trackers::update(&mut conn, company, tracker_id, &elsewhere, &any).await;
    assert!(matches!(changed, Err(ChangeError::Stale)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_that_was_taken_back_is_asked_for_again() {
    let desk = desk(TrackerKind::Jira).await;
    let path = connect(&desk).await;
    desk.sync(&path).await;
    // Somebody spends the same token elsewhere, which ends all that came of it.
    let spent: TokenPair = stored_pair(&desk).await;
    let app = super::support::trackers(jira(&desk).url(), &jira(&desk).shared);
    let app = app.atlassian().expect("an app");
    app.renew(&spent.refresh).await.expect("a pair");
    app.renew(&spent.refresh).await.expect_err("spent");
    let round = desk.sync(&path).await;
    assert_eq!(round["errorCode"], "tracker_unauthorized", "{round}");
    assert_eq!(desk.tracker(&path).await["state"], "reconnect_needed");
    let (cookie, url) = leave(&desk.admin).await;
    let granted = come_back(&desk.admin, &consent(&url).await, Some(&cookie))
        .await
        .json();
    let auth = json!({ "auth": { "grantId": granted["grantId"], "cloudId": CLOUD_ID } });
    let again = desk.admin.patch(&path, &auth).await.expect(200).json();
    assert_eq!(again["state"], "active");
    assert_eq!(desk.sync(&path).await["state"], "done");
}

/// The pair as it is stored, opened.
async fn stored_pair(desk: &Desk) -> TokenPair {
    use db::trackers::secrets;
    use diesel::QueryDsl as _;
    use diesel_async::RunQueryDsl as _;
    let mut conn = desk.app.database().connect().await;
    let ids = db::schema::trackers::table.select(db::schema::trackers::id);
    let id = ids.first(&mut conn).await.expect("a tracker");
    let text = secrets::find(&mut conn, id, secrets::AUTH)
        .await
        .expect("a row");
    let gate = &desk.app.inner.gateway.trackers;
    match gate.credentials(text.as_ref()).expect("credentials") {
        domain::trackers::Credentials::Grant { pair, .. } => pair,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_are_renewed_keep_a_tracker_going_for_days() {
    let desk = desk(TrackerKind::Jira).await;
    let path = connect(&desk).await;
    for day in 0..3 {
        desk.fake.shared().world().wait(Duration::hours(30));
        desk.fake
            .shared()
            .world()
            .create("DEMO", &format!("Day {day}"));
        assert_eq!(desk.sync(&path).await["state"], "done");
    }
    assert_eq!(jira(&desk).renewals(), 3);
    assert!(Utc::now() < desk.fake.shared().now());
}

/// The token with which an app's webhooks come, signed with this secret.
fn proof_of_app(secret: &str) -> String {
    let part = |value: Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let head = part(json!({ "alg": "HS256", "typ": "JWT" }));
    let claims = part(json!({ "exp": (Utc::now() + Duration::minutes(3)).timestamp() }));
    let signed = format!("{head}.{claims}");
    let figures = hex::decode(hooks::signature(secret, signed.as_bytes())).expect("figures");
    format!("Bearer {signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(figures))
}

#[tokio::test(flavor = "multi_thread")]
async fn hooks_that_the_app_registered_are_known_by_its_secret() {
    let desk = desk(TrackerKind::Jira).await;
    let granted = connect(&desk).await;
    let basic = desk.connect().await;
    let id = desk.fake.shared().world().create("DEMO", "Ducks");
    let send = async |path: &str, proof: &str| {
        let mut hook = jira(&desk).hook("jira:issue_updated", id, "x", None);
        hook.headers.push(("authorization", proof.to_owned()));
        let tracker = path.rsplit('/').next().expect("an id");
        desk.hook(&format!("/api/webhooks/jira/{tracker}"), &hook)
            .await
            .status
    };
    let good = proof_of_app(CLIENT_SECRET);
    assert_eq!(send(&granted, &proof_of_app("another secret")).await, 404);
    assert_eq!(send(&granted, "Bearer x.y.z").await, 404);
    assert_eq!(
        send(&basic, &good).await,
        404,
        "it was not granted to the app"
    );
    assert_eq!(send(&granted, &good).await, 202);
    let unsigned = jira(&desk).hook("jira:issue_updated", id, "y", Some(""));
    let tracker = granted.rsplit('/').next().expect("an id");
    desk.hook(&format!("/api/webhooks/jira/{tracker}"), &unsigned)
        .await
        .expect(404);
    desk.hook(&format!("/api/webhooks/jira/{tracker}?word="), &unsigned)
        .await
        .expect(404);
}
