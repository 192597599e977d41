//! Calling off, taking up again, making anew.

use serde_json::json;
use tests::support::App;

use super::support::{RUNS, audit, dataset, each, id, prompt, run, scripts, start, work, worked};

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_run_calls_nobody_and_resumes_where_it_stood() {
    let app = App::start().await;
    let ada = app.register().await;
    let dataset = dataset(&ada, &json!([{"a": "1"}, {"a": "2"}])).await;
    let prompt = prompt(&ada, "[[mock: echo]] {{a}}").await;
    let run_id = id(&start(
        &ada,
        &json!({"promptId": prompt, "datasetId": dataset, "modelIds": ["mock/text-1"]}),
    )
    .await);
    let path = format!("{RUNS}/{run_id}");
    ada.post_empty(&format!("{path}/cancel")).await.expect(204);
    ada.post_empty(&format!("{path}/cancel")).await.expect(204);
    let stopped = work(&app, &ada, &run_id).await;
    assert_eq!(
        (&stopped["status"], &stopped["openCells"]),
        (&json!("cancelled"), &json!(0))
    );
    assert!(stopped["finishedAt"].is_string());
    assert_eq!(app.count("attempts").await, 0);
    ada.post_empty(&format!("{path}/rerun-failed"))
        .await
        .expect_problem(409, "conflict");
    ada.post(&format!("{path}/resume"), &json!({}))
        .await
        .expect(202);
    assert_eq!(run(&ada, &run_id).await["status"], "running");
    let done = work(&app, &ada, &run_id).await;
    assert_eq!(done["status"], "completed");
    assert_eq!(
        each(&app, &run_id, "status").await,
        ["completed", "completed"]
    );
    ada.post_empty(&format!("{path}/cancel"))
        .await
        .expect_problem(409, "conflict");
    ada.post(&format!("{path}/resume"), &json!({}))
        .await
        .expect_problem(409, "conflict");
    let kinds = super::support::query(
        &app,
        "SELECT kind FROM run_events WHERE kind LIKE 'run\\_%' ORDER BY number",
    )
    .await;
    assert_eq!(
        kinds,
        [
            json!({"kind": "run_cancelled"}),
            json!({"kind": "run_completed"})
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_failed_is_made_anew() {
    let app = App::start().await;
    let ada = app.register().await;
    let dataset = dataset(&ada, &scripts(&["echo", "error=invalid", "say=\"x\""])).await;
    let prompt = prompt(&ada, "[[mock: {{script}}]] Hello.").await;
    let run_id = id(&worked(
        &app,
        &ada,
        &json!({"promptId": prompt, "datasetId": dataset, "modelIds": ["mock/text-1"]}),
    )
    .await);
    let again = ada
        .post_empty(&format!("{RUNS}/{run_id}/rerun-failed"))
        .await;
    assert_eq!(again.expect(202).json(), json!({"cells": 1}));
    assert_eq!(run(&ada, &run_id).await["status"], "running");
    work(&app, &ada, &run_id).await;
    assert_eq!(each(&app, &run_id, "attempt_count").await, [1, 2, 1]);
    let none = worked(&app, &ada, &json!({"promptId": super::support::prompt(&ada, "Hi.").await, "modelIds": ["mock/text-1"]})).await;
    let again = ada
        .post_empty(&format!("{RUNS}/{}/rerun-failed", id(&none)))
        .await;
    assert_eq!(again.expect(202).json(), json!({"cells": 0}));
    assert_eq!(run(&ada, &id(&none)).await["status"], "completed");
    audit(&app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_colleague_sees_a_shared_run_and_changes_nothing_of_it() {
    let app = App::start().await;
    let admin = app.register().await;
    let (ada, bob) = (
        app.member(&admin, "developer").await,
        app.member(&admin, "developer").await,
    );
    let prompt = prompt(&ada, "Hello.").await;
    let body = json!({"promptId": prompt, "modelIds": ["mock/text-1"], "visibility": "company"});
    let run_id = id(&worked(&app, &ada, &body).await);
    run(&bob, &run_id).await;
    assert_eq!(
        bob.get(RUNS).await.expect(200).json()[0]["id"],
        json!(run_id)
    );
    for action in ["cancel", "rerun-failed"] {
        bob.post_empty(&format!("{RUNS}/{run_id}/{action}"))
            .await
            .expect_problem(403, "forbidden");
    }
    admin
        .post_empty(&format!("{RUNS}/{run_id}/rerun-failed"))
        .await
        .expect(202);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_performed_twice_and_by_two_workers_answers_each_cell_once() {
    let app = App::start().await;
    let ada = app.register().await;
    let rows: Vec<_> = (0..120).map(|n| json!({"a": n.to_string()})).collect();
    let dataset = dataset(&ada, &json!(rows)).await;
    let prompt = prompt(&ada, "[[mock: echo, latency=5ms]] {{a}}").await;
    let body = json!({"promptId": prompt, "datasetId": dataset, "modelIds": ["mock/text-1", "mock/text-1"],
        "cache": "off", "concurrency": 120});
    let run_id = id(&start(&ada, &body).await);
    assert_eq!(app.count("jobs WHERE kind = 'runs.lane'").await, 3);
    tokio::join!(app.drain(), app.drain(), app.drain());
    let run = work(&app, &ada, &run_id).await;
    assert_eq!(run["status"], "completed");
    assert_eq!(app.count("attempts").await, 240);
    assert_eq!(
        app.count("jobs WHERE kind = 'runs.lane' AND state = 'done'")
            .await,
        3
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_lane_had_in_hand_is_asked_again_and_its_money_stays_promised() {
    let app = App::start().await;
    let ada = app.register().await;
    let model = json!({"provider": "mock", "model": "text-1", "name": "dear", "label": "Dear", "kind": "text",
        "prices": [{"effectiveFrom": "2020-01-01T00:00:00Z", "input": "10", "output": "10"}],
        "capabilities": {"maxOutputTokens": 100}});
    ada.post("/api/models", &model).await.expect(201);
    let prompt = prompt(&ada, "[[mock: usage=100/50]] Hello.").await;
    let run_id = id(&start(
        &ada,
        &json!({"promptId": prompt, "modelIds": ["mock/dear"]}),
    )
    .await);
    // As a kill leaves it: the attempt written, the call perhaps made, nothing booked.
    super::support::execute(&app, "UPDATE cells SET status = 'running', lane = (SELECT id FROM jobs WHERE kind = 'runs.lane')").await;
    super::support::execute(
        &app,
        "WITH a AS (INSERT INTO attempts (id, run_id, cell_id, round, stage, lane, reserved)
        SELECT uuidv7(), run_id, id, 1, 'generate', lane, 0.25 FROM cells RETURNING reserved)
        UPDATE runs SET reserved = 0.25",
    )
    .await;
    let run = work(&app, &ada, &run_id).await;
    assert_eq!(run["status"], "completed");
    assert_eq!(run["summary"]["unresolved"], "0.25");
    assert_eq!(run["summary"]["reserved"], "0.25");
    assert_eq!(run["summary"]["totalCost"], "0.0015");
    assert_eq!(each(&app, &run_id, "attempt_count").await, [2]);
}

/// As when the answer to a claim is lost: the cell is taken, and no lane knows.
#[tokio::test(flavor = "multi_thread")]
async fn a_cell_that_was_taken_and_never_heard_of_is_found_before_the_lane_ends() {
    let app = App::start().await;
    let ada = app.register().await;
    let prompt = prompt(&ada, "[[mock: echo]] Hello.").await;
    let body =
        json!({"promptId": prompt, "modelIds": ["mock/text-1", "mock/text-1"], "cache": "off"});
    let run_id = id(&start(&ada, &body).await);
    let lane = "SELECT id FROM jobs WHERE kind = 'runs.lane'";
    let taken = format!(
        "UPDATE cells SET status = 'running', claims = 1, lane = ({lane}) WHERE column_index = 1"
    );
    super::support::execute(&app, &taken).await;
    let gone = "UPDATE cells SET status = 'running', lane = uuidv7() WHERE column_index = 0";
    super::support::execute(&app, gone).await;
    let run = work(&app, &ada, &run_id).await;
    assert_eq!(run["status"], "completed", "{run:#}");
    assert_eq!(each(&app, &run_id, "attempt_count").await, [1, 1]);
}
