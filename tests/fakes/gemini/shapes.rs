//! Which members a request may have. Both spellings are taken, as the real service does, and any
//! other name is refused; afterwards everything is in camelCase.

use serde_json::{Map, Value};

use super::refusals::Refusal;

/// What a member holds.
pub(super) enum Member {
    /// Anything: a plain value, or something that is not looked into.
    Any,
    /// A message.
    One(&'static Shape),
    /// A list of messages.
    Many(&'static Shape),
}

use Member::{Any, Many, One};

/// The members of a message, by name.
pub(super) type Shape = [(&'static str, Member)];

const BLOB: &Shape = &[("mimeType", Any), ("data", Any), ("displayName", Any)];
const FILE: &Shape = &[("mimeType", Any), ("fileUri", Any), ("displayName", Any)];

const PART: &Shape = &[
    ("text", Any),
    ("inlineData", One(BLOB)),
    ("fileData", One(FILE)),
    ("functionCall", Any),
    ("functionResponse", Any),
    ("executableCode", Any),
    ("codeExecutionResult", Any),
    ("thought", Any),
    ("thoughtSignature", Any),
    ("videoMetadata", Any),
    ("mediaResolution", Any),
    ("partMetadata", Any),
];

const CONTENT: &Shape = &[("role", Any), ("parts", Many(PART))];
const SAFETY: &Shape = &[("category", Any), ("threshold", Any), ("method", Any)];
const THINKING: &Shape = &[
    ("includeThoughts", Any),
    ("thinkingBudget", Any),
    ("thinkingLevel", Any),
];
const IMAGE: &Shape = &[("aspectRatio", Any), ("imageSize", Any)];

const GENERATION: &Shape = &[
    ("temperature", Any),
    ("topP", Any),
    ("topK", Any),
    ("maxOutputTokens", Any),
    ("candidateCount", Any),
    ("stopSequences", Any),
    ("seed", Any),
    ("responseMimeType", Any),
    ("responseSchema", Any),
    ("responseJsonSchema", Any),
    ("responseModalities", Any),
    ("presencePenalty", Any),
    ("frequencyPenalty", Any),
    ("responseLogprobs", Any),
    ("logprobs", Any),
    ("enableEnhancedCivicAnswers", Any),
    ("mediaResolution", Any),
    ("speechConfig", Any),
    ("thinkingConfig", One(THINKING)),
    ("imageConfig", One(IMAGE)),
];

/// `generateContent` and `streamGenerateContent`.
pub(super) const GENERATE: &Shape = &[
    ("model", Any),
    ("contents", Many(CONTENT)),
    ("systemInstruction", One(CONTENT)),
    ("safetySettings", Many(SAFETY)),
    ("generationConfig", One(GENERATION)),
    ("tools", Any),
    ("toolConfig", Any),
    ("cachedContent", Any),
    ("continuationToken", Any),
    ("serviceTier", Any),
    ("store", Any),
];

/// `countTokens`.
pub(super) const COUNT: &Shape = &[
    ("model", Any),
    ("contents", Many(CONTENT)),
    ("generateContentRequest", One(GENERATE)),
];

/// `embedContent`.
pub(super) const EMBED: &Shape = &[
    ("model", Any),
    ("content", One(CONTENT)),
    ("taskType", Any),
    ("title", Any),
    ("outputDimensionality", Any),
];

/// `batchEmbedContents`.
pub(super) const EMBED_BATCH: &Shape = &[("requests", Many(EMBED))];

/// A body of this shape, in camelCase throughout.
pub(super) fn read(body: &[u8], shape: &Shape) -> Result<Value, Refusal> {
    let value = serde_json::from_slice(body);
    let value = value
        .map_err(|error| Refusal::invalid(format!("Invalid JSON payload received. {error}")))?;
    message(value, shape, "")
}

fn message(value: Value, shape: &Shape, path: &str) -> Result<Value, Refusal> {
    let Value::Object(members) = value else {
        return Err(Refusal::invalid(format!(
            "Invalid value at '{path}': an object was expected."
        )));
    };
    let mut camel = Map::with_capacity(members.len());
    for (given, value) in members {
        let name = camel_case(&given);
        let member = shape
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, member)| member);
        let member = member.ok_or_else(|| Refusal::unknown_field(&given, path))?;
        let path = if path.is_empty() {
            given
        } else {
            format!("{path}.{given}")
        };
        camel.insert(name, read_member(value, member, &path)?);
    }
    Ok(Value::Object(camel))
}

fn read_member(value: Value, member: &Member, path: &str) -> Result<Value, Refusal> {
    match (member, value) {
        (_, Value::Null) => Ok(Value::Null),
        (Any, value) => Ok(value),
        (One(shape), value) => message(value, shape, path),
        (Many(shape), Value::Array(values)) => {
            let read = |(place, value)| message(value, shape, &format!("{path}[{place}]"));
            values.into_iter().enumerate().map(read).collect()
        }
        (Many(_), _) => Err(Refusal::invalid(format!(
            "Invalid value at '{path}': a list was expected."
        ))),
    }
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.extend(letters);
    }
    camel
}
