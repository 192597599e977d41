//! Workflows drafted by a model.

use serde_json::{Value, json};
use tests::{
    fakes::gemini::{Cue, FakeGemini},
    support::{App, Client, Options},
};

const GENERATE: &str = "/api/gemini/generate-workflow";

#[tokio::test(flavor = "multi_thread")]
async fn a_goal_becomes_a_workflow_that_can_be_saved_and_performed() {
    let app = App::start().await;
    let ada = app.register().await;
    let body = json!({"goal": "Answer reviews of our shop"});
    let drafted = ada.post(GENERATE, &body).await.expect(200).json();
    assert_eq!(drafted["name"], "Answer reviews of our shop");
    let path = format!("/api/workflows/{}", drafted["id"].as_str().expect("an id"));
    ada.put(&path, &drafted).await.expect(201);
    let input = json!({"userInput": {"text": "Nice."}});
    let started = ada
        .post(&format!("{path}/execute"), &input)
        .await
        .expect(202)
        .json();
    app.drain().await;
    let id = started["executionId"].as_str().expect("an id");
    assert_eq!(
        super::support::execution(&ada, id).await["status"],
        "completed"
    );
}

fn says(text: &str) -> Cue {
    Cue {
        method: Some("generateContent".into()),
        text: Some(text.into()),
        times: Some(1),
        ..Cue::default()
    }
}

async fn with_fake(fake: &FakeGemini) -> (App, Client) {
    let url: url::Url = fake.url.parse().expect("an address");
    let app = App::start_with(Options::with(move |config| {
        config.gateway.gemini.api_key = Some("good-key".into());
        config.gateway.gemini.base_url = url;
    }))
    .await;
    let ada = app.register().await;
    (app, ada)
}

fn cyclic() -> Value {
    let task = |id: &str, other: &str| {
        json!({
            "id": id, "name": id, "description": "", "type": "DATA_INPUT", "dependencies": [other],
            "inputKeys": [], "outputKey": id, "promptTemplate": "", "functionBody": "", "staticValue": "x", "dataKey": ""
        })
    };
    json!({"name": "Round", "description": "", "tasks": [task("a", "b"), task("b", "a")]})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_told_once_what_was_wrong_and_then_given_up() {
    let fake = FakeGemini::start().await;
    let (_app, ada) = with_fake(&fake).await;
    let mut mended = cyclic();
    mended["tasks"][0]["dependencies"] = json!([]);
    let fenced = format!("Sure:\n```json\n{mended}\n```");
    fake.script([says(&cyclic().to_string()), says(&fenced)]);
    let body = json!({"goal": "Anything", "model": "gemini/gemini-2.5-flash"});
    let drafted = ada.post(GENERATE, &body).await.expect(200).json();
    assert_eq!(drafted["name"], "Round");
    let second = fake.requests().last().expect("a call").json();
    assert!(
        second.to_string().contains("Cycle detected: b → a → b"),
        "{second}"
    );

    fake.script([says("No workflow."), says(&cyclic().to_string())]);
    let problem = ada
        .post(GENERATE, &body)
        .await
        .expect_problem(502, "model_output_invalid");
    assert_eq!(problem["rawOutput"], json!(cyclic().to_string()));
    let kept = ada.get("/api/workflows?owner=me&q=Round").await.json();
    assert_eq!(kept, json!([]));
}
