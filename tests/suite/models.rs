//! The registry of models, its prices, and what a company makes of it.

mod admin;
mod list;
mod money;
mod resolve;
mod seeded;

use serde_json::{Value, json};
use tests::support::Client;

/// The models a client is shown.
async fn list(client: &Client, query: &str) -> Vec<Value> {
    let reply = client.get(&format!("/api/models{query}")).await;
    reply.expect(200).json().as_array().expect("a list").clone()
}

/// The model of this name among them.
async fn named(client: &Client, name: &str) -> Value {
    let models = list(client, "").await;
    let found = models.into_iter().find(|model| model["name"] == name);
    found.unwrap_or_else(|| panic!("no {name}"))
}

fn path(model: &Value) -> String {
    format!("/api/models/{}", model["id"].as_str().expect("an id"))
}

/// A model that only this company has.
async fn add(client: &Client, members: Value) -> Value {
    let mut body = json!({"provider": "openai", "model": "house-model", "label": "House model", "kind": "text"});
    for (name, value) in members.as_object().expect("members") {
        body[name] = value.clone();
    }
    client.post("/api/models", &body).await.expect(201).json()
}
