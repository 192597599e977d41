//! What a refusal of a tracker means. All three use the usual statuses and differ in how they say why
//! and when to come again, of which there are more spellings than trackers.

use chrono::{DateTime, Duration, NaiveDateTime, Utc};
use domain::{providers::Trouble, trackers::TrackerError};
use secrecy::ExposeSecret;
use serde_json::Value;

use super::call::Answer;
use crate::llm::refusal::{header_delay, sentence};

/// How long to wait at a limit that names no time.
const USUAL_WAIT: Duration = Duration::seconds(30);

/// No hint is believed beyond this: quotas are counted by the hour.
const LONGEST_WAIT: Duration = Duration::hours(24);

/// Numbers above this are moments, below it spans.
const MOMENT: i64 = 1_000_000_000;

/// What was asked about, which decides what its absence means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// An issue by its id or key.
    Issue,
    /// A page that goes on from an earlier one.
    LaterPage,
    /// Anything else, which is there if the address is right.
    Other,
}

/// What an answer other than a success means at this moment.
pub(super) fn classify(answer: &Answer, now: DateTime<Utc>, about: About) -> TrackerError {
    let says = sentence(answer.status, "", &explanation(answer), "");
    match answer.status {
        400 if about == About::LaterPage && blames_the_page(&says) => TrackerError::PageExpired,
        401 => TrackerError::Unauthorized(says),
        403 if wants_a_person(answer) => TrackerError::Unauthorized(format!(
            "{says}: somebody has to sign in there by hand once"
        )),
        403 => TrackerError::Forbidden(says),
        404 if about == About::Issue => TrackerError::NotFound,
        404 | 405 => TrackerError::Misconfigured(format!(
            "{says}: check the address and the kind of tracker"
        )),
        410 => TrackerError::Removed(says),
        429 => TrackerError::RateLimited {
            retry_at: now + wait(answer, now).unwrap_or(USUAL_WAIT),
        },
        408 | 504 => TrackerError::Timeout(says),
        500..=599 => TrackerError::Overloaded(Trouble {
            says,
            retry_at: asked(answer, now).map(|wait| now + wait),
        }),
        300..=399 => redirected(answer),
        200..=299 => TrackerError::Malformed(says),
        _ => TrackerError::Invalid(says),
    }
}

/// Redirects are not followed: each leads where nobody has looked whether it may be gone to.
fn redirected(answer: &Answer) -> TrackerError {
    let to = answer.header("location").unwrap_or_default();
    let host = url::Url::parse(to).ok();
    let host = host
        .as_ref()
        .and_then(url::Url::host_str)
        .unwrap_or("another page");
    TrackerError::Misconfigured(format!(
        "it redirects to {host}: if that is where it lives, give its address"
    ))
}

/// Jira Server's way to say that an account failed too often.
fn wants_a_person(answer: &Answer) -> bool {
    let denied = answer.header("x-authentication-denied-reason");
    denied.is_some_and(|reason| reason.contains("CAPTCHA"))
}

fn blames_the_page(says: &str) -> bool {
    let says = says.to_lowercase();
    says.contains("token") && says.contains("page")
}

/// The words of any of the forms in which refusals are explained, without what is secret.
fn explanation(answer: &Answer) -> String {
    let Ok(body) = serde_json::from_slice::<Value>(&answer.body) else {
        return String::new();
    };
    let mut words = Vec::new();
    for name in [
        "errorMessages",
        "errors",
        "message",
        "MESSAGE",
        "error_description",
        "error",
    ] {
        collect(&body[name], 0, &mut words);
    }
    let secrets = answer.secrets.iter().map(ExposeSecret::expose_secret);
    let secrets = secrets.filter(|secret| !secret.is_empty());
    secrets.fold(words.join("; "), |words, secret| {
        words.replace(secret, "[token]")
    })
}

/// Texts, and those in lists and members.
fn collect(value: &Value, depth: u8, words: &mut Vec<String>) {
    if depth > 2 || words.len() > 5 {
        return;
    }
    match value {
        Value::String(text) if !text.trim().is_empty() => words.push(text.clone()),
        Value::Array(items) => items
            .iter()
            .for_each(|item| collect(item, depth + 1, words)),
        Value::Object(members) => members
            .values()
            .for_each(|member| collect(member, depth + 1, words)),
        _ => {}
    }
}

/// The wait that is asked for by name.
fn asked(answer: &Answer, now: DateTime<Utc>) -> Option<Duration> {
    let wait = header_delay(answer.header("retry-after")?, now)?;
    Some(wait.min(LONGEST_WAIT))
}

/// The wait that is asked for, or until a limit is said to be filled again.
fn wait(answer: &Answer, now: DateTime<Utc>) -> Option<Duration> {
    let resets = ["x-ratelimit-reset", "x-rate-limit-reset", "ratelimit-reset"];
    let reset = || {
        resets
            .iter()
            .find_map(|name| until(answer.header(name)?, now))
    };
    let quota = || {
        ["beta-ratelimit", "ratelimit"]
            .iter()
            .find_map(|name| span(answer.header(name)?))
    };
    let wait = asked(answer, now).or_else(reset).or_else(quota)?;
    Some(wait.clamp(Duration::zero(), LONGEST_WAIT))
}

/// Until a moment: in seconds since 1970, in seconds from now, or as a date without seconds.
fn until(text: &str, now: DateTime<Utc>) -> Option<Duration> {
    let text = text.trim();
    if let Ok(number) = text.parse::<i64>() {
        let at = DateTime::from_timestamp(number, 0)?;
        return Some(if number > MOMENT {
            at - now
        } else {
            Duration::seconds(number.max(0))
        });
    }
    let exact = DateTime::parse_from_rfc3339(text).map(|at| at.to_utc());
    let rough = || NaiveDateTime::parse_from_str(text.trim_end_matches('Z'), "%Y-%m-%dT%H:%M");
    let at = exact.or_else(|_| rough().map(|at| at.and_utc())).ok()?;
    Some(at - now)
}

/// The `t=` of `"name";r=0;t=2107`.
fn span(text: &str) -> Option<Duration> {
    let mut parts = text.split([';', ',']).map(str::trim);
    let seconds = parts.find_map(|part| part.strip_prefix("t=")?.parse().ok())?;
    Duration::try_seconds(seconds)
}

#[cfg(test)]
mod tests;
