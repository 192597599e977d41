//! The wire of Teamwork, both ways.

use serde_json::{Value, json};

use super::*;

fn site() -> Url {
    "https://example.teamwork.com".parse().expect("an address")
}

fn page() -> Value {
    json!({
        "tasks": [
            { "id": 77, "name": "Ducks do not fly", "description": "They walk.\r\n\r\n## Acceptance criteria\r\n\r\n- They fly.", "priority": "high",
              "progress": 30, "status": "new", "tasklist": { "id": 5, "type": "tasklists" },
              "assignees": [{ "id": 2, "type": "teams" }, { "id": 1, "type": "users" }], "tags": [{ "id": 9, "type": "tags" }, { "id": 8, "type": "tags" }],
              "createdBy": 3, "createdAt": "2026-11-01T08:00:00Z", "updatedAt": "2026-11-20T09:15:30Z" },
            { "id": 78, "name": "Ponds freeze", "description": null, "priority": null, "progress": 0, "status": "completed", "createdBy": { "id": 4, "type": "users" },
              "assignees": null, "tags": null, "createdAt": "2026-11-01T08:00:00Z", "updatedAt": "2026-11-20T09:16:30Z" },
            { "id": "seventy-nine", "updatedAt": "2026-11-20T09:16:30Z" },
        ],
        "included": {
            "users": { "1": { "id": 1, "firstName": "Ann", "lastName": "Drake", "email": "ann@example.com" }, "3": { "id": 3, "firstName": "Bob", "lastName": "" } },
            "tags": { "9": { "id": 9, "name": "birds" } }, "tasklists": { "5": { "id": 5, "name": "Inbox", "projectId": 6 } },
        },
        "meta": { "page": { "pageOffset": 0, "pageSize": 50, "count": 3, "hasMore": true } },
    })
}

#[test]
fn a_question_asks_for_finished_tasks_too() {
    let since = "2026-11-20T09:15:00Z".parse().ok();
    let questions = [
        to_wire::changed_since(&[3, 4], since, 2),
        to_wire::everything(&[], 1),
    ];
    let shown = questions.map(|query| {
        let pairs = query
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>()
    });
    insta::assert_json_snapshot!(shown);
}

#[test]
fn tasks_are_read_with_what_stands_beside_them() {
    let found: Found = serde_json::from_value(page()).expect("a page");
    assert!(found.goes_on());
    insta::assert_debug_snapshot!(found.issues(&site()));
}

#[test]
fn the_project_of_a_task_is_told_by_itself_or_by_its_list() {
    let found: Found = serde_json::from_value(page()).expect("a page");
    let (issues, _) = found.issues(&site());
    let projects = issues
        .iter()
        .map(|issue| from_wire::project(&issue.payload));
    assert_eq!(projects.collect::<Vec<_>>(), [Some(6), None]);
    for task in [
        json!({ "projectId": 7, "tasklist": { "id": 5 } }),
        json!({ "projectId": 0, "project": { "id": "7", "type": "projects" } }),
    ] {
        let payload = json!({ "task": task, "included": page()["included"] });
        assert_eq!(from_wire::project(&payload), Some(7), "{payload}");
    }
}

#[test]
fn a_deleted_task_is_none() {
    let one = |task: Value| {
        let one: One = serde_json::from_value(json!({ "task": task })).expect("a task");
        one.issue(&site()).map(|issue| issue.ext_key)
    };
    let mut task = page()["tasks"][0].clone();
    assert_eq!(one(task.clone()), Ok("77".into()));
    task["status"] = "deleted".into();
    assert_eq!(one(task), Err(TrackerError::NotFound));
}

#[test]
fn it_says_who_we_are() {
    let me = json!({ "person": { "id": 1, "firstName": "Ann", "lastName": "Drake", "email": "ann@example.com", "timezone": "Europe/Berlin" } });
    let me: Me = serde_json::from_value(me).expect("a person");
    insta::assert_debug_snapshot!(me.account());
}
