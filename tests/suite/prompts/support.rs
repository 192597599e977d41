//! What tests of prompts need.

use serde_json::{Value, json};
use tests::support::Client;

/// Where prompts are.
pub const PROMPTS: &str = "/api/prompts";

/// Creates a prompt with these members besides a title and a text.
pub async fn create(client: &Client, members: Value) -> Value {
    let mut body = json!({"title": "A title", "promptText": "Say hello to {{name}}."});
    let all = body.as_object_mut().expect("an object");
    all.extend(members.as_object().expect("members").clone());
    client.post(PROMPTS, &body).await.expect(201).json()
}

/// Where a prompt is.
pub fn path_of(prompt: &Value) -> String {
    format!("{PROMPTS}/{}", prompt["id"].as_str().expect("an id"))
}

/// Makes a version of what the prompt says now.
pub async fn version(client: &Client, path: &str) -> Value {
    let made = client.post_empty(&format!("{path}/versions")).await;
    assert!(matches!(made.status, 200 | 201), "{}", made.text());
    made.json()
}

/// Points a label at a version.
pub async fn point(client: &Client, path: &str, label: &str, version: &Value) {
    let body = json!({"versionId": version["id"]});
    let moved = client.put(&format!("{path}/labels/{label}"), &body).await;
    moved.expect(200);
}

/// The titles in a list, in its order.
pub fn titles(list: &Value) -> Vec<&str> {
    let rows = list.as_array().expect("a list").iter();
    rows.map(|row| row["title"].as_str().expect("a title"))
        .collect()
}
