//! Answers in the shapes the service uses.

use clap::Parser;
use serde_json::{Value, json};

use super::*;
use crate::llm::{
    Clock,
    gemini::GeminiConfig,
    samples::{KEY, end, noon, paid, question, stream_of, streamed},
};

#[derive(Parser)]
struct Program {
    #[command(flatten)]
    gemini: GeminiConfig,
}

fn asked() -> Asked {
    Asked::new(&question("gemini-3.8-flash"), vec!["temperature"])
}

fn draft() -> GeminiDraft {
    let config = Program::try_parse_from(["program", "--gemini-api-key", KEY])
        .expect("arguments")
        .gemini;
    let gemini = Gemini::new(&config, Clock::from_fn(noon))
        .expect("settings")
        .expect("a key");
    GeminiDraft::new(asked(), gemini)
}

fn received(body: &Value) -> Result<Reply, ProviderError> {
    whole(body.to_string().as_bytes(), asked())
}

fn saying(text: &str, finish: &str) -> Value {
    json!({
        "candidates": [{ "index": 0, "content": { "role": "model", "parts": [{ "text": text }] }, "finishReason": finish }],
        "usageMetadata": { "promptTokenCount": 5, "candidatesTokenCount": 3, "totalTokenCount": 8 },
        "modelVersion": "gemini-3.8-flash-001", "responseId": "r-1",
    })
}

#[test]
fn words_with_thoughts_sources_and_a_cache() {
    let answer = json!({
        "candidates": [{
            "content": { "role": "model", "parts": [
                { "text": "Hm.", "thought": true, "thoughtSignature": "x" }, { "text": "With " }, { "text": "wings." },
            ] },
            "finishReason": "STOP", "avgLogprobs": -0.1,
            "groundingMetadata": { "webSearchQueries": ["ducks"], "groundingChunks": [
                { "web": { "uri": "https://ducks.example/", "title": "Ducks" } },
                { "web": { "uri": "https://ducks.example/", "title": "Ducks" } },
                { "retrievedContext": {} }, { "web": { "uri": "https://wings.example/" } },
            ] },
        }],
        "usageMetadata": { "promptTokenCount": 100, "cachedContentTokenCount": 60, "toolUsePromptTokenCount": 20,
            "candidatesTokenCount": 30, "thoughtsTokenCount": 11, "totalTokenCount": 161 },
        "modelVersion": "gemini-3.8-flash-001", "responseId": "r-1", "unknown": [null],
    });
    insta::assert_debug_snapshot!(received(&answer));
}

#[test]
fn pictures_are_output_of_their_own_kind() {
    let answer = json!({
        "candidates": [{ "content": { "parts": [{ "inlineData": { "mimeType": "image/png", "data": "cG5n" } }] }, "finishReason": "STOP" }],
        "usageMetadata": { "promptTokenCount": 4, "candidatesTokenCount": 1120, "thoughtsTokenCount": 80, "totalTokenCount": 1204,
            "candidatesTokensDetails": [{ "modality": "IMAGE", "tokenCount": 1120 }] },
    });
    insta::assert_debug_snapshot!(received(&answer));
}

#[test]
fn a_blocked_prompt() {
    let answer = json!({ "promptFeedback": { "blockReason": "PROHIBITED_CONTENT" },
        "usageMetadata": { "promptTokenCount": 5, "totalTokenCount": 5 }, "modelVersion": "gemini-3.8-flash" });
    insta::assert_debug_snapshot!(received(&answer));
}

