//! What tests of runs begin with.

use serde_json::{Value, json};
use tests::support::{App, Client};

/// The path of runs.
pub const RUNS: &str = "/api/runs";

/// A prompt of this text; its id.
pub async fn prompt(client: &Client, text: &str) -> String {
    let body = json!({"title": "Tried", "promptText": text});
    let reply = client.post("/api/prompts", &body).await;
    id(&reply.expect(201).json())
}

/// A prompt that judges; its id.
pub async fn grader(client: &Client, text: &str) -> String {
    let body = json!({"title": "Judge", "promptText": text, "kind": "grader"});
    let reply = client.post("/api/prompts", &body).await;
    id(&reply.expect(201).json())
}

/// The id of what was answered.
pub fn id(row: &Value) -> String {
    row["id"].as_str().expect("an id").to_owned()
}

/// Starts the run and answers it.
pub async fn start(client: &Client, body: &Value) -> Value {
    client.post(RUNS, body).await.expect(201).json()
}

/// The run as it stands.
pub async fn run(client: &Client, id: &str) -> Value {
    client.get(&format!("{RUNS}/{id}")).await.expect(200).json()
}

/// Starts the run, has it worked on, and answers it as it then stands.
pub async fn worked(app: &App, client: &Client, body: &Value) -> Value {
    let started = start(client, body).await;
    app.drain().await;
    run(client, &id(&started)).await
}
