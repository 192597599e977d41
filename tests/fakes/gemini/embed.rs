//! Vectors from words alone: every word, and the beginning of a longer one, push a few dimensions
//! up or down, so that texts with words in common lie near each other. Written straight into JSON,
//! since a batch is 150 000 numbers and benchmarks run against it.

use std::{
    fmt::Write,
    hash::{DefaultHasher, Hash, Hasher},
};

use serde_json::{Value, json};

use super::refusals::Refusal;

/// Dimensions of an uncut vector.
const FULL: usize = 3072;

/// How many dimensions a word pushes.
const PUSHES: u64 = 8;

/// How many letters of a word say what it is about.
const STEM: usize = 4;

/// A text to embed, as the request puts it.
#[derive(Debug)]
pub(super) struct Wanted {
    text: String,
    dimensions: usize,
}

impl Wanted {
    /// Reads one `EmbedContentRequest`; several parts of its content make one text.
    pub(super) fn read(request: &Value, model: &str) -> Result<Self, Refusal> {
        let asked = request["model"].as_str().unwrap_or_default();
        if !asked.is_empty() && asked.strip_prefix("models/") != Some(model) {
            return Err(Refusal::invalid(format!(
                "The request is for {asked}, its address for models/{model}."
            )));
        }
        if request["title"].is_string() && request["taskType"] != "RETRIEVAL_DOCUMENT" {
            return Err(Refusal::invalid(
                "A title is only taken with the task type RETRIEVAL_DOCUMENT.",
            ));
        }
        let dimensions = match &request["outputDimensionality"] {
            Value::Null => Some(FULL),
            given => given.as_u64().and_then(|given| usize::try_from(given).ok()),
        };
        let dimensions = dimensions.filter(|dimensions| (128..=FULL).contains(dimensions));
        let dimensions = dimensions
            .ok_or_else(|| Refusal::invalid("outputDimensionality must be from 128 to 3072."))?;
        Ok(Self {
            text: joined(&request["content"])?,
            dimensions,
        })
    }

    /// Tells texts apart.
    pub(super) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.text.hash(&mut hasher);
        hasher.finish()
    }

    /// Appends the vector as a JSON list.
    fn write(&self, model: &str, json: &mut String) {
        let pushes = pushes(&self.text, model);
        // Only uncut vectors of the first model have length one; the second cuts and stretches.
        let measured = if model.ends_with("001") {
            &pushes[..]
        } else {
            &pushes[..self.dimensions]
        };
        let length = measured
            .iter()
            .map(|push| f64::from(*push).powi(2))
            .sum::<f64>()
            .sqrt();
        let mut numbers = Numbers::of_length(length);
        json.push('[');
        for push in &pushes[..self.dimensions] {
            json.push_str(numbers.text(*push));
        }
        json.pop();
        json.push(']');
    }
}

/// The answer to one text.
pub(super) fn one(wanted: &Wanted, model: &str, with_usage: bool) -> String {
    let mut json = String::from(r#"{"embedding":{"values":"#);
    wanted.write(model, &mut json);
    json.push('}');
    finish(json, std::slice::from_ref(wanted), with_usage)
}

/// The answer to a batch.
pub(super) fn batch(wanted: &[Wanted], model: &str, with_usage: bool) -> String {
    let numbers: usize = wanted.iter().map(|wanted| wanted.dimensions).sum();
    let mut json = String::with_capacity(numbers * 8 + 100);
    json.push_str(r#"{"embeddings":["#);
    for (place, wanted) in wanted.iter().enumerate() {
        json.push_str(if place == 0 {
            r#"{"values":"#
        } else {
            r#",{"values":"#
        });
        wanted.write(model, &mut json);
        json.push('}');
    }
    json.push(']');
    finish(json, wanted, with_usage)
}

fn finish(mut json: String, wanted: &[Wanted], with_usage: bool) -> String {
    if with_usage {
        let tokens: usize = wanted
            .iter()
            .map(|wanted| super::prompt::tokens(&wanted.text))
            .sum();
        let details = json!([{ "modality": "TEXT", "tokenCount": tokens }]);
        let usage = json!({ "promptTokenCount": tokens, "promptTokenDetails": details });
        write!(json, r#","usageMetadata":{usage}"#).expect("a string takes everything");
    }
    json.push('}');
    json
}

fn joined(content: &Value) -> Result<String, Refusal> {
    let parts = content["parts"]
        .as_array()
        .filter(|parts| !parts.is_empty());
    let parts = parts.ok_or_else(|| Refusal::invalid("content is required."))?;
    let said = |part: &Value| {
        part["text"]
            .as_str()
            .or(part["inlineData"]["data"].as_str())
            .map(str::to_owned)
    };
    let texts = parts
        .iter()
        .map(|part| said(part).ok_or_else(|| Refusal::invalid("A part has nothing to embed.")));
    Ok(texts.collect::<Result<Vec<_>, _>>()?.join("\n"))
}

/// The uncut vector in whole numbers.
fn pushes(text: &str, model: &str) -> Vec<i16> {
    let mut vector = vec![0_i16; FULL];
    // A direction that all texts share: no vector is ever zero.
    vector[0] = 1;
    let space = fnv(model.as_bytes());
    let words = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    for word in words.map(str::to_lowercase) {
        push(&mut vector, space ^ fnv(word.as_bytes()));
        // The short ones are in every text; of the others the beginning is what they mean.
        if let Some((end, last)) = word.char_indices().nth(STEM - 1) {
            let stem = &word[..end + last.len_utf8()];
            push(&mut vector, space ^ fnv(stem.as_bytes()).rotate_left(1));
        }
    }
    vector
}

fn push(vector: &mut [i16], seed: u64) {
    for step in 1..=PUSHES {
        let number = mix(seed.wrapping_add(step));
        let place = usize::try_from(number % FULL as u64).expect("less than 3072");
        let direction = if number >> 63 == 0 { 1 } else { -1 };
        vector[place] = vector[place].saturating_add(direction);
    }
}

/// Fowler, Noll and Vo's hash of some bytes: the same on every machine and in every version.
pub(super) fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Spreads a number over all 64 bits.
const fn mix(number: u64) -> u64 {
    let a = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let b = (a ^ (a >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    b ^ (b >> 31)
}

/// Small whole numbers, divided by a length and written once: a vector has few different ones.
struct Numbers {
    length: f64,
    written: Vec<String>,
}

impl Numbers {
    /// Whole numbers up to this are remembered.
    const REMEMBERED: i16 = 64;

    fn of_length(length: f64) -> Self {
        Self {
            length: length.max(1.0),
            written: vec![String::new(); 2 * Self::REMEMBERED as usize + 1],
        }
    }

    /// The number with the comma behind it.
    fn text(&mut self, number: i16) -> &str {
        let place =
            usize::try_from(number.clamp(-Self::REMEMBERED, Self::REMEMBERED) + Self::REMEMBERED);
        let entry = &mut self.written[place.expect("clamped to the positive")];
        if entry.is_empty() || number.abs() >= Self::REMEMBERED {
            *entry = match number {
                0 => "0,".to_owned(),
                number => format!("{:.6},", f64::from(number) / self.length),
            };
        }
        entry
    }
}
