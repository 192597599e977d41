//! What becomes of a template.

use super::*;

#[test]
fn nothing_is_escaped_and_nothing_filled_in_is_read_again() {
    assert_eq!(
        text("{{a}}", json!({"a": "x < y && \"z\""})),
        "x < y && \"z\""
    );
    assert_eq!(text("{{{a}}} {{&a}}", json!({"a": "<b>"})), "<b> <b>");
    assert_eq!(text("{{a}}", json!({"a": "{{b}}", "b": "no"})), "{{b}}");
    assert_eq!(
        text(r"\{{a}} {{a}} \\{{a}} \{{b}}\{{c}}", json!({"a": 1})),
        r"{{a}} 1 \1 {{b}}{{c}}"
    );
}

#[test]
fn values_are_shown_by_their_kind() {
    let vars = json!({"a": null, "b": true, "c": 1.5, "d": [1, "x"], "e": {"k": 1}});
    assert_eq!(text("{{a}}|{{b}}|{{c}}", vars.clone()), "|true|1.5");
    assert_eq!(
        text("{{d}}{{e}}", vars),
        "[\n  1,\n  \"x\"\n]{\n  \"k\": 1\n}"
    );
}

#[test]
fn blocks_are_those_of_handlebars() {
    let vars = json!({"n": 0, "empty": [], "list": ["a", "b"], "map": {"x": 1, "y": 2}, "deep": {"a": {"b": "c"}}, "t": "T"});
    let cases = [
        ("{{#if n}}yes{{else}}no{{/if}}", "no"),
        ("{{#if n includeZero=true}}yes{{else}}no{{/if}}", "yes"),
        ("{{#if empty}}1{{else if map}}2{{else}}3{{/if}}", "2"),
        ("{{#if empty}}1{{else if n}}2{{else}}3{{/if}}", "3"),
        ("{{#unless empty}}none{{/unless}}", "none"),
        (
            "{{#each list}}{{@index}}{{this}}{{#unless @last}},{{/unless}}{{/each}}",
            "0a,1b",
        ),
        (
            "{{#each list as |item i|}}{{i}}={{item}} {{/each}}",
            "0=a 1=b ",
        ),
        (
            "{{#each map}}{{@key}}:{{this}}{{#if @first}};{{/if}}{{/each}}",
            "x:1;y:2",
        ),
        ("{{#each empty}}x{{else}}nothing{{/each}}", "nothing"),
        ("{{#each list}}{{../t}}{{@root.t}}{{/each}}", "TTTT"),
        (
            "{{#each list}}{{#each ../map}}{{@../index}}{{@key}} {{/each}}{{/each}}",
            "0x 0y 1x 1y ",
        ),
        ("{{#with deep.a}}{{b}}{{../t}}{{/with}}", "cT"),
        ("{{#with empty}}x{{else}}y{{/with}}", "y"),
        (
            "{{lookup map \"y\"}}{{lookup list 1}}{{lookup (lookup deep 'a') \"b\"}}",
            "2bc",
        ),
        ("{{list.1}} {{list.[0]}} {{deep/a/b}}", "b a c"),
    ];
    for (body, expected) in cases {
        assert_eq!(text(body, vars.clone()), expected, "{body}");
    }
}

