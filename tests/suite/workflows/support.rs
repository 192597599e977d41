//! What tests of workflows begin with.

use diesel_async::RunQueryDsl as _;
use serde_json::{Value, json};
use tests::support::{App, Client};

/// The path of workflows.
pub const WORKFLOWS: &str = "/api/workflows";

/// A task that gives a value.
pub fn given(id: &str, value: &Value, depends: &[&str]) -> Value {
    json!({"id": id, "name": id, "type": "DATA_INPUT", "outputKey": id, "staticValue": value, "dependencies": depends})
}

/// A task that asks the mock.
pub fn asked(id: &str, prompt: &str, depends: &[&str]) -> Value {
    json!({
        "id": id, "name": id, "type": "GEMINI_PROMPT", "outputKey": id, "dependencies": depends,
        "inputKeys": depends, "promptTemplate": prompt, "agentConfig": {"model": "mock/text-1"},
    })
}

/// A task that runs a function on what it depends on.
pub fn function(id: &str, body: &str, depends: &[&str]) -> Value {
    json!({
        "id": id, "name": id, "type": "TEXT_MANIPULATION", "outputKey": id, "dependencies": depends,
        "inputKeys": depends, "functionBody": body,
    })
}

/// A workflow of these tasks; its id.
pub async fn workflow(client: &Client, tasks: &Value) -> String {
    let body = json!({"name": "Tried", "tasks": tasks});
    id(&client.post(WORKFLOWS, &body).await.expect(201).json())
}

/// The id of what was answered.
pub fn id(row: &Value) -> String {
    row["id"].as_str().expect("an id").to_owned()
}

/// Starts an execution of these tasks; its id.
pub async fn start(client: &Client, tasks: &Value, input: &Value) -> String {
    let body = json!({"workflow": {"name": "Tried", "tasks": tasks}, "userInput": input});
    let started = client.post("/api/workflows/execute", &body).await;
    let started = started.expect(202).json();
    started["executionId"].as_str().expect("an id").to_owned()
}

/// The execution as it stands.
pub async fn execution(client: &Client, id: &str) -> Value {
    let path = format!("/api/executions/{id}");
    client.get(&path).await.expect(200).json()
}

/// Has these tasks performed, and answers the execution as it then stands.
pub async fn performed(app: &App, client: &Client, tasks: &Value, input: &Value) -> Value {
    let id = start(client, tasks, input).await;
    app.drain().await;
    execution(client, &id).await
}

/// What its job says of an execution.
pub async fn job(client: &Client, id: &str) -> Value {
    let path = format!("/api/workflows/jobs/{id}/status");
    client.get(&path).await.expect(200).json()
}

/// A member of each task, in their order.
pub fn of_tasks(execution: &Value, member: &str) -> Vec<Value> {
    let tasks = execution["tasks"].as_array().expect("tasks").iter();
    tasks.map(|task| task[member].clone()).collect()
}

/// The task of this name.
pub fn task<'a>(execution: &'a Value, id: &str) -> &'a Value {
    let mut tasks = execution["tasks"].as_array().expect("tasks").iter();
    tasks.find(|task| task["id"] == id).expect("such a task")
}

/// Does something to the database that no request does.
pub async fn execute(app: &App, statement: &str) {
    let mut connection = app.database().connect().await;
    let done = diesel::sql_query(statement).execute(&mut connection).await;
    done.expect("a statement that works");
}
