//! What a refusal of the API means: the one place that reads its status codes.
//!
//! The status alone does not decide. A bad key is a 400, and a 429 may ask for patience until the
//! next minute, until midnight, or for money; the details of the body tell them apart.

use chrono::{DateTime, Duration, Utc};
use domain::providers::{ProviderError, Trouble};
use serde::Deserialize;
use serde_json::Value;

use super::pacific;
use crate::llm::refusal::{LONGEST_WAIT, header_delay, seconds, sentence};

/// How long to wait when a minute's quota is spent and nobody said for how long.
const MINUTE_QUOTA_WAIT: Duration = Duration::seconds(5);

/// How long to wait when the service is overloaded or the account spends too fast.
const OVERLOAD_WAIT: Duration = Duration::seconds(30);

/// `google.rpc.Status`, as far as it decides anything.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Refusal {
    code: u16,
    status: String,
    message: String,
    details: Vec<Value>,
}

/// The code of an error that hides in the body of a success.
pub(super) fn inside_success(body: &[u8]) -> Option<u16> {
    // An answer is megabytes of numbers: it is not parsed twice to learn that it is none.
    let start = &body[..body.len().min(64)];
    let suspicious = start.windows(7).any(|window| window == b"\"error\"");
    suspicious
        .then(|| Refusal::parse(body))
        .flatten()
        .map(|error| if error.code == 0 { 500 } else { error.code })
}

/// What an answer other than a success means at this moment. The secret is blotted out of it.
pub(super) fn classify(
    http_status: u16,
    retry_after: Option<&str>,
    body: &[u8],
    now: DateTime<Utc>,
    secret: &str,
) -> ProviderError {
    let error = Refusal::parse(body).unwrap_or_default();
    let says = sentence(http_status, &error.status, &error.message, secret);
    match http_status {
        429 => error.throttled(says, retry_after, now),
        402 => ProviderError::OutOfCredit(says),
        401 | 403 => ProviderError::Unauthorized(says),
        400 if error.blames_the_account() => ProviderError::Unauthorized(says),
        413 => ProviderError::TooLong(says),
        400 | 500 if error.blames_the_length() => ProviderError::TooLong(says),
        408 | 504 => ProviderError::Timeout(says),
        500..=599 => ProviderError::Overloaded(Trouble {
            says,
            retry_at: error
                .wait(retry_after, now)
                .map(|wait| now + wait.min(LONGEST_WAIT)),
        }),
        300..=399 => ProviderError::Invalid(format!("{says}: it redirects, check GEMINI_BASE_URL")),
        200..=299 => ProviderError::Malformed(says),
        _ => ProviderError::Invalid(says),
    }
}

impl Refusal {
    /// The error of a body, which a stream may have wrapped into an array.
    fn parse(body: &[u8]) -> Option<Self> {
        let mut body: Value = serde_json::from_slice(body).ok()?;
        if let Some(first) = body.get_mut(0) {
            body = first.take();
        }
        serde_json::from_value(body.get_mut("error")?.take()).ok()
    }

    /// A 429: of the day, of the account, or of the moment.
    fn throttled(
        &self,
        says: String,
        retry_after: Option<&str>,
        now: DateTime<Utc>,
    ) -> ProviderError {
        let quotas: Vec<_> = self.quotas().collect();
        if quotas.iter().any(|quota| quota.contains("PerDay")) {
            // The hint beside it may say seconds; the day is spent all the same.
            return ProviderError::QuotaSpent {
                until: pacific::next_midnight(now),
            };
        }
        if quotas.is_empty() && self.blames_the_purse() {
            return ProviderError::OutOfCredit(says);
        }
        let of_the_minute = quotas.iter().any(|quota| quota.contains("PerMinute"));
        let otherwise = if of_the_minute {
            MINUTE_QUOTA_WAIT
        } else {
            OVERLOAD_WAIT
        };
        let asked = self.wait(retry_after, now);
        ProviderError::RateLimited {
            retry_at: now + asked.unwrap_or(otherwise).min(LONGEST_WAIT),
        }
    }

    fn details(&self, kind: &'static str) -> impl Iterator<Item = &Value> {
        let is_kind = move |detail: &&Value| {
            detail["@type"]
                .as_str()
                .is_some_and(|name| name.ends_with(kind))
        };
        self.details.iter().filter(is_kind)
    }

    fn quotas(&self) -> impl Iterator<Item = &str> {
        let violations = |failure| Value::get(failure, "violations").and_then(Value::as_array);
        self.details("google.rpc.QuotaFailure")
            .filter_map(violations)
            .flatten()
            .filter_map(|violation| violation["quotaId"].as_str())
    }

    /// The longer of the waits that the body and the header name.
    fn wait(&self, retry_after: Option<&str>, now: DateTime<Utc>) -> Option<Duration> {
        let header = retry_after.and_then(|header| header_delay(header, now));
        self.retry_delay().max(header)
    }

    fn retry_delay(&self) -> Option<Duration> {
        let delays = self
            .details("google.rpc.RetryInfo")
            .filter_map(|hint| hint["retryDelay"].as_str());
        delays
            .filter_map(|delay| seconds(delay.strip_suffix('s')?))
            .max()
    }

    /// Whether the key is wrong, or its project may not use the service.
    fn blames_the_account(&self) -> bool {
        let mut reasons = self
            .details("google.rpc.ErrorInfo")
            .filter_map(|info| info["reason"].as_str());
        self.status == "FAILED_PRECONDITION" || reasons.any(|reason| reason.starts_with("API_KEY_"))
    }

    /// Prepaid credit ran out under this status before there was a 402 for it.
    fn blames_the_purse(&self) -> bool {
        self.says_any_of(&["credits are depleted", "prepayment credit"])
    }

    fn blames_the_length(&self) -> bool {
        self.says_any_of(&[
            "exceeds the maximum number of tokens",
            "payload size exceeds the limit",
            "input context is too long",
        ])
    }

    fn says_any_of(&self, phrases: &[&str]) -> bool {
        let message = self.message.to_lowercase();
        phrases.iter().any(|phrase| message.contains(phrase))
    }
}

#[cfg(test)]
mod tests;
