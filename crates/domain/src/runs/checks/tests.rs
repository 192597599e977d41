use serde_json::{Value, json};

use super::*;
use crate::models::Usd;

fn check(json: Value) -> Check {
    serde_json::from_value(json).expect("a check")
}

fn checks(list: Value) -> Checks {
    serde_json::from_value(list).expect("checks")
}

fn subject(output: &str) -> Subject<'_> {
    Subject {
        output,
        expected: None,
        latency_ms: 1200,
        cost: Usd::from_nanos(2_000_000),
        similarity: None,
    }
}

fn result(of: Value, subject: &Subject<'_>) -> CheckResult {
    let compiled = Compiled::new(&Checks(vec![check(of)])).expect("a good check");
    compiled.run(subject).remove(0)
}

fn passes(of: Value, output: &str) -> bool {
    result(of, &subject(output)).passed
}

/// Each check with an output that passes and one that fails.
fn assert_passes_and_fails(cases: &[(Value, &str, &str)]) {
    for (check, good, bad) in cases {
        assert!(passes(check.clone(), good), "{check} {good}");
        let failed = result(check.clone(), &subject(bad));
        assert!(!failed.passed && failed.detail.is_some(), "{check} {bad}");
    }
}

#[test]
fn texts_are_the_same_or_part_of_one_another() {
    let of = |kind, value: Value| json!({"type": kind, "value": value});
    assert_passes_and_fails(&[
        (of("equals", json!("Paris")), " Paris\n", "paris"),
        (of("equals", json!(42)), "42", "42.0"),
        (of("equals", json!("")), " ", "a"),
        (of("iequals", json!("STRASSE Ä")), "strasse ä", "straße ä"),
        (of("contains", json!("b c")), "a b c", "a bc"),
        (of("notContains", json!("sorry")), "Sorry", "I am sorry"),
        (of("regex", json!("^\\d{3}$")), "123", "1234"),
        (of("startsWith", json!("Dear")), "\nDear Bob", "My Dear"),
    ]);
}

