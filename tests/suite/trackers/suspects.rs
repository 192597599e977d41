//! Sweeps over more than one turn has time for.

use std::{collections::BTreeSet, time::Duration};

use domain::trackers::TrackerKind;
use serde_json::json;
use tests::fakes::stage::Cue;
use worker::Pace;

use super::{
    desk::{Desk, desk},
    sight::read,
};

/// The ids of issues that were asked for one by one from the call of this number on.
fn asked(desk: &Desk, from: usize) -> BTreeSet<String> {
    let heard = desk.fake.stage().heard();
    let ids = heard.iter().skip(from).filter_map(|heard| {
        let name = heard.what.strip_suffix(".json").unwrap_or(&heard.what);
        let (path, id) = name.rsplit_once('/')?;
        (path.ends_with("/issue") || path.ends_with("/tasks")).then(|| id.to_owned())
    });
    ids.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_sweep_has_no_time_to_ask_for_the_next_one_asks_for_first() {
    for kind in TrackerKind::ALL {
        let desk = desk(*kind).await;
        let (path, ids) = read(&desk, 5).await;
        // They are there, and on no page.
        desk.fake.shared().world().unlisted.extend(&ids);
        let few = Pace {
            suspects: 3,
            ..Pace::default()
        };
        let before = desk.admin.get("/api/issues").await.json();
        let begun = desk.fake.stage().calls();
        desk.sweep_at(&path, few).await;
        let first = asked(&desk, begun);
        assert_eq!(first.len(), 3);
        let begun = desk.fake.stage().calls();
        desk.sweep_at(&path, few).await;
        let second = asked(&desk, begun);
        assert_eq!(second.len(), 3);
        assert_eq!(
            first.union(&second).count(),
            5,
            "{kind}: {first:?} {second:?}"
        );
        let after = desk.admin.get("/api/issues").await.json();
        assert_eq!(after, before, "to be asked for is no change");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_sweep_lets_others_go_first_and_goes_on_behind_them() {
    for kind in TrackerKind::ALL {
        let desk = desk(*kind).await;
        let (path, ids) = read(&desk, 220).await;
        {
            let mut world = desk.fake.shared().world();
            for id in &ids[..70] {
                world.delete(*id);
            }
            world.unlisted.extend(&ids[70..120]);
            let project = desk.fake.projects()[1];
            for number in 0..60 {
                world.create(project, &format!("New {number}"));
            }
        }
        let short = Pace {
            turn: Duration::ZERO,
            suspects: 110,
        };
        let begun = desk.fake.stage().calls();
        let sweep = desk.sweep_at(&path, short).await;
        assert_eq!(sweep["state"], "done", "{kind}: {sweep}");
        let job = &desk.admin.get("/api/jobs?kind=trackers.sweep").await.json()[0];
        assert_eq!(
            (&job["snoozes"], &job["attempts"]),
            (&json!(3), &json!(1)),
            "{job}"
        );
        let calls = desk.fake.stage().calls() - begun;
        assert!((170..=180).contains(&calls), "{kind}: {calls} calls");
        assert_eq!(sweep["stored"], 60, "{sweep}");
        desk.sweep(&path).await;
        desk.has_everything("after two sweeps").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn large_issues_are_stored_before_too_many_are_held() {
    let desk = desk(TrackerKind::Jira).await;
    let (path, _) = read(&desk, 0).await;
    for number in 0..6 {
        let mut world = desk.fake.shared().world();
        let id = world.create("DEMO", &format!("Large {number}"));
        world.change(id, |row| row.text = "x".repeat(4 << 20));
    }
    // One page of keys, five issues, and then the end.
    let cues = (0..6).map(|_| Cue::default());
    desk.fake.stage().script(cues.chain([Cue::status(503)]));
    let sweep = desk.sweep(&path).await;
    assert_eq!(sweep["errorCode"], "tracker_overloaded", "{sweep}");
    let stored = desk.issues().await.len();
    assert!((3..=4).contains(&stored), "{stored} of five");
}
