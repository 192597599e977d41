//! What a refusal of a server means.
//!
//! The status alone does not decide: a 429 asks for patience or for money. The body may hold an
//! object, a sentence, or nothing to be read.

use bytes::Bytes;
use chrono::{DateTime, Duration, Utc};
use domain::providers::{ProviderError, Trouble};
use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::llm::{
    call::Refused,
    refusal::{LONGEST_WAIT, header_delay, seconds, sentence},
};

/// How long to wait at a rate limit that names no time.
const USUAL_WAIT: Duration = Duration::seconds(5);

/// Codes of an account without money, whatever status they come with.
const PURSE: [&str; 6] = [
    "insufficient_quota",
    "credit_balance_exhausted",
    "billing_hard_limit_reached",
    "billing_not_active",
    "spend_limit_reached",
    "usage_limit_reached",
];

/// What an answer other than a success means at this moment.
pub(super) fn classify(refused: &Refused, now: DateTime<Utc>, secret: &str) -> ProviderError {
    let body: Value = serde_json::from_slice(&refused.body).unwrap_or_default();
    let said = Said::of(&body);
    let status = refused.status;
    let says = sentence(status, &said.code, &said.message, secret);
    match status {
        _ if said.blames_the_purse() => ProviderError::OutOfCredit(says),
        _ if said.blames_the_length() => ProviderError::TooLong(says),
        _ if said.blames_the_content() => ProviderError::Refused(says),
        429 => ProviderError::RateLimited {
            retry_at: now + wait(refused, now).unwrap_or(USUAL_WAIT).min(LONGEST_WAIT),
        },
        402 => ProviderError::OutOfCredit(says),
        401 | 403 => ProviderError::Unauthorized(says),
        413 => ProviderError::TooLong(says),
        408 | 504 => ProviderError::Timeout(says),
        409 | 500..=599 => ProviderError::Overloaded(Trouble {
            says,
            retry_at: asked(refused, now).map(|wait| now + wait.min(LONGEST_WAIT)),
        }),
        300..=399 => ProviderError::Invalid(format!("{says}: it redirects, check OPENAI_BASE_URL")),
        200..=299 => ProviderError::Malformed(says),
        _ => ProviderError::Invalid(says),
    }
}

/// What an error means that hides in a success or in the middle of a stream.
pub(super) fn inside(body: &Value, now: DateTime<Utc>, secret: &str) -> ProviderError {
    let code = &body["error"]["code"];
    let status = code.as_u64().or_else(|| code.as_str()?.parse().ok());
    let said = Said::of(body);
    let status = status
        .and_then(|status| u16::try_from(status).ok())
        .unwrap_or(match said.kind.as_str() {
            "rate_limit_error" | "rate_limit_exceeded" | "tokens" | "requests" => 429,
            "invalid_request_error" => 400,
            "authentication_error" => 401,
            _ => 500,
        });
    let refused = Refused {
        status,
        headers: HeaderMap::new(),
        body: Bytes::from(body.to_string()),
    };
    classify(&refused, now, secret)
}

/// What a refusal says, in whichever shape.
#[derive(Debug, Default)]
struct Said {
    message: String,
    code: String,
    kind: String,
}

impl Said {
    fn of(body: &Value) -> Self {
        let body = body.get(0).unwrap_or(body);
        let error = body.get("error").unwrap_or(body);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let message = error
            .as_str()
            .map_or_else(|| text(&error["message"]), str::to_owned);
        let detail = || text(&body["detail"]);
        Self {
            message: if message.is_empty() {
                detail()
            } else {
                message
            },
            code: text(&error["code"]),
            kind: text(&error["type"]),
        }
    }

    fn blames_the_purse(&self) -> bool {
        [&self.code, &self.kind]
            .iter()
            .any(|name| PURSE.contains(&name.as_str()))
    }

    fn blames_the_length(&self) -> bool {
        let message = self.message.to_lowercase();
        self.code == "context_length_exceeded"
            || self.code == "string_above_max_length"
            || message.contains("maximum context length")
            || message.contains("context window")
    }

    fn blames_the_content(&self) -> bool {
        ["content_filter", "content_policy_violation"].contains(&self.code.as_str())
    }
}

/// The wait that is asked for by name.
fn asked(refused: &Refused, now: DateTime<Utc>) -> Option<Duration> {
    let precise = refused.header("retry-after-ms").and_then(milliseconds);
    precise.or_else(|| {
        refused
            .header("retry-after")
            .and_then(|header| header_delay(header, now))
    })
}

/// The wait that is asked for, or that the spent budgets name.
fn wait(refused: &Refused, now: DateTime<Utc>) -> Option<Duration> {
    asked(refused, now).or_else(|| {
        let budgets = ["requests", "tokens"].into_iter().filter_map(|budget| {
            let left = refused.header(&format!("x-ratelimit-remaining-{budget}"))?;
            let reset = refused.header(&format!("x-ratelimit-reset-{budget}"))?;
            (left.trim() == "0").then(|| span(reset)).flatten()
        });
        budgets.max()
    })
}

fn milliseconds(header: &str) -> Option<Duration> {
    let milliseconds: f64 = header.trim().parse().ok()?;
    seconds(&(milliseconds / 1000.0).to_string())
}

/// A span such as `1s`, `6m0s`, `1h2m3.5s` or `20ms`.
fn span(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total = Duration::zero();
    while !rest.is_empty() {
        let end = rest.find(|char: char| !char.is_ascii_digit() && char != '.')?;
        let (number, after) = rest.split_at(end);
        let number: f64 = number.parse().ok()?;
        let unit = after
            .find(|char: char| char.is_ascii_digit())
            .unwrap_or(after.len());
        let length = match &after[..unit] {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            _ => return None,
        };
        total = (total + seconds(&(number * length).to_string())?).min(LONGEST_WAIT);
        rest = &after[unit..];
    }
    (text.trim() != "").then_some(total)
}

#[cfg(test)]
mod tests;
