//! What form of answer a prompt asks for, told from its text.

text_enum!(
    /// What is taken from a model's output.
    ExpectedOutput {
        /// All of it.
        None = "none",
        /// What stands in the first `<response>…</response>`.
        Response = "response",
        /// JSON.
        Json = "json",
        /// JSON within the response.
        ResponseAndJson = "response+json",
    }
);

impl ExpectedOutput {
    /// What this text asks for: a response if it mentions `<response>`, JSON if it mentions that
    /// word, whatever the case.
    pub fn of(text: &str) -> Self {
        match (mentions_response(text), mentions_json(text)) {
            (true, true) => Self::ResponseAndJson,
            (true, false) => Self::Response,
            (false, true) => Self::Json,
            (false, false) => Self::None,
        }
    }
}

fn mentions_response(text: &str) -> bool {
    contains(text, b"<response>")
}

/// As a word of its own: `JSONPath` and `my_json_file` are no request for JSON, `.json` and
/// `JSON-formatted` are.
fn mentions_json(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_word = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    bytes.windows(4).enumerate().any(|(at, word)| {
        word.eq_ignore_ascii_case(b"json")
            && !is_word(at.checked_sub(1).and_then(|before| bytes.get(before)))
            && !is_word(bytes.get(at + 4))
    })
}

fn contains(text: &str, wanted: &[u8]) -> bool {
    text.as_bytes()
        .windows(wanted.len())
        .any(|part| part.eq_ignore_ascii_case(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_says_what_is_expected() {
        for (text, expected) in [
            ("Say hello.", "none"),
            ("Answer in <response></response>.", "response"),
            ("Answer as json.", "json"),
            ("JSON within <RESPONSE>.", "response+json"),
            ("Explain JSONPath to my_json_file.", "none"),
            ("Write data.json", "json"),
            ("", "none"),
        ] {
            assert_eq!(ExpectedOutput::of(text).as_str(), expected, "{text}");
        }
    }
}
