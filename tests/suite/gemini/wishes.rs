//! Pictures and wishes of a trial, and what becomes of those a model does not take.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use tests::fakes::gemini::FakeGemini;

use super::{
    PATH,
    draft::{asked, with_fake},
};

/// Bytes that begin as a PNG does.
fn png(size: usize) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    bytes.resize(size, 0);
    bytes
}

fn picture(bytes: &[u8]) -> Value {
    json!({"mimeType": "image/jpg", "data": BASE64_STANDARD.encode(bytes)})
}

fn showing(pictures: &[Value]) -> Value {
    json!({"promptText": "What is it?", "model": "gemini-3.8-flash", "images": pictures})
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_are_shown_before_the_words_and_are_what_their_content_says() {
    let fake = FakeGemini::start().await;
    let (_app, ada) = with_fake(&fake).await;
    let browser = format!("data:image/png;base64,{}", BASE64_STANDARD.encode(png(9)));
    let body = showing(&[picture(&png(8)), json!({ "data": browser })]);
    ada.post(PATH, &body).await.expect(200);
    let sent = &asked(&fake)[0]["contents"][0]["parts"];
    let shown = |bytes: &[u8]| json!({"inlineData": {"mimeType": "image/png", "data": BASE64_STANDARD.encode(bytes)}});
    assert_eq!(sent[0], shown(&png(8)));
    assert_eq!(sent[1], shown(&png(9)));
    assert_eq!(sent[2], json!({"text": "What is it?"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_picture_is_taken_also_under_a_key_for_repeating() {
    let fake = FakeGemini::start().await;
    let (_app, ada) = with_fake(&fake).await;
    let body = showing(&[
        picture(&png(5 * 1024 * 1024)),
        picture(&png(4 * 1024 * 1024)),
    ]);
    ada.post(PATH, &body).await.expect(200);
    let keyed = ada.with("idempotency-key", "one");
    keyed.post(PATH, &body).await.expect(200);
    // Elsewhere a body of this size is refused.
    let elsewhere = ada.post("/api/prompts", &body).await;
    elsewhere.expect_problem(413, "too_large");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_the_pictures_is_named_with_the_others() {
    let fake = FakeGemini::start().await;
    let (_app, ada) = with_fake(&fake).await;
    let mut body = showing(&[
        picture(&png(8)),
        picture(b"%PDF-1.7"),
        json!({"data": "no base64!"}),
        picture(&png(5 * 1024 * 1024 + 1)),
        json!({}),
    ]);
    body["promptText"] = " ".into();
    let refused = ada.post(PATH, &body).await;
    refused.expect_problem(422, "invalid");
    let mut fields = refused.faulty_fields();
    fields.sort();
    let wanted = [
        "images[1].data",
        "images[2].data",
        "images[3].data",
        "images[4].data",
        "promptText",
    ];
    assert_eq!(fields, wanted);
    let many = showing(&std::array::from_fn::<_, 9, _>(|_| picture(&png(8))));
    let large = showing(&std::array::from_fn::<_, 3, _>(|_| {
        picture(&png(3_600_000))
    }));
    for body in [many, large] {
        let refused = ada.post(PATH, &body).await;
        refused.expect_problem(422, "invalid");
        assert_eq!(refused.faulty_fields(), ["images"]);
    }
    assert!(asked(&fake).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_takes_no_pictures_is_not_asked_about_them_and_others_are_named() {
    let fake = FakeGemini::start().await;
    let (_app, ada) = with_fake(&fake).await;
    let blind = json!({"provider": "mock", "model": "blind", "label": "Blind", "kind": "text"});
    ada.post("/api/models", &blind).await.expect(201);
    let mut body = showing(&[picture(&png(8))]);
    body["model"] = "mock/blind".into();
    let refused = ada.post(PATH, &body).await;
    let problem = refused.expect_problem(422, "invalid");
    assert_eq!(refused.faulty_fields(), ["model"]);
    let told = problem.to_string();
    assert!(told.contains("gemini/gemini-3.8-flash"), "{told}");
    assert!(!told.contains("mock/blind"), "{told}");
}

/// A model, a wish, what is sent for it, and whether it is named as another than was wished for.
fn wishes() -> [(&'static str, Value, Value, bool); 8] {
    let off = || json!("off");
    [
        (
            "gemini-3.8-flash",
            json!({"level": "high"}),
            json!({"thinkingLevel": "HIGH"}),
            false,
        ),
        (
            "gemini-3.8-flash",
            json!({"level": "minimal"}),
            json!({"thinkingLevel": "LOW"}),
            true,
        ),
        (
            "gemini-3.5-flash-lite",
            json!({"level": "minimal"}),
            json!({"thinkingLevel": "MINIMAL"}),
            false,
        ),
        (
            "gemini-3.8-flash",
            json!({"budget": 9000}),
            json!({"thinkingLevel": "HIGH"}),
            false,
        ),
        (
            "gemini-4-argon",
            off(),
            json!({"thinkingLevel": "LOW"}),
            true,
        ),
        (
            "gemini-2.5-flash",
            off(),
            json!({"thinkingBudget": 0}),
            false,
        ),
        (
            "gemini-2.5-pro",
            off(),
            json!({"thinkingBudget": 128}),
            true,
        ),
        (
            "gemini-2.5-pro",
            json!({"budget": 50_000}),
            json!({"thinkingBudget": 32_768}),
            true,
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn thinking_is_sent_in_the_words_of_the_model_and_what_it_refuses_is_named() {
    let fake = FakeGemini::start().await;
    let (_app, ada) = with_fake(&fake).await;
    let cases = wishes();
    for (model, wish, _, is_named) in &cases {
        let body = json!({"promptText": "Why?", "model": model, "thinking": wish});
        let reply = ada.post(PATH, &body).await.expect(200).json();
        let named = reply["notApplied"] == json!(["thinking"]);
        assert_eq!(named, *is_named, "{model} {wish}: {reply}");
    }
    let sent: Vec<Value> = asked(&fake)
        .iter()
        .map(|request| request["generationConfig"]["thinkingConfig"].clone())
        .collect();
    let wanted: Vec<Value> = cases.into_iter().map(|(_, _, config, _)| config).collect();
    assert_eq!(sent, wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_for_thinking_has_one_of_three_forms() {
    let fake = FakeGemini::start().await;
    let (_app, ada) = with_fake(&fake).await;
    for wish in [
        json!("on"),
        json!({}),
        json!({"budget": 0}),
        json!({"budget": 1, "level": "low"}),
        json!(5),
    ] {
        let body = json!({"promptText": "Why?", "thinking": wish});
        let refused = ada.post(PATH, &body).await;
        refused.expect_problem(422, "invalid");
        assert_eq!(refused.faulty_fields(), ["thinking"], "{wish}");
    }
    let body = json!({"promptText": "Why?", "thinking": {"level": "utmost"}});
    let refused = ada.post(PATH, &body).await;
    refused.expect_problem(422, "invalid");
    assert_eq!(refused.faulty_fields(), ["thinking.level"]);
}
