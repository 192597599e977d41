//! Prompts drafted by a model.

use serde_json::{Value, json};
use tests::{
    fakes::gemini::{Cue, FakeGemini, Received},
    support::{App, Client, Options},
};

const GENERATE: &str = "/api/gemini/generate-sfl";
const REGENERATE: &str = "/api/gemini/regenerate-sfl";

/// A draft as a model writes it.
fn written() -> Value {
    json!({
        "title": "Explain tides", "promptText": "Explain tides to {{audience}}.",
        "sflField": {"topic": "Tides", "taskType": "Explanation", "domainSpecifics": "", "keywords": "moon, sea"},
        "sflTenor": {"aiPersona": "Teacher/Tutor", "targetAudience": "Beginners", "desiredTone": "Friendly", "interpersonalStance": ""},
        "sflMode": {"outputFormat": "Markdown", "rhetoricalStructure": "", "lengthConstraint": "", "textualDirectives": ""},
        "exampleOutput": "", "notes": ""
    })
}

fn says(text: &str) -> Cue {
    Cue {
        method: Some("generateContent".into()),
        text: Some(text.into()),
        ..Cue::default()
    }
}

/// An installation whose Gemini is the fake.
pub(super) async fn with_fake(fake: &FakeGemini) -> (App, Client) {
    let url: url::Url = fake.url.parse().expect("an address");
    let app = App::start_with(Options::with(move |config| {
        config.gateway.gemini.api_key = Some("good-key".into());
        config.gateway.gemini.base_url = url;
    }))
    .await;
    let ada = app.register().await;
    (app, ada)
}

