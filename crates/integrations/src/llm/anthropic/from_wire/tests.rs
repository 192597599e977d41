//! Answers in the shapes the service uses.

use clap::Parser;
use serde_json::json;

use super::*;
use crate::{
    http,
    llm::{
        Clock, LONGEST_CALL,
        anthropic::AnthropicConfig,
        samples::{KEY, end, noon, paid, question, stream_of, streamed},
    },
};

#[derive(Parser)]
struct Program {
    #[command(flatten)]
    anthropic: AnthropicConfig,
}

fn anthropic() -> Anthropic {
    let config = Program::try_parse_from(["program"])
        .expect("arguments")
        .anthropic;
    let client = http::client(LONGEST_CALL).expect("a client");
    Anthropic::new(
        &config,
        client,
        &KEY.into(),
        &config.base_url,
        Clock::from_fn(noon),
    )
    .expect("settings")
}

fn draft() -> AnthropicDraft {
    AnthropicDraft::new(
        Asked::new(&question("claude-haiku-5-5"), vec!["temperature"]),
        anthropic(),
    )
}

fn received(body: &Value) -> Result<Reply, ProviderError> {
    whole(body.to_string().as_bytes(), draft())
}

fn saying(text: &str, stop: &str) -> Value {
    json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-haiku-5-5-20261001",
        "content": [{ "type": "thinking", "thinking": "Hm.", "signature": "x" }, { "type": "text", "text": text }],
        "stop_reason": stop, "stop_sequence": null,
        "usage": { "input_tokens": 30, "cache_creation_input_tokens": 10, "cache_read_input_tokens": 60,
            "output_tokens": 30, "output_tokens_details": { "thinking_tokens": 11 }, "service_tier": "standard" },
    })
}

/// A stream up to some words, after which whatever comes comes.
fn stream_up_to_words(rest: &[Value]) -> String {
    let mut start = saying("", "");
    start["content"] = json!([]);
    start["stop_reason"].take();
    start["usage"] = json!({ "input_tokens": 30, "cache_creation_input_tokens": 10, "cache_read_input_tokens": 60, "output_tokens": 1 });
    let delta = |delta: Value| json!({ "type": "content_block_delta", "index": 0, "delta": delta });
    let events = [
        json!({ "type": "message_start", "message": start }),
        json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "thinking", "thinking": "" } }),
        delta(json!({ "type": "thinking_delta", "thinking": "Hm." })),
        delta(json!({ "type": "signature_delta", "signature": "x" })),
        json!({ "type": "content_block_stop", "index": 0 }),
        json!({ "type": "ping" }),
        json!({ "type": "content_block_start", "index": 1, "content_block": { "type": "text", "text": "" } }),
        delta(json!({ "type": "text_delta", "text": "With " })),
        delta(json!({ "type": "text_delta", "text": "wings." })),
    ];
    stream_of(&events) + &stream_of(rest)
}

fn ending(stop: &str) -> [Value; 4] {
    let usage = json!({ "output_tokens": 30, "input_tokens": null, "output_tokens_details": { "thinking_tokens": 11 } });
    [
        json!({ "type": "content_block_stop", "index": 1 }),
        json!({ "type": "an_event_of_next_year", "delta": 7 }),
        json!({ "type": "message_delta", "delta": { "stop_reason": stop, "stop_sequence": null }, "usage": usage }),
        json!({ "type": "message_stop" }),
    ]
}

#[test]
fn words_with_thoughts_and_a_cache() {
    insta::assert_debug_snapshot!(received(&saying("With wings.", "end_turn")));
}

#[test]
fn an_answer_costs_what_a_hand_works_out() {
    let with = |fresh: u64| {
        let mut answer = saying("With wings.", "end_turn");
        answer["usage"]["input_tokens"] = fresh.into();
        paid(&received(&answer).expect("an answer").usage)
    };
    // 30 × 1 + 60 × 0.1 + 10 × 2 + 30 × 10 = 356 millionths; the thoughts are among the output.
    assert_eq!(with(30), ["0.000356", "0.001424"]);
    // One token more, and all of them cost double: 31 × 2 + 60 × 0.2 + 10 × 4 + 30 × 20 = 714.
    assert_eq!(with(31), ["0.000714", "0.001428"]);
}

#[test]
fn every_reason_to_stop_has_its_meaning() {
    let reasons = [
        "end_turn",
        "stop_sequence",
        "max_tokens",
        "model_context_window_exceeded",
        "pause_turn",
        "refusal",
        "tool_use",
        "new_one",
    ];
    let meanings = reasons.map(|reason| {
        format!(
            "{reason}: {:?}",
            received(&saying("x", reason)).map(|reply| reply.finish)
        )
    });
    insta::assert_debug_snapshot!(meanings);
}

#[test]
fn a_stream() {
    insta::assert_debug_snapshot!(streamed(&stream_up_to_words(&ending("end_turn")), draft()));
}

#[test]
fn a_stream_that_is_refused_keeps_its_price() {
    let reply = end(streamed(&stream_up_to_words(&ending("refusal")), draft()));
    assert_eq!(
        (reply.finish, reply.usage.output),
        (Finish::Refused("refusal".into()), 30)
    );
}

#[test]
fn a_stream_that_is_cut_is_told_as_cut_and_its_price_estimated() {
    let reply = end(streamed(&stream_up_to_words(&[]), draft()));
    assert_eq!(
        (reply.finish, reply.text.as_str()),
        (Finish::Cut, "With wings.")
    );
    let usage = reply.usage;
    assert_eq!((usage.input, usage.output, usage.estimated), (100, 3, true));
}

#[test]
fn errors_in_the_middle_of_a_stream() {
    let inside = |kind: &str| {
        let error = json!({ "type": "error", "error": { "type": kind, "message": "Sorry." }, "request_id": "req_1" });
        streamed(&stream_up_to_words(&[error]), draft())
            .expect_err("an error")
            .to_string()
    };
    let kinds = [
        "overloaded_error",
        "api_error",
        "rate_limit_error",
        "timeout_error",
        "invalid_request_error",
        "billing_error",
        "new_error",
    ];
    insta::assert_debug_snapshot!(kinds.map(inside));
}

#[test]
fn answers_that_are_not_what_was_promised() {
    let problems = [
        received(&json!({})),
        received(&json!([])),
        received(&json!({ "type": "message", "content": "words" })),
        whole(b"<html>", draft()),
        streamed("", draft()).map(|_| Reply::default()),
        streamed("data: {\"type\":\n\n", draft()).map(|_| Reply::default()),
        streamed("data: {\"type\": \"message_stop\"}\n\n", draft()).map(|_| Reply::default()),
    ];
    let problems: Vec<_> = problems
        .map(|problem| problem.expect_err("a bad answer").to_string())
        .into();
    insta::assert_debug_snapshot!(problems);
}

#[test]
fn nobody_sees_the_key() {
    let anthropic = anthropic();
    let call = anthropic.signed(anthropic.client.get(anthropic.address("models")));
    let shown = format!("{anthropic:?} {call:?}");
    assert!(
        shown.contains("Sensitive") && !shown.contains(KEY),
        "{shown}"
    );
}
