//! A valid instance of a schema: every property filled, every list with an element, and nothing
//! random. It knows both dialects, `responseSchema` and JSON Schema, but no `pattern`.

use serde_json::{Map, Value, json};

/// From this depth on only what is required is filled, or a recursive schema had no end.
const DEEP: usize = 6;

/// An instance of this schema.
pub(in crate::fakes) fn of(schema: &Value) -> Value {
    Root(schema).fill(schema, "value", 0)
}

/// The whole schema, where references point to.
struct Root<'a>(&'a Value);

impl Root<'_> {
    fn fill(&self, schema: &Value, name: &str, depth: usize) -> Value {
        if let Some(path) = schema["$ref"]
            .as_str()
            .and_then(|path| path.strip_prefix('#'))
        {
            let target = self.0.pointer(path).filter(|_| depth < 4 * DEEP);
            return target
                .map(|target| self.fill(target, name, depth + 1))
                .unwrap_or_default();
        }
        given(schema).unwrap_or_else(|| self.composed(schema, name, depth))
    }

    fn composed(&self, schema: &Value, name: &str, depth: usize) -> Value {
        let choices = schema["anyOf"].as_array().or(schema["oneOf"].as_array());
        if let Some(choice) =
            choices.and_then(|choices| choices.iter().find(|choice| kind(choice) != "null"))
        {
            return self.fill(choice, name, depth + 1);
        }
        match kind(schema).as_str() {
            "object" => self.object(schema, depth),
            "array" => self.array(schema, name, depth),
            "integer" | "number" => number(schema),
            "boolean" => Value::Bool(true),
            "null" => Value::Null,
            _ => Value::String(text(schema, name)),
        }
    }

    fn object(&self, schema: &Value, depth: usize) -> Value {
        let mut object = Map::new();
        for part in schema["allOf"].as_array().into_iter().flatten() {
            if let Value::Object(members) = self.fill(part, "value", depth + 1) {
                object.extend(members);
            }
        }
        let required: Vec<_> = schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            if depth < DEEP || required.contains(&name.as_str()) {
                object.insert(name.clone(), self.fill(property, name, depth + 1));
            }
        }
        Value::Object(object)
    }

    fn array(&self, schema: &Value, name: &str, depth: usize) -> Value {
        let least = size(schema, "minItems").unwrap_or(0);
        let most = size(schema, "maxItems").unwrap_or(usize::MAX);
        let count = if depth < DEEP {
            least.max(1).min(most)
        } else {
            least
        };
        (0..count)
            .map(|_| self.fill(&schema["items"], name, depth + 1))
            .collect()
    }
}

/// The value that a schema itself names.
fn given(schema: &Value) -> Option<Value> {
    let listed = schema["enum"]
        .as_array()
        .and_then(|values| values.iter().find(|value| !value.is_null()));
    let named = ["const", "example", "default"]
        .iter()
        .find_map(|name| schema.get(name));
    listed.or(named).cloned()
}

/// The type, in lower case; the first of several, guessed where none is said.
fn kind(schema: &Value) -> String {
    let said = match &schema["type"] {
        Value::Array(kinds) => kinds
            .iter()
            .filter_map(Value::as_str)
            .find(|kind| *kind != "null"),
        kind => kind.as_str(),
    };
    let guess = match schema {
        _ if schema["properties"].is_object() || schema["allOf"].is_array() => "object",
        _ if schema["items"].is_object() => "array",
        _ => "string",
    };
    said.unwrap_or(guess).to_lowercase()
}

fn number(schema: &Value) -> Value {
    let above = schema["exclusiveMinimum"].as_f64().map(|bound| bound + 1.0);
    let least = schema["minimum"].as_f64().or(above).unwrap_or(f64::MIN);
    let most = schema["maximum"].as_f64().unwrap_or(f64::MAX);
    let number = 1.0_f64.max(least).min(most);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "bounds of integers are integers"
    )]
    let whole = number.ceil() as i64;
    if kind(schema) == "integer" {
        json!(whole)
    } else {
        json!(number)
    }
}

fn text(schema: &Value, name: &str) -> String {
    let format = schema["format"].as_str().unwrap_or_default();
    let text = match format {
        "date" => "2026-01-31",
        "time" => "12:00:00Z",
        "date-time" => "2026-01-31T12:00:00Z",
        "email" => "someone@example.com",
        "uri" | "url" => "https://example.com/",
        "uuid" => "00000000-0000-4000-8000-000000000000",
        _ => name,
    };
    let least = size(schema, "minLength").unwrap_or(0);
    let most = size(schema, "maxLength").unwrap_or(usize::MAX);
    let padding = "~".repeat(least.saturating_sub(text.chars().count()));
    text.chars().chain(padding.chars()).take(most).collect()
}

/// A bound, which one of the dialects may write as a string.
fn size(schema: &Value, name: &str) -> Option<usize> {
    let bound = &schema[name];
    let number = bound.as_u64().or_else(|| bound.as_str()?.parse().ok())?;
    usize::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_has_every_property_and_keeps_the_bounds() {
        let schema = json!({ "type": "OBJECT", "required": ["title"], "properties": {
            "title": { "type": "STRING", "minLength": "8" },
            "tone": { "type": "STRING", "enum": ["formal", "plain"] },
            "audience": { "type": "ARRAY", "items": { "type": "STRING", "maxLength": 4 }, "minItems": 2 },
            "score": { "type": ["null", "integer"], "minimum": 3 },
            "share": { "type": "number", "maximum": 0.5 },
            "next": { "anyOf": [{ "type": "null" }, { "$ref": "#/properties/tone" }] },
        }});
        let instance = json!({ "title": "title~~~", "tone": "formal", "audience": ["audi", "audi"],
            "score": 3, "share": 0.5, "next": "formal" });
        assert_eq!(of(&schema), instance);
    }

    #[test]
    fn a_recursive_schema_has_an_end() {
        let schema = json!({ "properties": { "children": { "items": { "$ref": "#" } } } });
        assert!(of(&schema)["children"][0]["children"].is_array());
    }
}
