use serde_json::{Value, json};
use tests::support::{App, Client};

use crate::support::of_csv;

async fn prompt(client: &Client, kind: &str, text: &str) -> String {
    let body = json!({"title": "A title", "kind": kind, "promptText": text});
    let made = client.post("/api/prompts", &body).await.expect(201).json();
    made["id"].as_str().expect("an id").to_owned()
}

fn place(prompt: &str, dataset: &Value) -> String {
    let dataset = dataset["id"].as_str().expect("an id");
    format!("/api/prompts/{prompt}/check?datasetId={dataset}")
}

#[tokio::test(flavor = "multi_thread")]
async fn placeholders_without_a_column_are_named() {
    let app = App::start().await;
    let client = app.register().await;
    let dataset = of_csv(&client, "name,mood,other\nAda,,\nGrace,,x\nJoan,fine,\n").await;
    let prompt = prompt(
        &client,
        "generator",
        "{{name}} {{tone}} {{mood}} {{output}}",
    )
    .await;
    let checked = client.post_empty(&place(&prompt, &dataset)).await;
    assert_eq!(
        checked.expect(200).json(),
        json!({
            "placeholders": ["name", "tone", "mood", "output"],
            "headers": ["name", "mood", "other"],
            "missing": ["tone", "output"],
            "ok": false,
            "rowCount": 3,
            "withoutValue": {"mood": 2},
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grader_gets_the_output_from_the_run() {
    let app = App::start().await;
    let client = app.register().await;
    let dataset = of_csv(&client, "name\nAda\n").await;
    let grader = prompt(&client, "grader", "Is {{output}} right for {{name}}?").await;
    let checked = client.post_empty(&place(&grader, &dataset)).await.json();
    assert_eq!(
        (&checked["ok"], &checked["missing"]),
        (&json!(true), &json!([]))
    );
    assert_eq!(checked["withoutValue"], json!({}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_shows_nothing_that_one_may_not_see() {
    let app = App::start().await;
    let admin = app.register().await;
    let colleague = app.member(&admin, "developer").await;
    let dataset = of_csv(&admin, "name\nAda\n").await;
    let theirs = prompt(&admin, "generator", "{{name}}").await;
    let own = prompt(&colleague, "generator", "{{name}}").await;
    for prompt in [theirs, own.clone()] {
        let refused = colleague.post_empty(&place(&prompt, &dataset)).await;
        refused.expect_problem(404, "not_found");
    }
    let bare = colleague
        .post_empty(&format!("/api/prompts/{own}/check"))
        .await;
    bare.expect_problem(400, "invalid_query");
    assert_eq!(bare.faulty_fields(), ["datasetId"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_only_reads_may_check() {
    let app = App::start().await;
    let client = app.register().await;
    let dataset = of_csv(&client, "name\nAda\n").await;
    let prompt = prompt(&client, "generator", "{{name}}").await;
    let body = json!({"name": "reader", "scopes": ["read"]});
    let key = client.post("/api/api-keys", &body).await.expect(201).json();
    let reader = client.bearing(key["key"].as_str().expect("a key"));
    reader
        .post_empty(&place(&prompt, &dataset))
        .await
        .expect(200);
}
