//! Every member of the error family, in the shapes that servers use.

use serde_json::json;

use super::*;
use crate::llm::samples::{KEY, Refusal, meanings, noon};

fn error(kind: &str, code: &str, message: &str) -> Value {
    json!({ "error": { "message": message, "type": kind, "param": null, "code": code } })
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table, whatever its layout")]
fn every_refusal_has_its_class() {
    let limit = error("requests", "rate_limit_exceeded", "Rate limit reached.");
    let family: [Refusal; 27] = [
        (
            400,
            &[],
            error(
                "invalid_request_error",
                "unsupported_parameter",
                "Unknown parameter.",
            ),
        ),
        (
            400,
            &[],
            error(
                "invalid_request_error",
                "context_length_exceeded",
                "Too long.",
            ),
        ),
        (
            400,
            &[],
            json!({ "error": "This model's maximum context length is 8192 tokens." }),
        ),
        (
            400,
            &[],
            error(
                "invalid_request_error",
                "content_policy_violation",
                "Not that.",
            ),
        ),
        (
            401,
            &[],
            error(
                "invalid_request_error",
                "invalid_api_key",
                "Incorrect API key provided: the-secret-key.",
            ),
        ),
        (
            402,
            &[],
            json!({ "error": { "message": "Insufficient credits", "code": 402 } }),
        ),
        (403, &[], error("", "", "Country not supported.")),
        (
            404,
            &[],
            error("invalid_request_error", "model_not_found", "No such model."),
        ),
        (404, &[], json!({ "detail": "Not Found" })),
        (413, &[], Value::Null),
        (429, &[("retry-after", "31")], limit.clone()),
        (
            429,
            &[("retry-after", "31"), ("retry-after-ms", "1500")],
            limit.clone(),
        ),
        (
            429,
            &[("retry-after", "Fri, 20 Nov 2026 12:01:00 GMT")],
            limit.clone(),
        ),
        (
            429,
            &[
                ("x-ratelimit-remaining-tokens", "0"),
                ("x-ratelimit-reset-tokens", "6m0s"),
                ("x-ratelimit-remaining-requests", "3"),
                ("x-ratelimit-reset-requests", "9h"),
            ],
            limit.clone(),
        ),
        (
            429,
            &[
                ("x-ratelimit-remaining-requests", "0"),
                ("x-ratelimit-reset-requests", "20ms"),
            ],
            limit.clone(),
        ),
        (429, &[("retry-after", "soon")], limit.clone()),
        (429, &[("retry-after", "99999999")], limit),
        (
            429,
            &[],
            error(
                "insufficient_quota",
                "insufficient_quota",
                "You exceeded your current quota.",
            ),
        ),
        (429, &[], error("", "credit_balance_exhausted", "Empty.")),
        (408, &[], Value::Null),
        (409, &[], Value::Null),
        (
            500,
            &[],
            error("server_error", "", "The server had an error."),
        ),
        (
            503,
            &[("retry-after", "7")],
            json!({ "error": "overloaded" }),
        ),
        (502, &[], json!("<html>Bad gateway</html>")),
        (504, &[], Value::Null),
        (308, &[], Value::Null),
        (204, &[], Value::Null),
    ];
    insta::assert_debug_snapshot!(meanings(&family, |refused| classify(refused, noon(), KEY)));
}

#[test]
fn spans_are_read_as_they_are_written() {
    let read = |text| span(text).map(|span| span.num_milliseconds());
    assert_eq!(read("1s"), Some(1000));
    assert_eq!(read("6m0s"), Some(360_000));
    assert_eq!(read("1h2m3.5s"), Some(3_723_500));
    assert_eq!(read("20ms"), Some(20));
    for odd in ["", "1", "s", "1y", "1s?", "-1s", "1..2s"] {
        assert_eq!(read(odd), None, "{odd}");
    }
}
