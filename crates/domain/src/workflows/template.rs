//! Texts with values in them: `{{ path }}`, where a path is names separated by dots. This is not the
//! dialect of prompts, which takes no spaces and no paths, nor that of templates of issues.

use serde_json::Value;

use super::Scope;
use crate::prompts::placeholders::{MAX_RENDERED_BYTES, TooLong};

/// The value of a template. One that is a single placeholder is the value that lies there, of
/// whatever type; any other is a text. A path with nothing at it stays as it was written.
pub fn value(template: &str, scope: &Scope<'_>) -> Result<Value, TooLong> {
    match only_path(template) {
        Some(path) => Ok(scope
            .at(path)
            .map_or_else(|| Value::from(template), std::borrow::Cow::into_owned)),
        None => text(template, scope).map(Value::String),
    }
}

/// A template as a text: objects and lists as JSON with an indent of two.
pub fn text(template: &str, scope: &Scope<'_>) -> Result<String, TooLong> {
    let mut text = String::with_capacity(template.len());
    for piece in pieces(template) {
        let found = piece.path.and_then(|path| scope.at(path));
        match found.as_deref() {
            None | Some(Value::Null) => text.push_str(piece.written),
            Some(value) => text.push_str(&as_text(value)),
        }
        if text.len() > MAX_RENDERED_BYTES {
            return Err(TooLong);
        }
    }
    Ok(text)
}

/// A value as it stands in a text.
pub fn as_text(value: &Value) -> std::borrow::Cow<'_, str> {
    match value {
        Value::String(text) => text.into(),
        Value::Object(_) | Value::Array(_) => serde_json::to_string_pretty(value)
            .unwrap_or_default()
            .into(),
        scalar => scalar.to_string().into(),
    }
}

/// The paths in a text, in their order.
pub fn paths(template: &str) -> impl Iterator<Item = &str> {
    pieces(template).filter_map(|piece| piece.path)
}

fn only_path(template: &str) -> Option<&str> {
    let trimmed = template.trim();
    let mut pieces = pieces(trimmed);
    let path = pieces.next()?.path?;
    pieces.next().is_none().then_some(path)
}

/// A stretch of a text.
struct Piece<'a> {
    written: &'a str,
    /// Where its value lies, if it is a placeholder.
    path: Option<&'a str>,
}

fn pieces(template: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = template;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (length, path) = match next_placeholder(rest) {
            Some((0, length, path)) => (length, Some(path)),
            Some((start, ..)) => (start, None),
            None => (rest.len(), None),
        };
        let (written, after) = rest.split_at(length);
        rest = after;
        Some(Piece { written, path })
    })
}

/// Where the first placeholder begins, how long it is, and its path. In `{{{a}}}` the inner braces
/// are it.
fn next_placeholder(text: &str) -> Option<(usize, usize, &str)> {
    let mut seen = 0;
    while let Some(end) = text[seen..].find("}}").map(|end| seen + end) {
        let before = &text[seen..end];
        if let Some(open) = before.rfind("{{") {
            let path = before[open + 2..].trim();
            if is_path(path) {
                let start = seen + open;
                return Some((start, end + 2 - start, path));
            }
        }
        // Braces that close nothing may be the first of two that do.
        seen = end + 1;
    }
    None
}

fn is_path(path: &str) -> bool {
    let names = |name: &str| {
        !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_alphanumeric() || c == '_' || c == '-')
    };
    path.split('.').all(names)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::workflows::{Task, scope::Store};

    fn with<T>(store: &Value, see: impl FnOnce(&Scope<'_>) -> T) -> T {
        let task: Task = serde_json::from_value(
            json!({"id": "t", "name": "T", "type": "DATA_INPUT", "outputKey": "o"}),
        )
        .expect("a task");
        let store: Store = store.as_object().cloned().expect("an object");
        see(&Scope::of(&task, &store).expect("nothing is needed"))
    }

    #[test]
    fn a_single_placeholder_keeps_the_type_of_its_value() {
        let store = json!({"a": {"b": [1, 2]}, "t": "x"});
        with(&store, |scope| {
            assert_eq!(value(" {{ a.b }} ", scope), Ok(json!([1, 2])));
            assert_eq!(value("{{a}}", scope), Ok(json!({"b": [1, 2]})));
            assert_eq!(value("{{ nothing }}", scope), Ok(json!("{{ nothing }}")));
            assert_eq!(value("{{t}}{{t}}", scope), Ok(json!("xx")));
        });
    }

    #[test]
    fn in_a_text_objects_are_indented_and_what_is_not_there_stays() {
        let store = json!({"o": {"b": 1}, "n": null, "f": false, "z": 0, "t": "{{o}}"});
        with(&store, |scope| {
            assert_eq!(
                text("is {{ o }}.", scope),
                Ok("is {\n  \"b\": 1\n}.".into())
            );
            assert_eq!(
                text("{{n}} {{ no.thing }} {{f}} {{z}}", scope),
                Ok("{{n}} {{ no.thing }} false 0".into())
            );
            assert_eq!(
                text("a value is no template: {{t}}", scope),
                Ok("a value is no template: {{o}}".into())
            );
            assert_eq!(
                text("{{{f}}} {{ a b }} {{}} }}{{f}}", scope),
                Ok("{false} {{ a b }} {{}} }}false".into())
            );
        });
    }

    #[test]
    fn a_text_does_not_grow_beyond_every_bound() {
        let store = json!({"big": "x".repeat(MAX_RENDERED_BYTES / 2)});
        with(&store, |scope| {
            assert_eq!(text("{{big}} {{big}} {{big}}", scope), Err(TooLong));
        });
    }

    proptest! {
        #[test]
        fn a_text_without_values_comes_back_as_it_was(written in ".{0,200}") {
            with(&json!({}), |scope| assert_eq!(text(&written, scope).as_deref(), Ok(written.as_str())));
        }

        #[test]
        fn braces_of_all_kinds_lose_nothing_around_a_value(before in "[{} a.]{0,12}", after in "[{} a.]{0,12}") {
            let written = format!("{before}|{{{{v}}}}|{after}");
            let read = with(&json!({"v": 1}), |scope| text(&written, scope));
            assert_eq!(read, Ok(format!("{before}|1|{after}")));
        }
    }
}
