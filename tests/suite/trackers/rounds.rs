//! Rounds of the real worker over trackers that change while they are read.

use chrono::{Duration, Utc};
use db::{
    jobs::FenceError,
    trackers::work::{self, StoreError},
};
use domain::{
    jobs::{JobId, Lease},
    trackers::{Cursor, TrackerKind},
};
use serde_json::{Value, json};
use tests::fakes::stage::Cue;

use super::{
    desk::{Desk, auth, desk},
    issues::issue,
    sync::restless,
};

/// Issues that changed long ago.
fn populate(desk: &Desk, count: u32) {
    let mut world = desk.fake.shared().world();
    world.populate(desk.fake.projects()[0], count, Duration::seconds(37));
}

async fn jobs(desk: &Desk, query: &str) -> Value {
    desk.admin.get(&format!("/api/jobs?{query}")).await.json()
}

/// Five thousand issues, of which some change after each page.
async fn nothing_is_lost(kind: TrackerKind) {
    let desk = desk(kind).await;
    populate(&desk, 5000);
    desk.fake.shared().world().lag = Duration::minutes(4);
    restless(&desk.fake, 60);
    let path = desk.connect().await;
    let round = desk.sync(&path).await;
    assert_eq!(round["state"], "done", "{round}");
    let first = desk.fake.stage().calls();
    assert!(first <= 65, "{first} calls for 5000 issues");
    desk.fake.shared().world().meanwhile(|_, _| ());
    desk.fake.shared().world().wait(Duration::minutes(10));
    let round = desk.sync(&path).await;
    let second = desk.fake.stage().calls() - first;
    assert!(second <= 20, "{second} calls for what changed");
    let sweep = desk.sweep(&path).await;
    let swept = desk.fake.stage().calls() - first - second;
    eprintln!(
        "{kind}: {first} calls for 5000 issues, {second} for what changed, {swept} to go through all: {round} {sweep}"
    );
    assert!(swept <= 90, "{swept} calls to go through all");
    assert_eq!(
        sweep["stored"], 0,
        "nothing was lost or stale before it: {sweep}"
    );
    desk.has_everything(kind.as_str()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_worker_loses_no_issue_of_jira_while_they_change() {
    nothing_is_lost(TrackerKind::Jira).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_worker_loses_no_issue_of_data_center_while_they_change() {
    nothing_is_lost(TrackerKind::JiraDc).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_worker_loses_no_task_of_teamwork_while_they_change() {
    nothing_is_lost(TrackerKind::Teamwork).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_has_each_tracker_read_once_however_many_workers_tick() {
    let desk = desk(TrackerKind::Jira).await;
    populate(&desk, 3);
    let path = desk.connect().await;
    let workers = [desk.app.worker(), desk.app.worker(), desk.app.worker()];
    let ticks = workers.iter().map(worker::tick_trackers);
    let begun: usize = futures::future::try_join_all(ticks)
        .await
        .expect("ticks")
        .into_iter()
        .sum();
    assert_eq!(begun, 1);
    worker::drain(&workers[0]).await.expect("drained");
    desk.has_everything("the first round").await;
    assert_eq!(worker::tick_trackers(&workers[0]).await.expect("a tick"), 0);
    let rounds = desk.admin.get(&format!("{path}/syncs")).await.json();
    assert_eq!(rounds.as_array().map(Vec::len), Some(1));
    assert_eq!(rounds[0]["kind"], "delta");
    assert_eq!(
        (&rounds[0]["stored"], &rounds[0]["state"]),
        (&json!(3), &json!("done"))
    );
    let tracker = desk.tracker(&path).await;
    assert_eq!(
        tracker["accountName"], "Ann Drake",
        "it was found out on the way"
    );
    assert!(tracker["lastSuccessAt"].is_string());
    let again = desk.sync(&path).await;
    assert_eq!(
        (&again["stored"], &again["kind"]),
        (&json!(0), &json!("manual"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_that_is_asked_for_twice_is_one() {
    let desk = desk(TrackerKind::Jira).await;
    let path = desk.connect().await;
    let ask = async || {
        let asked = desk.admin.post_empty(&format!("{path}/sync")).await;
        asked.expect(202).json()["syncId"].clone()
    };
    let first = ask().await;
    assert_eq!(ask().await, first);
    assert_eq!(desk.round(&path, &first).await["state"], "queued");
    desk.app.drain().await;
    assert_ne!(ask().await, first);
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
async fn what_moved_and_what_is_gone_is_found_when_all_is_gone_through() {
    for kind in TrackerKind::ALL {
        let desk = desk(*kind).await;
        populate(&desk, 120);
        let path = desk.connect().await;
        desk.sync(&path).await;
        let ids: Vec<u64> = desk
            .fake
            .shared()
            .world()
            .rows()
            .map(|row| row.id)
            .collect();
        {
            let mut world = desk.fake.shared().world();
            world.delete(ids[3]);
            world.delete(ids[77]);
            let away = desk.fake.projects()[1];
            world.relocate(ids[5], away);
        }
        let sweep = desk.sweep(&path).await;
        assert_eq!(sweep["state"], "done", "{sweep}");
        assert_eq!(sweep["gone"], 2, "{sweep}");
        desk.has_everything(kind.as_str()).await;
        let here = desk.app.count("issues WHERE gone_at IS NOT NULL").await;
        assert_eq!(here, 2);
        let list = desk.admin.get("/api/issues?limit=1000").await.json();
        assert_eq!(list.as_array().map(Vec::len), Some(118));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_projects_are_read_from_the_beginning_and_those_before_are_gone() {
    let desk = desk(TrackerKind::Jira).await;
    populate(&desk, 30);
    desk.fake
        .shared()
        .world()
        .populate("OPS", 20, Duration::seconds(41));
    let mut body = desk.body();
    body["projects"] = json!(["demo"]);
    let path = desk.connect_as(&body).await;
    desk.sync(&path).await;
    assert_eq!(desk.issues().await.len(), 30);
    desk.admin
        .patch(&path, &json!({ "projects": ["OPS"] }))
        .await
        .expect(200);
    desk.sync(&path).await;
    assert_eq!(desk.issues().await.len(), 50);
    desk.sweep(&path).await;
    let keys = desk.issues().await;
    assert_eq!(keys.len(), 20);
    assert!(keys.iter().all(|(_, key, _)| key.starts_with("OPS-")));
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

#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_of_a_tracker_that_changed_meanwhile_or_by_a_worker_that_came_late_is_not_stored()
 {
    let desk = desk(TrackerKind::Jira).await;
    let path = desk.connect().await;
    let asked = desk.admin.post_empty(&format!("{path}/sync")).await;
    let id: uuid::Uuid = asked.json()["jobId"]
        .as_str()
        .expect("an id")
        .parse()
        .expect("an id");
    let mut conn = desk.app.database().connect().await;
    let minute = std::time::Duration::from_secs(60);
    let claim = db::jobs::claim(&mut conn, JobId(id), "test", minute).await;
    let held = claim.expect("a row").expect("it waited").lease;
    let tracker = path
        .rsplit('/')
        .next()
        .expect("an id")
        .parse()
        .expect("an id");
    let mut read = async || {
        work::find(&mut conn, tracker)
            .await
            .expect("a row")
            .expect("a tracker")
    };
    let (before, sent) = (read().await, [issue(1, Utc::now())]);
    desk.admin
        .patch(&path, &json!({ "projects": ["OPS"] }))
        .await
        .expect(200);
    let after = read().await;
    let page: (&[_], &[_]) = (&sent, &[]);
    let cursor = Cursor::default();
    let late = work::store_page(&mut conn, held, &before, page, &cursor, 1).await;
    assert!(matches!(late, Err(StoreError::Superseded)), "{late:?}");
    let foreign = Lease {
        token: uuid::Uuid::new_v4(),
        ..held
    };
    let late = work::store_page(&mut conn, foreign, &after, page, &cursor, 1).await;
    assert!(
        matches!(late, Err(StoreError::Fence(FenceError::Lost))),
        "{late:?}"
    );
    assert_eq!(desk.app.count("issues").await, 0);
    let stored = work::store_page(&mut conn, held, &after, page, &cursor, 1).await;
    assert_eq!(stored.expect("stored").written, 1);
}
