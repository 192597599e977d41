//! Starting: all or nothing, and everything that is missing said at once.

use serde_json::{Value, json};
use tests::support::{App, Options, Reply};

use super::support::{RUNS, dataset, grader, id, prompt, start, worked};

/// The faults of an answer: members and sentences.
fn faults(reply: &Reply) -> Vec<(String, String)> {
    reply.expect_problem(422, "invalid");
    let errors = reply.json()["errors"].as_array().expect("errors").clone();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    errors
        .iter()
        .map(|error| (text(&error["field"]), text(&error["message"])))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_missing_column_is_named_and_nothing_is_stored() {
    let app = App::start().await;
    let ada = app.register().await;
    let prompt = prompt(&ada, "{{x}} {{a}} {{y}}").await;
    let grader = grader(&ada, "{{output}} {{z}}").await;
    let dataset = dataset(&ada, &json!([{"a": "1"}])).await;
    let body = json!({"promptId": prompt, "datasetId": dataset, "modelIds": ["mock/text-1"],
        "graderPromptId": grader, "expectedColumn": "e"});
    let told = faults(&ada.post(RUNS, &body).await);
    let sentences: Vec<_> = told.iter().map(|(_, sentence)| sentence.as_str()).collect();
    assert_eq!(
        sentences,
        [
            r#"Generator is missing dataset columns: "x", "y""#,
            r#"Grader is missing variables: "z""#,
            r#"The dataset has no column "e" to expect answers from"#,
        ]
    );
    for table in [
        "runs",
        "cells",
        "prompt_versions",
        "jobs WHERE kind = 'runs.lane'",
    ] {
        assert_eq!(app.count(table).await, 0, "{table}");
    }
    let told = faults(
        &ada.post(
            RUNS,
            &json!({"promptId": prompt, "modelIds": ["mock/text-1"]}),
        )
        .await,
    );
    assert_eq!(
        told,
        [(
            "datasetId".into(),
            "Generator requires variables but no dataset selected".into()
        )]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_member_is_told_at_once() {
    let app = App::start().await;
    let ada = app.register().await;
    let body = json!({"modelIds": ["a", "mock/lexical-1", "mock/text-1", "mock/text-1", "mock/text-1"],
        "repeats": 11, "concurrency": 0, "budgetUsd": "0", "rowLimit": 0, "params": {"temperature": 3.0},
        "checks": [{"type": "regex", "value": "("}]});
    let mut fields: Vec<_> = faults(&ada.post(RUNS, &body).await)
        .into_iter()
        .map(|(field, _)| field)
        .collect();
    fields.sort();
    assert_eq!(
        fields,
        [
            "budgetUsd",
            "checks[0].value",
            "concurrency",
            "modelIds",
            "modelIds",
            "modelIds",
            "params.temperature",
            "promptId",
            "repeats",
            "rowLimit"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dataset_without_rows_and_too_many_cells_are_refused() {
    let app = App::start_with(Options::with(|config| config.runs.run_max_cells = 5)).await;
    let ada = app.register().await;
    let prompt = prompt(&ada, "{{a}}").await;
    let empty = ada
        .upload("/api/datasets", "empty.csv", b"a\n", &[])
        .await
        .expect(201)
        .json();
    let body = json!({"promptId": prompt, "datasetId": id(&empty), "modelIds": ["mock/text-1"]});
    assert_eq!(
        faults(&ada.post(RUNS, &body).await),
        [("datasetId".into(), "The dataset has no rows".into())]
    );
    let rows = dataset(&ada, &json!([{"a": "1"}, {"a": "2"}, {"a": "3"}])).await;
    let mut body =
        json!({"promptId": prompt, "datasetId": rows, "modelIds": ["mock/text-1", "mock/text-1"]});
    assert_eq!(faults(&ada.post(RUNS, &body).await)[0].0, "rowLimit");
    body["rowLimit"] = json!(2);
    assert_eq!(start(&ada, &body).await["cellCount"], 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_made_once_and_a_rename_begins_numbering_anew() {
    let app = App::start().await;
    let ada = app.register().await;
    let prompt = prompt(&ada, "Hello.").await;
    let body = json!({"promptId": prompt, "modelIds": ["mock/text-1"]});
    let label = async || {
        start(&ada, &body).await["versionLabel"]
            .as_str()
            .expect("a label")
            .to_owned()
    };
    assert_eq!(
        (label().await, label().await),
        ("Generator 1".into(), "Generator 1".into())
    );
    let path = format!("/api/prompts/{prompt}");
    ada.patch(&path, &json!({"promptText": "Good day."}))
        .await
        .expect(200);
    assert_eq!(label().await, "Generator 2");
    ada.patch(&path, &json!({"title": "Renamed"}))
        .await
        .expect(200);
    assert_eq!(label().await, "Generator 1");
    assert_eq!(app.count("prompt_versions").await, 3);
    assert_eq!(app.count("prompt_versions WHERE run_id IS NULL").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_version_runs_as_it_was() {
    let app = App::start().await;
    let ada = app.register().await;
    let prompt = prompt(&ada, "[[mock: echo]] Before.").await;
    let first = start(
        &ada,
        &json!({"promptId": prompt, "modelIds": ["mock/text-1"]}),
    )
    .await;
    let path = format!("/api/prompts/{prompt}");
    ada.patch(&path, &json!({"promptText": "[[mock: echo]] After."}))
        .await
        .expect(200);
    let body = json!({"promptVersionId": first["promptVersionId"], "modelIds": ["mock/text-1"]});
    let run = worked(&app, &ada, &body).await;
    let outputs = super::support::each(&app, &id(&run), "output_raw").await;
    assert!(
        outputs[0].as_str().expect("a text").contains("Before."),
        "{outputs:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_starts_one_run() {
    let app = App::start().await;
    let ada = app.register().await.with("Idempotency-Key", "run-1");
    let prompt_id = prompt(&app.register().await, "Hello.").await;
    let body = json!({"promptId": prompt_id, "modelIds": ["mock/text-1"]});
    ada.post(RUNS, &body).await.expect_problem(422, "invalid");
    let bob = app.register().await;
    let prompt = prompt(&bob, "Hello.").await;
    let body = json!({"promptId": prompt, "modelIds": ["mock/text-1"]});
    let once = bob.with("Idempotency-Key", "run-1");
    let (first, second) = tokio::join!(once.post(RUNS, &body), once.post(RUNS, &body));
    let answered: Vec<_> = [first, second]
        .into_iter()
        .filter(|reply| reply.status == 201)
        .map(|reply| id(&reply.json()))
        .collect();
    assert!(!answered.is_empty() && answered.iter().all(|id| *id == answered[0]));
    assert_eq!(
        id(&once.post(RUNS, &body).await.expect(201).json()),
        answered[0]
    );
    assert_eq!(app.count("runs").await, 1);
    let other = json!({"promptId": prompt, "modelIds": ["mock/text-1", "mock/text-1"]});
    once.post(RUNS, &other)
        .await
        .expect_problem(409, "idempotency_mismatch");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_visible_cannot_be_run() {
    let app = App::start().await;
    let admin = app.register().await;
    let (ada, bob) = (
        app.member(&admin, "developer").await,
        app.member(&admin, "developer").await,
    );
    let prompt = prompt(&ada, "{{a}}").await;
    let rows = dataset(&ada, &json!([{"a": "1"}])).await;
    let body = json!({"promptId": prompt, "datasetId": rows, "modelIds": ["mock/text-1"]});
    let told: Vec<_> = faults(&bob.post(RUNS, &body).await)
        .into_iter()
        .map(|(field, _)| field)
        .collect();
    assert_eq!(told, ["promptId", "datasetId"]);
    let shared = json!({"visibility": "company"});
    ada.patch(&format!("/api/prompts/{prompt}"), &shared)
        .await
        .expect(200);
    ada.patch(&format!("/api/datasets/{rows}"), &shared)
        .await
        .expect(200);
    let run = start(&bob, &body).await;
    ada.get(&format!("{RUNS}/{}", id(&run))).await.expect(404);
}
