//! What is said to a model: read out of a request, and counted.

use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use serde_json::{Value, json};

use super::refusals::Refusal;

/// The most of a prompt that is echoed.
const ECHO: usize = 400;

/// What a picture costs to look at.
const PICTURE_IN: usize = 258;

/// Tokens of a text: four characters each.
pub(super) fn tokens(text: &str) -> usize {
    text.chars().count().div_ceil(4)
}

/// What is said to the model.
#[derive(Debug)]
pub(super) struct Prompt {
    system: String,
    last: String,
    said: usize,
    pictures: usize,
}

impl Prompt {
    /// Reads the contents of a request.
    pub(super) fn read(request: &Value) -> Result<Self, Refusal> {
        let contents = request["contents"]
            .as_array()
            .filter(|contents| !contents.is_empty());
        let contents = contents.ok_or_else(|| {
            Refusal::invalid("* GenerateContentRequest.contents: contents is not specified")
        })?;
        let parts = || {
            contents
                .iter()
                .flat_map(|content| content["parts"].as_array().into_iter().flatten())
        };
        if parts()
            .filter_map(|part| part["inlineData"]["data"].as_str())
            .any(is_broken)
        {
            return Err(Refusal::invalid(
                "Invalid value at 'contents': Base64 decoding failed.",
            ));
        }
        Ok(Self {
            system: texts(&request["systemInstruction"]),
            last: contents
                .iter()
                .rfind(|content| content["role"] != "model")
                .map(texts)
                .unwrap_or_default(),
            said: parts()
                .filter_map(|part| part["text"].as_str())
                .map(tokens)
                .sum(),
            pictures: parts()
                .filter(|part| part["inlineData"].is_object() || part["fileData"].is_object())
                .count(),
        })
    }

    /// Everything that is said, in tokens.
    pub(super) fn tokens(&self) -> usize {
        self.said + tokens(&self.system) + self.pictures * PICTURE_IN
    }

    /// The tokens by what they are.
    pub(super) fn details(&self) -> Value {
        let mut details =
            vec![json!({ "modality": "TEXT", "tokenCount": self.said + tokens(&self.system) })];
        if self.pictures > 0 {
            details.push(json!({ "modality": "IMAGE", "tokenCount": self.pictures * PICTURE_IN }));
        }
        details.into()
    }

    pub(super) fn echo(&self) -> String {
        let said: String = self.last.chars().take(ECHO).collect();
        let seen = if self.pictures > 0 {
            format!(" I saw {} pictures.", self.pictures)
        } else {
            String::new()
        };
        let told = if self.system.is_empty() {
            String::new()
        } else {
            format!("I was told: {}. ", self.system)
        };
        format!("{told}You said: {said}{seen}")
    }
}

/// Whether it is no base64, of either alphabet: Google's own client sends the one for addresses.
fn is_broken(data: &str) -> bool {
    let plain = data.replace('-', "+").replace('_', "/");
    BASE64_STANDARD_NO_PAD
        .decode(plain.trim_end_matches('='))
        .is_err()
}

fn texts(content: &Value) -> String {
    let parts = content["parts"].as_array().into_iter().flatten();
    parts
        .filter_map(|part| part["text"].as_str())
        .collect::<Vec<_>>()
        .join("\n")
}
