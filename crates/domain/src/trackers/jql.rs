//! Questions in Jira's language. Times are written in milliseconds since 1970, which mean the same
//! everywhere; a date would be read in the time zone of whoever asks. No text gets in unquoted.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};

use crate::Fault;

checked_text!(
    /// The key of a project, such as `DEMO`.
    ProjectKey,
    |text| {
        let text = text.trim().to_uppercase();
        let fits = |char: char| char.is_ascii_uppercase() || char.is_ascii_digit() || char == '_';
        let begins = text.starts_with(|first: char| first.is_ascii_uppercase());
        if begins && (1..=255).contains(&text.len()) && text.chars().all(fits) {
            Ok(text)
        } else {
            Err(Fault("must be the key of a project, such as DEMO".into()))
        }
    }
);

/// Before this no issue was ever changed: the first Jira is of 2002. It bounds a question for
/// everything, as Jira Cloud refuses one without a bound.
const BEFORE_JIRA: i64 = 946_684_800_000;

/// The order in which pages of changes are read. The key makes it a total one.
const BY_CHANGE: &str = " ORDER BY updated ASC, key ASC";

/// The order in which all there is is listed.
const BY_KEY: &str = " ORDER BY key ASC";

/// What changed at or after a time in these projects, oldest change first. No projects are all.
pub fn changed_since(projects: &[ProjectKey], since: Option<DateTime<Utc>>) -> String {
    bounded(projects, since) + BY_CHANGE
}

/// All there is in these projects, by key.
pub fn everything(projects: &[ProjectKey]) -> String {
    bounded(projects, None) + BY_KEY
}

fn bounded(projects: &[ProjectKey], since: Option<DateTime<Utc>>) -> String {
    let mut question = String::new();
    if !projects.is_empty() {
        let keys = projects.iter().map(|key| quoted(key.as_str()));
        let keys = keys.collect::<Vec<_>>().join(", ");
        write!(question, "project in ({keys}) AND ").expect("a text takes text");
    }
    let since = since.map_or(BEFORE_JIRA, |since| since.timestamp_millis());
    let since = since.max(BEFORE_JIRA);
    write!(question, "updated >= {since}").expect("a text takes text");
    question
}

/// A text in quotes, from which nothing gets out.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => quoted.extend(['\\', char]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            char if char.is_control() => {
                write!(quoted, "\\u{:04x}", u32::from(char)).expect("a text takes text");
            }
            char => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(text: &str) -> ProjectKey {
        text.parse().expect("a key")
    }

    #[test]
    fn times_are_milliseconds_without_quotes() {
        let since = "2026-11-20T00:00:00.123Z".parse().expect("a time");
        assert_eq!(
            changed_since(&[key("DEMO"), key("a_2")], Some(since)),
            r#"project in ("DEMO", "A_2") AND updated >= 1795132800123 ORDER BY updated ASC, key ASC"#
        );
    }

    #[test]
    fn a_question_for_everything_is_bounded() {
        assert_eq!(
            changed_since(&[], None),
            "updated >= 946684800000 ORDER BY updated ASC, key ASC"
        );
        assert_eq!(
            everything(&[key("DEMO")]),
            r#"project in ("DEMO") AND updated >= 946684800000 ORDER BY key ASC"#
        );
        let long_ago = DateTime::from_timestamp(-5, 0);
        assert_eq!(changed_since(&[], long_ago), changed_since(&[], None));
    }

    #[test]
    fn what_is_no_key_is_no_project() {
        for text in ["", "1A", "A-B", "A\"", "A B", "Ä", "A) OR (x"] {
            assert!(text.parse::<ProjectKey>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_gets_out_of_quotes(text in ".*") {
            let quoted = quoted(&text);
            let inner = &quoted[1..quoted.len() - 1];
            let mut escaped = false;
            for char in inner.chars() {
                prop_assert!(escaped || char != '"');
                prop_assert!(!char.is_control());
                escaped = !escaped && char == '\\';
            }
            prop_assert!(!escaped);
        }
    }
}
