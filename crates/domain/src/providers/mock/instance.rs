//! An instance of a JSON Schema, made from the words of a prompt: what the mock answers where JSON
//! was asked for.
//!
//! It knows what schemas for models are made of: types, members, `required`, lists and their
//! bounds, `enum`, `const`, bounds of numbers and lengths, formats, `anyOf`, `oneOf`, `allOf` and
//! local references. It does not know `pattern`, `not`, `if` and what is as rare.

use serde_json::{Map, Value, json};

use super::subject::Subject;

mod strings;

/// From this depth on only what is required is filled, or a recursive schema had no end.
const DEEP: usize = 6;

/// Deeper than this nothing is filled at all.
const DEEPEST: usize = 32;

/// From so many values on only what is required is filled; from twice as many, nothing.
const MOST_VALUES: usize = 2000;

/// How many elements a list has that may have any number.
const ELEMENTS: u64 = 2;

/// An instance of the schema about the subject.
pub(super) fn of(schema: &Value, subject: &Subject) -> Value {
    let mut maker = Maker {
        root: schema,
        subject,
        values: 0,
    };
    maker.fill(schema, "", 0)
}

struct Maker<'a> {
    root: &'a Value,
    subject: &'a Subject,
    values: usize,
}

impl<'a> Maker<'a> {
    /// The value at a path, such as `/sflField/topic`.
    fn fill(&mut self, schema: &'a Value, path: &str, depth: usize) -> Value {
        self.values += 1;
        if depth > DEEPEST || self.values > 2 * MOST_VALUES {
            return Value::Null;
        }
        let pointer = schema["$ref"]
            .as_str()
            .and_then(|name| name.strip_prefix('#'));
        if let Some(target) = pointer.and_then(|pointer| self.root.pointer(pointer)) {
            return self.fill(target, path, depth + 1);
        }
        if let Some(value) = self.named(schema, path) {
            return value;
        }
        if let Some(choice) = alternative(schema) {
            return self.fill(choice, path, depth + 1);
        }
        match kind(schema) {
            "object" => self.object(schema, path, depth),
            "array" => self.array(schema, path, depth),
            "integer" => integer(schema, self.subject.number(path)),
            "number" => number(schema, self.subject.number(path)),
            "boolean" => Value::Bool(self.subject.number(path).is_multiple_of(2)),
            "null" => Value::Null,
            _ => Value::String(strings::fill(schema, path, self.subject)),
        }
    }

    /// A value that the schema itself names: of several, one that the prompt speaks of.
    fn named(&self, schema: &Value, path: &str) -> Option<Value> {
        if let Some(constant) = schema.get("const") {
            return Some(constant.clone());
        }
        let values = schema["enum"].as_array()?;
        let choices: Vec<&Value> = values.iter().filter(|value| !value.is_null()).collect();
        let spoken = choices
            .iter()
            .find(|value| value.as_str().is_some_and(|word| self.speaks_of(word)));
        let count = choices.len() as u64;
        let place = self.subject.number(path).checked_rem(count);
        let place = place.and_then(|place| usize::try_from(place).ok());
        let any = || place.and_then(|place| choices.get(place));
        Some(
            spoken
                .or_else(any)
                .map_or(Value::Null, |value| (*value).clone()),
        )
    }

    fn speaks_of(&self, word: &str) -> bool {
        let word = word.to_lowercase();
        self.subject.keywords.contains(&word)
    }

