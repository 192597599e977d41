//! What the refusals of all providers have in common: words to pass on, and times to wait.

use chrono::{DateTime, Duration, Utc};

/// No hint is believed beyond this; a longer one is a mistake of somebody's.
pub(crate) const LONGEST_WAIT: Duration = Duration::days(7);

/// The most characters of a provider's own words that are passed on.
const LONGEST_MESSAGE: usize = 400;

/// What a key begins with; a word that does is one, or was cut out of one.
const KEYS: [&str; 3] = ["sk-", "AIza", "AQ."];

/// A provider's words about a refusal, in one line, short, and without the secret.
pub(crate) fn sentence(http_status: u16, name: &str, message: &str, secret: &str) -> String {
    let name = if name.is_empty() {
        String::new()
    } else {
        format!(" {}", words(name, secret))
    };
    let says = words(message, secret);
    if says.is_empty() {
        format!("HTTP {http_status}{name}, without a readable explanation")
    } else {
        format!("HTTP {http_status}{name}: {says}")
    }
}

/// A provider's words, in one line, short, and without the secret.
pub(crate) fn words(message: &str, secret: &str) -> String {
    let without = if secret.is_empty() {
        message.to_owned()
    } else {
        message.replace(secret, "[key]")
    };
    let line = without
        .split_whitespace()
        .map(blotted)
        .collect::<Vec<_>>()
        .join(" ");
    line.chars().take(LONGEST_MESSAGE).collect()
}

/// A word, unless it is a key: another one than ours, or ours with stars in its middle.
fn blotted(word: &str) -> &str {
    let bare = word.trim_start_matches(|char: char| !char.is_alphanumeric());
    let is_key = KEYS
        .iter()
        .any(|start| bare.len() > 8 && bare.starts_with(start));
    if is_key { "[key]" } else { word }
}

/// A `Retry-After` header: seconds, or a date.
pub(crate) fn header_delay(header: &str, now: DateTime<Utc>) -> Option<Duration> {
    let at = |date: &str| {
        DateTime::parse_from_rfc2822(date)
            .ok()
            .map(|date| date.to_utc() - now)
    };
    seconds(header)
        .or_else(|| at(header))
        .map(|delay| delay.max(Duration::zero()))
}

/// Seconds with up to nine places, never rounded down: a moment too early is too early.
pub(crate) fn seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.trim().parse().ok().filter(|seconds| *seconds >= 0.0)?;
    let longest = LONGEST_WAIT.as_seconds_f64();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "bounded by a week of milliseconds"
    )]
    let milliseconds = (seconds.min(longest) * 1000.0).ceil() as i64;
    Some(Duration::milliseconds(milliseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_is_passed_on() {
        let message = "Incorrect API key (secret) provided: sk-proj-****abcd.\nNot 'AIzaSyExample', see AQ.Ab8RN6";
        let says = sentence(401, "invalid_api_key", message, "secret");
        let expected = "HTTP 401 invalid_api_key: Incorrect API key ([key]) provided: [key] Not [key] see [key]";
        assert_eq!(says, expected);
        assert_eq!(words("as it is", ""), "as it is");
    }

    #[test]
    fn long_words_are_cut() {
        assert_eq!(words(&"word ".repeat(500), "x").len(), LONGEST_MESSAGE);
    }
}
