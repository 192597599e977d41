//! Runs that try a workflow instead of a prompt.

use serde_json::{Value, json};
use tests::support::{App, Client};

use super::support::{RUNS, dataset, id, start, work, worked};

/// A workflow that asks twice and puts both together; its id.
async fn workflow(client: &Client, model: &str) -> String {
    let ask = |name: &str, prompt: &str| {
        json!({
            "id": name, "name": name, "type": "GEMINI_PROMPT", "outputKey": name, "inputKeys": ["userInput.word"],
            "promptTemplate": prompt, "agentConfig": {"model": model},
        })
    };
    let both = json!({
        "id": "both", "name": "both", "type": "TEXT_MANIPULATION", "outputKey": "both", "dependencies": ["one", "two"],
        "inputKeys": ["one", "two"], "functionBody": "return inputs.one + ' ' + inputs.two;",
    });
    let tasks = json!([
        ask("one", "[[mock: echo]] {{word}}!"),
        ask("two", "[[mock: echo]] {{word}}?"),
        both
    ]);
    let made = client
        .post("/api/workflows", &json!({"name": "Both", "tasks": tasks}))
        .await;
    id(&made.expect(201).json())
}

async fn cells(client: &Client, run: &Value) -> Vec<Value> {
    let path = format!("{RUNS}/{}/cells", id(run));
    let cells = client.get(&path).await.expect(200).json();
    cells.as_array().expect("a list").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_is_tried_row_by_row_and_graded_like_a_prompt() {
    let app = App::start().await;
    let ada = app.register().await;
    let workflow = workflow(&ada, "mock/text-1").await;
    let rows = json!([{"word": "a", "wanted": "a! a?"}, {"word": "b", "wanted": "x"}]);
    let body = json!({
        "workflowId": workflow, "datasetId": dataset(&ada, &rows).await, "expectedColumn": "wanted",
        "checks": [{"type": "equals"}],
    });
    let run = worked(&app, &ada, &body).await;
    assert_eq!(
        (run["status"].as_str(), run["promptTitle"].as_str()),
        (Some("completed"), Some("Both")),
        "{run}"
    );
    assert_eq!(run["workflowId"], json!(workflow));
    let cells = cells(&ada, &run).await;
    let outputs: Vec<&str> = cells
        .iter()
        .filter_map(|cell| cell["outputRaw"].as_str())
        .collect();
    assert_eq!(outputs, ["a! a?", "b! b?"]);
    assert_eq!(
        cells
            .iter()
            .map(|cell| cell["grade"].as_f64())
            .collect::<Vec<_>>(),
        [Some(1.0), Some(0.0)]
    );
    // Each call is an attempt: what they took is the cell's, and the run's.
    assert!(
        cells.iter().all(|cell| cell["attemptCount"] == 2),
        "{cells:?}"
    );
    let detail = ada
        .get(&format!("{RUNS}/{}/cells/{}", id(&run), id(&cells[0])))
        .await
        .expect(200)
        .json();
    let tokens: i64 = detail["attempts"]
        .as_array()
        .expect("attempts")
        .iter()
        .filter_map(|one| one["tokensIn"].as_i64())
        .sum();
    assert_eq!(detail["tokensIn"].as_i64(), Some(tokens));
    super::support::audit(&app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn models_of_a_run_take_the_place_of_those_that_tasks_name() {
    let app = App::start().await;
    let ada = app.register().await;
    let workflow = workflow(&ada, "no-such-model").await;
    let rows = json!([{"word": "a"}]);
    let dataset = dataset(&ada, &rows).await;
    let body = json!({"workflowId": workflow, "datasetId": dataset, "modelIds": ["mock/text-1", "mock/weak-1"]});
    let run = worked(&app, &ada, &body).await;
    assert_eq!(run["status"], "completed", "{run}");
    let statuses: Vec<Value> = cells(&ada, &run)
        .await
        .iter()
        .map(|cell| cell["status"].clone())
        .collect();
    assert_eq!(statuses, ["completed", "completed"]);
    let own = json!({"workflowId": workflow, "datasetId": dataset});
    let run = worked(&app, &ada, &own).await;
    let cell = &cells(&ada, &run).await[0];
    assert_eq!(
        (cell["status"].as_str(), cell["errorCode"].as_str()),
        (Some("failed"), Some("model_unusable")),
        "{cell}"
    );
    assert!(
        cell["errorMessage"]
            .as_str()
            .is_some_and(|text| text.contains("The task \"one\" failed")),
        "{cell}"
    );
    super::support::audit(&app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_for_a_workflow_is_told_before_the_start() {
    let app = App::start().await;
    let ada = app.register().await;
    let workflow = workflow(&ada, "mock/text-1").await;
    let reply = ada.post(RUNS, &json!({"workflowId": workflow})).await;
    assert_eq!(reply.faulty_fields(), ["datasetId"]);
    let other = dataset(&ada, &json!([{"text": "a"}])).await;
    let problem = ada
        .post(RUNS, &json!({"workflowId": workflow, "datasetId": other}))
        .await
        .expect_problem(422, "invalid");
    assert_eq!(
        problem["errors"][0]["message"],
        "Workflow is missing dataset columns: \"word\""
    );
    let both = json!({"workflowId": workflow, "promptId": uuid::Uuid::now_v7(), "modelIds": ["mock/text-1"]});
    assert_eq!(ada.post(RUNS, &both).await.faulty_fields(), ["promptId"]);
    let nobody = json!({"workflowId": uuid::Uuid::now_v7()});
    assert_eq!(
        ada.post(RUNS, &nobody).await.faulty_fields(),
        ["workflowId"]
    );
    let estimate =
        json!({"workflowId": workflow, "datasetId": dataset(&ada, &json!([{"word": "a"}])).await});
    assert_eq!(
        ada.post("/api/runs/estimate", &estimate)
            .await
            .faulty_fields(),
        ["workflowId"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn responses_are_kept_for_the_calls_of_a_workflow_too() {
    let app = App::start().await;
    let ada = app.register().await;
    let workflow = workflow(&ada, "mock/text-1").await;
    let dataset = dataset(&ada, &json!([{"word": "a"}])).await;
    let body = json!({"workflowId": workflow, "datasetId": dataset});
    worked(&app, &ada, &body).await;
    let again = worked(&app, &ada, &body).await;
    let cell = &cells(&ada, &again).await[0];
    assert_eq!(
        (
            cell["cached"].as_bool(),
            cell["cost"].as_str(),
            cell["attemptCount"].as_i64()
        ),
        (Some(true), Some("0"), Some(0)),
        "{cell}"
    );
    let replay = json!({"workflowId": workflow, "datasetId": dataset, "cache": "replayOnly", "modelIds": ["mock/weak-1"]});
    let replayed = start(&ada, &replay).await;
    let replayed = work(&app, &ada, &id(&replayed)).await;
    let missed = &cells(&ada, &replayed).await[0];
    assert_eq!(missed["errorCode"], "replay_miss", "{missed}");
    super::support::audit(&app).await;
}
