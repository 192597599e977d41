//! Trying a prompt: its values, its wishes, and its answer as it is made.

use serde_json::{Value, json};
use tests::{
    fakes::gemini::{Break, Cue, FakeGemini},
    support::{App, Reply},
};

use super::draft::with_fake;

const PATH: &str = "/api/gemini/test-prompt";

/// The events of an answer: their names and data.
fn events(reply: &Reply) -> Vec<(String, Value)> {
    let read = |block: &str| {
        let (name, data) = block.split_once('\n')?;
        let data = data.strip_prefix("data: ")?;
        let data = serde_json::from_str(data).ok()?;
        Some((name.strip_prefix("event: ")?.to_owned(), data))
    };
    let text = reply.text();
    text.split_terminator("\n\n")
        .map(|block| read(block).unwrap_or_else(|| panic!("no event: {block}")))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn values_take_the_place_of_placeholders_once() {
    let app = App::start().await;
    let ada = app.register().await;
    let body = json!({
        "promptText": "[[mock: echo]] {{greeting}}, {{name}}!",
        "variables": {"greeting": "Hello {{name}}", "name": "Ada", "unused": "x"},
    });
    let reply = ada.post(PATH, &body).await.expect(200).json();
    let text = reply["text"].as_str().expect("a text");
    assert!(text.contains("Hello {{name}}, Ada!"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_missing_value_is_named_and_a_prompt_without_values_goes_as_it_is() {
    let app = App::start().await;
    let ada = app.register().await;
    let prompt = "[[mock: echo]] {{a}} {{b}} {{c}}";
    let body = json!({"promptText": prompt, "variables": {"b": "B"}});
    let refused = ada.post(PATH, &body).await;
    refused.expect_problem(422, "invalid");
    assert_eq!(refused.faulty_fields(), ["variables.a", "variables.c"]);
    let whole = ada.post(PATH, &json!({"promptText": prompt})).await;
    let text = whole.expect(200).json()["text"].to_string();
    assert!(text.contains("{{a}} {{b}} {{c}}"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_repeated_beyond_all_bounds_is_refused() {
    let app = App::start().await;
    let ada = app.register().await;
    let body =
        json!({"promptText": "{{a}}".repeat(40_000), "variables": {"a": "x".repeat(1_000_000)}});
    let refused = ada.post(PATH, &body).await;
    refused.expect_problem(422, "invalid");
    assert_eq!(refused.faulty_fields(), ["variables"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wish_beyond_its_bounds_is_named_at_once() {
    let app = App::start().await;
    let ada = app.register().await;
    let body = json!({
        "promptText": "x", "temperature": 2.1, "topP": 0, "topK": 0, "maxOutputTokens": 0,
        "stopSequences": ["a", "b", "c", "d", "e", ""],
    });
    let refused = ada.post(PATH, &body).await;
    refused.expect_problem(422, "invalid");
    let mut fields = refused.faulty_fields();
    fields.sort();
    let wanted = [
        "maxOutputTokens",
        "stopSequences",
        "stopSequences",
        "temperature",
        "topK",
        "topP",
    ];
    assert_eq!(fields, wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_comes_as_it_is_made_and_ends_with_what_it_cost() {
    let app = App::start().await;
    let ada = app.register().await;
    let streaming = ada.with("accept", "text/event-stream");
    let body = json!({"promptText": "[[mock: echo]] one two three four"});
    let reply = streaming.post(PATH, &body).await;
    reply.expect(200);
    assert_eq!(reply.header("content-type"), Some("text/event-stream"));
    assert_ne!(reply.header("content-encoding"), Some("gzip"));
    let events = events(&reply);
    let (last, tokens) = events.split_last().expect("events");
    assert!(tokens.len() > 1, "{events:?}");
    let said: String = tokens
        .iter()
        .map(|(name, data)| {
            assert_eq!(name, "token");
            data["text"].as_str().expect("a text")
        })
        .collect();
    assert_eq!(last.0, "done");
    assert_eq!(last.1["text"], said);
    assert_eq!(
        (&last.1["cost"], &last.1["finish"]),
        (&json!("0"), &json!("stop"))
    );
    let whole = ada.post(PATH, &body).await.expect(200).json();
    assert_eq!(whole["text"], said);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_the_provider_cuts_is_shown_and_paid_as_far_as_it_came() {
    let fake = FakeGemini::start().await;
    let (_app, ada) = with_fake(&fake).await;
    let model = json!({
        "provider": "gemini", "model": "gemini-3.8-flash", "label": "Priced", "kind": "text",
        "prices": [{"effectiveFrom": "2026-01-01T00:00:00Z", "input": "1", "output": "10"}],
    });
    ada.post("/api/models", &model).await.expect(201);
    fake.script([Cue::breaks(Break::Cut)]);
    let streaming = ada.with("accept", "text/event-stream");
    let body = json!({"promptText": "Tell me of many ducks, one after another.", "model": "gemini-3.8-flash"});
    let reply = streaming.post(PATH, &body).await;
    let events = events(&reply);
    let (name, done) = events.last().expect("events");
    assert_eq!(
        (name.as_str(), &done["finish"]),
        ("done", &json!("truncated"))
    );
    let tokens = |member: &str| done["usage"][member].as_u64().expect("a number");
    assert!(tokens("tokensOut") > 0 && tokens("tokensIn") > 0, "{done}");
    let millionths = tokens("tokensIn") + 10 * tokens("tokensOut");
    let cost = format!("0.{millionths:06}");
    assert_eq!(done["cost"], cost.trim_end_matches('0'), "{done}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_for_repeating_is_good_for_one_form_of_the_answer() {
    let app = App::start().await;
    let ada = app.register().await.with("idempotency-key", "one");
    let body = json!({"promptText": "Hello"});
    ada.post(PATH, &body).await.expect(200);
    let streaming = ada.with("accept", "text/event-stream");
    let other = streaming.post(PATH, &body).await;
    other.expect_problem(409, "idempotency_mismatch");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_before_the_first_word_is_a_plain_answer() {
    let app = App::start().await;
    let ada = app.register().await;
    let streaming = ada.with("accept", "text/event-stream");
    let body = json!({"promptText": "[[mock: rate-limit=31s]] x"});
    let reply = streaming.post(PATH, &body).await;
    reply.expect_problem(429, "too_many_requests");
    assert!(reply.header("retry-after").is_some());
}
