//! How executions go on: failures, limits, stops, and being taken up again.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tests::{
    fakes::gemini::{Cue, FakeGemini, Quota},
    support::{App, Client},
};

use super::support::{
    asked, execute, execution, function, given, job, of_tasks, performed, start, task,
};

#[tokio::test(flavor = "multi_thread")]
async fn dependants_of_a_failure_are_skipped_and_other_branches_go_on() {
    let app = App::start().await;
    let ada = app.register().await;
    let tasks = json!([
        given("start", &json!("x"), &[]),
        asked("fails", "[[mock: fail=400]] {{start}}", &["start"]),
        function("after", "return inputs.fails;", &["fails"]),
        function("later", "return inputs.after;", &["after"]),
        function("beside", "return inputs.start + '!';", &["start"]),
        function("end", "return inputs.beside;", &["beside"]),
    ]);
    let execution = performed(&app, &ada, &tasks, &json!({})).await;
    assert_eq!(execution["status"], "failed");
    assert_eq!(
        of_tasks(&execution, "status"),
        [
            "COMPLETED",
            "FAILED",
            "SKIPPED",
            "SKIPPED",
            "COMPLETED",
            "COMPLETED"
        ]
    );
    assert_eq!(
        task(&execution, "later")["error"],
        "Skipped due to dependency failure."
    );
    assert_eq!(task(&execution, "end")["result"], "x!");
    assert_eq!(execution["errorCode"], "task_failed");
    assert_eq!(execution["progress"], 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_value_fails_the_task_that_needs_it() {
    let app = App::start().await;
    let ada = app.register().await;
    let mut needs = function("needs", "return inputs.text;", &[]);
    needs["inputKeys"] = json!(["userInput.text"]);
    let execution = performed(&app, &ada, &json!([needs]), &json!({})).await;
    let row = task(&execution, "needs");
    assert_eq!(
        (row["errorCode"].as_str(), row["error"].as_str()),
        (
            Some("missing_input"),
            Some("Missing required input key \"userInput.text\".")
        )
    );
}

/// An installation whose Gemini is the fake.
async fn with_fake(fake: &FakeGemini) -> (App, Client) {
    let url: url::Url = fake.url.parse().expect("an address");
    let app = App::start_with(tests::support::Options::with(move |config| {
        config.gateway.gemini.api_key = Some("good-key".into());
        config.gateway.gemini.base_url = url;
    }))
    .await;
    let ada = app.register().await;
    (app, ada)
}

fn gemini(id: &str, depends: &[&str]) -> Value {
    let mut task = asked(id, &format!("Write {id}."), depends);
    task["agentConfig"] = json!({"provider": "google", "model": "gemini-2.5-flash"});
    task
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_passes_is_tried_again_as_the_task_says() {
    let fake = FakeGemini::start().await;
    let (app, ada) = with_fake(&fake).await;
    let unwell = |times| Cue {
        method: Some("generateContent".into()),
        status: Some(503),
        times: Some(times),
        ..Cue::default()
    };
    fake.script([unwell(2)]);
    let mut task_a = gemini("a", &[]);
    task_a["retry"] = json!({"maxAttempts": 3, "backoffMs": 1});
    let execution_a = performed(&app, &ada, &json!([task_a]), &json!({})).await;
    let row = task(&execution_a, "a");
    assert_eq!(
        (row["status"].as_str(), row["attempts"].as_i64()),
        (Some("COMPLETED"), Some(3)),
        "{row}"
    );
    fake.script([unwell(2)]);
    task_a["retry"]["maxAttempts"] = json!(2);
    let execution_b = performed(&app, &ada, &json!([task_a]), &json!({})).await;
    let row = task(&execution_b, "a");
    assert_eq!(
        (row["status"].as_str(), row["attempts"].as_i64()),
        (Some("FAILED"), Some(2)),
        "{row}"
    );
    assert_eq!(row["errorCode"], "provider_overloaded");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_ends_leaves_the_next_try_to_another() {
    let fake = FakeGemini::start().await;
    let (app, ada) = with_fake(&fake).await;
    fake.script([Cue {
        method: Some("generateContent".into()),
        status: Some(503),
        delay_ms: 500,
        times: Some(1),
        ..Cue::default()
    }]);
    let mut task_a = gemini("a", &[]);
    task_a["retry"] = json!({"maxAttempts": 3, "backoffMs": 1});
    let id = start(&ada, &json!([task_a]), &json!({})).await;
    let worker = Arc::new(app.worker());
    let at_work = tokio::spawn(worker::run(worker.clone()));
    while fake.requests().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // The end is asked for while the call is under way that will be refused.
    worker.stop.cancel();
    at_work.await.expect("without panic").expect("well");
    let waiting = execution(&ada, &id).await;
    let row = task(&waiting, "a");
    assert_eq!(
        (waiting["status"].as_str(), row["status"].as_str()),
        (Some("running"), Some("PENDING")),
        "{waiting}"
    );
    app.drain().await;
    let over = execution(&ada, &id).await;
    assert_eq!(task(&over, "a")["status"], "COMPLETED", "{over}");
    assert_eq!(fake.requests().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_was_named_puts_the_execution_off_and_what_is_done_stays_done() {
    let fake = FakeGemini::start().await;
    let (app, ada) = with_fake(&fake).await;
    fake.script([Cue {
        method: Some("generateContent".into()),
        status: Some(429),
        quota: Some(Quota::PerMinute),
        retry_seconds: Some(30.0),
        times: Some(1),
        ..Cue::default()
    }]);
    let tasks = json!([given("first", &json!("x"), &[]), gemini("a", &["first"])]);
    let id = start(&ada, &tasks, &json!({})).await;
    app.drain().await;
    let waiting = execution(&ada, &id).await;
    assert_eq!(waiting["status"], "running", "{waiting}");
    assert_eq!(of_tasks(&waiting, "status"), ["COMPLETED", "PENDING"]);
    assert_eq!(task(&waiting, "a")["errorCode"], "provider_rate_limited");
    let jobs = ada.get("/api/jobs?kind=workflows.execute").await.json();
    assert_eq!(jobs[0]["state"], "queued");
    assert!(
        jobs[0]["waitReason"]
            .as_str()
            .is_some_and(|why| why.contains("until")),
        "{jobs}"
    );
    assert_eq!(task(&waiting, "first")["attempts"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_beyond_the_executions_own_ends_it_at_once() {
    let fake = FakeGemini::start().await;
    let (app, ada) = with_fake(&fake).await;
    fake.script([Cue {
        method: Some("generateContent".into()),
        status: Some(429),
        quota: Some(Quota::PerMinute),
        retry_seconds: Some(30.0),
        times: Some(1),
        ..Cue::default()
    }]);
    let tasks = json!([
        gemini("a", &[]),
        given("beside", &json!("x"), &[]),
        function("b", "return 1;", &["a"])
    ]);
    let id = start(&ada, &tasks, &json!({})).await;
    let worker = app.worker_with(|config| config.workflow_seconds = 10);
    worker::drain(&worker).await.expect("drained");
    let over = execution(&ada, &id).await;
    assert_eq!(over["status"], "failed", "{over}");
    assert_eq!(
        of_tasks(&over, "status"),
        ["FAILED", "COMPLETED", "SKIPPED"]
    );
    assert_eq!(task(&over, "a")["errorCode"], "provider_rate_limited");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_and_an_execution_end_with_their_time() {
    let app = App::start().await;
    let ada = app.register().await;
    let slow = |id: &str| json!({"id": id, "name": id, "type": "SIMULATE_PROCESS", "outputKey": id, "staticValue": 60_000});
    let mut short = slow("short");
    short["timeoutSeconds"] = json!(1);
    let execution_a = performed(
        &app,
        &ada,
        &json!([short, given("b", &json!(1), &[])]),
        &json!({}),
    )
    .await;
    assert_eq!(
        of_tasks(&execution_a, "errorCode"),
        [json!("task_timeout"), json!(null)]
    );
    let worker = app.worker_with(|config| config.workflow_seconds = 1);
    let id = start(
        &ada,
        &json!([slow("long"), function("after", "return 1;", &["long"])]),
        &json!({}),
    )
    .await;
    worker::drain(&worker).await.expect("drained");
    let halted = execution(&ada, &id).await;
    assert_eq!(
        (halted["status"].as_str(), halted["errorCode"].as_str()),
        (Some("failed"), Some("execution_halted"))
    );
    assert_eq!(of_tasks(&halted, "status"), ["FAILED", "SKIPPED"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_execution_begins_nothing_more_and_can_be_taken_up() {
    let app = App::start().await;
    let ada = app.register().await;
    let tasks = json!([
        given("a", &json!("x"), &[]),
        function("b", "return inputs.a;", &["a"])
    ]);
    let id = start(&ada, &tasks, &json!({})).await;
    ada.post_empty(&format!("/api/executions/{id}/resume"))
        .await
        .expect_problem(409, "conflict");
    let stopped = ada.post_empty(&format!("/api/workflows/stop/{id}")).await;
    assert_eq!(stopped.expect(200).json()["jobId"], json!(id));
    app.drain().await;
    let over = execution(&ada, &id).await;
    assert_eq!(over["status"], "cancelled");
    assert_eq!(of_tasks(&over, "status"), ["SKIPPED", "SKIPPED"]);
    assert_eq!(of_tasks(&over, "attempts"), [0, 0]);
    ada.post_empty(&format!("/api/workflows/stop/{id}"))
        .await
        .expect_problem(409, "conflict");
    ada.post_empty(&format!("/api/executions/{id}/resume"))
        .await
        .expect(202);
    app.drain().await;
    assert_eq!(execution(&ada, &id).await["status"], "completed");
    assert_eq!(job(&ada, &id).await["returnValue"]["dataStore"]["b"], "x");
}

#[tokio::test(flavor = "multi_thread")]
async fn taken_up_from_a_task_only_what_depends_on_it_is_performed_again() {
    let app = App::start().await;
    let ada = app.register().await;
    let tasks = json!([
        given("a", &json!("x"), &[]),
        function("b", "return inputs.a;", &["a"]),
        function("c", "return inputs.b;", &["b"]),
        function("d", "return inputs.a;", &["a"]),
    ]);
    let first = performed(&app, &ada, &tasks, &json!({})).await;
    let id = first["id"].as_str().expect("an id");
    let resume = format!("/api/executions/{id}/resume");
    ada.post_empty(&resume)
        .await
        .expect_problem(409, "conflict");
    ada.post_empty(&format!("{resume}?from=nobody"))
        .await
        .expect_problem(400, "invalid_query");
    let taken_up = ada
        .post_empty(&format!("{resume}?from=b"))
        .await
        .expect(202)
        .json();
    assert_eq!(
        of_tasks(&taken_up, "status"),
        ["COMPLETED", "PENDING", "PENDING", "COMPLETED"]
    );
    assert_eq!(task(&taken_up, "b")["result"], json!(null));
    app.drain().await;
    let second = execution(&ada, id).await;
    assert_eq!(second["status"], "completed");
    assert_eq!(of_tasks(&second, "attempts"), [1, 2, 2, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_whose_job_dies_says_so_and_lives_again_with_it() {
    let app = App::start().await;
    let ada = app.register().await;
    let id = start(
        &ada,
        &json!([
            given("a", &json!(1), &[]),
            function("b", "return 1;", &["a"])
        ]),
        &json!({}),
    )
    .await;
    execute(&app, "UPDATE jobs SET state = 'running', lease_until = now() - interval '1 second', attempts = max_attempts WHERE kind = 'workflows.execute'").await;
    let mut conn = app.database().connect().await;
    db::jobs::sweep(&mut conn).await.expect("swept");
    drop(conn);
    let dead = execution(&ada, &id).await;
    assert_eq!(
        (dead["status"].as_str(), dead["errorCode"].as_str()),
        (Some("failed"), Some("worker_lost")),
        "{dead}"
    );
    assert_eq!(of_tasks(&dead, "status"), ["SKIPPED", "SKIPPED"]);
    let jobs = ada
        .get("/api/jobs?kind=workflows.execute&state=dead")
        .await
        .json();
    assert_eq!(jobs.as_array().map(Vec::len), Some(1));
    let mut conn = app.database().connect().await;
    db::jobs::retry(&mut conn, &db::jobs::Selection::default(), None, 10)
        .await
        .expect("retried");
    drop(conn);
    assert_eq!(execution(&ada, &id).await["status"], "pending");
    app.drain().await;
    assert_eq!(execution(&ada, &id).await["status"], "completed");
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_may_no_longer_work_here_has_nothing_performed() {
    let app = App::start().await;
    let ada = app.register().await;
    let bob = app.member(&ada, "developer").await;
    let id = start(&bob, &json!([asked("a", "x", &[])]), &json!({})).await;
    ada.patch(
        &format!("/api/users/{}", bob.id()),
        &json!({"isActive": false}),
    )
    .await
    .expect(200);
    app.drain().await;
    ada.patch(
        &format!("/api/users/{}", bob.id()),
        &json!({"isActive": true}),
    )
    .await
    .expect(200);
    let bob = app.sign_in(bob.email()).await;
    let over = execution(&bob, &id).await;
    assert_eq!(
        (over["status"].as_str(), over["errorCode"].as_str()),
        (Some("failed"), Some("execution_halted")),
        "{over}"
    );
    assert_eq!(of_tasks(&over, "status"), ["SKIPPED"]);
}