    fn object(&mut self, schema: &'a Value, path: &str, depth: usize) -> Value {
        let mut object = Map::new();
        for part in schema["allOf"].as_array().into_iter().flatten() {
            if let Value::Object(members) = self.fill(part, path, depth + 1) {
                object.extend(members);
            }
        }
        let required: Vec<&str> = list(&schema["required"])
            .filter_map(Value::as_str)
            .collect();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            if self.is_wanted(depth) || required.contains(&name.as_str()) {
                let value = self.fill(property, &format!("{path}/{name}"), depth + 1);
                object.insert(name.clone(), value);
            }
        }
        for name in required {
            if !object.contains_key(name) {
                let value = self.fill(
                    &schema["additionalProperties"],
                    &format!("{path}/{name}"),
                    depth + 1,
                );
                object.insert(name.to_owned(), value);
            }
        }
        Value::Object(object)
    }

    fn array(&mut self, schema: &'a Value, path: &str, depth: usize) -> Value {
        let least = bound(schema, "minItems").unwrap_or(0);
        let most = bound(schema, "maxItems").unwrap_or(u64::MAX);
        let fixed = list(&schema["prefixItems"]).count() as u64;
        let usual = if self.is_wanted(depth) {
            ELEMENTS.max(fixed)
        } else {
            0
        };
        let count = usual.min(most).max(least).min(MOST_VALUES as u64);
        let mut elements = Vec::new();
        for place in 0..count {
            let place = usize::try_from(place).unwrap_or_default();
            let items = schema["prefixItems"].get(place).unwrap_or(&schema["items"]);
            let element = self.fill(items, &format!("{path}/{place}"), depth + 1);
            let again = schema["uniqueItems"] == true && elements.contains(&element);
            // A second element that equals the first is left out, where it may be.
            if !again || (place as u64) < least {
                elements.push(element);
            }
        }
        Value::Array(elements)
    }

    /// Whether there is room for what nobody requires.
    const fn is_wanted(&self, depth: usize) -> bool {
        depth < DEEP && self.values < MOST_VALUES
    }
}

/// The alternative that is filled: the first that is not `null`.
fn alternative(schema: &Value) -> Option<&Value> {
    let choices = schema["anyOf"].as_array().or(schema["oneOf"].as_array())?;
    // Beside members of its own a choice only narrows them, and they are what counts.
    if schema["properties"].is_object() {
        return None;
    }
    choices
        .iter()
        .find(|choice| kind(choice) != "null")
        .or(choices.first())
}

/// The type; of several the first that is not `null`; guessed where none is said.
fn kind(schema: &Value) -> &str {
    let said = match &schema["type"] {
        Value::Array(kinds) => kinds
            .iter()
            .filter_map(Value::as_str)
            .find(|kind| *kind != "null"),
        kind => kind.as_str(),
    };
    let has = |names: &[&str]| names.iter().any(|name| schema.get(name).is_some());
    let guess = if has(&["properties", "required", "allOf"]) {
        "object"
    } else if has(&["items", "prefixItems"]) {
        "array"
    } else if has(&["minimum", "maximum"]) {
        "number"
    } else {
        "string"
    };
    said.unwrap_or(guess)
}

fn integer(schema: &Value, number: u64) -> Value {
    let (least, most) = bounds(schema, 100.0);
    let step = schema["multipleOf"].as_f64().unwrap_or(1.0).max(1.0);
    let value = stepped(least.ceil(), most.floor(), step, number);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "it is a whole number, saturating at the ends"
    )]
    let value = value as i64;
    json!(value)
}

fn number(schema: &Value, number: u64) -> Value {
    let (least, most) = bounds(schema, 1.0);
    let step = schema["multipleOf"].as_f64().filter(|step| *step > 0.0);
    let step = step.unwrap_or_else(|| ((most - least) / 100.0).min(0.01));
    // Adding hundredths leaves traces in the fifteenth place.
    let value = stepped(least, most, step, number);
    json!((value * 1e6).round() / 1e6)
}

/// The ends of the range that is drawn from; `width` is how wide it is where one is open.
fn bounds(schema: &Value, width: f64) -> (f64, f64) {
    let end = |name: &str| schema[name].as_f64();
    let step = if kind(schema) == "integer" { 1.0 } else { 0.01 };
    let least = end("minimum").or(end("exclusiveMinimum").map(|least| least + step));
    let most = end("maximum").or(end("exclusiveMaximum").map(|most| most - step));
    match (least, most) {
        (Some(least), Some(most)) => (least, most.max(least)),
        (Some(least), None) => (least, least + width),
        (None, Some(most)) => ((most - width).max(0.0).min(most), most),
        (None, None) => (0.0, width),
    }
}

/// A multiple of `step` between both ends, as the number chooses.
fn stepped(least: f64, most: f64, step: f64, number: u64) -> f64 {
    if step <= 0.0 || !step.is_finite() {
        return least;
    }
    let first = (least / step).ceil();
    let steps = ((most / step).floor() - first).clamp(0.0, 1000.0);
    #[expect(clippy::cast_precision_loss, reason = "below two thousand")]
    let chosen = (number % 1001) as f64;
    (first + chosen % (steps + 1.0)) * step
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A bound of a length.
fn bound(schema: &Value, name: &str) -> Option<u64> {
    schema[name].as_u64()
}

#[cfg(test)]
mod tests;
