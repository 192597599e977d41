//! Finding the JSON object in what a model wrote: inside a fence, between words, with a comma too
//! many. What is mended is only the wrapping; a value is never guessed.

use serde_json::Value;

/// The first JSON object of a text. `Err` says in a sentence why there is none.
pub fn object(text: &str) -> Result<Value, String> {
    let Some(start) = text.find('{') else {
        return Err("there is no JSON object".into());
    };
    let body = extent(&text[start..]);
    match serde_json::from_str::<Value>(body) {
        Ok(object) => Ok(object),
        Err(_) => serde_json::from_str(&without_spare_commas(body))
            .map_err(|cause| format!("the JSON object cannot be read: {cause}")),
    }
}

/// From the opening brace to the one that closes it, or everything if none does.
fn extent(text: &str) -> &str {
    let mut depth = 0_usize;
    for (place, char) in outside_strings(text) {
        match char {
            '{' => depth += 1,
            '}' if depth == 1 => return &text[..=place],
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    text
}

/// The text without commas that stand before a closing bracket.
fn without_spare_commas(text: &str) -> String {
    let spare: Vec<usize> = outside_strings(text)
        .filter(|(place, char)| {
            *char == ',' && text[place + 1..].trim_start().starts_with(['}', ']'])
        })
        .map(|(place, _)| place)
        .collect();
    text.char_indices()
        .filter(|(place, _)| spare.binary_search(place).is_err())
        .map(|(_, char)| char)
        .collect()
}

/// The characters that stand outside of strings, with their places.
fn outside_strings(text: &str) -> impl Iterator<Item = (usize, char)> {
    let (mut inside, mut escaped) = (false, false);
    text.char_indices().filter(move |(_, char)| {
        let was_inside = inside;
        match char {
            _ if escaped => escaped = false,
            '\\' if inside => escaped = true,
            '"' => inside = !inside,
            _ => {}
        }
        !was_inside && !inside
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_is_found_in_its_wrapping() {
        for text in [
            r#"{"a": "}"}"#,
            "```json\n{\"a\": \"}\"}\n```",
            r#"Sure: {"a": "}"} and {"b": 1}"#,
            r#"{"a": "}",}"#,
        ] {
            assert_eq!(object(text), Ok(json!({"a": "}"})), "{text}");
        }
        assert_eq!(
            object(r#"{"a": [1, 2, ], "b": "x,]" , }"#),
            Ok(json!({"a": [1, 2], "b": "x,]"}))
        );
    }

    #[test]
    fn what_is_cut_off_is_not_completed() {
        assert!(object(r#"{"a": "half"#).is_err());
        assert!(object(r#"{"a": 1"#).is_err());
        assert!(object("no braces").is_err());
    }

    proptest! {
        #[test]
        fn any_object_survives_any_words_around_it(key in ".*", value in ".*", before in "[^{]*", after in ".*") {
            let written = json!({ key: value });
            let text = format!("{before}{written}{after}");
            prop_assert_eq!(object(&text), Ok(written));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".*") {
            drop(object(&text));
        }
    }
}
