//! Templates that mean harm. Each must end, and the work that each may cause is counted: in steps where it
//! is filled in, in pieces and in what is kept of it where it is read.

use super::{
    super::{render::steps, tags::cut},
    *,
};

#[test]
fn no_text_of_the_greatest_length_comes_to_more_than_it_has() {
    let pieces = [
        "{{#if a}}",
        "{{#if a}}{{/if}}",
        "{{a}}",
        "\\",
        "\\{{",
        "\\\\{{a}}",
        "{{!--a}}",
        "{{!",
        "{{! a }}",
        "{{a \"",
        "{{a '\"",
        "{{",
        "}}",
        "{{{",
        "{{{a}}}",
        "{{a (",
        "(((",
        "{{a [",
        "[",
        "{{else}}",
        "{{#if a}}{{else if b}}",
        " ",
        "\n{{#if a}}\n",
        "{{~a~}} ",
        "{{a b=c}}",
        "{{../",
        "{{../../a}}",
        "{{/if}}",
        "{{{{a}}}}",
        "é",
        "{{!-- a -- }}",
        "--",
        "{{!-- ",
    ];
    for piece in pieces {
        for before in ["", "{{#if x}}", "{{a ", "{{!--"] {
            let text = format!("{before}{}", piece.repeat(200_000 / piece.chars().count()));
            let text: String = text.chars().take(200_000).collect();
            let Ok(body) = text.parse() else { continue };
            let (pieces, _) = cut(&text);
            assert!(pieces.len() <= text.len() + 1, "{before}{piece}");
            let linted = lint(&body, &open());
            assert!(linted.findings.len() <= 300, "{before}{piece}");
            let kept: usize = linted.placeholders.iter().map(String::len).sum();
            assert!(kept <= text.len(), "{before}{piece}: {kept}");
        }
    }
}

#[test]
fn loops_within_loops_come_to_an_end() {
    let list: Vec<u32> = (0..100).collect();
    let depth = 30;
    let body = format!(
        "{}{}",
        "{{#each @root.list}}".repeat(depth),
        "{{/each}}".repeat(depth)
    );
    let found = findings(&body, json!({ "list": list }));
    assert_eq!(
        found.last().map(|(code, _)| *code),
        Some(FindingCode::TooMuch)
    );
}

#[test]
fn a_text_is_bounded() {
    let long = "x".repeat(10_000);
    let list: Vec<u32> = (0..1000).collect();
    let found = findings(
        "{{#each list}}{{@root.long}}{{/each}}",
        json!({"list": list, "long": long}),
    );
    assert_eq!(
        found.last().map(|(code, _)| *code),
        Some(FindingCode::TooMuch)
    );
}

#[test]
fn long_values_in_loops_are_paid_for_by_their_length_and_come_to_an_end() {
    let list: Vec<u32> = (0..10_000).collect();
    let long = "x".repeat(500_000);
    let vars = json!({"list": list, "long": long, "lists": [list]});
    for (inner, bytes) in [
        ("{{#if (upper @root.long)}}{{/if}}", 500_000),
        ("{{#ifEquals @root.long @root.long}}{{/ifEquals}}", 500_000),
        ("{{#exists (join @root.lists)}}{{/exists}}", 10_000),
        ("{{#if y}}{{/if}}", 64),
        ("{{#if (lookup @root @root.lists)}}{{/if}}", 10_000),
    ] {
        let once = format!("{{{{#with (upper long) as |y|}}}}{inner}{{{{/with}}}}");
        let twice = once.replace(inner, &inner.repeat(2));
        let [once, twice] = [once, twice].map(|body| {
            let body = Body::read(&body).expect("a body");
            steps(&body, &vars)
        });
        assert!(twice - once >= bytes / 64, "{inner}: {once}, {twice}");
        let body = format!(
            "{{{{#with (upper long) as |y|}}}}{{{{#each @root.list}}}}{{{{#each @root.list}}}}{inner}{{{{/each}}}}{{{{/each}}}}{{{{/with}}}}"
        );
        let found = findings(&body, vars.clone());
        assert!(
            found.iter().any(|(code, _)| *code != FindingCode::Syntax),
            "{inner}"
        );
    }
}

#[test]
fn what_a_prototype_has_elsewhere_is_nothing_here() {
    let vars = json!({"a": {"b": 1}, "list": [1], "text": "x"});
    for name in [
        "__proto__",
        "constructor",
        "toString",
        "hasOwnProperty",
        "length",
        "__defineGetter__",
    ] {
        for body in [
            format!("{{{{a.{name}}}}}"),
            format!("{{{{list.{name}}}}}"),
            format!("{{{{text.{name}}}}}"),
            format!("{{{{lookup a \"{name}\"}}}}"),
            format!("{{{{{name}}}}}"),
        ] {
            let found = findings(&body, vars.clone());
            assert_eq!(
                found.first().map(|(code, _)| *code),
                Some(FindingCode::Missing),
                "{body}"
            );
        }
    }
    assert_eq!(
        text("{{a.constructor}}", json!({"a": {"constructor": "mine"}})),
        "mine"
    );
}

#[test]
fn blocks_and_calls_within_one_another_are_bounded() {
    let body = format!("{}{}", "{{#if a}}".repeat(65), "{{/if}}".repeat(65));
    assert_eq!(findings(&body, json!({}))[0].0, FindingCode::Syntax);
    let body = format!("{{{{upper {}a{}}}}}", "(upper ".repeat(18), ")".repeat(18));
    assert_eq!(findings(&body, json!({"a": "x"}))[0].0, FindingCode::Syntax);
    let body = format!("{}x{}", "{{#if a}}".repeat(64), "{{/if}}".repeat(64));
    assert_eq!(text(&body, json!({"a": 1})), "x");
}

#[test]
fn formats_of_dates_cannot_break_anything() {
    for format in [
        "%", "%Q", "%Z", "%+", "%s", "%10Y", "%-d", "%:::z", "%9f", "%.9999f", "%c", "日本", "%E",
        "%v",
    ] {
        let body = format!("{{{{formatDate at \"{format}\"}}}}");
        let _ = filled(
            &body,
            &open(),
            json!({"at": "2026-01-31T12:00:00Z"}),
            json!({}),
        );
    }
    let long = format!("{{{{formatDate at \"{}\"}}}}", "%c".repeat(101));
    assert_eq!(
        findings(&long, json!({"at": "2026-01-31T12:00:00Z"}))[0].0,
        FindingCode::HelperUse
    );
}
