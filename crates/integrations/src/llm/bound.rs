//! JSON Schemas as providers take them who bind an answer to one: a smaller language than JSON
//! Schema, in which objects are closed.

use serde_json::{Map, Value, json};

/// Keywords that change what is valid and that no provider takes: a schema with one of them
/// cannot be bound to.
const FOREIGN: [&str; 13] = [
    "allOf",
    "not",
    "if",
    "then",
    "else",
    "patternProperties",
    "propertyNames",
    "dependentRequired",
    "dependentSchemas",
    "prefixItems",
    "contains",
    "unevaluatedProperties",
    "unevaluatedItems",
];

/// Keywords that are kept as they are wherever they stand.
const KEPT: [&str; 6] = ["$ref", "type", "title", "description", "enum", "const"];

/// Keywords that narrow a value, and that some provider takes.
const NARROWING: [&str; 13] = [
    "format",
    "pattern",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minItems",
    "maxItems",
    "minLength",
    "maxLength",
    "minProperties",
    "maxProperties",
];

/// What a provider's language has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Language {
    /// Whether members may be missing; if not they become nullable instead.
    pub(super) optional: bool,
    /// The narrowing keywords it takes; the others are told in the description.
    pub(super) narrowing: &'static [&'static str],
}

impl Language {
    /// The schema in this language, or nothing if it says what the language cannot.
    pub(super) fn write(self, schema: &Value) -> Option<Value> {
        let is_object = schema["type"] == "object" && schema.get("anyOf").is_none();
        is_object.then(|| self.rewrite(schema)).flatten()
    }

    fn rewrite(self, schema: &Value) -> Option<Value> {
        let from = schema.as_object()?;
        if FOREIGN.iter().any(|name| from.contains_key(*name)) {
            return None;
        }
        let kept = KEPT
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), from.get(*name)?.clone())));
        let mut to: Map<String, Value> = kept.collect();
        for name in ["$defs", "definitions"] {
            if let Some(parts) = from.get(name) {
                to.insert(name.to_owned(), self.rewrite_each(parts)?.into());
            }
        }
        if let Some(choices) = from.get("anyOf").or(from.get("oneOf")) {
            let choices: Option<Vec<_>> = choices
                .as_array()?
                .iter()
                .map(|choice| self.rewrite(choice))
                .collect();
            to.insert("anyOf".into(), choices?.into());
        }
        if let Some(items) = from.get("items") {
            to.insert("items".into(), self.rewrite(items)?);
        }
        if is_of(schema, "object") {
            self.close(from, &mut to)?;
        }
        self.narrow(from, &mut to);
        let says_something = ["type", "$ref", "anyOf", "enum", "const"]
            .iter()
            .any(|name| to.contains_key(*name));
        let is_list = is_of(schema, "array");
        (says_something && (!is_list || to.contains_key("items"))).then_some(to.into())
    }

    fn rewrite_each(self, parts: &Value) -> Option<Map<String, Value>> {
        let parts = parts.as_object()?.iter();
        parts
            .map(|(name, part)| Some((name.clone(), self.rewrite(part)?)))
            .collect()
    }

    /// An object has the members that are named, and no others.
    fn close(self, from: &Map<String, Value>, to: &mut Map<String, Value>) -> Option<()> {
        if from
            .get("additionalProperties")
            .is_some_and(|more| more != &json!(false))
        {
            return None;
        }
        let mut members = self.rewrite_each(from.get("properties")?)?;
        let required = from.get("required").cloned().unwrap_or_else(|| json!([]));
        let is_required = |name: &str| {
            required
                .as_array()
                .is_some_and(|names| names.iter().any(|other| other == name))
        };
        if self.optional {
            to.insert("required".into(), required);
        } else {
            for (name, member) in &mut members {
                if !is_required(name) {
                    make_nullable(member);
                }
            }
            to.insert("required".into(), members.keys().cloned().collect());
        }
        to.insert("properties".into(), members.into());
        to.insert("additionalProperties".into(), json!(false));
        Some(())
    }

    /// What the language cannot bind to is told to the model in words.
    fn narrow(self, from: &Map<String, Value>, to: &mut Map<String, Value>) {
        let mut told = Vec::new();
        for name in NARROWING {
            match from.get(name) {
                Some(bound) if self.narrowing.contains(&name) => {
                    to.insert(name.to_owned(), bound.clone());
                }
                Some(bound) => told.push(format!("{name}: {bound}")),
                None => {}
            }
        }
        if !told.is_empty() {
            let said = to
                .get("description")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let description = format!("{said} ({})", told.join(", "));
            to.insert("description".into(), description.trim_start().into());
        }
    }
}

fn is_of(schema: &Value, kind: &str) -> bool {
    match &schema["type"] {
        Value::Array(kinds) => kinds.iter().any(|other| other == kind),
        other => other == kind,
    }
}

fn takes_null(schema: &Value) -> bool {
    is_of(schema, "null")
        || schema.get("const") == Some(&Value::Null)
        || ["enum"]
            .iter()
            .any(|name| has(&schema[name], Value::is_null))
        || ["anyOf", "oneOf"]
            .iter()
            .any(|name| has(&schema[name], takes_null))
}

