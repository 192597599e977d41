//! Whatever is done to a run in whatever order, its books are right.

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use serde_json::json;
use tests::support::{App, Client};

use super::support::{RUNS, audit, dataset, each, execute, grader, id, prompt, scripts, start};

/// What a row may have the mock do.
const SCRIPTS: [&str; 8] = [
    "say=\"<response>yes</response>\"",
    "say=\"<response>no</response>\"",
    "say=\"nothing of the kind\"",
    "error=overloaded",
    "error=invalid",
    "refuse",
    "usage=1000/2000, say=\"<response>3</response>\"",
    "say=\"<response>perhaps</response>\", latency=3ms",
];

/// One thing that people do; an answer that refuses it is fine.
async fn act(app: &App, ada: &Client, run: &str, dice: &mut StdRng) {
    let path = format!("{RUNS}/{run}");
    let cells = each(app, run, "id").await;
    let cell = cells
        .choose(dice)
        .and_then(|id| id.as_str())
        .expect("a cell");
    match dice.random_range(0..8) {
        0 => drop(ada.post_empty(&format!("{path}/cancel")).await),
        1 => drop(
            ada.post(&format!("{path}/resume"), &json!({"budgetUsd": "5"}))
                .await,
        ),
        2 => drop(ada.post_empty(&format!("{path}/rerun-failed")).await),
        3 => drop(ada.post_empty(&format!("{path}/cells/{cell}/rerun")).await),
        4 | 5 => {
            let value = ["pass", "fail", "unset"].choose(dice).expect("a value");
            drop(
                ada.put(
                    &format!("{path}/cells/{cell}/manual-grade"),
                    &json!({"value": value}),
                )
                .await,
            );
        }
        6 => {
            execute(
                app,
                "UPDATE cells SET not_before = NULL WHERE not_before IS NOT NULL",
            )
            .await;
            execute(app, "UPDATE jobs SET run_at = now() WHERE state = 'queued'").await;
        }
        _ => app.drain().await,
    }
}

async fn anything(seed: u64) {
    let mut dice = StdRng::seed_from_u64(seed);
    let app = App::start().await;
    let ada = app.register().await;
    let model = json!({"provider": "mock", "model": "text-1", "name": "dear", "label": "Dear", "kind": "text",
        "prices": [{"effectiveFrom": "2020-01-01T00:00:00Z", "input": "1.333", "output": "7.777"}],
        "capabilities": {"maxOutputTokens": 2000}});
    ada.post("/api/models", &model).await.expect(201);
    let rows: Vec<_> = (0..20)
        .map(|_| *SCRIPTS.choose(&mut dice).expect("a script"))
        .collect();
    let dataset = dataset(&ada, &scripts(&rows)).await;
    let prompt = prompt(&ada, "[[mock: {{script}}]] Answer within <response>.").await;
    let judge = grader(&ada, "[[mock: echo]] {{output}}").await;
    let body = json!({"promptId": prompt, "datasetId": dataset, "modelIds": ["mock/dear", "mock/text-1"],
        "graderPromptId": judge, "graderModelId": "mock/dear", "checks": [{"type": "contains", "value": "e"}],
        "budgetUsd": "0.2", "repeats": 1 + seed % 2});
    let run = id(&start(&ada, &body).await);
    for _ in 0..25 {
        tokio::join!(app.drain(), act(&app, &ada, &run, &mut dice));
        audit(&app).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn books_are_right_after_each_of_many_acts() {
    Box::pin(anything(1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn books_are_right_with_other_acts_and_repeats() {
    Box::pin(anything(2)).await;
}