#[test]
fn json_is_compared_by_what_it_says() {
    let object = json!({"type": "jsonEquals", "value": {"a": [1, 2.0], "b": null}});
    let text = json!({"type": "jsonEquals", "value": "{\"a\":1}"});
    let word = json!({"type": "jsonEquals", "value": "yes"});
    let path = json!({"type": "jsonPath", "path": "$.a[*].b", "value": 2});
    let any = json!({"type": "jsonPath", "path": "$.a"});
    assert_passes_and_fails(&[
        (
            object,
            r#"{"b":null,"a":[1.0,2]}"#,
            r#"{"a":[2,1],"b":null}"#,
        ),
        (text, r#"{"a": 1}"#, r#"{"a": 2}"#),
        (word, r#""yes""#, "yes"),
        (path, r#"{"a":[{"b":1},{"b":2}]}"#, r#"{"a":[{"b":1}]}"#),
        (any, r#"{"a":null}"#, r#"{"b":1}"#),
    ]);
}

#[test]
fn what_is_near_enough_passes() {
    let within = |kind, value: Value, tolerance: f64| json!({"type": kind, "value": value, "tolerance": tolerance});
    assert_passes_and_fails(&[
        (json!({"type": "numeric", "value": 3}), "3.0", "3.1"),
        (within("numeric", json!(1.0), 0.1), "1.1", "1.11"),
        (within("numeric", json!("-2.5e3"), 1.0), "-2499", "2500"),
        (within("numeric", json!(1), 5.0), "6", "six"),
        (
            within("levenshtein", json!("kitten"), 3.0),
            "sitting",
            "sitting up",
        ),
        (
            json!({"type": "levenshtein", "value": "kitten"}),
            "smitten??",
            "a mittens??",
        ),
        (
            within("levenshtein", json!("abcdefghij"), 0.1),
            "abcdefghiX",
            "abcdefghXX",
        ),
        (within("levenshtein", json!("abc"), 0.0), "abc", "abd"),
    ]);
}

#[test]
fn a_path_narrows_what_other_types_look_at() {
    let output = "{\"items\":[{\"name\":\"Ann\",\"age\":7},{\"name\":\"Bob\",\"age\":9}]}";
    assert!(passes(
        json!({"type": "numeric", "path": "$.items[0].age", "value": 8, "tolerance": 1}),
        output
    ));
    assert!(passes(
        json!({"type": "equals", "path": "$.items[1].name", "value": "Bob"}),
        output
    ));
    assert!(passes(
        json!({"type": "jsonEquals", "path": "$.items[1]", "value": {"age": 9, "name": "Bob"}}),
        output
    ));
    let several = result(
        json!({"type": "equals", "path": "$..name", "value": "Bob"}),
        &subject(output),
    );
    assert_eq!(
        several.detail.as_deref(),
        Some("The path finds 2 values, and one is meant.")
    );
    let none = result(
        json!({"type": "equals", "path": "$.x", "value": "Bob"}),
        &subject(output),
    );
    assert_eq!(none.detail.as_deref(), Some("The path finds nothing."));
    let no_json = result(
        json!({"type": "equals", "path": "$.x", "value": "Bob"}),
        &subject("Bob"),
    );
    assert!(
        no_json
            .detail
            .is_some_and(|detail| detail.starts_with("It is no JSON"))
    );
}

#[test]
fn without_a_value_the_row_says_what_is_expected() {
    let expecting = |expected, output| Subject {
        expected: Some(expected),
        ..subject(output)
    };
    for (check, expected, good, bad) in [
        (json!({"type": "equals"}), "Paris", "Paris", "Rome"),
        (json!({"type": "regex"}), "^P", "Paris", "Rome"),
        (json!({"type": "numeric", "tolerance": 1}), "3", "4", "5"),
        (
            json!({"type": "jsonEquals"}),
            "{\"a\": 1}",
            "{\"a\":1.0}",
            "{}",
        ),
        (
            json!({"type": "jsonPath", "path": "$.a"}),
            "1",
            "{\"a\":1}",
            "{\"a\":2}",
        ),
        (
            json!({"type": "jsonPath", "path": "$.a"}),
            "yes",
            "{\"a\":\"yes\"}",
            "{\"a\":true}",
        ),
    ] {
        assert!(
            result(check.clone(), &expecting(expected, good)).passed,
            "{check}"
        );
        assert!(
            !result(check.clone(), &expecting(expected, bad)).passed,
            "{check}"
        );
    }
    let missing = result(json!({"type": "equals"}), &subject("Paris"));
    assert!(
        !missing.passed
            && missing
                .detail
                .is_some_and(|detail| detail.contains("expects none"))
    );
    for (kind, expected) in [("numeric", "three"), ("regex", "("), ("contains", "")] {
        let unfit = result(json!({"type": kind}), &expecting(expected, "a"));
        assert!(
            unfit
                .detail
                .is_some_and(|detail| detail.starts_with("What the row expects must")),
            "{kind}"
        );
    }
}

#[test]
fn time_and_money_are_bounded_inclusively() {
    for (check, passed) in [
        (json!({"type": "maxLatencyMs", "value": 1200}), true),
        (json!({"type": "maxLatencyMs", "value": 1199.5}), false),
        (json!({"type": "maxCost", "value": "0.002"}), true),
        (json!({"type": "maxCost", "value": 0.002}), true),
        (json!({"type": "maxCost", "value": "0.001999999"}), false),
    ] {
        assert_eq!(passes(check.clone(), ""), passed, "{check}");
    }
}

#[test]
fn meaning_is_compared_by_the_cosine_that_the_caller_measured() {
    let similar = |tolerance: Value, cosine| {
        let of = json!({"type": "similarity", "value": "a dog", "tolerance": tolerance});
        let subject = Subject {
            similarity: cosine,
            ..subject("a hound")
        };
        result(of, &subject).passed
    };
    assert!(similar(Value::Null, Some(0.75)) && !similar(Value::Null, Some(0.7499)));
    assert!(similar(json!(0.5), Some(0.5)) && !similar(json!(0.5), None));

    let compiled = |list| Compiled::new(&checks(list)).expect("good checks");
    let given = compiled(json!([{"type": "equals"}, {"type": "similarity", "value": "a dog"}]));
    assert_eq!(given.meaning(Some("a cat")), Some("a dog"));
    let drawn = compiled(json!([{"type": "similarity"}]));
    assert_eq!(drawn.meaning(Some("a cat")), Some("a cat"));
    assert_eq!(drawn.meaning(None), None);
    assert_eq!(
        compiled(json!([{"type": "equals"}])).meaning(Some("a cat")),
        None
    );
}

#[test]
fn the_grade_is_the_share_of_the_weights_that_passed() {
    let list = checks(json!([
        {"type": "contains", "value": "a", "weight": 3},
        {"type": "contains", "value": "b"},
        {"type": "contains", "value": "c", "weight": 0},
    ]));
    let graded = |output| {
        let compiled = Compiled::new(&list).expect("good checks");
        grade(&compiled.run(&subject(output))).map(Grade::share)
    };
    assert_eq!(graded("a"), Some(0.75));
    assert_eq!(graded("b c"), Some(0.25));
    assert_eq!(graded("ab"), Some(1.0));
    assert_eq!(graded(""), Some(0.0));
    assert_eq!(grade(&[]), None);
    let silent = checks(json!([{"type": "contains", "value": "c", "weight": 0}]));
    let results = Compiled::new(&silent)
        .expect("good checks")
        .run(&subject("c"));
    assert_eq!(grade(&results), None);
}

#[test]
fn a_check_is_stored_and_answered_as_it_came() {
    let list = json!([{"type": "numeric", "value": 1.5, "tolerance": 0.1, "weight": 2.0, "name": "near"}, {"type": "equals"}]);
    assert_eq!(serde_json::to_value(checks(list.clone())).ok(), Some(list));
    let result = result(
        json!({"type": "equals", "value": "a", "name": "same"}),
        &subject("a"),
    );
    assert_eq!(
        serde_json::to_value(result).ok(),
        Some(
            json!({"type": "equals", "name": "same", "passed": true, "detail": null, "weight": 1.0})
        )
    );
}

/// The members that are refused, with their places.
fn refused(list: Value) -> Vec<(usize, &'static str)> {
    let found = faults::faults(&checks(list).0);
    found
        .into_iter()
        .map(|(place, member, _)| (place, member))
        .collect()
}

#[test]
fn all_faults_of_all_checks_are_named_at_once() {
    assert_eq!(
        refused(json!([
            {"type": "regex", "value": "(", "weight": -1, "tolerance": 1, "name": "x".repeat(201)},
            {"type": "jsonPath", "path": "a", "value": 1},
            {"type": "equals", "value": "fine"},
            {"type": "numeric", "value": "many", "tolerance": -1},
            {"type": "jsonPath"},
        ])),
        [
            (0, "value"),
            (0, "name"),
            (0, "weight"),
            (0, "tolerance"),
            (1, "path"),
            (3, "value"),
            (3, "tolerance"),
            (4, "path")
        ]
    );
}

#[test]
fn each_bound_is_kept() {
    for (check, member) in [
        (json!({"type": "equals", "value": {"a": 1}}), "value"),
        (json!({"type": "equals", "value": "a\u{0}"}), "value"),
        (
            json!({"type": "equals", "value": "a".repeat(50_001)}),
            "value",
        ),
        (json!({"type": "contains", "value": " "}), "value"),
        (json!({"type": "regex", "value": ""}), "value"),
        (json!({"type": "regex", "value": "a".repeat(1001)}), "value"),
        (
            json!({"type": "regex", "value": "(\\w{100}){100}"}),
            "value",
        ),
        (json!({"type": "regex", "value": "(?=a)"}), "value"),
        (
            json!({"type": "jsonEquals", "value": ["a".repeat(65_536)]}),
            "value",
        ),
        (json!({"type": "jsonEquals", "value": ["\u{0}"]}), "value"),
        (json!({"type": "numeric", "value": "NaN"}), "value"),
        (
            json!({"type": "levenshtein", "value": "a", "tolerance": 1.5}),
            "tolerance",
        ),
        (json!({"type": "similarity", "tolerance": 1.5}), "tolerance"),
        (json!({"type": "similarity", "path": "$.a"}), "path"),
        (json!({"type": "equals", "path": "$[?"}), "path"),
        (json!({"type": "maxLatencyMs"}), "value"),
        (json!({"type": "maxLatencyMs", "value": -1}), "value"),
        (json!({"type": "maxCost", "value": "-1"}), "value"),
        (json!({"type": "maxCost", "value": 1e-12}), "value"),
        (json!({"type": "maxCost", "value": 1, "path": "$"}), "path"),
        (json!({"type": "equals", "weight": 1001}), "weight"),
        (json!({"type": "equals", "name": "\u{0}"}), "name"),
    ] {
        let shown: String = check.to_string().chars().take(100).collect();
        assert_eq!(refused(json!([check])), [(0, member)], "{shown}");
    }
    assert_eq!(
        refused(json!([{"type": "similarity"}, {"type": "similarity"}])),
        [(1, "type")]
    );
    let many: Vec<Value> = vec![json!({"type": "equals"}); 21];
    assert_eq!(refused(json!(many[..20])), []);
    assert_eq!(refused(json!(many)), [(20, "type")]);
}

#[test]
fn an_output_beyond_comparison_fails_and_does_not_take_long() {
    let long = "a".repeat(200_000);
    let edits = result(
        json!({"type": "levenshtein", "value": "a"}),
        &subject(&long),
    );
    assert!(!edits.passed && edits.detail.is_some_and(|detail| detail.contains("50000")));
    let detail = result(json!({"type": "equals", "value": "b"}), &subject(&long)).detail;
    assert!(detail.is_some_and(|detail| detail.chars().count() < 200));
}

#[test]
fn json_fits_its_schema() {
    let schema = json!({"type": "object", "required": ["city"]});
    let check = json!({"type": "jsonSchema", "value": schema});
    let as_text = json!({"type": "jsonSchema", "value": schema.to_string()});
    let part = json!({"type": "jsonSchema", "value": {"type": "string"}, "path": "$.city"});
    assert_passes_and_fails(&[
        (check.clone(), r#"{"city": "Paris"}"#, r#"{"town": 1}"#),
        (as_text, r#"{"city": 1}"#, "[]"),
        (part, r#"{"city": "Paris"}"#, r#"{"city": 1}"#),
        (check, r#"{"city": 1}"#, "no JSON"),
    ]);
    let refused = Compiled::new(&checks(
        json!([{"type": "jsonSchema", "value": {"format": "date"}}]),
    ));
    assert!(refused.expect_err("a fault").0.contains("format"));
}
