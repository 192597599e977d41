//! Following executions.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use tests::support::{App, Client, Reply};

use super::support::{asked, function, given, performed, start};

/// Follows an execution to the end of the answer.
async fn follow(client: &Client, id: &str, seen: i64) -> (u16, Vec<(i64, Value)>) {
    let mut request = client.request(Method::GET, &format!("/api/executions/{id}/events"));
    if seen > 0 {
        request = request.header("last-event-id", seen);
    }
    let reply = Reply::to(request).await;
    let events = reply.text();
    let frames = events.split("\n\n").filter_map(|frame| {
        let (id, data) = frame.split_once('\n')?;
        let id = id.strip_prefix("id: ")?.parse().ok()?;
        Some((id, serde_json::from_str(data.strip_prefix("data: ")?).ok()?))
    });
    (reply.status, frames.collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_step_of_an_execution_is_told_once_and_in_order() {
    let app = App::start().await;
    let ada = app.register().await;
    let tasks = json!([
        given("a", &json!(1), &[]),
        asked("b", "[[mock: fail=400]]", &["a"]),
        function("c", "return 1;", &["b"])
    ]);
    let execution = performed(&app, &ada, &tasks, &json!({})).await;
    let id = execution["id"].as_str().expect("an id");
    let (_, events) = follow(&ada, id, 0).await;
    let told: Vec<(String, String)> = events
        .iter()
        .map(|(_, data)| {
            let text = |member: &str| data[member].as_str().unwrap_or_default().to_owned();
            (text("kind"), text("taskId"))
        })
        .collect();
    let expected = [
        ("queued", ""),
        ("started", ""),
        ("task_started", "a"),
        ("task_completed", "a"),
        ("task_started", "b"),
        ("task_failed", "b"),
        ("task_skipped", "c"),
        ("execution_failed", ""),
    ];
    assert_eq!(
        told,
        expected.map(|(kind, task)| (kind.to_owned(), task.to_owned()))
    );
    let numbers: Vec<i64> = events.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (1..=8).collect::<Vec<_>>());
    assert_eq!(follow(&ada, id, 6).await.1.len(), 2);
    assert_eq!(follow(&ada, id, 8).await.0, 204);
    let colleague = app.member(&ada, "developer").await;
    assert_eq!(follow(&colleague, id, 0).await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_listens_while_it_is_performed_hears_its_end() {
    let app = App::start().await;
    let ada = app.register().await;
    let many: Vec<Value> = (0..20)
        .map(|n| given(&format!("t{n}"), &json!(n), &[]))
        .collect();
    let id = start(&ada, &json!(many), &json!({})).await;
    let listening = follow(&ada, &id, 0);
    let ((status, events), ()) = tokio::join!(listening, app.drain());
    assert_eq!(status, 200);
    let tasks: BTreeSet<&str> = events
        .iter()
        .filter_map(|(_, data)| data["taskId"].as_str())
        .collect();
    assert_eq!((tasks.len(), events.len()), (20, 43));
    assert_eq!(
        events.last().map(|(_, data)| data["kind"].clone()),
        Some(json!("execution_completed"))
    );
}
