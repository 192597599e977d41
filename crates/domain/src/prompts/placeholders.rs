//! Placeholders of prompts: `{{name}}`, a name of letters, digits and underscores, with nothing
//! else between the braces. This is not the dialect of workflows, which takes paths and spaces,
//! nor that of templates, which is Handlebars.

use std::collections::BTreeMap;

/// A stretch of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece<'a> {
    /// As it is.
    Text(&'a str),
    /// A placeholder's name.
    Name(&'a str),
}

/// The names in a text, each once, in the order in which they first stand there.
pub fn names(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for piece in pieces(text) {
        if let Piece::Name(name) = piece
            && seen.insert(name)
        {
            names.push(name.to_owned());
        }
    }
    names
}

/// The most bytes of a text with its values.
pub const MAX_RENDERED_BYTES: usize = 2 * 1024 * 1024;

/// A text with values in the place of its placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The text; placeholders without a value stand as they were.
    pub text: String,
    /// The names without a value, in the order of the text.
    pub missing: Vec<String>,
}

/// More than [`MAX_RENDERED_BYTES`]: a small text repeats a large value as often as it likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the text has more than {MAX_RENDERED_BYTES} bytes with its values")]
pub struct TooLong;

/// Puts values in the place of placeholders, once: a value that looks like a placeholder is text.
pub fn render(text: &str, values: &BTreeMap<String, String>) -> Result<Rendered, TooLong> {
    let mut rendered = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => rendered.push_str(text),
            Piece::Name(name) => match values.get(name) {
                Some(value) => rendered.push_str(value),
                None => rendered.extend(["{{", name, "}}"]),
            },
        }
        if rendered.len() > MAX_RENDERED_BYTES {
            return Err(TooLong);
        }
    }
    let mut missing = names(text);
    missing.retain(|name| !values.contains_key(name));
    Ok(Rendered {
        text: rendered,
        missing,
    })
}

/// Cuts a text at its placeholders.
fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (piece, after) = match next_placeholder(rest) {
            Some((0, name)) => (Piece::Name(name), &rest[name.len() + 4..]),
            Some((start, _)) => (Piece::Text(&rest[..start]), &rest[start..]),
            None => (Piece::Text(rest), ""),
        };
        rest = after;
        Some(piece)
    })
}

/// Where the first placeholder begins, and its name. In `{{{a}}}` the inner braces are it.
fn next_placeholder(text: &str) -> Option<(usize, &str)> {
    text.match_indices("}}").find_map(|(end, _)| {
        let before = &text[..end];
        let name = before
            .char_indices()
            .rev()
            .take_while(|(_, c)| c.is_alphanumeric() || *c == '_')
            .last()
            .map(|(start, _)| &before[start..])?;
        let before = before[..end - name.len()].strip_suffix("{{")?;
        Some((before.len(), name))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn a_small_text_does_not_become_an_endless_one() {
        let text = "{{a}}".repeat(40_000);
        let large = "x".repeat(1_800_000);
        assert_eq!(render(&text, &values(&[("a", &large)])), Err(TooLong));
    }

    #[test]
    fn names_are_listed_once_in_their_order() {
        assert_eq!(
            names("{{b}} {{a_1}} {{b}} {{größe}}"),
            ["b", "a_1", "größe"]
        );
    }

    #[test]
    fn what_is_no_name_is_text() {
        for text in [
            "{{}}",
            "{{ a }}",
            "{{a.b}}",
            "{a}",
            "{{a}",
            "{a}}",
            "{{a-b}}",
            "{{#if a}}",
            "}}{{",
        ] {
            assert!(names(text).is_empty(), "{text}");
            assert_eq!(
                render(text, &values(&[("a", "x")])).expect("short").text,
                text
            );
        }
        assert_eq!(names("{{{a}}}"), ["a"]);
        assert_eq!(
            render("{{{a}}}", &values(&[("a", "x")]))
                .expect("short")
                .text,
            "{x}"
        );
        assert_eq!(names("{{a {{b}}"), ["b"]);
    }

    #[test]
    fn values_are_put_in_once_and_what_does_not_match_is_named() {
        let rendered =
            render("{{a}} and {{b}}", &values(&[("a", "{{b}}"), ("c", "3")])).expect("short");
        assert_eq!(rendered.text, "{{b}} and {{b}}");
        assert_eq!(rendered.missing, ["b"]);
    }

    proptest! {
        #[test]
        fn rendering_without_values_changes_nothing(text in "[{}a_ é—]{0,40}") {
            prop_assert_eq!(render(&text, &BTreeMap::new()).expect("short").text, text);
        }

        #[test]
        fn with_a_value_for_each_name_none_is_missing(text in "[{}ab_]{0,40}") {
            let all = names(&text).into_iter().map(|name| (name, "x".to_owned())).collect();
            let rendered = render(&text, &all).expect("short");
            prop_assert!(rendered.missing.is_empty());
            for name in all.keys() {
                prop_assert!(text.contains(&format!("{{{{{name}}}}}")), "{} of {}", name, text);
            }
        }

        #[test]
        fn text_around_placeholders_stays(before in "[a-z {]{0,9}", name in "[a-z0-9_]{1,9}", after in "[a-z }]{0,9}") {
            let text = format!("{before}{{{{{name}}}}}{after}");
            let rendered = render(&text, &values(&[(&name, "VALUE")])).expect("short");
            prop_assert_eq!(rendered.text, format!("{before}VALUE{after}"));
        }
    }
}
