//! Lanes that wait for a provider, and lanes that died.

use domain::jobs::JobKind;
use serde_json::json;
use tests::support::App;

use super::support::{
    RUNS, audit, each, execute, id, prompt, query, run, scripts, start, words, work,
};

const DIED: &str = "UPDATE jobs SET state = 'dead', finished_at = now() WHERE kind = 'runs.lane'";

#[tokio::test(flavor = "multi_thread")]
async fn cells_of_a_provider_that_named_a_time_are_left_alone_until_then() {
    let app = App::start().await;
    let ada = app.register().await;
    let limited = "rate-limit=31s";
    let rows = scripts(&[&[limited][..], &["echo"; 40]].concat());
    let dataset = super::support::dataset(&ada, &rows).await;
    let prompt = prompt(&ada, "[[mock: {{script}}]] Hello.").await;
    let run_id = id(&start(
        &ada,
        &json!({"promptId": prompt, "datasetId": dataset, "modelIds": ["mock/text-1"], "concurrency": 1}),
    )
    .await);
    app.drain().await;
    let begun = app.count("cells WHERE claims > 0").await;
    assert!((1..=3).contains(&begun), "{begun} cells were taken");
    let left = "SELECT count(*) AS cells FROM cells WHERE status = 'queued' AND claims = 0 AND not_before IS NULL";
    assert!(query(&app, left).await[0]["cells"].as_i64() >= Some(38));
    let lane =
        "SELECT run_at > now() + interval '25 seconds' AS later FROM jobs WHERE kind = 'runs.lane'";
    assert_eq!(query(&app, lane).await, [json!({"later": true})]);
    // Whoever takes the run up again means that the provider may be asked again.
    let path = format!("{RUNS}/{run_id}");
    ada.post_empty(&format!("{path}/cancel")).await.expect(204);
    ada.post(&format!("{path}/resume"), &json!({}))
        .await
        .expect(202);
    execute(&app, "UPDATE dataset_rows SET cells = '{echo}'").await;
    let done = work(&app, &ada, &run_id).await;
    assert_eq!(done["status"], "completed", "{done:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_waits_keeps_no_other_from_going_on() {
    let app = App::start().await;
    let ada = app.register().await;
    let dataset = words(&ada, 30).await;
    let prompt = prompt(&ada, "[[mock: echo]] {{word}}").await;
    let run_id = id(&start(
        &ada,
        &json!({"promptId": prompt, "datasetId": dataset, "modelIds": ["mock/text-1", "mock/text-1"], "cache": "off"}),
    )
    .await);
    let parked =
        "UPDATE run_columns SET not_before = now() + interval '1 hour' WHERE column_index = 0";
    execute(&app, parked).await;
    app.drain().await;
    assert_eq!(
        app.count("cells WHERE column_index = 1 AND status = 'completed'")
            .await,
        30
    );
    assert_eq!(
        app.count("cells WHERE column_index = 0 AND claims = 0")
            .await,
        30
    );
    let lane =
        "SELECT run_at > now() + interval '59 minutes' AS later FROM jobs WHERE kind = 'runs.lane'";
    assert_eq!(query(&app, lane).await, [json!({"later": true})]);
    execute(&app, "UPDATE run_columns SET not_before = now()").await;
    assert_eq!(work(&app, &ada, &run_id).await["status"], "completed");
}

/// As a kill leaves it: the attempt written, the call perhaps made, nothing booked.
const TAKEN: &str = "
    WITH lane AS (SELECT id FROM jobs WHERE kind = 'runs.lane' LIMIT 1),
    taken AS (UPDATE cells SET status = 'running', claims = 1, lane = lane.id FROM lane
              WHERE row_index = 0 RETURNING cells.id, run_id, lane),
    made AS (INSERT INTO attempts (id, run_id, cell_id, round, stage, lane, reserved)
             SELECT uuidv7(), run_id, id, 1, 'generate', lane, 0.25 FROM taken)
    UPDATE runs SET reserved = 0.25";

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_last_lane_died_has_failed_and_can_be_taken_up_again() {
    let app = App::start().await;
    let ada = app.register().await;
    let dataset = words(&ada, 3).await;
    let prompt = prompt(&ada, "[[mock: echo]] {{word}}").await;
    let body = json!({"promptId": prompt, "datasetId": dataset, "modelIds": ["mock/text-1"], "concurrency": 51});
    let run_id = id(&start(&ada, &body).await);
    let path = format!("{RUNS}/{run_id}");
    execute(&app, TAKEN).await;
    execute(
        &app,
        &format!(
            "{DIED} AND id = (SELECT id FROM jobs WHERE kind = 'runs.lane' ORDER BY id LIMIT 1)"
        ),
    )
    .await;
    assert_ne!(
        run(&ada, &run_id).await["status"],
        "failed",
        "a lane is left"
    );
    assert_eq!(
        each(&app, &run_id, "status").await,
        ["queued"; 3],
        "and finds what the dead one had"
    );
    execute(&app, &format!("{DIED} AND state <> 'dead'")).await;
    let failed = run(&ada, &run_id).await;
    assert_eq!(
        (&failed["status"], &failed["openCells"]),
        (&json!("failed"), &json!(3))
    );
    assert_eq!(each(&app, &run_id, "status").await, ["queued"; 3]);
    assert_eq!(app.count("attempts WHERE state = 'lost'").await, 1);
    assert_eq!(app.count("run_events WHERE kind = 'run_failed'").await, 1);
    audit(&app).await;
    ada.post_empty(&format!("{path}/rerun-failed"))
        .await
        .expect_problem(409, "conflict");
    ada.post(&format!("{path}/resume"), &json!({}))
        .await
        .expect(202);
    let done = work(&app, &ada, &run_id).await;
    assert_eq!(
        (&done["status"], &done["summary"]["unresolved"]),
        (&json!("completed"), &json!("0.25"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_run_can_be_called_off() {
    let app = App::start().await;
    let ada = app.register().await;
    let prompt = prompt(&ada, "[[mock: echo]] Hello.").await;
    let run_id = id(&start(
        &ada,
        &json!({"promptId": prompt, "modelIds": ["mock/text-1"]}),
    )
    .await);
    execute(&app, TAKEN).await;
    execute(&app, DIED).await;
    let path = format!("{RUNS}/{run_id}");
    let reply = ada.get(&format!("{path}/events")).await;
    let events = reply.expect(200).text();
    assert!(events.contains("run_failed"), "the events end: {events}");
    ada.post_empty(&format!("{path}/cancel")).await.expect(204);
    let stopped = run(&ada, &run_id).await;
    assert_eq!(
        (&stopped["status"], &stopped["openCells"]),
        (&json!("cancelled"), &json!(0))
    );
    audit(&app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_called_off_is_over_when_the_last_lane_that_had_its_cells_died() {
    let app = App::start().await;
    let ada = app.register().await;
    let prompt = prompt(&ada, "[[mock: echo]] Hello.").await;
    let body = json!({"promptId": prompt, "modelIds": ["mock/text-1"]});
    let run_id = id(&start(&ada, &body).await);
    execute(&app, TAKEN).await;
    let path = format!("{RUNS}/{run_id}");
    ada.post_empty(&format!("{path}/cancel")).await.expect(204);
    assert_eq!(run(&ada, &run_id).await["openCells"], 1);
    execute(&app, DIED).await;
    let over = run(&ada, &run_id).await;
    assert_eq!(
        (&over["status"], &over["openCells"]),
        (&json!("cancelled"), &json!(0))
    );
    assert_eq!(over["summary"]["unresolved"], "0.25");
    audit(&app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn discarding_the_lanes_of_a_run_fails_it_and_retrying_dead_ones_takes_it_up() {
    let app = App::start().await;
    let ada = app.register().await;
    let prompt = prompt(&ada, "[[mock: echo]] Hello.").await;
    let body = json!({"promptId": prompt, "modelIds": ["mock/text-1"]});
    let discarded = id(&start(&ada, &body).await);
    let mut conn = app.database().connect().await;
    let mut lanes = db::jobs::Selection {
        kind: Some(JobKind::RunsLane),
        ..db::jobs::Selection::default()
    };
    let lane = query(&app, "SELECT id FROM jobs WHERE kind = 'runs.lane'").await[0]["id"].clone();
    lanes.ids = vec![serde_json::from_value(lane).expect("an id")];
    let given_up = db::jobs::discard(&mut conn, &lanes, 10).await;
    assert_eq!(given_up.expect("discarded").jobs, 1);
    lanes.ids.clear();
    assert_eq!(run(&ada, &discarded).await["status"], "failed");
    let retried = id(&start(&ada, &body).await);
    execute(&app, &format!("{DIED} AND state = 'queued'")).await;
    let revived = db::jobs::retry(&mut conn, &lanes, None, 10).await;
    assert_eq!(revived.expect("retried").jobs, 1);
    assert_eq!(work(&app, &ada, &retried).await["status"], "completed");
}