/// What the fake was asked to generate, oldest first.
pub(super) fn asked(fake: &FakeGemini) -> Vec<Value> {
    let calls = fake.requests();
    let calls = calls.iter().filter(|call| call.method == "generateContent");
    calls.map(Received::json).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_goal_becomes_a_prompt_that_can_be_saved_as_it_is() {
    let app = App::start().await;
    let ada = app.register().await;
    let body = json!({"goal": "Summarise support tickets for managers", "sourceDocContent": "Ticket 1: it broke."});
    let draft = ada.post(GENERATE, &body).await.expect(200).json();
    assert_eq!(draft["sourceDocument"]["content"], "Ticket 1: it broke.");
    assert!(draft["sflTenor"]["targetAudience"].is_array(), "{draft}");
    assert_eq!(draft.get("id"), None);
    let saved = ada.post("/api/prompts", &draft).await.expect(201).json();
    for member in [
        "title",
        "promptText",
        "sflField",
        "sflTenor",
        "sflMode",
        "sourceDocument",
    ] {
        assert_eq!(saved[member], draft[member], "{member}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_bound_to_the_schema_and_what_it_gets_wrong_is_mended() {
    let fake = FakeGemini::start().await;
    let (_app, ada) = with_fake(&fake).await;
    fake.script([says(&format!("```json\n{}\n```", written()))]);
    let draft = ada
        .post(GENERATE, &json!({"goal": "Explain tides"}))
        .await
        .expect(200)
        .json();
    assert_eq!(draft["sflTenor"]["targetAudience"], json!(["Beginners"]));
    let request = &asked(&fake)[0];
    let schema = &request["generationConfig"]["responseJsonSchema"];
    assert_eq!(schema["required"][0], "title", "{request}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_cannot_be_used_is_asked_for_once_more_with_what_was_wrong() {
    let fake = FakeGemini::start().await;
    let (_app, ada) = with_fake(&fake).await;
    fake.script([
        says(r#"{"title": "No text"}"#),
        says(&written().to_string()),
    ]);
    let body = json!({"goal": "Explain tides"});
    let draft = ada.post(GENERATE, &body).await.expect(200).json();
    assert_eq!(draft["title"], "Explain tides");
    let asked = asked(&fake);
    let second = asked[1]["contents"].to_string();
    assert_eq!(
        (asked.len(), asked[1]["contents"].as_array().map(Vec::len)),
        (2, Some(3))
    );
    assert!(second.contains("promptText"), "{second}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_stays_unusable_is_shown_raw_and_never_half_filled() {
    let fake = FakeGemini::start().await;
    let (_app, ada) = with_fake(&fake).await;
    fake.script([says("I would"), says("rather not.")]);
    let reply = ada.post(GENERATE, &json!({"goal": "Explain tides"})).await;
    let problem = reply.expect_problem(502, "model_output_invalid");
    assert_eq!(problem["rawOutput"], "rather not.");
    assert_eq!(asked(&fake).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suggestion_changes_the_prompt_and_keeps_its_source_document() {
    let fake = FakeGemini::start().await;
    let (_app, ada) = with_fake(&fake).await;
    fake.script([says(&written().to_string())]);
    let source = json!({"name": "tides.md", "content": "The moon pulls."});
    let current = json!({
        "id": "0", "isTesting": false, "title": "Old", "promptText": "Old words of the prompt",
        "sourceDocument": source, "sflTenor": {"targetAudience": "Everybody"}
    });
    let body = json!({"currentPrompt": current, "suggestion": "Make it about tides"});
    let draft = ada.post(REGENERATE, &body).await.expect(200).json();
    assert_eq!(draft["sourceDocument"], source);
    assert_eq!(draft["title"], "Explain tides");
    let sent = asked(&fake)[0]["contents"].to_string();
    for part in [
        "Old words of the prompt",
        "Make it about tides",
        "Everybody",
    ] {
        assert!(sent.contains(part), "{part}: {sent}");
    }
    assert!(!sent.contains("isTesting"), "{sent}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_grounded_in_the_passages_of_ones_own_documents() {
    let fake = FakeGemini::start().await;
    let (app, ada) = with_fake(&fake).await;
    let upload = ada.upload(
        "/api/documents/upload",
        "tides.txt",
        b"Spring tides come at full moon.",
        &[],
    );
    let document = upload.await.expect(201).json()["id"].clone();
    let early = json!({"goal": "Explain tides", "documentIds": [document]});
    let refused = ada.post(GENERATE, &early).await;
    refused.expect_problem(422, "invalid");
    assert_eq!(refused.faulty_fields(), ["documentIds[0]"]);
    let url: url::Url = fake.url.parse().expect("an address");
    let worker = app.worker_with(|config| {
        config.gateway.gemini.api_key = Some("good-key".into());
        config.gateway.gemini.base_url = url;
    });
    worker::drain(&worker).await.expect("drained");
    fake.script([says(&written().to_string())]);
    ada.post(GENERATE, &early).await.expect(200);
    let sent = asked(&fake)[0]["contents"].to_string();
    assert!(sent.contains("Spring tides come at full moon."), "{sent}");
    assert!(sent.contains("tides.txt"), "{sent}");
    let stranger = app.register().await;
    let theirs = stranger.post(GENERATE, &early).await;
    theirs.expect_problem(422, "invalid");
    assert_eq!(asked(&fake).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_told_as_one() {
    let fake = FakeGemini::start().await;
    let (_app, ada) = with_fake(&fake).await;
    fake.script([Cue {
        block_reason: Some("PROHIBITED_CONTENT".into()),
        ..Cue::default()
    }]);
    let reply = ada.post(GENERATE, &json!({"goal": "Something bad"})).await;
    let problem = reply.expect_problem(422, "invalid");
    assert!(
        problem["detail"]
            .as_str()
            .is_some_and(|text| text.contains("PROHIBITED_CONTENT")),
        "{problem}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_wish_is_named_and_only_developers_may_wish() {
    let app = App::start().await;
    let admin = app.register().await;
    let requester = app.member(&admin, "requester").await;
    let body = json!({"goal": "x"});
    requester
        .post(GENERATE, &body)
        .await
        .expect_problem(403, "forbidden");
    let refused = admin
        .post(GENERATE, &json!({"goal": " ", "model": ""}))
        .await;
    refused.expect_problem(422, "invalid");
    assert_eq!(refused.faulty_fields(), ["goal", "model"]);
    let empty = admin
        .post(
            REGENERATE,
            &json!({"currentPrompt": {"promptText": ""}, "suggestion": ""}),
        )
        .await;
    empty.expect_problem(422, "invalid");
    assert_eq!(
        empty.faulty_fields(),
        ["currentPrompt.promptText", "suggestion"]
    );
}
