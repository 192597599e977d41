//! What holds for any text.

use proptest::prelude::*;

use super::*;

/// Texts made of what templates are made of.
fn body() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("{{".to_owned()),
        Just("}}".to_owned()),
        Just("{{{".to_owned()),
        Just("}}}".to_owned()),
        Just("{{#if a}}".to_owned()),
        Just("{{/if}}".to_owned()),
        Just("{{else}}".to_owned()),
        Just("{{^}}".to_owned()),
        Just("{{else if b}}".to_owned()),
        Just("{{#each list as |x i|}}".to_owned()),
        Just("{{/each}}".to_owned()),
        Just("{{!--".to_owned()),
        Just("--}}".to_owned()),
        Just("{{x}}".to_owned()),
        Just("{{i}}".to_owned()),
        Just("{{a.b}}".to_owned()),
        Just("{{@index}}".to_owned()),
        Just("\\".to_owned()),
        Just("~".to_owned()),
        Just("\n".to_owned()),
        Just(" ".to_owned()),
        Just("(".to_owned()),
        Just(")".to_owned()),
        Just("\"".to_owned()),
        Just("[".to_owned()),
        Just("]".to_owned()),
        Just("../".to_owned()),
        Just("{{upper a}}".to_owned()),
        Just("{{join list (lower b)}}".to_owned()),
        Just("{{lookup list 0}}".to_owned()),
        Just("=".to_owned()),
        Just("|".to_owned()),
        Just("as".to_owned()),
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 1..40).prop_map(|pieces| pieces.concat())
}

/// Names that bodies of the next test use.
const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

proptest! {
    #[test]
    fn no_text_panics(text in body()) {
        let vars = json!({"a": {"b": "x"}, "b": "B", "list": [1, null, {"x": []}]});
        let _ = filled(&text, &open(), vars, json!({}));
        if let Ok(body) = text.parse() {
            lint(&body, &json!({"properties": {"a": {}}, "required": ["b"]}));
        }
    }

    #[test]
    fn text_without_braces_stays_as_it_is(given in "[^{]*") {
        prop_assert_eq!(text(&given, json!({})), given);
    }

    /// Complete: exactly what is used and not declared, and exactly what is required and not used.
    #[test]
    fn the_linter_finds_all_and_nothing_else(
        used in prop::collection::btree_set(0..6usize, 0..6),
        declared in prop::collection::btree_set(0..6usize, 0..6),
        required in prop::collection::btree_set(0..6usize, 0..6),
        ways in prop::collection::vec(0..5usize, 6),
    ) {
        let mut body = "x".to_owned();
        for name in &used {
            let place = NAMES[*name];
            let used = match ways[*name] {
                0 => format!("{{{{{place}}}}}"),
                1 => format!("{{{{#if {place}}}}}y{{{{/if}}}}"),
                2 => format!("{{{{upper (lower {place})}}}}"),
                3 => format!("{{{{#each issue.list as |{place}x|}}}}{{{{{place}x}}}}{{{{@root.{place}}}}}{{{{/each}}}}"),
                _ => format!("{{{{#unless issue.x}}}}{{{{else}}}}{{{{{place}.z}}}}{{{{/unless}}}}"),
            };
            body.push_str(&used);
        }
        let properties: Map<String, Value> = declared.iter().map(|name| (NAMES[*name].to_owned(), json!({}))).collect();
        let names: Vec<&str> = required.iter().map(|name| NAMES[*name]).collect();
        let linted = linted(&body, &json!({"properties": properties, "required": names}));
        let count = |code| linted.findings.iter().filter(|one| one.code == code).count();
        prop_assert_eq!(count(FindingCode::Undeclared), used.difference(&declared).count());
        // What is used and not declared is a finding already, and counts as used nowhere.
        let missing = required.iter().filter(|name| !(used.contains(name) && declared.contains(name)));
        prop_assert_eq!(count(FindingCode::Unused), missing.count());
        prop_assert_eq!(linted.findings.len(), count(FindingCode::Undeclared) + count(FindingCode::Unused));
    }

    /// What the linter lets through finds everything it asks for, whatever the schema leaves out.
    #[test]
    fn what_is_in_order_misses_nothing(text in body(), given in prop::bool::ANY) {
        let schema = json!({"properties": {"a": {"properties": {"b": {"type": "string"}}}, "b": {"type": "string"},
            "list": {"type": "array", "items": {"type": "string"}}}, "required": ["b"]});
        let Ok(body) = text.parse() else { return Ok(()) };
        if lint(&body, &schema).findings.is_empty() {
            let vars = if given { json!({"b": "B", "a": {"b": "x"}, "list": ["l"]}) } else { json!({"b": ""}) };
            // Whether a helper is given the kind of value it needs shows only now.
            match filled(&text, &schema, vars, json!({})) {
                Err(Failure::Body(found)) => {
                    prop_assert!(found.iter().all(|one| one.code == FindingCode::HelperUse), "{:?}", found);
                }
                outcome => prop_assert!(outcome.is_ok(), "{:?}", outcome),
            }
        }
    }
}
