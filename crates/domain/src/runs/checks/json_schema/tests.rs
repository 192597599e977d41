use serde_json::{Value, json};

use super::*;

fn fault(schema: &Value, value: &Value) -> Option<String> {
    let ready = Schema::new(schema).unwrap_or_else(|fault| panic!("{schema}: {}", fault.0));
    ready.fault(value, &Fuel::full()).expect("few steps")
}

/// Each schema with values that fit and values that do not.
fn assert_fits(cases: &[(Value, Value, Value)]) {
    for (schema, good, bad) in cases {
        for value in list(good) {
            assert_eq!(fault(schema, value), None, "{schema} {value}");
        }
        for value in list(bad) {
            assert!(fault(schema, value).is_some(), "{schema} {value}");
        }
    }
}

#[test]
fn a_value_has_its_type_and_bounds() {
    assert_fits(&[
        (json!(true), json!([1, null]), json!([])),
        (json!(false), json!([]), json!([1, null])),
        (
            json!({"type": "integer"}),
            json!([1, 1.0, -3]),
            json!([1.5, "1", null]),
        ),
        (
            json!({"type": ["string", "null"]}),
            json!(["", null]),
            json!([0, []]),
        ),
        (
            json!({"enum": [1, "a", {"b": [2]}]}),
            json!([1.0, "a", {"b": [2]}]),
            json!(["A", {"b": [3]}, {}]),
        ),
        (json!({"const": null}), json!([null]), json!([0, false])),
        (
            json!({"minimum": 1, "exclusiveMaximum": 2}),
            json!([1, 1.5, "0"]),
            json!([0.99, 2]),
        ),
        (
            json!({"multipleOf": 0.1}),
            json!([0.3, 7, 0]),
            json!([0.35]),
        ),
        (json!({"multipleOf": 3}), json!([9, -3, 9.0]), json!([10])),
        (
            json!({"minLength": 2, "maxLength": 3}),
            json!(["ää", 5]),
            json!(["ä", "abcd"]),
        ),
        (json!({"pattern": "^a+$"}), json!(["aa", 1]), json!(["ba"])),
        (
            json!({"maximum": 9_007_199_254_740_992_u64}),
            json!([9_007_199_254_740_992_u64]),
            json!([9_007_199_254_740_993_u64]),
        ),
    ]);
}

#[test]
fn objects_have_their_members_and_lists_their_items() {
    let object = json!({
        "type": "object", "required": ["a"], "additionalProperties": false,
        "properties": {"a": {"type": "string"}, "b": true},
    });
    assert_fits(&[
        (
            object,
            json!([{"a": ""}, {"a": "", "b": 1}]),
            json!([{}, {"a": 1}, {"a": "", "c": 1}]),
        ),
        (
            json!({"additionalProperties": {"type": "null"}}),
            json!([{"x": null}]),
            json!([{"x": 1}]),
        ),
        (
            json!({"minProperties": 1, "maxProperties": 1}),
            json!([{"x": 1}]),
            json!([{}, {"x": 1, "y": 1}]),
        ),
        (
            json!({"prefixItems": [{"type": "null"}], "items": {"type": "string"}}),
            json!([[null, "a"], []]),
            json!([["a"], [null, 1]]),
        ),
        (
            json!({"items": false, "prefixItems": [true]}),
            json!([[1]]),
            json!([[1, 2]]),
        ),
        (
            json!({"minItems": 1, "maxItems": 2}),
            json!([[1], "text"]),
            json!([[], [1, 2, 3]]),
        ),
        (
            json!({"uniqueItems": true}),
            json!([[1, "1", [1], {"a": 1}]]),
            json!([[1, 1.0], [{"a": 1, "b": 2}, {"b": 2, "a": 1}]]),
        ),
        (json!({"uniqueItems": false}), json!([[1, 1]]), json!([])),
    ]);
}

#[test]
fn schemas_are_combined_and_refer_to_one_another() {
    let tree = json!({
        "$ref": "#/$defs/a~1tree",
        "$defs": {"a/tree": {"type": "object", "required": ["value"], "properties": {"left": {"$ref": "#"}}}},
    });
    assert_fits(&[
        (
            json!({"allOf": [{"minimum": 1}, {"maximum": 2}]}),
            json!([1]),
            json!([0, 3]),
        ),
        (
            json!({"anyOf": [{"type": "null"}, {"minimum": 1}]}),
            json!([null, 1]),
            json!([0]),
        ),
        (
            json!({"oneOf": [{"minimum": 1}, {"maximum": 2}]}),
            json!([0, 3]),
            json!([1]),
        ),
        (json!({"not": {"type": "string"}}), json!([1]), json!(["a"])),
        (
            tree,
            json!([{"value": 1, "left": {"value": 2}}]),
            json!([{"value": 1, "left": {"value": 2, "left": {}}}, 1]),
        ),
    ]);
}

#[test]
fn a_fault_says_what_is_wrong_and_where() {
    let schema = json!({"properties": {"a/b": {"items": {"type": "string"}}}});
    let told = fault(&schema, &json!({"a/b": ["x", 5]}));
    assert_eq!(
        told.as_deref(),
        Some("/a~1b/1: it is not of the type \"string\".")
    );
    let told = fault(&json!({"required": ["a"]}), &json!({}));
    assert_eq!(told.as_deref(), Some("At the top: it lacks a."));
}

#[test]
fn what_is_not_understood_is_refused_by_name() {
    for (schema, word) in [
        (json!({"format": "email"}), "format"),
        (
            json!({"properties": {"a": {"patternProperties": {}}}}),
            "patternProperties",
        ),
        (
            json!({"$schema": "http://json-schema.org/draft-07/schema#"}),
            "2020-12",
        ),
        (json!({"$ref": "https://example.com/schema"}), "$ref"),
        (json!({"$ref": "#/$defs/missing"}), "$ref"),
        (json!({"items": {"$defs": {}}}), "$defs"),
        (json!({"items": [true]}), "JSON Schema"),
        (json!({"type": "text"}), "type"),
        (json!({"minItems": -1}), "minItems"),
        (json!({"multipleOf": 0}), "multipleOf"),
        (json!({"pattern": "(?=a)"}), "pattern"),
        (json!({"anyOf": []}), "anyOf"),
        (json!([]), "JSON Schema"),
    ] {
        let fault = Schema::new(&schema).expect_err("a fault");
        assert!(fault.0.contains(word), "{schema}: {}", fault.0);
    }
}

#[test]
fn no_schema_keeps_a_machine_busy() {
    let endless = json!({"$ref": "#"});
    let mut doubling = serde_json::Map::new();
    for level in 0..60 {
        let next = json!({"$ref": format!("#/$defs/{}", level + 1)});
        doubling.insert(level.to_string(), json!({"allOf": [next, next]}));
    }
    doubling.insert("60".into(), json!(true));
    let doubling = json!({"$ref": "#/$defs/0", "$defs": doubling});
    let different: Vec<u32> = (0..20_000).collect();
    for (schema, value) in [
        (endless, json!(1)),
        (doubling, json!(1)),
        (json!({"uniqueItems": true}), json!(different)),
    ] {
        let ready = Schema::new(&schema).expect("a schema");
        assert_eq!(ready.fault(&value, &Fuel::full()), Err(Exhausted));
    }
}