fn has(list: &Value, matches: impl Fn(&Value) -> bool) -> bool {
    list.as_array()
        .is_some_and(|values| values.iter().any(matches))
}

fn make_nullable(schema: &mut Value) {
    if takes_null(schema) {
        return;
    }
    let simple = schema.get("$ref").is_none() && schema.get("const").is_none();
    match schema.get("type").cloned() {
        Some(Value::String(kind)) if simple => {
            schema["type"] = json!([kind, "null"]);
            if let Some(values) = schema.get_mut("enum").and_then(Value::as_array_mut) {
                values.push(Value::Null);
            }
        }
        Some(Value::Array(mut kinds)) if simple => {
            kinds.push("null".into());
            schema["type"] = kinds.into();
        }
        _ => {
            let whole = schema.take();
            *schema = json!({ "anyOf": [whole, { "type": "null" }] });
        }
    }
}

/// Takes out of an answer the members that are only there, as `null`, because they may not be
/// missing: the schema that was wished for knows no such `null`.
pub(super) fn without_nulls(answer: &mut Value, schema: &Value) {
    take_nulls(answer, schema, schema, 0);
}

fn take_nulls(value: &mut Value, schema: &Value, root: &Value, depth: usize) {
    if depth > 64 {
        return;
    }
    let pointer = schema["$ref"]
        .as_str()
        .and_then(|name| name.strip_prefix('#'));
    if let Some(target) = pointer.and_then(|pointer| root.pointer(pointer)) {
        return take_nulls(value, target, root, depth + 1);
    }
    if let Some(choices) = schema["anyOf"].as_array().or(schema["oneOf"].as_array()) {
        // Of several it is not known which is meant.
        let mut real = choices.iter().filter(|choice| !is_of(choice, "null"));
        if let (Some(only), None) = (real.next(), real.next()) {
            take_nulls(value, only, root, depth + 1);
        }
        return;
    }
    match value {
        Value::Array(elements) => {
            for element in elements {
                take_nulls(element, &schema["items"], root, depth + 1);
            }
        }
        Value::Object(members) => {
            let wanted = |name: &str, member: &Value| {
                let required = has(&schema["required"], |other| other == name);
                let known = schema["properties"].get(name);
                !member.is_null() || required || known.is_none_or(takes_null)
            };
            members.retain(|name, member| wanted(name, member));
            for (name, member) in members {
                take_nulls(
                    member,
                    &schema["properties"][name.as_str()],
                    root,
                    depth + 1,
                );
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: Language = Language {
        optional: false,
        narrowing: &["minimum", "format"],
    };
    const LENIENT: Language = Language {
        optional: true,
        narrowing: &[],
    };

    fn wished() -> Value {
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "required": ["title"],
            "$defs": { "tone": { "type": "string", "enum": ["plain", "formal"] } },
            "properties": {
                "title": { "type": "string", "description": "A title.", "minLength": 1, "maxLength": 255 },
                "tone": { "$ref": "#/$defs/tone" },
                "mood": { "type": "string", "enum": ["good", "bad"], "default": "good" },
                "score": { "type": ["integer", "null"], "minimum": 1 },
                "when": { "oneOf": [{ "type": "string", "format": "date" }, { "type": "null" }] },
                "audience": { "type": "array", "items": { "type": "object", "properties": { "name": { "type": "string" } } } },
            },
        })
    }

    #[test]
    fn every_member_is_required_and_may_be_null_where_it_was_optional() {
        insta::assert_json_snapshot!(STRICT.write(&wished()));
    }

    #[test]
    fn members_may_stay_optional() {
        insta::assert_json_snapshot!(LENIENT.write(&wished()));
    }

    #[test]
    fn what_the_language_cannot_say_is_not_written() {
        let object = |member: Value| json!({ "type": "object", "properties": { "it": member } });
        let beyond = [
            json!({ "type": "string" }),
            json!({ "type": "object" }),
            json!(true),
            json!({ "type": "object", "properties": {}, "additionalProperties": true }),
            object(json!({})),
            object(json!({ "type": "array" })),
            object(json!({ "type": "object", "additionalProperties": { "type": "string" } })),
            object(json!({ "allOf": [{ "type": "string" }] })),
            object(json!({ "type": "string", "not": { "const": "" } })),
        ];
        for schema in beyond {
            assert_eq!(STRICT.write(&schema), None, "{schema}");
        }
    }

    #[test]
    fn nulls_that_were_only_there_to_be_there_are_taken_out() {
        let mut answer = json!({ "title": "A", "tone": null, "mood": null, "score": null, "when": null,
            "audience": [{ "name": null }, { "name": "B" }], "unknown": null });
        without_nulls(&mut answer, &wished());
        let expected = json!({ "title": "A", "score": null, "when": null, "audience": [{}, { "name": "B" }], "unknown": null });
        assert_eq!(answer, expected);
    }

    #[test]
    fn a_reference_to_itself_ends() {
        let endless = json!({ "$ref": "#" });
        without_nulls(&mut json!({ "a": null }), &endless);
    }
}
