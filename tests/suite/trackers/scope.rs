//! Which issues are of the projects that are read, where their keys do not tell.

use chrono::Duration;
use domain::trackers::TrackerKind;
use serde_json::json;

use super::{
    desk::{Desk, desk},
    received::{SECRET, address, hook_of},
};

/// Connects a tracker of which these projects are read.
async fn connect(desk: &Desk, projects: &[&str]) -> String {
    let mut body = desk.body();
    body["projects"] = json!(projects);
    desk.connect_as(&body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_of_projects_that_are_read_no_longer_are_gone() {
    let desk = desk(TrackerKind::Teamwork).await;
    for (project, count) in [("1", 6), ("2", 4)] {
        let mut world = desk.fake.shared().world();
        world.populate(project, count, Duration::seconds(37));
    }
    let path = connect(&desk, &[]).await;
    desk.sync(&path).await;
    assert_eq!(desk.issues().await.len(), 10);
    let narrower = json!({ "projects": ["2"] });
    desk.admin.patch(&path, &narrower).await.expect(200);
    let sweep = desk.sweep(&path).await;
    assert_eq!((&sweep["gone"], desk.issues().await.len()), (&json!(6), 4));
    let again = desk.sweep(&path).await;
    assert_eq!(again["requests"], 1, "nobody is suspected any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_is_read_by_a_key_it_had_is_read_by_hooks_too() {
    for kind in [TrackerKind::Jira, TrackerKind::JiraDc] {
        let desk = desk(kind).await;
        let path = connect(&desk, &["DEMO"]).await;
        let ids = [(); 2].map(|()| desk.fake.shared().world().create("DEMO", "Ducks"));
        desk.sync(&path).await;
        desk.fake.shared().world().rename("DEMO", "DUCKS");
        desk.fake.shared().world().relocate(ids[1], "OPS");
        for id in ids {
            let delivery = id.to_string();
            let hook = hook_of(&desk, "jira:issue_updated", id, &delivery, Some(SECRET));
            desk.hook(&address(&desk, &path), &hook).await.expect(202);
        }
        desk.app.drain().await;
        let keys: Vec<_> = desk.issues().await.into_iter().map(|row| row.1).collect();
        assert_eq!(keys, ["DUCKS-1"], "{kind}: and what moved away is gone");
    }
}
