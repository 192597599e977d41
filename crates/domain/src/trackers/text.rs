//! What every text from a tracker goes through before it is kept: Postgres stores no NUL, and a
//! column has an end.

use serde_json::Value;

/// The most characters of a title.
pub const LONGEST_TITLE: usize = 1000;

/// The most characters of a description or of acceptance criteria.
pub const LONGEST_TEXT: usize = 200_000;

/// What stands where a text was cut.
pub const CUT: &str = "…";

/// A text in one line without control characters, cut after so many characters.
pub fn line(text: &str, longest: usize) -> String {
    let words = text
        .split(|char: char| char.is_whitespace() || char.is_control())
        .filter(|word| !word.is_empty());
    cut(&words.collect::<Vec<_>>().join(" "), longest)
}

/// A text of several lines: line ends as `\n`, no NUL, nothing blank around it, cut.
pub fn lines(text: &str, longest: usize) -> String {
    let text = text.replace("\r\n", "\n").replace(['\r', '\u{2028}'], "\n");
    let text = text.replace('\0', "");
    cut(text.trim_matches(['\n', ' ', '\t']), longest)
}

/// At most so many characters, the last of them [`CUT`] if some were left out.
pub fn cut(text: &str, longest: usize) -> String {
    if text.char_indices().nth(longest).is_none() {
        return text.to_owned();
    }
    let kept = text.chars().take(longest.saturating_sub(1));
    kept.chain(CUT.chars()).collect()
}

/// A payload that a column of JSON takes: without NUL in any text or name.
pub fn storable(payload: Value) -> Value {
    match payload {
        Value::String(text) if text.contains('\0') => text.replace('\0', "").into(),
        Value::Array(items) => items.into_iter().map(storable).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, member)| (name.replace('\0', ""), storable(member)))
            .collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_title_is_one_line() {
        assert_eq!(line(" a\tb\r\n\0c  d ", 100), "a b c d");
        assert_eq!(line("héllo", 3), "hé…");
        assert_eq!(line("héllo", 5), "héllo");
    }

    #[test]
    fn a_text_keeps_its_lines() {
        assert_eq!(lines("\n  one\r\ntwo\r\n\0\n", 100), "one\ntwo");
    }

    #[test]
    fn no_nul_is_stored() {
        let payload = json!({ "a\0": ["x\0y", { "b": "\0" }], "n": 1 });
        assert_eq!(
            storable(payload),
            json!({ "a": ["xy", { "b": "" }], "n": 1 })
        );
    }
}
