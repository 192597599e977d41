//! Templates that mean harm. Each must end, and soon; the bounds on time are wide, for slow machines.

use std::time::{Duration, Instant};

use super::*;

/// Nothing may take longer, in a build without optimisation, beside others.
const SOON: Duration = Duration::from_secs(30);

#[test]
fn no_text_of_the_greatest_length_takes_long_to_read() {
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
            let started = Instant::now();
            lint(&body, &open());
            assert!(
                started.elapsed() < SOON,
                "{before}{piece}: {:?}",
                started.elapsed()
            );
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
    let started = Instant::now();
    let found = findings(&body, json!({ "list": list }));
    assert_eq!(
        found.last().map(|(code, _)| *code),
        Some(FindingCode::TooMuch)
    );
    assert!(started.elapsed() < SOON);
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
fn long_values_in_loops_come_to_an_end() {
    let list: Vec<u32> = (0..10_000).collect();
    let long = "x".repeat(500_000);
    let vars = json!({"list": list, "long": long, "lists": [list]});
    for inner in [
        "{{#if (upper @root.long)}}{{/if}}",
        "{{#ifEquals @root.long @root.long}}{{/ifEquals}}",
        "{{#exists (join @root.lists)}}{{/exists}}",
        "{{#if y}}{{/if}}",
        "{{#if (lookup @root @root.lists)}}{{/if}}",
    ] {
        let body = format!(
            "{{{{#with (upper long) as |y|}}}}{{{{#each @root.list}}}}{{{{#each @root.list}}}}{inner}{{{{/each}}}}{{{{/each}}}}{{{{/with}}}}"
        );
        let started = Instant::now();
        let found = findings(&body, vars.clone());
        assert!(
            found.iter().any(|(code, _)| *code != FindingCode::Syntax),
            "{inner}"
        );
        assert!(started.elapsed() < SOON, "{inner}: {:?}", started.elapsed());
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
