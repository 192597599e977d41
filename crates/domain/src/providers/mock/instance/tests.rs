use super::*;

const GOAL: &str = "Explain the refund policy to new customers in a friendly way.";

fn instance(schema: &Value) -> Value {
    of(schema, &Subject::of(GOAL))
}

fn member(schema: &Value) -> Value {
    instance(&json!({ "type": "object", "properties": { "it": schema } }))["it"].take()
}

/// The schema of a prompt, as far as a model drafts one.
fn prompt() -> Value {
    let text = json!({ "type": "string" });
    let object = |names: &[&str]| {
        let members: Map<_, _> = names
            .iter()
            .map(|name| ((*name).to_owned(), text.clone()))
            .collect();
        json!({ "type": "object", "properties": members, "required": names, "additionalProperties": false })
    };
    let mut tenor = object(&["aiPersona", "desiredTone", "interpersonalStance"]);
    tenor["properties"]["targetAudience"] = json!({ "type": "array", "items": text });
    json!({
        "type": "object",
        "required": ["title", "promptText", "sflField", "sflTenor", "sflMode"],
        "properties": {
            "title": { "type": "string", "minLength": 1, "maxLength": 255 },
            "promptText": { "type": "string", "minLength": 1 },
            "sflField": object(&["topic", "taskType", "domainSpecifics", "keywords"]),
            "sflTenor": tenor,
            "sflMode": object(&["outputFormat", "rhetoricalStructure", "lengthConstraint", "textualDirectives"]),
            "exampleOutput": { "type": ["string", "null"] },
        },
    })
}

#[test]
fn a_prompt_is_drafted_from_the_words_of_its_goal() {
    let drafted = instance(&prompt());
    assert_eq!(
        drafted["title"],
        "Explain the refund policy to new customers in"
    );
    let text = drafted["promptText"].as_str().expect("a text");
    assert!(
        text.starts_with("You are an expert in ") && text.ends_with(GOAL),
        "{text}"
    );
    let keywords = drafted["sflField"]["keywords"].as_str().expect("a text");
    assert!(keywords.contains("refund, policy"), "{keywords}");
    let audience = drafted["sflTenor"]["targetAudience"]
        .as_array()
        .expect("a list");
    assert!(
        audience.len() == 2 && audience[0] != audience[1],
        "{audience:?}"
    );
    assert_eq!(drafted, instance(&prompt()));
}

#[test]
fn strings_keep_format_and_length() {
    let cases = [
        (json!({ "type": "string", "maxLength": 3 }), 0..=3),
        (
            json!({ "type": "string", "minLength": 300, "maxLength": 310 }),
            300..=310,
        ),
        (json!({ "type": "string", "minLength": 1 }), 1..=600),
    ];
    for (schema, lengths) in cases {
        let text = member(&schema);
        let length = text.as_str().expect("a text").chars().count();
        assert!(lengths.contains(&length), "{schema}: {text}");
    }
    let date = member(&json!({ "type": "string", "format": "date" }));
    assert_eq!(date, "2026-01-31");
}

#[test]
fn numbers_keep_their_bounds_and_steps() {
    let cases = [
        json!({ "type": "number", "minimum": 0, "maximum": 1 }),
        json!({ "type": "integer", "minimum": 3, "maximum": 3 }),
        json!({ "type": "integer", "exclusiveMinimum": 4, "exclusiveMaximum": 6 }),
        json!({ "type": "integer", "minimum": -10, "maximum": -5 }),
        json!({ "type": "integer", "minimum": 1, "maximum": 100, "multipleOf": 7 }),
        json!({ "type": "number", "maximum": 0.5 }),
        json!({ "type": "number", "minimum": 1e300 }),
        json!({ "type": "integer", "minimum": i64::MIN, "maximum": i64::MAX }),
    ];
    for schema in cases {
        let value = member(&schema);
        let number = value.as_f64().expect("a number");
        let end = |name: &str, or| schema[name].as_f64().unwrap_or(or);
        let least = end("minimum", end("exclusiveMinimum", f64::MIN));
        let most = end("maximum", end("exclusiveMaximum", f64::MAX));
        assert!((least..=most).contains(&number), "{schema}: {value}");
        assert!(
            schema["type"] == "number" || value.is_i64(),
            "{schema}: {value}"
        );
        let step = end("multipleOf", 1.0);
        assert!(
            schema["type"] == "number" || number % step == 0.0,
            "{schema}: {value}"
        );
    }
}

#[test]
fn of_several_values_the_one_that_the_prompt_speaks_of_is_taken() {
    let tone = member(&json!({ "type": "string", "enum": ["formal", "Friendly", "plain"] }));
    assert_eq!(tone, "Friendly");
    let other = json!({ "enum": [null, "red", "green"] });
    assert!(
        ["red", "green"]
            .iter()
            .any(|colour| member(&other) == *colour)
    );
    assert_eq!(member(&json!({ "const": 7 })), 7);
}

#[test]
fn choices_references_and_parts_are_followed() {
    let schema = json!({
        "$defs": { "score": { "type": "integer", "minimum": 5, "maximum": 5 } },
        "allOf": [{ "properties": { "a": { "const": 1 } } }],
        "properties": {
            "b": { "anyOf": [{ "type": "null" }, { "$ref": "#/$defs/score" }] },
            "c": { "type": ["null", "boolean"] },
            "d": { "type": "array", "minItems": 3, "items": { "$ref": "#/$defs/score" } },
            "e": { "type": "array", "uniqueItems": true, "items": { "const": 1 } },
        },
        "required": ["f"],
    });
    let made = instance(&schema);
    assert_eq!(
        (&made["a"], &made["b"], &made["d"], &made["e"]),
        (&json!(1), &json!(5), &json!([5, 5, 5]), &json!([1]))
    );
    assert!(made["c"].is_boolean() && made["f"].is_string());
}

#[test]
fn no_schema_makes_an_endless_instance() {
    let recursive = json!({ "properties": { "child": { "$ref": "#" }, "children": { "items": { "$ref": "#" } } }, "required": ["child"] });
    assert!(instance(&recursive)["children"][0].is_object());
    let loops = json!({ "$ref": "#" });
    assert_eq!(instance(&loops), Value::Null);
    let huge = json!({ "type": "array", "minItems": u64::MAX, "items": { "type": "array", "minItems": 1_000_000 } });
    assert!(instance(&huge).to_string().len() < 1_000_000);
    let doubling = json!({ "properties": { "a": { "$ref": "#" }, "b": { "$ref": "#" } }, "required": ["a", "b"] });
    assert!(instance(&doubling).to_string().len() < 1_000_000);
}

#[test]
fn something_comes_of_schemas_that_say_nothing() {
    for schema in [
        json!({}),
        json!(true),
        json!(null),
        json!({ "type": "unheard-of" }),
        json!({ "enum": [] }),
        json!({ "$ref": "http://elsewhere" }),
    ] {
        instance(&schema);
    }
}
