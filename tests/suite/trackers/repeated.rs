//! Hooks that come again, and more of them than are fetched at once.

use std::time::Duration;

use db::jobs::claim;
use domain::{jobs::JobId, trackers::TrackerKind};
use tests::fakes::issues::Hook;

use super::{
    desk::{Desk, desk},
    received::{SECRET, address, hook_of},
};

/// Fetches that wait, claimed by somebody who does nothing.
async fn claim_all(desk: &Desk) {
    use db::schema::jobs::dsl::{id, jobs, kind, state};
    use diesel::{ExpressionMethods as _, QueryDsl as _};
    use diesel_async::RunQueryDsl as _;
    let mut conn = desk.app.database().connect().await;
    let waiting = jobs
        .filter(state.eq("queued"))
        .filter(kind.eq("trackers.fetch"))
        .select(id);
    let waiting: Vec<JobId> = waiting.load(&mut conn).await.expect("jobs");
    for job in waiting {
        let claimed = claim(&mut conn, job, "test", Duration::from_secs(60)).await;
        claimed.expect("an answer").expect("it waited");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_hook_is_lost_however_many_fetches_of_its_issue_run() {
    for kind in [TrackerKind::Jira, TrackerKind::Teamwork] {
        let desk = desk(kind).await;
        let path = desk.connect().await;
        let to = address(&desk, &path);
        let id = desk
            .fake
            .shared()
            .world()
            .create(desk.fake.projects()[0], "Ducks");
        let send = async |number: u32| {
            // What tells deliveries apart: their time, or their event.
            desk.fake
                .shared()
                .world()
                .wait(chrono::Duration::milliseconds(1));
            let name = format!("delivery {number}");
            let hook = hook_of(&desk, "jira:issue_updated", id, &name, Some(SECRET));
            let to = to.replace("UPDATED", &format!("UPDATED{number}"));
            desk.hook(&to, &hook).await.expect(202);
        };
        let waiting = async || {
            let of = "jobs WHERE kind = 'trackers.fetch' AND state = 'queued'";
            desk.app.count(of).await
        };
        for running in 0..4 {
            send(running * 2).await;
            assert_eq!(waiting().await, 1, "{kind}: beside {running} that run");
            send(running * 2 + 1).await;
            assert_eq!(waiting().await, 1, "{kind}: one that waits is enough");
            claim_all(&desk).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_hook_is_taken_once_whatever_its_delivery_is_called() {
    for kind in [TrackerKind::Jira, TrackerKind::JiraDc] {
        let desk = desk(kind).await;
        let path = desk.connect().await;
        let to = address(&desk, &path);
        let id = desk.fake.shared().world().create("DEMO", "Ducks");
        let hook = hook_of(&desk, "jira:issue_updated", id, "first", Some(SECRET));
        desk.hook(&to, &hook).await.expect(202);
        let mut replayed: Hook = hook.clone();
        let name = "x-atlassian-webhook-identifier";
        replayed.headers.retain(|(header, _)| *header != name);
        desk.hook(&to, &replayed).await.expect(200);
        replayed.headers.push((name, "second".into()));
        desk.hook(&to, &replayed).await.expect(200);
        let fetches = desk.app.count("jobs WHERE kind = 'trackers.fetch'").await;
        assert_eq!(fetches, 1);
    }
}
