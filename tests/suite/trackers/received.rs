//! Webhooks, as trackers send them to the real server.

use chrono::{Duration, Utc};
use domain::trackers::TrackerKind;
use serde_json::json;
use tests::fakes::{issues::Hook, teamwork};

use super::{
    desk::{Desk, desk},
    support::AnyFake,
};

pub(crate) const SECRET: &str = "a-secret-of-hooks";

pub(crate) fn hook_of(
    desk: &Desk,
    event: &str,
    id: u64,
    delivery: &str,
    secret: Option<&str>,
) -> Hook {
    match &desk.fake {
        AnyFake::Jira(fake) => fake.hook(event, id, delivery, secret),
        AnyFake::JiraDc(fake) => fake.hook(event, id, delivery, secret),
        AnyFake::Teamwork(_) => teamwork::hook(id, secret),
    }
}

/// Where a tracker of this path sends its webhooks.
pub(crate) fn address(desk: &Desk, path: &str) -> String {
    let id = path.rsplit('/').next().expect("an id");
    match desk.fake.kind() {
        TrackerKind::Teamwork => format!("/api/webhooks/teamwork/{id}/TASK.UPDATED"),
        _ => format!("/api/webhooks/jira/{id}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_has_its_issue_read_again_and_nothing_else() {
    for kind in TrackerKind::ALL {
        let desk = desk(*kind).await;
        let (path, project) = (desk.connect().await, desk.fake.projects()[0]);
        let id = desk.fake.shared().world().create(project, "Ducks");
        let hook = hook_of(&desk, "jira:issue_created", id, "first", Some(SECRET));
        let to = address(&desk, &path);
        desk.hook(&to, &hook).await.expect(202);
        desk.app.drain().await;
        desk.has_everything("what was made").await;
        desk.fake.shared().world().retitle(id, "Geese");
        desk.fake.shared().world().wait(Duration::seconds(1));
        let mut hook = hook_of(&desk, "jira:issue_updated", id, "second", Some(SECRET));
        if *kind == TrackerKind::Teamwork {
            // It can be told from the first by its event alone.
            hook = hook_of(&desk, "", id, "", Some(SECRET));
        }
        let to = to.replace("TASK.UPDATED", "TASK.TAGGED");
        let before = desk.fake.stage().calls();
        desk.hook(&to, &hook).await.expect(202);
        assert_eq!(
            desk.fake.stage().calls(),
            before,
            "nobody waits for the tracker"
        );
        desk.app.drain().await;
        desk.has_everything("what changed").await;
        desk.fake.shared().world().delete(id);
        let hook = hook_of(&desk, "jira:issue_deleted", id, "third", Some(SECRET));
        let to = to.replace("TASK.TAGGED", "TASK.DELETED");
        desk.hook(&to, &hook).await.expect(202);
        desk.app.drain().await;
        desk.has_everything("what is gone").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_is_taken_once() {
    for kind in TrackerKind::ALL {
        let desk = desk(*kind).await;
        let (path, project) = (desk.connect().await, desk.fake.projects()[0]);
        let id = desk.fake.shared().world().create(project, "Ducks");
        let hook = hook_of(&desk, "jira:issue_updated", id, "once", Some(SECRET));
        let to = address(&desk, &path);
        desk.hook(&to, &hook).await.expect(202);
        desk.hook(&to, &hook).await.expect(200);
        desk.app.drain().await;
        desk.hook(&to, &hook).await.expect(200);
        assert_eq!(
            desk.app.count("jobs WHERE kind = 'trackers.fetch'").await,
            1
        );
        desk.app
            .database()
            .run("UPDATE tracker_deliveries SET expires_at = now() - interval '1 s'")
            .await;
        desk.hook(&to, &hook).await.expect(202);
        desk.app.drain().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_proves_nothing_is_answered_as_if_there_were_no_tracker() {
    for kind in TrackerKind::ALL {
        let desk = desk(*kind).await;
        let (path, other) = (desk.connect().await, desk.connect().await);
        let another = json!({ "webhookSecret": "another-secret-of-hooks" });
        desk.admin.patch(&other, &another).await.expect(200);
        let id = desk
            .fake
            .shared()
            .world()
            .create(desk.fake.projects()[0], "Ducks");
        let hook = |secret| hook_of(&desk, "jira:issue_updated", id, "x", secret);
        let nowhere = format!("/api/trackers/{}", uuid::Uuid::now_v7());
        let good = hook(Some(SECRET));
        let mut tampered = good.clone();
        tampered.body = tampered.body.replace(&id.to_string(), "1");
        let mut said = Vec::new();
        for (path, hook) in [
            (&path, hook(None)),
            (&path, hook(Some("a-wrong-secret"))),
            (&path, hook(Some(""))),
            (&path, tampered),
            (&other, good.clone()),
            (&nowhere, good.clone()),
        ] {
            let reply = desk.hook(&address(&desk, path), &hook).await;
            let problem = reply.expect_problem(404, "not_found");
            said.push(problem["detail"].clone());
        }
        said.dedup();
        assert_eq!(said.len(), 1, "{said:?}");
        desk.admin
            .patch(&path, &json!({ "webhookSecret": null }))
            .await
            .expect(200);
        desk.hook(&address(&desk, &path), &good).await.expect(404);
        desk.admin.delete(&other).await.expect(204);
        let after = hook(Some("another-secret-of-hooks"));
        desk.hook(&address(&desk, &other), &after).await.expect(404);
        assert_eq!(
            desk.app.count("jobs WHERE kind = 'trackers.fetch'").await,
            0
        );
        let cross = match kind {
            TrackerKind::Teamwork => address(&desk, &path)
                .replace("/TASK.UPDATED", "")
                .replace("teamwork", "jira"),
            _ => format!(
                "{}/TASK.UPDATED",
                address(&desk, &path).replace("jira", "teamwork")
            ),
        };
        desk.hook(&cross, &good).await.expect(404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_hook_a_large_one_and_one_about_nothing_are_not_taken() {
    let desk = desk(TrackerKind::Jira).await;
    let path = desk.connect().await;
    let to = address(&desk, &path);
    let signed = |body: serde_json::Value| {
        Hook::unsigned(&body).signed("x-hub-signature", "sha256=", SECRET)
    };
    let at = |time: chrono::DateTime<Utc>| {
        signed(
            json!({ "timestamp": time.timestamp_millis(), "webhookEvent": "jira:issue_updated", "issue": { "id": "10001" } }),
        )
    };
    desk.hook(&to, &at(Utc::now() - Duration::hours(3)))
        .await
        .expect(404);
    desk.hook(&to, &at(Utc::now() + Duration::hours(1)))
        .await
        .expect(404);
    desk.hook(
        &to,
        &signed(json!({ "webhookEvent": "jira:version_released" })),
    )
    .await
    .expect(200);
    desk.hook(
        &to,
        &signed(json!({ "webhookEvent": "jira:issue_updated", "issue": { "id": "../myself" } })),
    )
    .await
    .expect(200);
    desk.hook(&to, &signed(json!([])))
        .await
        .expect_problem(400, "invalid_body");
    let large = signed(json!({ "webhookEvent": "x".repeat(1_100_000) }));
    desk.hook(&to, &large)
        .await
        .expect_problem(413, "too_large");
    assert_eq!(
        desk.app.count("jobs WHERE kind = 'trackers.fetch'").await,
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jira_that_signs_nothing_is_known_by_the_word_in_its_address() {
    let desk = desk(TrackerKind::JiraDc).await;
    let path = desk.connect().await;
    let id = desk.fake.shared().world().create("DEMO", "Ducks");
    let hook = hook_of(&desk, "jira:issue_updated", id, "x", None);
    let to = address(&desk, &path);
    desk.hook(&format!("{to}?word=wrong"), &hook)
        .await
        .expect(404);
    desk.hook(&format!("{to}?word={SECRET}"), &hook)
        .await
        .expect(202);
    desk.app.drain().await;
    desk.has_everything("by the word").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_about_a_project_that_is_not_read_brings_nothing() {
    for kind in [TrackerKind::Jira, TrackerKind::Teamwork] {
        let desk = desk(kind).await;
        let mut body = desk.body();
        body["projects"] = json!([desk.fake.projects()[0]]);
        let path = desk.connect_as(&body).await;
        let id = desk
            .fake
            .shared()
            .world()
            .create(desk.fake.projects()[1], "Elsewhere");
        let hook = hook_of(&desk, "jira:issue_updated", id, "x", Some(SECRET));
        desk.hook(&address(&desk, &path), &hook).await.expect(202);
        desk.app.drain().await;
        assert_eq!(desk.issues().await, []);
    }
}
