//! Templates, through HTTP.

mod change;
mod list;
mod render;

use serde_json::{Value, json};
use tests::support::Client;

/// The path of templates.
const TEMPLATES: &str = "/api/prompt-templates";

/// A template that is in order.
fn body(name: &str) -> Value {
    json!({
        "name": name,
        "bodyMd": "# {{title}}\n{{#each criteria}}\n- {{this}}\n{{/each}}\n{{issue.key}}: {{formatStatus issue.status}}",
        "lintJson": {
            "properties": {"title": {"type": "string"}, "criteria": {"type": "array", "items": {"type": "string"}}},
            "required": ["title"],
        },
    })
}

/// Creates one; its path.
async fn template(client: &Client, body: &Value) -> String {
    let made = client.post(TEMPLATES, body).await.expect(201).json();
    format!("{TEMPLATES}/{}", made["id"].as_str().expect("an id"))
}