#[test]
fn our_helpers_do_what_they_are_called() {
    let vars = json!({
        "status": "in_progress", "at": "2026-01-31T12:05:00+02:00", "long": "ä".repeat(120), "list": [1, "b"],
        "a": "x", "b": "x", "null": null, "one": 1, "same": 1.0,
    });
    let cases = [
        ("{{formatStatus status}}", "IN PROGRESS".to_owned()),
        ("{{formatDate at}}", "2026-01-31".to_owned()),
        (
            "{{formatDate at \"%d.%m.%y %H:%M\"}}",
            "31.01.26 12:05".to_owned(),
        ),
        ("{{truncate long}}", format!("{}...", "ä".repeat(100))),
        ("{{truncate long 3}}", "äää...".to_owned()),
        ("{{truncate long 120}}", "ä".repeat(120)),
        ("{{upper a}}{{lower \"ÄB\"}}", "Xäb".to_owned()),
        ("{{join list}}|{{join list \"\"}}", "1, b|1b".to_owned()),
        (
            "{{#ifEquals a b}}same{{else}}other{{/ifEquals}}",
            "same".to_owned(),
        ),
        ("{{#ifEquals one same}}same{{/ifEquals}}", "same".to_owned()),
        (
            "{{#ifEquals a \"y\"}}same{{else}}other{{/ifEquals}}",
            "other".to_owned(),
        ),
        (
            "{{#exists a}}1{{/exists}}{{#exists null}}2{{else}}3{{/exists}}{{#exists x.y}}4{{/exists}}",
            "13".to_owned(),
        ),
        ("{{upper (truncate long 1)}}", "Ä...".to_owned()),
        ("{{#if (ifEquals a b)}}yes{{/if}}", "yes".to_owned()),
    ];
    for (body, expected) in cases {
        assert_eq!(text(body, vars.clone()), expected, "{body}");
    }
}

#[test]
fn tags_that_stand_alone_leave_no_line_and_tildes_take_white_space() {
    let vars = json!({"a": true, "list": [1, 2]});
    assert_eq!(
        text("x\n{{#if a}}\n  y\n{{/if}}\nz\n", vars.clone()),
        "x\n  y\nz\n"
    );
    assert_eq!(
        text("{{#each list}}\n- {{this}}\n{{/each}}\n", vars.clone()),
        "- 1\n- 2\n"
    );
    assert_eq!(
        text("a {{! note }} b\n{{!-- {{x}} --}}\nc", vars.clone()),
        "a  b\nc"
    );
    assert_eq!(text("a  {{~#if a~}}  b  {{~/if~}}  c", vars), "abc");
}

#[test]
fn what_is_missing_is_told_all_at_once_with_its_place() {
    let body = "{{a}}\n {{b.c}}{{upper d}}{{#if e.f}}x{{/if}}{{#each g}}x{{/each}}{{#each g}}x{{else}}y{{/each}}";
    let Err(Failure::Body(found)) = filled(body, &open(), json!({"b": {}}), json!({})) else {
        panic!("it was filled in");
    };
    assert_eq!(
        sentences(&found),
        [
            "bodyMd: line 1, column 1: “a” is not there",
            "bodyMd: line 2, column 2: “b.c” is not there",
            "bodyMd: line 2, column 9: “d” is not there",
            "bodyMd: line 2, column 39: “g” is not there",
        ]
    );
}

#[test]
fn what_the_schema_makes_optional_may_be_missing() {
    let schema = json!({
        "properties": {"a": {"type": "string"}, "o": {"properties": {"p": {"type": "string"}}}, "l": {"items": {"properties": {"q": {}}}}},
    });
    let body = "[{{a}}{{o.p}}{{upper a}}{{#each l}}{{q}}{{/each}}]";
    assert_eq!(
        filled(body, &schema, json!({}), json!({})),
        Ok("[]".to_owned())
    );
    assert_eq!(
        filled(
            body,
            &schema,
            json!({"o": {"p": "x"}, "l": [{}, {"q": 1}]}),
            json!({})
        ),
        Ok("[x1]".to_owned())
    );
}

#[test]
fn variables_are_held_against_the_schema_all_at_once() {
    let schema = json!({
        "properties": {"a": {"type": "string"}, "b": {"type": "integer"}, "c": {}},
        "required": ["a", "c"], "additionalProperties": false,
    });
    let Err(Failure::Vars(faults)) =
        filled("{{a}}{{c}}", &schema, json!({"b": "x", "d": 1}), json!({}))
    else {
        panic!("it was filled in");
    };
    let names: Vec<&str> = faults.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["a", "c", "b", "d"]);
}

#[test]
fn the_context_needs_no_declaration_but_has_to_be_there() {
    let schema = json!({});
    let body = "{{issue.title}} for {{company.name}}";
    let context = json!({"issue": {"title": "T"}, "company": {"name": "C"}});
    assert_eq!(
        filled(body, &schema, json!({}), context),
        Ok("T for C".to_owned())
    );
    assert!(filled(body, &schema, json!({}), json!({"issue": {"title": "T"}})).is_err());
}
