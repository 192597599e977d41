//! In which order rows are locked: a job before its tracker, whoever does it.

use diesel_async::{AsyncPgConnection, RunQueryDsl as _};
use domain::trackers::TrackerKind;

use super::desk::{Desk, desk, id_of, until};

async fn run(conn: &mut AsyncPgConnection, sql: &str) {
    let done = diesel::sql_query(sql).execute(conn).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// Has this done while somebody who holds the tracker's waiting job comes to want the tracker too.
async fn beside(desk: &Desk, path: &str, act: impl Future<Output = ()>) {
    let id = id_of(path);
    let mut other = desk.app.database().connect().await;
    run(&mut other, "BEGIN").await;
    // As at the end of an attempt: the row is written, not only looked at.
    let hold = format!("UPDATE jobs SET snoozes = snoozes + 1 WHERE subject_id = '{id}'");
    run(&mut other, &hold).await;
    let wants = async {
        let stuck =
            "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        until("it waits for the job", async || {
            desk.app.count(stuck).await > 0
        })
        .await;
        let tracker = format!("SELECT 1 FROM trackers WHERE id = '{id}' FOR NO KEY UPDATE");
        run(&mut other, &tracker).await;
        run(&mut other, "COMMIT").await;
    };
    futures::future::join(act, wants).await;
}

/// A tracker with a round that waits.
async fn waiting(desk: &Desk) -> String {
    let path = desk.connect().await;
    let asked = desk.admin.post_empty(&format!("{path}/sync")).await;
    asked.expect(202);
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_ends_a_job_and_whoever_deletes_its_tracker_do_not_wait_for_each_other() {
    let desk = desk(TrackerKind::Jira).await;
    let path = waiting(&desk).await;
    let act = async {
        desk.admin.delete(&path).await.expect(204);
    };
    beside(&desk, &path, act).await;
    let alive = "jobs WHERE kind = 'trackers.sync' AND state <> 'cancelled'";
    assert_eq!(desk.app.count(alive).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_ends_a_job_and_whoever_asks_for_a_round_do_not_wait_for_each_other() {
    let desk = desk(TrackerKind::Jira).await;
    let path = waiting(&desk).await;
    let again = async {
        let asked = desk.admin.post_empty(&format!("{path}/sync")).await;
        asked.expect(202);
    };
    beside(&desk, &path, again).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_ends_a_job_and_the_clock_do_not_wait_for_each_other() {
    let desk = desk(TrackerKind::Jira).await;
    let path = waiting(&desk).await;
    let worker = desk.app.worker();
    let tick = async {
        let begun = worker::tick_trackers(&worker).await;
        assert_eq!(begun.expect("a tick"), 1);
    };
    beside(&desk, &path, tick).await;
    let rounds = desk.admin.get(&format!("{path}/syncs")).await.json();
    assert_eq!(rounds.as_array().map(Vec::len), Some(1), "{rounds}");
}
