//! Trackers that change their address: ids are of a site, and those of two are never mixed.

use domain::trackers::TrackerKind;
use serde_json::{Value, json};
use tests::fakes::jira::CLOUD_ID;

use super::{
    desk::{Desk, auth, desk},
    rounds::populate,
    signed_in::{self, come_back, consent, leave},
    support::AnyFake,
};

const TWIN: &str = "22222222-2222-3333-4444-555555555555";

#[tokio::test(flavor = "multi_thread")]
async fn a_tracker_with_issues_does_not_move_to_another_site() {
    for kind in TrackerKind::ALL {
        let (desk, other) = (desk(*kind).await, AnyFake::start(*kind).await);
        populate(&desk, 3);
        let path = desk.connect().await;
        let to = |address: &str| json!({ "baseUrl": address, "auth": auth(*kind, "good-token") });
        // Nothing is here yet that could be mixed: a slip is corrected.
        let slip = to("https://jira.example.org");
        desk.admin.patch(&path, &slip).await.expect(200);
        let right = to(&desk.fake.address());
        desk.admin.patch(&path, &right).await.expect(200);
        desk.sync(&path).await;
        desk.has_everything("before it moves").await;
        let refused = desk.admin.patch(&path, &to(&other.address())).await;
        refused.expect_problem(422, "invalid");
        assert_eq!(refused.faulty_fields(), ["baseUrl"]);
        assert!(
            refused.text().contains("connect another tracker"),
            "{}",
            refused.text()
        );
        let kept = desk.tracker(&path).await;
        assert_eq!(kept["baseUrl"], right["baseUrl"]);
        // The same site under another path.
        let below = format!("{}/tracker", desk.fake.stage().url);
        desk.admin.patch(&path, &to(&below)).await.expect(200);
    }
}

/// What another sign-in is answered with: the body that uses it for this site.
async fn again(desk: &Desk, cloud_id: &str) -> Value {
    let (cookie, url) = leave(&desk.admin).await;
    let granted = come_back(&desk.admin, &consent(&url).await, Some(&cookie)).await;
    let grant = granted.expect(200).json()["grantId"].clone();
    json!({ "auth": { "grantId": grant, "cloudId": cloud_id } })
}

#[tokio::test(flavor = "multi_thread")]
async fn under_a_grant_a_site_is_known_by_its_id_whatever_its_address() {
    let desk = desk(TrackerKind::Jira).await;
    signed_in::jira(&desk).add_site(TWIN);
    populate(&desk, 3);
    let path = signed_in::connect(&desk).await;
    desk.sync(&path).await;
    let refused = desk.admin.patch(&path, &again(&desk, TWIN).await).await;
    refused.expect_problem(422, "invalid");
    assert_eq!(refused.faulty_fields(), ["auth.cloudId"]);
    // A site that got another name is the same one.
    desk.app
        .database()
        .run("UPDATE trackers SET base_url = 'https://ducks.atlassian.net'")
        .await;
    let renamed = again(&desk, CLOUD_ID).await;
    let renamed = desk.admin.patch(&path, &renamed).await.expect(200).json();
    assert_eq!(renamed["baseUrl"], desk.fake.address());
    desk.sync(&path).await;
    desk.has_everything("under its new name").await;
}
