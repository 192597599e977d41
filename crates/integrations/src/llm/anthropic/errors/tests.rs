//! Every member of the error family, in the shapes the service uses.

use serde_json::json;

use super::*;
use crate::llm::samples::{KEY, Refusal, meanings, noon};

fn error(kind: &str, message: &str) -> Value {
    json!({ "type": "error", "error": { "type": kind, "message": message }, "request_id": "req_1" })
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table, whatever its layout")]
fn every_refusal_has_its_class() {
    let limit = error("rate_limit_error", "This request would exceed your limit.");
    let spent = json!({ "type": "error", "error": { "type": "rate_limit_error", "message": "Spend limit.", "details": { "error_code": "enforced_spend_limit_reached" } } });
    let family: [Refusal; 22] = [
        (
            400,
            &[],
            error(
                "invalid_request_error",
                "temperature: Extra inputs are not permitted",
            ),
        ),
        (
            400,
            &[],
            error(
                "invalid_request_error",
                "prompt is too long: 300000 tokens > 200000 maximum",
            ),
        ),
        (
            400,
            &[],
            error(
                "invalid_request_error",
                "Your credit balance is too low to access the API.",
            ),
        ),
        (
            401,
            &[],
            error("authentication_error", "invalid x-api-key the-secret-key"),
        ),
        (402, &[], error("billing_error", "Billing.")),
        (403, &[], error("permission_error", "Not allowed.")),
        (404, &[], error("not_found_error", "model: claude-0")),
        (409, &[], error("conflict_error", "Conflict.")),
        (413, &[], error("request_too_large", "Too large.")),
        (429, &[("retry-after", "31")], limit.clone()),
        (
            429,
            &[
                ("anthropic-ratelimit-input-tokens-remaining", "0"),
                (
                    "anthropic-ratelimit-input-tokens-reset",
                    "2026-11-20T12:00:45Z",
                ),
                ("anthropic-ratelimit-requests-remaining", "9"),
                ("anthropic-ratelimit-requests-reset", "2026-11-20T13:00:00Z"),
            ],
            limit.clone(),
        ),
        (
            429,
            &[
                ("anthropic-ratelimit-tokens-remaining", "0"),
                ("anthropic-ratelimit-tokens-reset", "2026-11-20T11:00:00Z"),
            ],
            limit.clone(),
        ),
        (429, &[], limit),
        (429, &[("retry-after", "31")], spent),
        (500, &[], error("api_error", "Internal server error")),
        (504, &[], error("timeout_error", "Timed out.")),
        (529, &[], error("overloaded_error", "Overloaded")),
        (
            529,
            &[("retry-after", "12")],
            error("overloaded_error", "Overloaded"),
        ),
        (502, &[], json!("<html>Bad gateway</html>")),
        (503, &[], json!({ "error": "text" })),
        (308, &[], Value::Null),
        (204, &[], Value::Null),
    ];
    insta::assert_debug_snapshot!(meanings(&family, |refused| classify(refused, noon(), KEY)));
}
