//! Rounds of the real worker over trackers that change while they are read.

use chrono::{Duration, Utc};
use db::{
    jobs::FenceError,
    trackers::work::{self, Sent, StoreError},
};
use domain::{
    jobs::{JobId, Lease},
    trackers::{Cursor, TrackerKind},
};
use serde_json::json;

use super::{
    desk::{Desk, desk},
    issues::issue,
    sync::restless,
};

/// Issues that changed long ago.
pub(crate) fn populate(desk: &Desk, count: u32) {
    let mut world = desk.fake.shared().world();
    world.populate(desk.fake.projects()[0], count, Duration::seconds(37));
}

/// Five thousand issues, of which some change after each page.
#[expect(clippy::print_stderr, reason = "the figures are to be seen")]
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
    let page = Sent {
        issues: &sent,
        unreadable: &[],
        asked_at: Utc::now(),
    };
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
