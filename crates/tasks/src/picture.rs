//! The picture that a task is given: an object as browsers make them of a file, or its content alone.

use base64::{Engine, prelude::BASE64_STANDARD};
use domain::providers::{
    generate::Image,
    picture::{MOST_BYTES, recognised},
};
use serde_json::Value;

use crate::Failure;

/// The picture in `{base64, type}`, or in a text that is Base64 or a data URL of it. Its content says
/// of which type it is.
pub fn picture(value: &Value) -> Result<Image, Failure> {
    let text = match value {
        Value::Object(members) => members.get("base64").and_then(Value::as_str),
        Value::String(text) => Some(text.as_str()),
        _ => None,
    };
    let text =
        text.ok_or_else(|| wrong("must be an object with `base64`, such as `userInput.image`"))?;
    let data = match text.strip_prefix("data:") {
        Some(url) => url.split_once(";base64,").map_or("", |(_, data)| data),
        None => text,
    };
    let bytes = BASE64_STANDARD
        .decode(data.trim())
        .map_err(|_| wrong("must be Base64 with padding"))?;
    if bytes.len() > MOST_BYTES {
        return Err(wrong("must have at most 5 MiB"));
    }
    recognised(bytes).ok_or_else(|| wrong("must be a PNG, JPEG, WebP or GIF"))
}

fn wrong(needed: &str) -> Failure {
    Failure::of("picture_invalid", format!("The picture {needed}."))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_picture_is_read_as_browsers_send_it() {
        let gif = BASE64_STANDARD.encode(b"GIF89a\x01\0\x01\0");
        for value in [
            json!({"name": "a.png", "type": "image/png", "base64": gif}),
            json!({"base64": format!("data:image/png;base64,{gif}")}),
            json!(gif),
        ] {
            assert_eq!(picture(&value).expect("a picture").media_type, "image/gif");
        }
    }

    #[test]
    fn what_is_no_picture_says_what_is_wanted() {
        for value in [
            json!(null),
            json!({"url": "x"}),
            json!("§"),
            json!({"base64": "QUJD"}),
        ] {
            assert_eq!(picture(&value).expect_err("none").code(), "picture_invalid");
        }
    }
}
