//! Budgets: what is promised before a call, and what is left when it ends.

use serde_json::{Value, json};
use tests::support::{App, Client};

use super::support::{RUNS, dataset, id, prompt, run, start, work, worked};

/// A mock that costs ten dollars for a million tokens and answers in 100 at most.
async fn dear(client: &Client) {
    let model = json!({"provider": "mock", "model": "text-1", "name": "dear", "label": "Dear", "kind": "text",
        "prices": [{"effectiveFrom": "2020-01-01T00:00:00Z", "input": "10", "output": "10"}],
        "capabilities": {"maxOutputTokens": 100}});
    client.post("/api/models", &model).await.expect(201);
}

/// A run of so many rows, each of which costs 0.0015.
async fn body(client: &Client, rows: usize, budget: &str) -> Value {
    let rows: Vec<_> = (0..rows).map(|n| json!({"a": n.to_string()})).collect();
    let dataset = dataset(client, &json!(rows)).await;
    let prompt = prompt(client, "[[mock: usage=100/50, latency=2ms]] {{a}}").await;
    json!({"promptId": prompt, "datasetId": dataset, "modelIds": ["mock/dear"], "budgetUsd": budget, "cache": "off"})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_ends_where_the_next_call_could_exceed_its_budget_and_goes_on_with_another() {
    let app = App::start().await;
    let ada = app.register().await;
    dear(&ada).await;
    let body = body(&ada, 40, "0.03").await;
    let run_id = id(&worked(&app, &ada, &body).await);
    let ended = run(&ada, &run_id).await;
    assert_eq!(ended["status"], "budget_exceeded", "{ended:#}");
    let counts = &ended["summary"]["columns"][0]["counts"];
    let completed = counts["completed"].as_u64().expect("a count");
    assert!((1..40).contains(&completed), "{counts}");
    assert_eq!(counts["cancelled"], 40 - completed);
    assert_eq!(ended["summary"]["reserved"], "0");
    let path = format!("{RUNS}/{run_id}/resume");
    ada.post(&path, &json!({"budgetUsd": "0"}))
        .await
        .expect_problem(422, "invalid");
    ada.post(&path, &json!({"budgetUsd": "0.001"}))
        .await
        .expect_problem(422, "invalid");
    ada.post(&path, &json!({"budgetUsd": "1"}))
        .await
        .expect(202);
    let done = work(&app, &ada, &run_id).await;
    assert_eq!(done["status"], "completed");
    assert_eq!(done["summary"]["totalCost"], "0.06");
}

#[tokio::test(flavor = "multi_thread")]
async fn lanes_side_by_side_never_promise_more_than_there_is() {
    let app = App::start().await;
    let ada = app.register().await;
    dear(&ada).await;
    let mut body = body(&ada, 150, "0.1").await;
    body["concurrency"] = json!(150);
    let run_id = id(&start(&ada, &body).await);
    let broken = "runs WHERE spent + reserved + unresolved > budget";
    let watch = async {
        loop {
            assert_eq!(app.count(broken).await, 0);
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = async { tokio::join!(app.drain(), app.drain(), app.drain()) } => {}
        () = watch => {}
    }
    let ended = work(&app, &ada, &run_id).await;
    assert_eq!(ended["status"], "budget_exceeded");
    assert_eq!(ended["summary"]["reserved"], "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_without_a_price_needs_a_word_for_it() {
    let app = App::start().await;
    let ada = app.register().await;
    let model = json!({"provider": "mock", "model": "text-1", "name": "unpriced", "label": "Unpriced", "kind": "text"});
    ada.post("/api/models", &model).await.expect(201);
    let prompt = prompt(&ada, "Hello.").await;
    let mut body = json!({"promptId": prompt, "modelIds": ["mock/unpriced"]});
    let refused = ada.post(RUNS, &body).await;
    refused.expect_problem(422, "invalid");
    assert_eq!(refused.faulty_fields(), ["modelIds"]);
    body["allowUnpriced"] = json!(true);
    let run = worked(&app, &ada, &body).await;
    assert_eq!(run["status"], "completed");
    assert_eq!(app.count("attempts WHERE NOT priced").await, 1);
}
