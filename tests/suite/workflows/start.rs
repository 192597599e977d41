//! Starting executions: what is refused, and what is pinned.

use serde_json::json;
use tests::support::App;

use super::support::{WORKFLOWS, asked, execution, given, id, job, task, workflow};

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_is_held_to_what_the_workflow_said_at_its_start() {
    let app = App::start().await;
    let ada = app.register().await;
    let stored = workflow(&ada, &json!([given("a", &json!("first"), &[])])).await;
    let path = format!("{WORKFLOWS}/{stored}");
    let start = async || {
        ada.post_empty(&format!("{path}/execute"))
            .await
            .expect(202)
            .json()
    };
    let (first, same) = (start().await, start().await);
    ada.patch(
        &path,
        &json!({"tasks": [given("a", &json!("second"), &[])]}),
    )
    .await
    .expect(200);
    let second = start().await;
    ada.delete(&path).await.expect(204);
    app.drain().await;
    let at = async |started: &serde_json::Value| {
        execution(&ada, started["executionId"].as_str().expect("an id")).await
    };
    let (first, same, second) = (at(&first).await, at(&same).await, at(&second).await);
    assert_eq!(task(&first, "a")["result"], "first");
    assert_eq!(task(&second, "a")["result"], "second");
    assert_eq!(first["versionId"], same["versionId"]);
    assert_ne!(first["versionId"], second["versionId"]);
    assert_eq!(first["workflowId"], json!(null));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_that_is_sent_is_checked_like_one_that_is_kept() {
    let app = App::start().await;
    let ada = app.register().await;
    let body = json!({"workflow": {"id": "wf-custom-1", "tasks": [given("a", &json!(1), &["a"])]}});
    let reply = ada.post("/api/workflows/execute", &body).await;
    assert_eq!(reply.faulty_fields(), ["workflow.tasks"]);
    ada.post("/api/workflows/execute", &json!({}))
        .await
        .expect_problem(422, "invalid");
    let body = json!({"workflow": {"tasks": [given("a", &json!(1), &[])]}, "userInput": [1]});
    ada.post("/api/workflows/execute", &body)
        .await
        .expect_problem(400, "invalid_body");
    let body =
        json!({"workflow": {"tasks": [given("a", &json!(1), &[])]}, "userInput": {"text": "\0"}});
    assert_eq!(
        ada.post("/api/workflows/execute", &body)
            .await
            .faulty_fields(),
        ["userInput"]
    );
    let list = ada.get("/api/executions").await.json();
    assert_eq!(list, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn linked_prompts_that_cannot_be_seen_are_all_named_before_anything_begins() {
    let app = App::start().await;
    let ada = app.register().await;
    let bob = app.member(&ada, "developer").await;
    let secret = json!({"title": "Secret", "promptText": "A secret."});
    let secret = id(&bob.post("/api/prompts", &secret).await.expect(201).json());
    let (mut one, mut two) = (asked("one", "x", &[]), asked("two", "x", &[]));
    one["promptId"] = json!(secret);
    two["promptId"] = json!(uuid::Uuid::now_v7());
    let stored = workflow(&ada, &json!([given("free", &json!(1), &[]), one, two])).await;
    let reply = ada
        .post_empty(&format!("{WORKFLOWS}/{stored}/execute"))
        .await;
    assert_eq!(
        reply.faulty_fields(),
        ["tasks[1].promptId", "tasks[2].promptId"]
    );
    assert!(
        reply
            .text()
            .contains(&format!("Prompt with ID {secret} not found"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_tells_browsers_how_its_execution_goes() {
    let app = App::start().await;
    let ada = app.register().await;
    let tasks = json!([
        given("a", &json!("{{userInput.text}}"), &[]),
        asked("b", "[[mock: fail=400]]", &["a"])
    ]);
    let started = super::support::start(&ada, &tasks, &json!({"text": "x"})).await;
    let waiting = job(&ada, &started).await;
    assert_eq!(
        (waiting["status"].as_str(), waiting["progress"].as_i64()),
        (Some("pending"), Some(0))
    );
    assert_eq!(waiting["returnValue"], json!(null));
    app.drain().await;
    let over = job(&ada, &started).await;
    assert_eq!(
        (over["status"].as_str(), over["progress"].as_i64()),
        (Some("failed"), Some(100)),
        "{over}"
    );
    assert_eq!(over["returnValue"]["results"], json!({"a": "x"}));
    assert_eq!(
        over["returnValue"]["dataStore"],
        json!({"userInput": {"text": "x"}, "a": "x"})
    );
    assert!(
        over["failedReason"]
            .as_str()
            .is_some_and(|why| why.contains("The task \"b\" failed")),
        "{over}"
    );
    assert!(over["finishedOn"].as_i64() >= over["processedOn"].as_i64());
    ada.get(&format!(
        "/api/workflows/jobs/{}/status",
        uuid::Uuid::now_v7()
    ))
    .await
    .expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_may_not_run_starts_nothing() {
    let app = App::start().await;
    let ada = app.register().await;
    let stored = workflow(&ada, &json!([given("a", &json!(1), &[])])).await;
    let body = json!({"name": "reader", "scopes": ["read", "write"]});
    let key = ada.post("/api/api-keys", &body).await.expect(201).json();
    let key = app.anonymous().bearing(key["key"].as_str().expect("a key"));
    key.get(&format!("{WORKFLOWS}/{stored}")).await.expect(200);
    key.post_empty(&format!("{WORKFLOWS}/{stored}/execute"))
        .await
        .expect_problem(403, "forbidden");
    let task = json!({"task": given("a", &json!(1), &[])});
    key.post("/api/workflows/run-task", &task)
        .await
        .expect_problem(403, "forbidden");
}
