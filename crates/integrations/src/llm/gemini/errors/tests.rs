//! Every member of the error family, in the shapes the service uses.

use serde_json::json;

use super::*;
use crate::llm::samples::{self, Refusal, meanings};

const KEY: &str = "AIzaSecret";

fn now() -> DateTime<Utc> {
    "2026-11-20T18:00:00Z".parse().expect("a time")
}

fn wait(seconds: i64) -> ProviderError {
    ProviderError::RateLimited {
        retry_at: now() + Duration::seconds(seconds),
    }
}

fn body(status: &str, message: &str, details: &Value) -> Vec<u8> {
    json!({ "error": { "code": 400, "status": status, "message": message, "details": details } })
        .to_string()
        .into()
}

fn meaning(http_status: u16, body: &[u8]) -> ProviderError {
    classify(http_status, None, body, now(), KEY)
}

fn class(http_status: u16, status: &str) -> &'static str {
    meaning(
        http_status,
        &body(status, "Something happened.", &json!([])),
    )
    .class()
}

fn throttled(quotas: &[&str], delay: Option<&str>) -> Vec<u8> {
    let violations: Vec<_> = quotas
        .iter()
        .map(|quota| json!({ "quotaId": quota, "quotaValue": "20" }))
        .collect();
    let mut details = vec![
        json!({ "@type": "type.googleapis.com/google.rpc.Help", "links": [] }),
        json!({ "@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": violations }),
    ];
    if let Some(delay) = delay {
        details.push(
            json!({ "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay }),
        );
    }
    body(
        "RESOURCE_EXHAUSTED",
        "You exceeded your current quota.",
        &json!(details),
    )
}

#[test]
fn the_status_decides_where_it_can() {
    assert_eq!(class(400, "INVALID_ARGUMENT"), "provider_invalid_request");
    assert_eq!(class(400, "FAILED_PRECONDITION"), "provider_unauthorized");
    assert_eq!(class(401, "UNAUTHENTICATED"), "provider_unauthorized");
    assert_eq!(class(402, "RESOURCE_EXHAUSTED"), "provider_out_of_credit");
    assert_eq!(class(403, "PERMISSION_DENIED"), "provider_unauthorized");
    assert_eq!(class(404, "NOT_FOUND"), "provider_invalid_request");
    assert_eq!(class(408, ""), "provider_timeout");
    assert_eq!(class(413, ""), "provider_input_too_long");
    assert_eq!(class(500, "INTERNAL"), "provider_overloaded");
    assert_eq!(class(502, ""), "provider_overloaded");
    assert_eq!(class(503, "UNAVAILABLE"), "provider_overloaded");
    assert_eq!(class(504, "DEADLINE_EXCEEDED"), "provider_timeout");
    assert_eq!(class(302, ""), "provider_invalid_request");
}

#[test]
fn a_bad_key_is_a_400_that_says_so() {
    let reason = json!([{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID" }]);
    let refused = meaning(
        400,
        &body("INVALID_ARGUMENT", "API key not valid.", &reason),
    );
    let says = "HTTP 400 INVALID_ARGUMENT: API key not valid.";
    assert_eq!(refused, ProviderError::Unauthorized(says.into()));
}

#[test]
fn a_key_that_the_provider_repeats_does_not_travel_on() {
    let message = format!("Consumer 'api_key:{KEY}' has been suspended.");
    let refused = meaning(403, &body("PERMISSION_DENIED", &message, &json!([]))).to_string();
    assert!(refused.contains("api_key:[key]") && !refused.contains(KEY));
}

#[test]
fn too_many_in_a_minute_wait_as_long_as_told() {
    assert_eq!(
        meaning(
            429,
            &throttled(&["RequestsPerMinutePerProject"], Some("20s"))
        ),
        wait(20)
    );
    assert_eq!(
        meaning(429, &throttled(&["TokensPerMinute"], None)),
        wait(5)
    );
}

#[test]
fn a_fraction_of_a_second_is_never_cut_off() {
    let ProviderError::RateLimited { retry_at } =
        meaning(429, &throttled(&["PerMinute"], Some("20.2001s")))
    else {
        panic!("a rate limit");
    };
    assert_eq!(retry_at - now(), Duration::milliseconds(20_201));
}

#[test]
fn a_spent_day_lasts_until_midnight_in_california_whatever_the_hint_says() {
    let spent = meaning(
        429,
        &throttled(
            &["RequestsPerMinute", "GenerateRequestsPerDayPerProject"],
            Some("20s"),
        ),
    );
    assert_eq!(
        spent,
        ProviderError::QuotaSpent {
            until: "2026-11-21T08:00:00Z".parse().expect("a time")
        }
    );
}

#[test]
fn a_429_without_a_quota_is_overload() {
    assert_eq!(meaning(429, &throttled(&[], None)), wait(30));
    assert_eq!(meaning(429, &throttled(&[], Some("2s"))), wait(2));
    assert_eq!(meaning(429, b"slow down"), wait(30));
}

#[test]
fn depleted_credit_is_money_even_as_a_429() {
    let depleted = body(
        "RESOURCE_EXHAUSTED",
        "Your prepayment credits are depleted.",
        &json!([]),
    );
    assert_eq!(meaning(429, &depleted).class(), "provider_out_of_credit");
}

#[test]
fn the_header_and_the_hint_are_both_honoured() {
    let minute = throttled(&["PerMinute"], Some("10s"));
    let told = |header| classify(429, Some(header), &minute, now(), KEY);
    assert_eq!(told("40"), wait(40));
    assert_eq!(told("4"), wait(10));
    assert_eq!(told("Fri, 20 Nov 2026 18:01:00 GMT"), wait(60));
    assert_eq!(told("Fri, 20 Nov 2026 17:00:00 GMT"), wait(10));
    assert_eq!(told("soon"), wait(10));
}

#[test]
fn an_absurd_hint_is_a_week_at_most() {
    for absurd in ["99999999999999999999s", "infs"] {
        assert_eq!(
            meaning(429, &throttled(&["PerMinute"], Some(absurd))),
            wait(7 * 24 * 3600)
        );
    }
    for nonsense in ["NaNs", "-3s", "20"] {
        assert_eq!(
            meaning(429, &throttled(&["PerMinute"], Some(nonsense))),
            wait(5)
        );
    }
}

#[test]
fn an_input_that_is_too_long_is_told_from_an_invalid_one() {
    let payload = body(
        "INVALID_ARGUMENT",
        "Request payload size exceeds the limit: 4194304 bytes.",
        &json!([]),
    );
    let context = body("INTERNAL", "Your input context is too long.", &json!([]));
    assert_eq!(meaning(400, &payload).class(), "provider_input_too_long");
    assert_eq!(meaning(500, &context).class(), "provider_input_too_long");
}

#[test]
fn an_error_wrapped_into_an_array_is_read() {
    let plain = String::from_utf8(throttled(&["PerMinute"], Some("20s"))).expect("JSON");
    assert_eq!(meaning(429, format!("[{plain}]").as_bytes()), wait(20));
}

#[test]
fn a_body_that_is_no_json_leaves_the_status() {
    let says = "HTTP 503, without a readable explanation";
    for body in [
        &b"<html>503</html>"[..],
        b"",
        b"[]",
        b"{}",
        br#"{"error":"#,
        br#"{"error":"text"}"#,
    ] {
        assert_eq!(meaning(503, body), ProviderError::Overloaded(says.into()));
    }
}

#[test]
fn an_error_inside_a_success_is_found() {
    assert_eq!(
        inside_success(br#"[{ "error": { "code": 503 } }]"#),
        Some(503)
    );
    assert_eq!(inside_success(br#"{"embeddings":[]}"#), None);
}

#[test]
fn a_long_explanation_becomes_one_short_line() {
    let refused = meaning(
        400,
        &body("INVALID_ARGUMENT", &"many\nlines ".repeat(500), &json!([])),
    )
    .to_string();
    assert!(refused.len() < 500 && !refused.contains('\n'));
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table, whatever its layout")]
fn every_refusal_has_its_class() {
    let error = |status: &str, message: &str, details: Value| json!({ "error": { "code": 400, "status": status, "message": message, "details": details } });
    let kind = |name: &str| format!("type.googleapis.com/google.rpc.{name}");
    let key = json!([{ "@type": kind("ErrorInfo"), "reason": "API_KEY_INVALID" }]);
    let quota = |id: &str, delay: &str| {
        json!([
            { "@type": kind("QuotaFailure"), "violations": [{ "quotaId": id }] },
            { "@type": kind("RetryInfo"), "retryDelay": delay },
        ])
    };
    let exhausted = |details| {
        error(
            "RESOURCE_EXHAUSTED",
            "You exceeded your current quota.",
            details,
        )
    };
    let plain = |status, message| error(status, message, json!([]));
    let family: [Refusal; 18] = [
        (400, &[], plain("INVALID_ARGUMENT", "Unknown name \"x\".")),
        (
            400,
            &[],
            error("INVALID_ARGUMENT", "API key not valid: AIzaSecret", key),
        ),
        (
            400,
            &[],
            plain("FAILED_PRECONDITION", "User location is not supported."),
        ),
        (
            400,
            &[],
            plain(
                "INVALID_ARGUMENT",
                "The input token count exceeds the maximum number of tokens allowed.",
            ),
        ),
        (
            402,
            &[],
            plain("RESOURCE_EXHAUSTED", "Your prepaid credit is used up."),
        ),
        (403, &[], plain("PERMISSION_DENIED", "Denied.")),
        (
            404,
            &[],
            plain("NOT_FOUND", "models/imagen-4 is not found."),
        ),
        (413, &[], Value::Null),
        (
            429,
            &[],
            exhausted(quota("GenerateRequestsPerMinutePerProjectPerModel", "31s")),
        ),
        (
            429,
            &[],
            exhausted(quota(
                "GenerateRequestsPerDayPerProjectPerModel-FreeTier",
                "20.2s",
            )),
        ),
        (
            429,
            &[("retry-after", "90")],
            plain("RESOURCE_EXHAUSTED", "Overloaded."),
        ),
        (429, &[], plain("RESOURCE_EXHAUSTED", "Overloaded.")),
        (
            500,
            &[],
            plain("INTERNAL", "An internal error has occurred."),
        ),
        (
            500,
            &[],
            plain("INTERNAL", "The input context is too long."),
        ),
        (
            503,
            &[("retry-after", "7")],
            plain("UNAVAILABLE", "The model is overloaded."),
        ),
        (502, &[], json!("<html>Bad gateway</html>")),
        (504, &[], plain("DEADLINE_EXCEEDED", "Too slow.")),
        (308, &[], Value::Null),
    ];
    insta::assert_debug_snapshot!(meanings(&family, |refused| {
        classify(
            refused.status,
            refused.header("retry-after"),
            &refused.body,
            samples::noon(),
            KEY,
        )
    }));
}
