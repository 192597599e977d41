//! Answers in the shapes that servers use.

use clap::Parser;
use serde_json::json;

use super::*;
use crate::{
    http,
    llm::{
        Clock, LONGEST_CALL,
        openai::OpenAiConfig,
        samples::{KEY, end, noon, paid, question, schema, stream_of, streamed},
    },
};

#[derive(Parser)]
struct Program {
    #[command(flatten)]
    openai: OpenAiConfig,
}

fn openai() -> OpenAi {
    let config = Program::try_parse_from(["program"])
        .expect("arguments")
        .openai;
    let client = http::client(LONGEST_CALL).expect("a client");
    let key = KEY.into();
    OpenAi::new(
        &config,
        client,
        Some(&key),
        &config.base_url,
        Clock::from_fn(noon),
    )
    .expect("settings")
}

fn draft() -> OpenAiDraft {
    OpenAiDraft::new(
        Asked::new(&question("gpt-6-luna"), vec!["topK"]),
        None,
        openai(),
    )
}

fn received(body: &Value) -> Result<Reply, ProviderError> {
    whole(body.to_string().as_bytes(), draft())
}

fn saying(message: &Value, finish: &str) -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-6-luna-2026-09-01",
        "choices": [{ "index": 0, "message": message, "logprobs": null, "finish_reason": finish }],
        "usage": { "prompt_tokens": 100, "completion_tokens": 30, "total_tokens": 130,
            "prompt_tokens_details": { "cached_tokens": 60, "cache_write_tokens": 10, "audio_tokens": 0 },
            "completion_tokens_details": { "reasoning_tokens": 11 } },
    })
}

fn chunk(delta: &Value, finish: Option<&str>) -> Value {
    json!({ "id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "gpt-6-luna-2026-09-01",
        "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }], "usage": null })
}

#[test]
fn words_with_thoughts_and_a_cache() {
    let message = json!({ "role": "assistant", "content": "With wings.", "refusal": null, "reasoning_content": "Hm." });
    insta::assert_debug_snapshot!(received(&saying(&message, "stop")));
}

#[test]
fn an_answer_costs_what_a_hand_works_out() {
    let with = |input: u64| {
        let mut answer = saying(
            &json!({ "role": "assistant", "content": "With wings." }),
            "stop",
        );
        answer["usage"]["prompt_tokens"] = input.into();
        answer["usage"]["total_tokens"] = (input + 30).into();
        paid(&received(&answer).expect("an answer").usage)
    };
    // 30 × 1 + 60 × 0.1 + 10 × 2 + 30 × 10 = 356 millionths; the thoughts are among the output.
    assert_eq!(with(100), ["0.000356", "0.001424"]);
    // One token more, and all of them cost double: 31 × 2 + 60 × 0.2 + 10 × 4 + 30 × 20 = 714.
    assert_eq!(with(101), ["0.000714", "0.001428"]);
}

#[test]
fn a_refusal() {
    let message =
        json!({ "role": "assistant", "content": null, "refusal": "I cannot help with that." });
    insta::assert_debug_snapshot!(received(&saying(&message, "stop")));
}

#[test]
fn every_reason_to_stop_has_its_meaning() {
    let message = json!({ "role": "assistant", "content": "x" });
    let finish = |reason| {
        received(&saying(&message, reason))
            .expect("an answer")
            .finish
    };
    assert_eq!(finish("stop"), Finish::Stop);
    assert_eq!(finish("length"), Finish::Truncated);
    assert_eq!(
        finish("content_filter"),
        Finish::Refused("content_filter".into())
    );
}

#[test]
fn a_small_server_leaves_out_what_it_likes() {
    let answer = json!({ "choices": [{ "message": { "content": [{ "type": "text", "text": "With wings." }] } }] });
    insta::assert_debug_snapshot!(received(&answer));
}

#[test]
fn an_answer_bound_to_the_strict_schema_is_given_back_as_it_was_wished_for() {
    let wished = schema("gpt-6-luna");
    let strict = super::super::to_wire::strict(&wished);
    let draft = OpenAiDraft::new(Asked::new(&wished, Vec::new()), strict, openai());
    let message =
        json!({ "role": "assistant", "content": "{\"title\": \"Ducks\", \"audience\": null}" });
    let reply = whole(saying(&message, "stop").to_string().as_bytes(), draft).expect("an answer");
    assert_eq!(reply.text, r#"{"title":"Ducks"}"#);
}

#[test]
fn a_stream() {
    let usage = json!({ "choices": [], "usage": { "prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8 } });
    let chunks = [
        chunk(&json!({ "role": "assistant", "content": "" }), None),
        chunk(&json!({ "content": "With " }), None),
        chunk(&json!({ "content": "wings." }), None),
        chunk(&json!({}), Some("stop")),
        usage,
    ];
    let stream = format!(
        ": ping\n\n{}data: [DONE]\n\ndata: never read\n\n",
        stream_of(&chunks)
    );
    insta::assert_debug_snapshot!(streamed(&stream, draft()));
}

#[test]
fn a_stream_may_end_without_saying_so() {
    let chunks = [chunk(&json!({ "content": "With wings." }), Some("stop"))];
    let reply = end(streamed(&stream_of(&chunks), draft()));
    assert_eq!((reply.finish, reply.usage.estimated), (Finish::Stop, true));
}

#[test]
fn a_stream_that_is_cut_is_told_as_cut() {
    let reply = end(streamed(
        &stream_of(&[chunk(&json!({ "content": "With " }), None)]),
        draft(),
    ));
    assert_eq!((reply.finish, reply.text.as_str()), (Finish::Cut, "With "));
}

#[test]
fn errors_inside_a_success() {
    let inside = |error: Value| {
        streamed(&stream_of(&[json!({ "error": error })]), draft()).expect_err("an error")
    };
    let errors = [
        inside(json!("the model crashed")),
        inside(json!({ "message": "Rate limited upstream", "code": 429 })),
        inside(json!({ "message": "No money", "type": "insufficient_quota" })),
        inside(json!({ "message": "Bad", "type": "invalid_request_error" })),
    ];
    insta::assert_debug_snapshot!(errors.map(|error| error.to_string()));
}

#[test]
fn answers_that_are_not_what_was_promised() {
    let problems = [
        received(&json!({})),
        received(&json!([])),
        received(&json!({ "choices": [] })),
        received(&json!({ "choices": "many" })),
        whole(b"<html>", draft()),
        whole(b"\xff", draft()),
        streamed("", draft()).map(|_| Reply::default()),
        streamed("data: {\"choices\":\n\n", draft()).map(|_| Reply::default()),
    ];
    let problems: Vec<_> = problems
        .map(|problem| problem.expect_err("a bad answer").to_string())
        .into();
    insta::assert_debug_snapshot!(problems);
}

#[test]
fn nobody_sees_the_key() {
    let openai = openai();
    let call = openai.signed(openai.client.get(openai.address(&["models"])));
    let shown = format!("{openai:?} {call:?}");
    assert!(
        shown.contains("Sensitive") && !shown.contains(KEY),
        "{shown}"
    );
}
