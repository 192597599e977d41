//! What a run would cost, before anything is called.

use serde_json::{Value, json};
use tests::support::{App, Client};

use super::support::{RUNS, grader, prompt, words};

/// A model of this price for a million tokens, each way; its id.
async fn model(client: &Client, price: Option<&str>) -> String {
    let mut body = json!({"provider": "openai", "model": format!("m-{}", rand::random::<u64>()),
        "label": "Priced", "kind": "text", "capabilities": {"maxOutputTokens": 1000}});
    if let Some(price) = price {
        body["prices"] = json!([{"effectiveFrom": "2026-01-01T00:00:00Z", "tierFromInputTokens": 0,
            "input": price, "output": price}]);
    }
    let reply = client.post("/api/models", &body).await;
    super::support::id(&reply.expect(201).json())
}

async fn estimate(client: &Client, body: &Value) -> Value {
    let reply = client.post(&format!("{RUNS}/estimate"), body).await;
    reply.expect(200).json()
}

fn usd(value: &Value) -> f64 {
    match value {
        Value::String(text) => text.parse().expect("an amount"),
        other => other.as_f64().expect("an amount"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_estimate_counts_every_cell_with_the_values_of_its_row() {
    let app = App::start().await;
    let ada = app.register().await;
    let model = model(&ada, Some("1")).await;
    let prompt = prompt(&ada, "Say {{word}}.").await;
    let data = words(&ada, 10).await;
    let body = json!({"promptId": prompt, "datasetId": data, "modelIds": [model], "repeats": 2});
    let told = estimate(&ada, &body).await;
    assert_eq!(told["cells"], 20);
    assert_eq!(told["unpriced"], json!([]));
    // "Say word 7." has 11 bytes, and at most 256 tokens are around it and 1000 in the answer.
    let most = 20.0 * f64::from(11 + 256 + 1000) / 1e6;
    assert!((usd(&told["high"]) - most).abs() < 1e-9, "{told:#}");
    let low = usd(&told["low"]);
    assert!(low > 0.0 && low < most / 4.0, "{told:#}");
    assert_eq!(app.count("runs").await, 0);
    let mut graded = body.clone();
    graded["graderPromptId"] = grader(&ada, "Is it good? {{output}}").await.into();
    graded["graderModelId"] = graded["modelIds"][0].clone();
    assert!(usd(&estimate(&ada, &graded).await["high"]) > 2.0 * most);
}

#[tokio::test(flavor = "multi_thread")]
async fn models_without_a_price_are_named_and_what_cannot_start_is_refused() {
    let app = App::start().await;
    let ada = app.register().await;
    let bob = app.register().await;
    let model = model(&ada, None).await;
    let prompt = prompt(&ada, "Say {{word}}.").await;
    let data = words(&ada, 1).await;
    let body = json!({"promptId": prompt, "datasetId": data, "modelIds": [model]});
    let told = estimate(&ada, &body).await;
    assert_eq!(
        told["unpriced"].as_array().map(Vec::len),
        Some(1),
        "{told:#}"
    );
    assert!(usd(&told["high"]).abs() < f64::EPSILON, "{told:#}");
    let path = format!("{RUNS}/estimate");
    let without = json!({"promptId": prompt, "modelIds": ["mock/text-1"]});
    ada.post(&path, &without)
        .await
        .expect_problem(422, "invalid");
    let foreign = json!({"promptId": prompt, "datasetId": data, "modelIds": ["mock/text-1"]});
    let reply = bob.post(&path, &foreign).await;
    reply.expect_problem(422, "invalid");
    assert_eq!(reply.faulty_fields(), ["datasetId", "promptId"]);
}
