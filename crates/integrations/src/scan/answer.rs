//! What a clamd's answers mean.

use super::ScanError;

/// What was found in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing.
    Clean,
    /// What a signature of this name describes.
    Infected(String),
    /// More than the scanner looks through, for this reason.
    TooLarge(String),
}

/// Names of findings that say which limit was met, and not what was found.
const LIMITS: &str = "Heuristics.Limits.Exceeded";

/// The verdict in an answer.
pub fn verdict(answer: &[u8]) -> Result<Verdict, ScanError> {
    let text = cleaned(answer);
    if text == "stream: OK" {
        return Ok(Verdict::Clean);
    }
    if text.starts_with("INSTREAM size limit exceeded") {
        return Ok(Verdict::TooLarge("StreamMaxLength".to_owned()));
    }
    let finding = text
        .strip_prefix("stream: ")
        .and_then(|text| text.strip_suffix(" FOUND"));
    match finding.map(str::trim) {
        Some(name) if name.starts_with(LIMITS) => {
            let limit = name[LIMITS.len()..].trim_start_matches('.');
            Ok(Verdict::TooLarge(short(limit)))
        }
        Some(name) if !name.is_empty() => Ok(Verdict::Infected(short(name))),
        _ => Err(ScanError::Answer(short(&text))),
    }
}

/// An answer as a text fit to be shown: names of signatures come from outside.
pub fn words(answer: &[u8]) -> String {
    short(&cleaned(answer))
}

fn cleaned(answer: &[u8]) -> String {
    let text = String::from_utf8_lossy(answer);
    let shown = text.trim().chars().filter(|char| !char.is_control());
    shown.collect()
}

fn short(text: &str) -> String {
    text.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_verdicts_by_their_exact_words() {
        let is = |answer: &str, verdict: Verdict| {
            let read = super::verdict(answer.as_bytes());
            assert_eq!(read.ok(), Some(verdict), "{answer}");
        };
        is("stream: OK", Verdict::Clean);
        is(
            "stream: Win.Test-1 FOUND",
            Verdict::Infected("Win.Test-1".into()),
        );
        is(
            "stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND",
            Verdict::TooLarge("MaxFileSize".into()),
        );
        is(
            "INSTREAM size limit exceeded. ERROR",
            Verdict::TooLarge("StreamMaxLength".into()),
        );
    }

    #[test]
    fn anything_else_is_no_verdict() {
        for answer in [
            "",
            "OK",
            "stream: ",
            "stream: FOUND",
            "stream:  FOUND",
            "stream: OK stream: OK",
            "stream: Broken.Disk ERROR",
            "COMMAND READ TIMED OUT",
            "UNKNOWN COMMAND",
            "HTTP/1.1 200 OK",
        ] {
            assert!(verdict(answer.as_bytes()).is_err(), "{answer}");
        }
    }

    #[test]
    fn a_long_or_strange_name_is_cut_and_cleaned() {
        let found = |answer: &[u8]| match verdict(answer) {
            Ok(Verdict::Infected(name)) => name,
            other => panic!("no finding: {other:?}"),
        };
        let long = format!("stream: {} FOUND", "x".repeat(500));
        assert_eq!(found(long.as_bytes()), "x".repeat(200));
        assert_eq!(found(b"stream: A\r\n\x1b[2JB\xFF FOUND"), "A[2JB\u{FFFD}");
    }
}
