//! Issues that an account may not see, one by one or all at once.

use domain::trackers::TrackerKind;
use serde_json::{Value, json};
use tests::fakes::stage::Cue;

use super::{
    desk::{Desk, desk},
    received::{SECRET, address, hook_of},
    rounds::populate,
};

/// A tracker that was read, with so many issues; its path and their ids.
pub(crate) async fn read(desk: &Desk, count: u32) -> (String, Vec<u64>) {
    populate(desk, count);
    let path = desk.connect().await;
    assert_eq!(desk.sync(&path).await["state"], "done");
    let world = desk.fake.shared().world();
    let ids = world.rows().map(|row| row.id).collect();
    drop(world);
    (path, ids)
}

async fn gone(desk: &Desk) -> i64 {
    desk.app.count("issues WHERE gone_at IS NOT NULL").await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issue_that_was_moved_out_of_sight_is_gone_and_ends_no_sweep() {
    for kind in TrackerKind::ALL {
        let desk = desk(*kind).await;
        let (path, ids) = read(&desk, 6).await;
        {
            let mut world = desk.fake.shared().world();
            world.hide(ids[1]);
            world.delete(ids[3]);
        }
        let sweep = desk.sweep(&path).await;
        assert_eq!(sweep["state"], "done", "{kind}: {sweep}");
        assert_eq!((&sweep["gone"], gone(&desk).await), (&json!(2), 2));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listed_issue_that_is_refused_is_named_and_holds_up_no_other() {
    for kind in TrackerKind::ALL {
        let desk = desk(*kind).await;
        let (path, _) = read(&desk, 1).await;
        let project = desk.fake.projects()[0];
        let ids = ["Ducks", "Geese"].map(|title| {
            let mut world = desk.fake.shared().world();
            world.create(project, title)
        });
        desk.fake.shared().world().forbidden.insert(ids[0]);
        let sweep = desk.sweep(&path).await;
        assert_eq!(sweep["state"], "done", "{kind}: {sweep}");
        assert_eq!(sweep["broken"][0]["key"], ids[0].to_string(), "{sweep}");
        assert_eq!((desk.issues().await.len(), gone(&desk).await), (2, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_about_an_issue_that_was_moved_out_of_sight_has_it_gone() {
    for kind in TrackerKind::ALL {
        let desk = desk(*kind).await;
        let (path, ids) = read(&desk, 3).await;
        desk.fake.shared().world().hide(ids[1]);
        let hook = hook_of(&desk, "jira:issue_updated", ids[1], "x", Some(SECRET));
        desk.hook(&address(&desk, &path), &hook).await.expect(202);
        desk.app.drain().await;
        assert_eq!((desk.issues().await.len(), gone(&desk).await), (2, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_refused_everything_has_nothing_gone() {
    for kind in TrackerKind::ALL {
        let desk = desk(*kind).await;
        let (path, ids) = read(&desk, 3).await;
        let hook = hook_of(&desk, "jira:issue_updated", ids[1], "x", Some(SECRET));
        let refuse = |calls| {
            let cues = (0..calls).map(|_| Cue::status(403));
            desk.fake.stage().script(cues);
        };
        desk.hook(&address(&desk, &path), &hook).await.expect(202);
        refuse(2);
        desk.app.drain().await;
        assert_eq!(gone(&desk).await, 0, "{kind}: by a hook");
        desk.fake.shared().world().unlisted.extend(ids);
        // The keys are listed; then each issue is refused, and so are the keys.
        desk.fake.stage().script([Cue::default()]);
        refuse(4);
        let sweep = desk.sweep(&path).await;
        assert_eq!(sweep["errorCode"], "tracker_forbidden", "{kind}: {sweep}");
        assert_eq!(gone(&desk).await, 0, "{kind}: by a sweep");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_sees_nothing_any_more_and_is_refused_has_nothing_gone() {
    for kind in TrackerKind::ALL {
        let desk = desk(*kind).await;
        let (path, ids) = read(&desk, 3).await;
        for id in ids {
            desk.fake.shared().world().hide(id);
        }
        let sweep = desk.sweep(&path).await;
        assert_eq!(sweep["errorCode"], "tracker_forbidden", "{kind}: {sweep}");
        assert_eq!(gone(&desk).await, 0, "{kind}");
        let job: Value = desk.admin.get("/api/jobs?state=dead").await.json();
        assert_eq!(job[0]["kind"], "trackers.sweep", "it is seen: {job}");
    }
}
