//! What a refusal of the API means. The kind of the error says more than the status, and in the
//! middle of a stream there is no status.

use bytes::Bytes;
use chrono::{DateTime, Duration, Utc};
use domain::providers::{ProviderError, Trouble};
use reqwest::header::HeaderMap;
use serde::Deserialize;
use serde_json::Value;

use crate::llm::{
    call::Refused,
    refusal::{LONGEST_WAIT, header_delay, sentence},
};

/// How long to wait at a rate limit that names no time.
const USUAL_WAIT: Duration = Duration::seconds(10);

/// What the limits are counted in.
const BUDGETS: [&str; 4] = ["requests", "tokens", "input-tokens", "output-tokens"];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Fault {
    #[serde(rename = "type")]
    kind: String,
    message: String,
    details: Option<Details>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Details {
    error_code: Option<String>,
}

/// What an answer other than a success means at this moment.
pub(super) fn classify(refused: &Refused, now: DateTime<Utc>, secret: &str) -> ProviderError {
    let fault = Fault::parse(&refused.body);
    let status = refused.status;
    let says = sentence(status, &fault.kind, &fault.message, secret);
    match status {
        402 => ProviderError::OutOfCredit(says),
        _ if fault.blames_the_purse() => ProviderError::OutOfCredit(says),
        429 => ProviderError::RateLimited {
            retry_at: (now + wait(refused, now).unwrap_or(USUAL_WAIT).min(LONGEST_WAIT)),
        },
        401 | 403 => ProviderError::Unauthorized(says),
        413 => ProviderError::TooLong(says),
        400 if fault.blames_the_length() => ProviderError::TooLong(says),
        408 | 504 => ProviderError::Timeout(says),
        409 | 500..=599 => ProviderError::Overloaded(Trouble {
            says,
            retry_at: asked(refused, now).map(|wait| now + wait.min(LONGEST_WAIT)),
        }),
        300..=399 => {
            ProviderError::Invalid(format!("{says}: it redirects, check ANTHROPIC_BASE_URL"))
        }
        200..=299 => ProviderError::Malformed(says),
        _ => ProviderError::Invalid(says),
    }
}

/// What an error means that comes in the middle of a stream, by its kind.
pub(super) fn inside(body: &Value, now: DateTime<Utc>, secret: &str) -> ProviderError {
    let status = match body["error"]["type"].as_str().unwrap_or_default() {
        "invalid_request_error" => 400,
        "authentication_error" => 401,
        "billing_error" => 402,
        "permission_error" => 403,
        "not_found_error" => 404,
        "request_too_large" => 413,
        "rate_limit_error" => 429,
        "timeout_error" => 504,
        "overloaded_error" => 529,
        _ => 500,
    };
    let refused = Refused {
        status,
        headers: HeaderMap::new(),
        body: Bytes::from(body.to_string()),
    };
    classify(&refused, now, secret)
}

impl Fault {
    fn parse(body: &[u8]) -> Self {
        let mut body: Value = serde_json::from_slice(body).unwrap_or_default();
        let error = body.get_mut("error").map(Value::take);
        error
            .and_then(|error| serde_json::from_value(error).ok())
            .unwrap_or_default()
    }

    fn blames_the_purse(&self) -> bool {
        let code = self
            .details
            .as_ref()
            .and_then(|details| details.error_code.as_deref());
        self.kind == "billing_error"
            || code == Some("enforced_spend_limit_reached")
            || self
                .message
                .to_lowercase()
                .contains("credit balance is too low")
    }

    fn blames_the_length(&self) -> bool {
        let message = self.message.to_lowercase();
        message.contains("prompt is too long") || message.contains("exceed context limit")
    }
}

/// The wait that is asked for by name.
fn asked(refused: &Refused, now: DateTime<Utc>) -> Option<Duration> {
    header_delay(refused.header("retry-after")?, now)
}

/// The wait that is asked for, or that the spent budgets name.
fn wait(refused: &Refused, now: DateTime<Utc>) -> Option<Duration> {
    asked(refused, now).or_else(|| {
        let resets = BUDGETS.into_iter().filter_map(|budget| {
            let left = refused.header(&format!("anthropic-ratelimit-{budget}-remaining"))?;
            let reset = refused.header(&format!("anthropic-ratelimit-{budget}-reset"))?;
            let reset = DateTime::parse_from_rfc3339(reset).ok()?;
            (left.trim() == "0").then(|| (reset.to_utc() - now).max(Duration::zero()))
        });
        resets.max()
    })
}

#[cfg(test)]
mod tests;
