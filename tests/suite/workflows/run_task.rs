//! Trying a single task.

use serde_json::{Value, json};
use tests::support::App;

use super::support::{asked, function, given};

const RUN_TASK: &str = "/api/workflows/run-task";

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_is_the_bare_value() {
    let app = App::start().await;
    let ada = app.register().await;
    let mut shout = function("a", "return inputs.text.toUpperCase();", &["nobody"]);
    shout["inputKeys"] = json!(["userInput.text"]);
    let store = json!({"userInput": {"text": "hi", "image": null}});
    let table: [(Value, Value); 5] = [
        (shout, json!("HI")),
        (function("a", "return;", &[]), Value::Null),
        (
            given("a", &json!([1, {"b": null}]), &[]),
            json!([1, {"b": null}]),
        ),
        (
            asked("a", "[[mock: echo]] {{userInput.text}}!", &[]),
            json!("hi!"),
        ),
        (
            given("a", &json!("{{ userInput }}"), &[]),
            json!({"text": "hi", "image": null}),
        ),
    ];
    for (task, expected) in table {
        let reply = ada
            .post(RUN_TASK, &json!({"task": task, "dataStore": store}))
            .await;
        assert_eq!(reply.expect(200).json(), expected, "{task}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grounded_task_answers_text_and_sources() {
    let app = App::start().await;
    let ada = app.register().await;
    let mut grounded = asked("a", "Who won?", &[]);
    grounded["type"] = json!("GEMINI_GROUNDED");
    let reply = ada
        .post(RUN_TASK, &json!({"task": grounded}))
        .await
        .expect(200)
        .json();
    assert!(
        reply["text"].is_string() && reply["sources"].is_array(),
        "{reply}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_says_why() {
    let app = App::start().await;
    let ada = app.register().await;
    let run = async |task: Value| {
        ada.post(RUN_TASK, &json!({"task": task, "dataStore": {}}))
            .await
    };
    let mut needy = function("a", "return 1;", &[]);
    needy["inputKeys"] = json!(["summary"]);
    let problem = run(needy).await.expect_problem(422, "task_failed");
    assert_eq!(problem["detail"], "Missing required input key \"summary\".");
    let problem = run(function("a", "return inputs.a.b;", &[]))
        .await
        .expect_problem(422, "task_failed");
    assert!(
        problem["detail"]
            .as_str()
            .is_some_and(|text| text.contains("line 1")),
        "{problem}"
    );
    let mut linked = asked("a", "", &[]);
    linked["promptId"] = json!("01a1fa64-faf0-76fd-a48c-54d0e5ffef4d");
    assert_eq!(run(linked).await.faulty_fields(), ["task.promptId"]);
    let mut unknown = asked("a", "x", &[]);
    unknown["agentConfig"] = json!({"model": "no-such-model"});
    let problem = run(unknown).await.expect_problem(422, "task_failed");
    assert!(
        problem["detail"]
            .as_str()
            .is_some_and(|text| text.contains("no-such-model")),
        "{problem}"
    );
    let bare = json!({"id": "a", "name": "a", "type": "TEXT_MANIPULATION", "outputKey": "o"});
    assert_eq!(run(bare).await.faulty_fields(), ["task.functionBody"]);
    ada.post(RUN_TASK, &json!({"dataStore": {}}))
        .await
        .expect_problem(422, "invalid");
}
