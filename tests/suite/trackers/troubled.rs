//! Trackers that do not behave, and what becomes of their rounds.

use chrono::{Duration, Utc};
use domain::trackers::TrackerKind;
use serde_json::{Value, json};
use tests::fakes::stage::Cue;

use super::{
    desk::{Desk, auth, desk},
    rounds::populate,
};

async fn jobs(desk: &Desk, query: &str) -> Value {
    desk.admin.get(&format!("/api/jobs?{query}")).await.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tracker_that_asks_to_wait_is_waited_for() {
    let desk = desk(TrackerKind::Jira).await;
    populate(&desk, 3);
    let path = desk.connect().await;
    desk.admin
        .post_empty(&format!("{path}/test"))
        .await
        .expect(200);
    desk.fake
        .stage()
        .script([Cue::status(429).with("retry-after", "120")]);
    let round = desk.sync(&path).await;
    assert_eq!(round["state"], "queued", "{round}");
    let until: chrono::DateTime<Utc> = round["runAt"]
        .as_str()
        .expect("a time")
        .parse()
        .expect("a time");
    let wait = (until - Utc::now()).num_seconds();
    assert!((100..=120).contains(&wait), "{wait}");
    let job = &jobs(&desk, "kind=trackers.sync").await[0];
    assert_eq!((&job["attempts"], &job["snoozes"]), (&json!(0), &json!(1)));
    desk.app
        .database()
        .run("UPDATE jobs SET run_at = now()")
        .await;
    desk.app.drain().await;
    desk.has_everything("after the wait").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tracker_that_fails_ends_in_the_dead_letters_and_is_tried_again_later() {
    let desk = desk(TrackerKind::Jira).await;
    populate(&desk, 3);
    let path = desk.connect().await;
    desk.admin
        .post_empty(&format!("{path}/test"))
        .await
        .expect(200);
    desk.fake.stage().script((0..8).map(|_| Cue::status(503)));
    let mut round = desk.sync(&path).await;
    for _ in 0..7 {
        assert_eq!(round["errorCode"], "tracker_overloaded", "{round}");
        desk.app
            .database()
            .run("UPDATE jobs SET run_at = now() WHERE state = 'queued'")
            .await;
        desk.app.drain().await;
        round = desk.round(&path, &round["id"]).await;
    }
    assert_eq!(round["state"], "failed", "{round}");
    assert_eq!(jobs(&desk, "state=dead").await[0]["id"], round["id"]);
    let tracker = desk.tracker(&path).await;
    assert_eq!(tracker["errorCode"], "tracker_overloaded");
    let next: chrono::DateTime<Utc> = tracker["nextSyncAt"]
        .as_str()
        .expect("a time")
        .parse()
        .expect("a time");
    assert!(next > Utc::now() + Duration::minutes(9), "it is put off");
    let again = desk.sync(&path).await;
    assert_eq!(again["state"], "done");
    assert_eq!(
        jobs(&desk, "state=dead").await,
        json!([]),
        "its work is done"
    );
    assert_eq!(desk.round(&path, &round["id"]).await["state"], "failed");
    assert_eq!(desk.tracker(&path).await["errorCode"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tracker_that_lets_nobody_in_is_to_be_connected_again() {
    for kind in TrackerKind::ALL {
        let desk = desk(*kind).await;
        populate(&desk, 3);
        let path = desk.connect().await;
        let wrong = json!({ "auth": auth(*kind, "bad-token") });
        desk.admin.patch(&path, &wrong).await.expect(200);
        let round = desk.sync(&path).await;
        assert_eq!(round["state"], "failed", "{round}");
        assert_eq!(round["errorCode"], "tracker_unauthorized");
        let tracker = desk.tracker(&path).await;
        assert_eq!(tracker["state"], "reconnect_needed");
        desk.app
            .database()
            .run("UPDATE trackers SET next_sync_at = now()")
            .await;
        let worker = desk.app.worker();
        assert_eq!(worker::tick_trackers(&worker).await.expect("a tick"), 0);
        let refused = desk.admin.patch(&path, &json!({ "state": "active" })).await;
        refused.expect_problem(409, "conflict");
        let good = json!({ "auth": auth(*kind, "good-token") });
        let changed = desk.admin.patch(&path, &good).await.expect(200).json();
        assert_eq!(
            (&changed["state"], &changed["errorCode"]),
            (&json!("active"), &Value::Null)
        );
        assert_eq!(desk.sync(&path).await["state"], "done");
        desk.has_everything(kind.as_str()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interface_that_was_removed_and_a_refusal_are_given_up_at_once() {
    for (status, code) in [
        (410, "tracker_interface_removed"),
        (403, "tracker_forbidden"),
    ] {
        let desk = desk(TrackerKind::Jira).await;
        let path = desk.connect().await;
        desk.admin
            .post_empty(&format!("{path}/test"))
            .await
            .expect(200);
        desk.fake.stage().script([Cue::status(status)]);
        let round = desk.sync(&path).await;
        assert_eq!(
            (&round["state"], &round["errorCode"]),
            (&json!("failed"), &json!(code))
        );
        assert_eq!(desk.tracker(&path).await["state"], "active");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_the_tracker_forgot_is_asked_for_anew() {
    let desk = desk(TrackerKind::Jira).await;
    desk.fake
        .shared()
        .world()
        .populate("DEMO", 350, Duration::zero());
    let path = desk.connect().await;
    desk.admin
        .post_empty(&format!("{path}/test"))
        .await
        .expect(200);
    // Two pages, and then the answer that Jira gives where it no longer knows the third.
    let lost = Cue {
        message: Some("The next page token is invalid or has expired.".into()),
        ..Cue::status(400)
    };
    desk.fake
        .stage()
        .script([Cue::default(), Cue::default(), lost]);
    let round = desk.sync(&path).await;
    assert_eq!(round["state"], "done", "{round}");
    desk.has_everything("after its pages were forgotten").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_issue_is_named_and_holds_up_no_other() {
    let desk = desk(TrackerKind::Jira).await;
    let path = desk.connect().await;
    let trial = format!("{path}/test");
    desk.admin.post_empty(&trial).await.expect(200);
    let whole = json!({ "id": "10002", "key": "DEMO-2", "fields": { "summary": "Geese", "updated": "2026-11-20T10:15:30.123+0100" } });
    let page = json!({ "issues": [{ "id": "10001", "key": "DEMO-1", "fields": {} }, whole], "isLast": true });
    desk.fake.stage().script([Cue::garbage(&page.to_string())]);
    let round = desk.sync(&path).await;
    assert_eq!(round["state"], "done", "{round}");
    assert_eq!(
        (&round["unreadable"], &round["stored"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(round["broken"][0]["key"], "DEMO-1", "{round}");
    assert_eq!(desk.issues().await.len(), 1);
}
