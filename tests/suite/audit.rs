//! The audit log: what is entered, who may read it, and that nothing of it can be changed unseen.

mod chain;
mod entries;
mod secrets;

use diesel_async::RunQueryDsl as _;
use domain::users::CompanyId;
use serde_json::{Value, json};
use tests::support::{App, Client};

/// The entries that a query finds, newest first.
async fn entries(admin: &Client, query: &str) -> Vec<Value> {
    let reply = admin.get(&format!("/api/audit?{query}")).await;
    reply.expect(200).json().as_array().expect("a list").clone()
}

/// What the log says of itself.
async fn verdict(admin: &Client) -> Value {
    admin.get("/api/audit/verify").await.expect(200).json()
}

/// The company of somebody.
async fn company(app: &App, whose: &Client) -> CompanyId {
    let rows = rows(
        app,
        &format!("SELECT company_id FROM users WHERE id = '{}'", whose.id()),
    )
    .await;
    let id = rows[0]["company_id"].as_str().expect("an id");
    id.parse().expect("an id")
}

#[derive(diesel::QueryableByName)]
struct Rows {
    #[diesel(sql_type = diesel::sql_types::Jsonb)]
    rows: Value,
}

/// The rows of a query, as JSON objects.
async fn rows(app: &App, query: &str) -> Vec<Value> {
    let query = format!("SELECT coalesce(jsonb_agg(q), '[]') AS rows FROM ({query}) q");
    let mut conn = app.database().connect().await;
    let rows: Rows = diesel::sql_query(query)
        .get_result(&mut conn)
        .await
        .expect("a query that works");
    rows.rows.as_array().expect("a list").clone()
}

/// A new prompt of this title.
async fn prompt(client: &Client, title: &str, visibility: &str) -> Value {
    let body = json!({"title": title, "promptText": "Feed the ducks.", "visibility": visibility});
    client.post("/api/prompts", &body).await.expect(201).json()
}
