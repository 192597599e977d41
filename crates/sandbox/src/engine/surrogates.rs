//! Halves of characters. JavaScript's texts may hold them, JSON can name them, and nobody else can read them.

/// The escaped replacement character, as long as what it replaces.
const REPLACEMENT: &str = r"\ufffd";

/// JSON with every escaped surrogate that has no partner replaced. The engine writes pairs as characters, so that any
/// surrogate it escapes is alone.
pub(crate) fn replaced(mut json: String) -> String {
    let mut from = 0;
    while let Some(at) = lone(&json, from) {
        json.replace_range(at..at + REPLACEMENT.len(), REPLACEMENT);
        from = at + REPLACEMENT.len();
    }
    json
}

/// Where the next escaped surrogate is.
fn lone(json: &str, mut from: usize) -> Option<usize> {
    let bytes = json.as_bytes();
    loop {
        let at = from + json.get(from..)?.find('\\')?;
        let escaped = bytes.get(at + 1..at + 6);
        if escaped.is_some_and(|escaped| {
            matches!(
                escaped,
                [
                    b'u',
                    b'd' | b'D',
                    b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F',
                    ..,
                ]
            )
        }) {
            return Some(at);
        }
        // An escaped backslash begins no other escape.
        from = at + 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_surrogate_alone_becomes_the_replacement_character() {
        assert_eq!(
            replaced(r#""a\ud800b\udfff""#.into()),
            r#""a\ufffdb\ufffd""#
        );
    }

    #[test]
    fn what_only_looks_like_one_is_left() {
        for json in [
            r#""\\ud800""#,
            r#""\ud7ff \ue000""#,
            r#""😀 \n \"""#,
            r#""\u00e9\\""#,
            "",
        ] {
            assert_eq!(replaced(json.into()), json);
        }
    }

    #[test]
    fn a_backslash_before_one_does_not_hide_it() {
        assert_eq!(replaced(r#""\\\ud834""#.into()), r#""\\\ufffd""#);
    }
}