#[test]
fn every_reason_to_stop_has_its_meaning() {
    let reasons = [
        "STOP",
        "MAX_TOKENS",
        "CONTINUATION",
        "SAFETY",
        "RECITATION",
        "LANGUAGE",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "IMAGE_SAFETY",
        "IMAGE_OTHER",
        "NO_IMAGE",
        "ESCALATION",
        "OTHER",
        "MALFORMED_RESPONSE",
        "UNEXPECTED_TOOL_CALL",
        "NEW_ONE",
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
fn tokens_that_nobody_counted_are_estimated() {
    let mut uncounted = saying("twelve chars", "STOP");
    uncounted["usageMetadata"].take();
    let usage = received(&uncounted).expect("an answer").usage;
    assert_eq!((usage.input, usage.output, usage.estimated), (5, 3, true));
}

#[test]
fn a_total_that_is_larger_than_its_parts_is_believed_and_marked() {
    let mut odd = saying("x", "STOP");
    odd["usageMetadata"]["totalTokenCount"] = 50.into();
    let usage = received(&odd).expect("an answer").usage;
    assert_eq!((usage.input, usage.output, usage.estimated), (5, 45, true));
}

#[test]
fn a_stream() {
    let mut first = saying("With ", "STOP");
    first["candidates"][0]["finishReason"].take();
    first["usageMetadata"] = json!({ "promptTokenCount": 5, "totalTokenCount": 5 });
    let last = saying("wings.", "STOP");
    insta::assert_debug_snapshot!(streamed(&stream_of(&[first, last]), draft()));
}

#[test]
fn a_stream_that_is_cut_is_told_as_cut() {
    let mut first = saying("With ", "STOP");
    first["candidates"][0]["finishReason"].take();
    let reply = end(streamed(&stream_of(&[first]), draft()));
    assert_eq!(
        (reply.finish, reply.text.as_str(), reply.usage.output),
        (Finish::Cut, "With ", 3)
    );
}

#[test]
fn the_tokens_that_a_cut_stream_told_last_are_counted_and_paid() {
    let counting = |words: &str, output: u64, thoughts: u64| {
        let mut event = saying(words, "STOP");
        event["candidates"][0]["finishReason"].take();
        event["usageMetadata"] = json!({ "promptTokenCount": 50, "cachedContentTokenCount": 20,
            "candidatesTokenCount": output, "thoughtsTokenCount": thoughts, "totalTokenCount": 50 + output + thoughts });
        event
    };
    let events = [counting("With ", 1, 4), counting("wings", 2, 9)];
    let reply = end(streamed(&stream_of(&events), draft()));
    assert_eq!(reply.finish, Finish::Cut);
    let usage = &reply.usage;
    assert_eq!(
        (
            usage.input,
            usage.cached_input,
            usage.output,
            usage.thinking
        ),
        // Two tokens of words were counted, but those that came make three.
        (50, 20, 9 + 3, 9)
    );
    assert!(usage.estimated);
    // 30 × 1 + 20 × 0.1 + 12 × 10 = 152 millionths; four times that from midnight on.
    assert_eq!(paid(usage), ["0.000152", "0.000608"]);
}

#[test]
fn an_answer_costs_what_a_hand_works_out() {
    let with = |tools: u64| {
        let mut answer = saying("With wings.", "STOP");
        answer["usageMetadata"] = json!({ "promptTokenCount": 100, "cachedContentTokenCount": 60,
            "toolUsePromptTokenCount": tools, "candidatesTokenCount": 30, "thoughtsTokenCount": 11,
            "totalTokenCount": 141 + tools });
        paid(&received(&answer).expect("an answer").usage)
    };
    // 40 × 1 + 60 × 0.1 + 41 × 10 = 456 millionths.
    assert_eq!(with(0), ["0.000456", "0.001824"]);
    // 120 tokens of input, beyond the step: 60 × 2 + 60 × 0.2 + 41 × 20 = 952. In December 60 × 4 + 60 × 0.4 + 41 × 40.
    assert_eq!(with(20), ["0.000952", "0.001904"]);
}

#[test]
fn an_error_in_the_middle_of_a_stream_is_an_error() {
    let error =
        json!({ "error": { "code": 503, "status": "UNAVAILABLE", "message": "Overloaded." } });
    let bare = format!("{}{error:#}\r\n", stream_of(&[saying("With ", "STOP")]));
    let error = streamed(&bare, draft()).expect_err("an error");
    assert_eq!(
        error,
        ProviderError::Overloaded("HTTP 503 UNAVAILABLE: Overloaded.".into())
    );
}

#[test]
fn an_error_that_names_no_code_is_trouble_of_theirs() {
    let error =
        streamed("data: {\"error\": {\"message\": \"Oops.\"}}\n\n", draft()).expect_err("an error");
    assert_eq!(error.class(), "provider_overloaded");
}

#[test]
fn answers_that_are_not_what_was_promised() {
    let bad_picture = json!({ "candidates": [{ "content": { "parts": [{ "inlineData": { "mimeType": "image/png", "data": "%" } }] } }] });
    let problems = [
        received(&json!({})),
        received(&json!([])),
        received(&json!({ "candidates": "many" })),
        received(&bad_picture),
        whole(b"<html>", asked()),
        streamed("", draft()).map(|_| Reply::default()),
        streamed("data: {\"candidates\":\n\n", draft()).map(|_| Reply::default()),
        streamed("<html>\n<p>no: body</p>\n", draft()).map(|_| Reply::default()),
    ];
    let problems: Vec<_> = problems
        .map(|problem| problem.expect_err("a bad answer").to_string())
        .into();
    insta::assert_debug_snapshot!(problems);
}
