use serde_json::json;

use super::*;

fn found(path: &str, value: &Value) -> Vec<Value> {
    let path: Path = path
        .parse()
        .unwrap_or_else(|fault| panic!("{path}: {fault}"));
    let found = path.select(value, &Fuel::full()).expect("few steps");
    found.into_iter().cloned().collect()
}

/// The store of RFC 9535, 1.5.
fn store() -> Value {
    json!({"store": {
        "book": [
            {"category": "reference", "author": "Nigel Rees", "title": "Sayings", "price": 8.95},
            {"category": "fiction", "author": "Evelyn Waugh", "title": "Sword", "price": 12.99},
            {"category": "fiction", "author": "Herman Melville", "title": "Moby", "isbn": "0-553", "price": 8.99},
            {"category": "fiction", "author": "J. R. R. Tolkien", "title": "Lord", "isbn": "0-395", "price": 22.99}
        ],
        "bicycle": {"color": "red", "price": 399}
    }})
}

#[test]
fn the_examples_of_the_standard_select_what_it_says() {
    for (path, selected) in [
        (
            "$.store.book[*].author",
            json!([
                "Nigel Rees",
                "Evelyn Waugh",
                "Herman Melville",
                "J. R. R. Tolkien"
            ]),
        ),
        (
            "$..author",
            json!([
                "Nigel Rees",
                "Evelyn Waugh",
                "Herman Melville",
                "J. R. R. Tolkien"
            ]),
        ),
        ("$.store..price", json!([399, 8.95, 12.99, 8.99, 22.99])),
        ("$..book[2].title", json!(["Moby"])),
        ("$..book[-1].title", json!(["Lord"])),
        ("$..book[0,1].title", json!(["Sayings", "Sword"])),
        ("$..book[:2].title", json!(["Sayings", "Sword"])),
        ("$..book[?@.isbn].title", json!(["Moby", "Lord"])),
        ("$..book[?@.price<10].title", json!(["Sayings", "Moby"])),
        (
            "$..book[?@.price<10 && !@.isbn]['title']",
            json!(["Sayings"]),
        ),
        (
            "$..book[?(@.title=='Lord' || @.price == 8.95)].price",
            json!([8.95, 22.99]),
        ),
        ("$..book[?@.price > $.store.bicycle.price]", json!([])),
        ("$.store.book[*].isbn", json!(["0-553", "0-395"])),
        ("$ .store [ 'bicycle' ] .color", json!(["red"])),
    ] {
        assert_eq!(Value::from(found(path, &store())), selected, "{path}");
    }
}

#[test]
fn slices_count_as_the_standard_does() {
    let letters = json!(["a", "b", "c", "d", "e", "f", "g"]);
    for (path, selected) in [
        ("$[1:3]", json!(["b", "c"])),
        ("$[5:]", json!(["f", "g"])),
        ("$[1:5:2]", json!(["b", "d"])),
        ("$[5:1:-2]", json!(["f", "d"])),
        ("$[::-1]", json!(["g", "f", "e", "d", "c", "b", "a"])),
        ("$[-2:]", json!(["f", "g"])),
        ("$[::0]", json!([])),
        ("$[9:1]", json!([])),
        ("$[-100:100:3]", json!(["a", "d", "g"])),
        ("$[7]", json!([])),
        ("$[-8]", json!([])),
    ] {
        assert_eq!(Value::from(found(path, &letters)), selected, "{path}");
    }
}

#[test]
fn filters_compare_as_the_standard_does() {
    let value = json!({"obj": {"x": "y"}, "arr": [2, 3], "items": [{"a": 1}]});
    for (condition, holds) in [
        ("$.absent1 == $.absent2", true),
        ("$.absent1 <= $.absent2", true),
        ("$.absent == 'g'", false),
        ("$.absent1 != $.absent2", false),
        ("1 <= 2", true),
        ("1 > 2", false),
        ("13 == '13'", false),
        ("'a' <= 'b'", true),
        ("$.obj == $.arr", false),
        ("$.obj == $.obj", true),
        ("$.obj <= $.obj", true),
        ("$.obj < $.arr", false),
        ("true <= true", true),
        ("true > true", false),
        ("1 == 1.0", true),
        ("null == null", true),
    ] {
        let path = format!("$.items[?{condition}].a");
        assert_eq!(
            found(&path, &value).len(),
            usize::from(holds),
            "{condition}"
        );
    }
}

#[test]
fn names_may_need_quotes_and_escapes() {
    let value = json!({"a.b": 1, "it's": 2, "say \"x\"": 3, "ü": 4, "_1": 5, "\u{1f600}": 6});
    for (path, selected) in [
        ("$['a.b']", 1),
        ("$[\"a.b\"]", 1),
        ("$['it\\'s']", 2),
        ("$[\"it's\"]", 2),
        ("$['say \"x\"']", 3),
        ("$[\"say \\\"x\\\"\"]", 3),
        ("$.ü", 4),
        ("$['\\u00fc']", 4),
        ("$._1", 5),
        ("$['\\ud83d\\ude00']", 6),
    ] {
        assert_eq!(found(path, &value), [json!(selected)], "{path}");
    }
}

#[test]
fn what_is_no_path_is_refused_with_its_place() {
    for path in [
        "",
        "a",
        "$.",
        "$..",
        "$[",
        "$[]",
        "$['a",
        "$[01]",
        "$[-0]",
        "$[1.0]",
        "$.1a",
        "$[?]",
        "$[?1]",
        "$[?@.a==]",
        "$[?!@.a==1]",
        "$[?@..a==1]",
        "$[?length(@)>1]",
        "$ ",
        " $",
        "$[9007199254740992]",
        "$['\\x']",
        "$[\"\\'\"]",
        "$['\\\"']",
        "$[?(@.a]",
        "$.a b",
        "$[1 2]",
        "$. a",
    ] {
        assert!(path.parse::<Path>().is_err(), "{path}");
    }
    let fault = "$.a[?]".parse::<Path>().expect_err("no path");
    assert!(fault.0.contains("at character 6"), "{fault}");
    assert!(
        format!("$[?{}@.a", "(".repeat(400))
            .parse::<Path>()
            .is_err()
    );
    assert!(format!("$.{}", "a".repeat(500)).parse::<Path>().is_err());
}

#[test]
fn a_path_that_multiplies_what_it_finds_is_stopped() {
    let deep = (0..120).fold(json!(1), |inner, _| json!([inner]));
    let doubling: Path = format!("${}", "[0,0]".repeat(90)).parse().expect("a path");
    assert_eq!(doubling.select(&deep, &Fuel::full()), Err(Exhausted));
    let wide: Value = (0..5000).collect();
    let squared: Path = "$[?$[?@>0]]".parse().expect("a path");
    assert_eq!(squared.select(&wide, &Fuel::full()), Err(Exhausted));
}
