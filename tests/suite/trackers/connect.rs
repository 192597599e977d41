//! Connecting trackers, through HTTP.

use api::re_seal::{self, ReSeal};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use domain::trackers::TrackerKind;
use integrations::sealing::SealingConfig;
use serde_json::json;
use tests::{
    fakes::stage::Cue,
    support::{App, app::SEALING_KEY},
};

use super::{
    desk::{auth, desk, options},
    support::AnyFake,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_tracker_is_connected_tried_changed_and_deleted_and_its_secrets_are_never_shown() {
    for kind in TrackerKind::ALL {
        let desk = desk(*kind).await;
        let path = desk.connect().await;
        let shown = desk.tracker(&path).await;
        assert_eq!(shown["type"], kind.as_str());
        assert_eq!(shown["hasWebhookSecret"], true);
        assert_eq!(shown["state"], "active");
        let trial = desk.admin.post_empty(&format!("{path}/test")).await;
        let trial = trial.expect(200).json();
        assert_eq!(trial["ok"], true, "{kind}: {trial}");
        assert_eq!(trial["accountName"], "Ann Drake");
        assert_eq!(desk.tracker(&path).await["accountName"], "Ann Drake");
        let renamed = desk.admin.patch(&path, &json!({ "name": "Geese" })).await;
        assert_eq!(renamed.expect(200).json()["name"], "Geese");
        let wrong = json!({ "auth": auth(*kind, "bad-token"), "webhookSecret": null });
        let changed = desk.admin.patch(&path, &wrong).await.expect(200).json();
        assert_eq!(changed["hasWebhookSecret"], false);
        let trial = desk.admin.post_empty(&format!("{path}/test")).await.json();
        assert_eq!(trial["code"], "tracker_unauthorized", "{kind}: {trial}");
        let list = desk.admin.get("/api/trackers").await;
        for text in [list.text(), trial.to_string(), changed.to_string()] {
            for secret in ["good-token", "bad-token", "a-secret-of-hooks"] {
                assert!(!text.contains(secret), "{kind}: {text}");
            }
        }
        desk.admin.delete(&path).await.expect(204);
        desk.admin.get(&path).await.expect_problem(404, "not_found");
        assert_eq!(desk.app.count("tracker_secrets").await, 0);
        assert_eq!(desk.admin.get("/api/trackers").await.json(), json!([]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_faults_of_a_tracker_are_told_at_once() {
    let app = App::start().await;
    let admin = app.register().await;
    let body = json!({ "type": "jira", "name": "Ducks", "baseUrl": "http://localhost", "auth": {}, "projects": ["a b", "DEMO"] });
    let refused = admin.post("/api/trackers", &body).await;
    refused.expect_problem(422, "invalid");
    assert_eq!(refused.faulty_fields(), ["auth", "baseUrl", "projects[0]"]);
    for (kind, auth) in [
        ("jira-dc", json!({ "apiToken": "a-token-of-nobody" })),
        ("teamwork", json!({ "pat": "a-token-of-nobody" })),
        ("jira", json!({ "apiToken": "a-token-of-nobody" })),
    ] {
        let body = json!({ "type": kind, "name": "Ducks", "baseUrl": "https://example.com", "auth": auth });
        let refused = admin.post("/api/trackers", &body).await;
        assert_eq!(
            refused.expect_problem(422, "invalid")["errors"][0]["field"],
            "auth"
        );
    }
    let body = json!({ "type": "trello", "name": "", "auth": { "apiToken": "short" } });
    admin
        .post("/api/trackers", &body)
        .await
        .expect_problem(422, "invalid");
    let ungranted = json!({ "grantId": uuid::Uuid::now_v7(), "cloudId": "x" });
    let body = json!({ "type": "jira", "name": "Ducks", "auth": ungranted });
    let refused = admin.post("/api/trackers", &body).await;
    assert_eq!(refused.faulty_fields(), ["auth.grantId"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_taken_once_and_revisions_are_kept_apart() {
    let desk = desk(TrackerKind::Teamwork).await;
    let body = desk.body();
    let path = desk.connect_as(&body).await;
    let again = desk.admin.post("/api/trackers", &body).await;
    again.expect_problem(409, "conflict");
    let found = desk.admin.get(&path).await;
    let tag = found.header("etag").expect("a tag").to_owned();
    let sure = desk.admin.with("if-match", &tag);
    sure.patch(&path, &json!({ "state": "paused" }))
        .await
        .expect(200);
    let stale = sure.patch(&path, &json!({ "state": "active" })).await;
    stale.expect_problem(412, "stale");
    let tag = async || {
        desk.admin
            .get(&path)
            .await
            .header("etag")
            .expect("a tag")
            .to_owned()
    };
    let before = tag().await;
    desk.admin
        .patch(&path, &json!({ "webhookSecret": null }))
        .await
        .expect(200);
    assert_ne!(tag().await, before, "what is shown of its hooks changed");
    let asked = desk.admin.post_empty(&format!("{path}/sync")).await;
    asked.expect_problem(409, "conflict");
    desk.admin.delete(&path).await.expect(204);
    desk.connect_as(&body).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_changes_the_address_is_not_sent_the_credentials() {
    let desk = desk(TrackerKind::JiraDc).await;
    let path = desk.connect().await;
    let elsewhere = json!({ "baseUrl": "https://jira.example.org" });
    let refused = desk.admin.patch(&path, &elsewhere).await;
    refused.expect_problem(422, "invalid");
    assert_eq!(refused.faulty_fields(), ["auth"]);
    let same = json!({ "baseUrl": desk.fake.address() });
    desk.admin.patch(&path, &same).await.expect(200);
    let both = json!({ "baseUrl": "https://jira.example.org", "auth": auth(TrackerKind::JiraDc, "another-token") });
    let moved = desk.admin.patch(&path, &both).await.expect(200).json();
    assert_eq!(moved["baseUrl"], "https://jira.example.org");
}

#[tokio::test(flavor = "multi_thread")]
async fn trackers_are_for_admins() {
    let desk = desk(TrackerKind::Jira).await;
    let path = desk.connect().await;
    for role in ["lead", "developer", "requester"] {
        let member = desk.app.member(&desk.admin, role).await;
        for path in ["/api/trackers", path.as_str()] {
            member.get(path).await.expect_problem(403, "forbidden");
        }
        let body = desk.body();
        let made = member.post("/api/trackers", &body).await;
        made.expect_problem(403, "forbidden");
    }
    let stranger = desk.app.register().await;
    assert_eq!(stranger.get("/api/trackers").await.json(), json!([]));
    let sync = stranger.post_empty(&format!("{path}/sync")).await;
    sync.expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_tracker_is_connected_in_a_private_network() {
    let app = App::start().await;
    let admin = app.register().await;
    for address in [
        "https://127.0.0.1",
        "https://localhost",
        "https://10.0.0.5/jira",
        "https://192.168.1.1",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]",
        "https://[::ffff:127.0.0.1]",
        "https://[fd00::1]",
        "https://2130706433",
        "https://0x7f000001",
        "https://0177.0.0.1",
        "https://metadata.google.internal",
        "http://example.com",
        "https://user:word@example.com",
        "file:///etc/passwd",
    ] {
        let body = json!({ "type": "jira-dc", "name": "Ducks", "baseUrl": address, "auth": { "pat": "a-token-of-nobody" } });
        let refused = admin.post("/api/trackers", &body).await;
        refused.expect_problem(422, "invalid");
        assert_eq!(refused.faulty_fields(), ["baseUrl"], "{address}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_redirect_of_a_connected_tracker_is_followed() {
    let desk = desk(TrackerKind::JiraDc).await;
    let path = desk.connect().await;
    let other = AnyFake::start(TrackerKind::JiraDc).await;
    for to in ["http://169.254.169.254/latest/meta-data/", &other.address()] {
        let cue = Cue::status(302).with("location", to);
        desk.fake.stage().script([cue]);
        let trial = desk.admin.post_empty(&format!("{path}/test")).await.json();
        assert_eq!(trial["code"], "tracker_misconfigured", "{trial}");
    }
    assert_eq!(other.stage().calls(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_are_sealed_anew_with_the_keys_of_providers() {
    let desk = desk(TrackerKind::Jira).await;
    let path = desk.connect().await;
    let next = format!("next:{}", BASE64_STANDARD.encode([7; 32]));
    let sealing = SealingConfig {
        sealing_keys: vec![next.clone().into(), SEALING_KEY.into()],
    };
    let command = || ReSeal {
        sealing: sealing.clone(),
        db: desk.app.config.db.clone(),
    };
    assert_eq!(re_seal::run(command()).await.expect("sealed anew"), 2);
    assert_eq!(re_seal::run(command()).await.expect("nothing to do"), 0);
    let moved = options(&desk.fake.stage().url);
    let moved = moved.and(move |config| config.gateway.sealing.sealing_keys = vec![next.into()]);
    let replica = desk.app.replica(moved).await;
    let admin = desk.admin.at(&replica.url);
    let trial = admin.post_empty(&format!("{path}/test")).await.json();
    assert_eq!(trial["ok"], true, "{trial}");
    let trial = desk.admin.post_empty(&format!("{path}/test")).await.json();
    assert_eq!(trial["ok"], false, "it has the old key alone: {trial}");
}
