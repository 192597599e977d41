//! What is found in a template before it is filled in.

use super::*;

fn schema() -> Value {
    json!({
        "properties": {
            "title": {"type": "string"},
            "items": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}},
            "more": {"$ref": "#/$defs/more"},
        },
        "required": ["title"],
        "$defs": {"more": {"properties": {"deep": {"type": "object"}}}},
    })
}

#[test]
fn a_template_that_is_in_order_has_no_findings_and_names_what_it_uses() {
    let body = "{{title}} {{issue.title}}{{#each items as |item i|}}{{i}}{{item.name}}{{name}}{{@index}}{{../title}}{{/each}}{{more.deep.anything}}";
    let linted = linted(body, &schema());
    assert_eq!(sentences(&linted.findings), [""; 0]);
    let expected = [
        "issue.title",
        "items",
        "items[].name",
        "more.deep.anything",
        "title",
    ];
    assert_eq!(linted.placeholders, expected);
}

#[test]
fn everything_is_told_at_once() {
    let body = "{{titel}}\n{{#each items}}{{nmae}}{{../../x}}{{/each}}{{shout title2}}{{upper}}{{upper 1 2}}\
        {{each items}}{{#upper title3}}{{/upper}}{{more.depe}}{{@index}}{{truncate items n=3}}{{formatDate 1 \"%Q\"}}";
    let linted = linted(body, &schema());
    assert_eq!(
        sentences(&linted.findings),
        [
            "bodyMd: line 1, column 1: “titel” is not declared",
            "bodyMd: line 2, column 16: “nmae” is not declared",
            "bodyMd: line 2, column 24: “../../x” goes up further than there is",
            "bodyMd: line 2, column 44: “title2” is not declared",
            "bodyMd: line 2, column 44: there is no helper “shout”",
            "bodyMd: line 2, column 60: “upper” is not declared",
            "bodyMd: line 2, column 69: upper takes 1 value, not 2",
            "bodyMd: line 2, column 82: each stands around a block: {{#each …}}",
            "bodyMd: line 2, column 96: “title3” is not declared",
            "bodyMd: line 2, column 96: upper stands by itself, not around a block",
            "bodyMd: line 2, column 123: “more.depe” is not declared",
            "bodyMd: line 2, column 136: “@index” is nothing that a loop knows here",
            "bodyMd: line 2, column 146: truncate has no option “n”",
            "bodyMd: line 2, column 168: formatDate needs a format such as \"%Y-%m-%d %H:%M\"",
            "lintJson: requires “title”, which the body does not use",
        ]
    );
}

#[test]
fn every_fault_of_syntax_is_told() {
    let body = "{{a b=}}{{/if}}\n{{> partial}}{{* x}}{{#if (a}}{{else}}{{else}}{{/unless}}{{}}{{{{raw}}}}{{\"x}}";
    let found = linted(body, &open()).findings;
    assert!(
        found.iter().all(|one| one.code == FindingCode::Syntax),
        "{found:?}"
    );
    let places: Vec<(u32, u32)> = found
        .iter()
        .filter_map(|one| one.at)
        .map(|at| (at.line, at.column))
        .collect();
    assert_eq!(places.len(), 11, "{found:#?}");
    assert!(places.is_sorted());
    let unclosed = linted("a\n{{#if x}}\n{{#each y}}{{/each}}", &open()).findings;
    assert_eq!(
        sentences(&unclosed),
        ["bodyMd: line 2, column 1: the block “if” is not closed"]
    );
}

#[test]
fn a_schema_must_be_one_and_leave_the_context_alone() {
    for (schema, expected) in [
        (
            json!({"type": "strnig"}),
            "lintJson: must have the name of a type or several as type",
        ),
        (json!([]), "lintJson: must be an object, a JSON Schema"),
        (
            json!({"properties": {"issue": {}}}),
            "lintJson: must not declare “issue”, a name of the context",
        ),
        (
            json!({"$ref": "http://localhost/x"}),
            "lintJson: must have # or #/$defs/ and the name of a definition as $ref",
        ),
    ] {
        assert_eq!(
            sentences(&linted("x", &schema).findings),
            [expected],
            "{schema}"
        );
    }
}

#[test]
fn whoever_takes_everything_uses_what_is_required() {
    for body in [
        "{{#each @root}}{{@key}}{{/each}}",
        "{{lookup this 'title'}}",
        "{{#with this}}{{title}}{{/with}}",
        "{{this.title}}",
    ] {
        assert_eq!(
            sentences(&linted(body, &schema()).findings),
            [""; 0],
            "{body}"
        );
    }
}

#[test]
fn a_schema_that_refers_to_itself_has_an_end() {
    let schema =
        json!({"properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"$ref": "#/$defs/a"}}});
    linted("{{a.b.c}}{{#each a}}{{x}}{{/each}}", &schema);
}
