//! Grades: from checks, a grader and people, and which of them counts.

use serde_json::{Value, json};
use tests::support::App;

use super::support::{
    RUNS, audit, cells, dataset, each, grader, id, prompt, query, run, scripts, worked,
};

#[tokio::test(flavor = "multi_thread")]
async fn checks_grade_by_their_weights_and_a_malformed_output_counts_as_nothing() {
    let app = App::start().await;
    let ada = app.register().await;
    let rows = json!([
        {"script": "say=\"<response>Paris</response>\"", "answer": "Paris"},
        {"script": "say=\"<response>paris</response>\"", "answer": "Paris"},
        {"script": "say=\"no response\"", "answer": "Paris"},
    ]);
    let dataset = dataset(&ada, &rows).await;
    let prompt = prompt(&ada, "[[mock: {{script}}]] Answer within <response>.").await;
    let body = json!({"promptId": prompt, "datasetId": dataset, "modelIds": ["mock/text-1"],
        "expectedColumn": "answer", "checks": [{"type": "equals", "weight": 3}, {"type": "iequals", "weight": 1}]});
    let run = worked(&app, &ada, &body).await;
    assert_eq!(
        each(&app, &id(&run), "percent").await,
        [json!(100), json!(25), Value::Null]
    );
    let column = &run["summary"]["columns"][0];
    let mean = column["meanGrade"].as_f64().expect("a mean");
    assert!((mean - 1.25 / 3.0).abs() < 1e-6, "{column:#}");
    assert_eq!(column["meanGradeWithoutMalformed"], 0.625);
    assert!((column["passRate"]["value"].as_f64().expect("a rate") - 1.0 / 3.0).abs() < 1e-9);
    assert_eq!(app.count("grades WHERE source = 'checks'").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grader_outweighs_checks_and_its_failure_is_no_zero() {
    let app = App::start().await;
    let ada = app.register().await;
    let rows = json!([
        {"verdict": "say=\"<thinking>well</thinking><response>Yes</response>\""},
        {"verdict": "say=\"<response>no.</response>\""},
        {"verdict": "say=\"4\""},
        {"verdict": "say=\"0.3\""},
        {"verdict": "say=\"7\""},
        {"verdict": "say=\"Partial\""},
        {"verdict": "error=invalid"},
    ]);
    let dataset = dataset(&ada, &rows).await;
    let prompt = prompt(&ada, "[[mock: say=\"an output\"]] Hello.").await;
    let judge = grader(&ada, "[[mock: {{verdict}}]] Is this good? {{output}}").await;
    let body = json!({"promptId": prompt, "datasetId": dataset, "modelIds": ["mock/text-1"],
        "graderPromptId": judge, "graderModelId": "mock/text-1", "checks": [{"type": "contains", "value": "nothing"}]});
    let run = worked(&app, &ada, &body).await;
    let (shares, sources) = (
        each(&app, &id(&run), "percent").await,
        each(&app, &id(&run), "grade_source").await,
    );
    assert_eq!(shares[..4], [json!(100), json!(0), json!(75), json!(30)]);
    assert!(sources[..4].iter().all(|source| source == "grader"));
    // Where the grader gave none, the checks still count.
    assert_eq!(shares[4..], [json!(0), json!(0), json!(0)]);
    assert!(sources[4..].iter().all(|source| source == "checks"));
    let statuses = each(&app, &id(&run), "status").await;
    assert!(statuses.iter().all(|status| status == "completed"));
    assert_eq!(
        each(&app, &id(&run), "error_code").await[4..],
        ["grader_failed", "grader_failed", "grader_failed"]
    );
    let kinds = query(
        &app,
        "SELECT kind, count(*) FROM run_events GROUP BY kind ORDER BY kind",
    )
    .await;
    let told = |kind: &str| {
        kinds
            .iter()
            .find(|row| row["kind"] == kind)
            .map(|row| row["count"].clone())
    };
    assert_eq!(
        (told("grader_succeeded"), told("grader_failed")),
        (Some(json!(4)), Some(json!(3)))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ungraded_cell_is_left_out_of_the_mean() {
    let app = App::start().await;
    let ada = app.register().await;
    let dataset = dataset(&ada, &scripts(&["say=\"yes\"", "say=\"perhaps\""])).await;
    let prompt = prompt(&ada, "[[mock: say=\"x\"]] Hello.").await;
    let judge = grader(&ada, "[[mock: {{script}}]] {{output}}?").await;
    let body = json!({"promptId": prompt, "datasetId": dataset, "modelIds": ["mock/text-1"],
        "graderPromptId": judge, "graderModelId": "mock/text-1"});
    let run = worked(&app, &ada, &body).await;
    assert_eq!(run["summary"]["columns"][0]["meanGrade"], 1.0);
    assert_eq!(
        each(&app, &id(&run), "percent").await,
        [json!(100), Value::Null]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_persons_grade_comes_first_and_can_be_taken_back() {
    let app = App::start().await;
    let ada = app.register().await;
    let prompt = prompt(&ada, "[[mock: say=\"words\"]] Answer as JSON.").await;
    let body = json!({"promptId": prompt, "modelIds": ["mock/text-1"], "checks": [{"type": "contains", "value": "x"}]});
    let started = worked(&app, &ada, &body).await;
    let run_id = id(&started);
    assert_eq!(started["summary"]["columns"][0]["counts"]["malformed"], 1);
    let cell = id(&cells(&app, &run_id).await[0]);
    let path = format!("{RUNS}/{run_id}/cells/{cell}/manual-grade");
    let mean = async |value: &str| {
        ada.put(&path, &json!({"value": value})).await.expect(204);
        audit(&app).await;
        run(&ada, &run_id).await["summary"]["columns"][0]["meanGrade"].clone()
    };
    assert_eq!(mean("pass").await, 1.0);
    assert_eq!(mean("fail").await, 0.0);
    assert_eq!(mean("unset").await, 0.0);
    ada.put(&path, &json!({"value": "maybe"}))
        .await
        .expect_problem(422, "invalid");
    assert_eq!(app.count("grades WHERE source = 'manual'").await, 3);
    assert_eq!(app.count("run_events WHERE kind = 'graded'").await, 3);
}
