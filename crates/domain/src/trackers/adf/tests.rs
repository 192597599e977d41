//! Every kind of node, and documents that are none.

#![expect(
    clippy::needless_pass_by_value,
    reason = "values of JSON read best where they are written"
)]

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn doc(content: Value) -> Value {
    json!({ "type": "doc", "version": 1, "content": content })
}

fn markdown(content: Value) -> String {
    to_markdown(&doc(content))
}

fn text(words: &str) -> Value {
    json!({ "type": "text", "text": words })
}

fn with(words: &str, marks: Value) -> Value {
    json!({ "type": "text", "text": words, "marks": marks })
}

fn paragraph(content: Value) -> Value {
    json!({ "type": "paragraph", "content": content })
}

fn says(words: &str) -> Value {
    paragraph(json!([text(words)]))
}

#[test]
fn words_carry_their_marks_and_blanks_do_not() {
    let strong = json!([{ "type": "strong" }]);
    let href =
        json!([{ "type": "link", "attrs": { "href": "https://e.org/a b" } }, { "type": "em" }]);
    let bare = json!([{ "type": "link", "attrs": { "href": "https://e.org" } }]);
    let bad = json!([{ "type": "link", "attrs": { "href": "javascript:alert(1)" } }]);
    let line = json!([
        text("Hello "),
        with("bold ", strong.clone()),
        with("together", strong),
        text(" "),
        with("a`b", json!([{ "type": "code" }])),
        text(" "),
        with("[the] docs", href),
        text(" "),
        with("https://e.org", bare),
        text(" "),
        with("no", bad),
        text(" "),
        with("gone", json!([{ "type": "strike" }])),
        text(" "),
        with(
            "plain",
            json!([{ "type": "underline" }, { "type": "textColor", "attrs": { "color": "#f00" } }])
        ),
    ]);
    assert_eq!(
        markdown(json!([paragraph(line)])),
        "Hello **bold together** ``a`b`` [*\\[the\\] docs*](<https://e.org/a b>) <https://e.org> no ~~gone~~ plain"
    );
}

#[test]
fn people_dates_and_cards_are_told() {
    let line = json!([
        { "type": "mention", "attrs": { "id": "1", "text": "@Ann" } }, text(" "),
        { "type": "mention", "attrs": { "id": "abc" } }, text(" "),
        { "type": "emoji", "attrs": { "shortName": ":smile:", "text": "😄" } },
        { "type": "emoji", "attrs": { "shortName": ":team:" } }, text(" "),
        { "type": "date", "attrs": { "timestamp": "1763596800000" } }, text(" "),
        { "type": "date", "attrs": { "timestamp": 1_763_596_800_000_i64 } },
        { "type": "date", "attrs": { "timestamp": "soon" } }, text(" "),
        { "type": "status", "attrs": { "text": "IN PROGRESS", "color": "blue" } }, { "type": "hardBreak" },
        { "type": "inlineCard", "attrs": { "url": "https://x.atlassian.net/browse/A-1" } }, text(" "),
        { "type": "inlineCard", "attrs": { "data": { "url": "https://e.org" } } }, text(" "),
        { "type": "mediaInline", "attrs": { "id": "m-1" } },
        { "type": "placeholder", "attrs": { "text": "type here" } },
        { "type": "inlineExtension", "attrs": { "text": "said by an extension" } },
    ]);
    assert_eq!(
        markdown(json!([paragraph(line)])),
        "@Ann @abc 😄:team: 2025-11-20 2025-11-20 [IN PROGRESS]\n<https://x.atlassian.net/browse/A-1> <https://e.org> [attachment: m-1]said by an extension"
    );
}

#[test]
fn lists_nest() {
    let item = |content: Value| json!({ "type": "listItem", "content": content });
    let inner = json!({ "type": "orderedList", "attrs": { "order": 9 }, "content": [
        item(json!([says("nine")])),
        item(json!([says("ten"), says("more of ten"), { "type": "codeBlock", "content": [text("a\n\nb")] }])),
    ] });
    let outer = json!({ "type": "bulletList", "content": [
        item(json!([says("one"), inner])), item(json!([])), item(json!([says("two")])),
    ] });
    assert_eq!(
        markdown(json!([says("Before"), outer, says("After")])),
        "Before\n\n- one\n  9. nine\n  10. ten\n\n      more of ten\n\n      ```\n      a\n\n      b\n      ```\n-\n- two\n\nAfter"
    );
}

#[test]
fn tasks_and_decisions_show_how_they_stand() {
    let task = |state: &str, words: &str| json!({ "type": "taskItem", "attrs": { "state": state }, "content": [text(words)] });
    let below = json!({ "type": "taskList", "content": [task("TODO", "below")] });
    let tasks = json!({ "type": "taskList", "content": [task("DONE", "done"), task("TODO", "to do"), below] });
    let decision = json!({ "type": "decisionItem", "attrs": { "state": "DECIDED" }, "content": [text("so be it")] });
    let decisions = json!({ "type": "decisionList", "content": [decision] });
    assert_eq!(
        markdown(json!([tasks, decisions])),
        "- [x] done\n- [ ] to do\n  - [ ] below\n\n- Decision: so be it"
    );
}

#[test]
fn blocks_keep_their_form() {
    let blocks = json!([
        { "type": "heading", "attrs": { "level": 2 }, "content": [text("Steps")] },
        { "type": "codeBlock", "attrs": { "language": "rust" }, "content": [text("```\nlet x = 1;\n```\n")] },
        { "type": "blockquote", "content": [says("one"), says("two")] },
        { "type": "panel", "attrs": { "panelType": "warning" }, "content": [says("careful"), says("very")] },
        { "type": "expand", "attrs": { "title": "More" }, "content": [says("hidden")] },
        { "type": "rule" },
        { "type": "mediaSingle", "content": [
            { "type": "media", "attrs": { "id": "1", "alt": "shot.png", "type": "file" } },
            { "type": "caption", "content": [text("what it shows")] } ] },
        { "type": "mediaSingle", "content": [{ "type": "media", "attrs": { "type": "external", "url": "https://e.org/a.png" } }] },
        { "type": "blockCard", "attrs": { "url": "https://e.org" } },
        { "type": "layoutSection", "content": [
            { "type": "layoutColumn", "content": [says("left")] }, { "type": "layoutColumn", "content": [says("right")] } ] },
        { "type": "bodiedExtension", "attrs": { "extensionKey": "k" }, "content": [says("body")] },
        { "type": "extension", "attrs": { "text": "an extension" } },
        { "type": "syncBlock", "attrs": { "resourceId": "r" } },
        { "type": "somethingNew", "content": [{ "type": "newToo", "content": [text("still read")] }] },
    ]);
    assert_eq!(
        markdown(blocks),
        "## Steps\n\n````rust\n```\nlet x = 1;\n```\n````\n\n> one\n>\n> two\n\n> **warning:** careful\n>\n> very\n\n**More**\n\nhidden\n\n---\n\n[attachment: shot.png]\nwhat it shows\n\n![file](https://e.org/a.png)\n\n<https://e.org>\n\nleft\n\nright\n\nbody\n\nan extension\n\nstill read"
    );
}

#[test]
fn tables_become_tables() {
    let cell = |kind: &str, content: Value| json!({ "type": kind, "content": content });
    let row = |cells: Value| json!({ "type": "tableRow", "content": cells });
    let wide = json!({ "type": "tableCell", "attrs": { "colspan": 2 }, "content": [says("wide")] });
    let headed = json!({ "type": "table", "content": [
        row(json!([cell("tableHeader", json!([says("A|x")])), cell("tableHeader", json!([says("B")]))])),
        row(json!([cell("tableCell", json!([says("one"), says("two")])), cell("tableCell", json!([]))])),
        row(json!([wide])),
    ] });
    assert_eq!(
        markdown(json!([headed])),
        "| A\\|x | B |\n| --- | --- |\n| one<br>two |  |\n| wide |  |"
    );
    let bare = json!({ "type": "table", "content": [row(json!([cell("tableCell", json!([says("a")])), cell("tableCell", json!([says("b")]))]))] });
    assert_eq!(markdown(json!([bare])), "|  |  |\n| --- | --- |\n| a | b |");
}

#[test]
fn what_is_no_document_is_what_it_is() {
    assert_eq!(
        to_markdown(&json!("h1. plain\r\ntext\u{0}")),
        "h1. plain\ntext"
    );
    for nothing in [
        json!(null),
        json!(7),
        json!([]),
        json!({}),
        json!({ "type": "doc" }),
    ] {
        assert_eq!(to_markdown(&nothing), "", "{nothing}");
    }
    assert_eq!(
        to_markdown(&json!({ "type": 7, "content": [text("odd")] })),
        "odd"
    );
    assert_eq!(to_markdown(&says("a paragraph alone")), "a paragraph alone");
}

#[test]
fn depth_and_length_have_an_end() {
    let mut deep = says("at the bottom");
    for _ in 0..120 {
        deep = json!({ "type": "blockquote", "content": [deep] });
    }
    let text = markdown(json!([says("at the top"), deep]));
    assert!(
        text.starts_with("at the top") && text.ends_with(CUT),
        "{text}"
    );
    let long = markdown(json!([says(&"word ".repeat(100_000))]));
    assert!(long.chars().count() <= LONGEST_TEXT && long.ends_with(CUT));
    let many: Value = (0..60_000).map(|_| says("x")).collect();
    assert!(markdown(many).ends_with(CUT));
}

fn node() -> impl Strategy<Value = Value> {
    let kinds = prop::sample::select(vec![
        "doc",
        "paragraph",
        "text",
        "heading",
        "bulletList",
        "orderedList",
        "listItem",
        "taskList",
        "taskItem",
        "decisionList",
        "codeBlock",
        "blockquote",
        "panel",
        "expand",
        "table",
        "tableRow",
        "tableCell",
        "tableHeader",
        "mediaSingle",
        "media",
        "mention",
        "emoji",
        "date",
        "status",
        "inlineCard",
        "hardBreak",
        "rule",
        "extension",
        "unheardOf",
        "",
    ]);
    let marks = prop::collection::vec(
        prop::sample::select(vec!["code", "strong", "em", "strike", "link", "odd"]),
        0..3,
    );
    let leaf = (kinds.clone(), ".{0,12}", marks, any::<i64>()).prop_map(|(kind, words, marks, number)| {
        let marks: Value = marks.into_iter().map(|name| json!({ "type": name, "attrs": { "href": words } })).collect();
        json!({ "type": kind, "text": words, "marks": marks,
            "attrs": { "text": words, "level": number, "order": number, "colspan": number, "timestamp": number, "url": words } })
    });
    leaf.prop_recursive(6, 60, 6, move |inner| {
        (kinds.clone(), prop::collection::vec(inner, 0..6), any::<u64>()).prop_map(
            |(kind, content, number)| json!({ "type": kind, "content": content, "attrs": { "order": number, "level": number } }),
        )
    })
}

proptest! {
    #[test]
    fn any_document_becomes_a_text_without_control_characters(node in node()) {
        let text = to_markdown(&node);
        prop_assert!(!text.contains(|char: char| char.is_control() && char != '\n' && char != '\t'), "{text:?}");
    }

    #[test]
    fn plain_words_come_through_as_they_are(words in prop::collection::vec("[a-zäß]{1,8}( [a-z]{1,8}){0,4}", 1..6)) {
        let content: Value = words.iter().map(|words| says(words)).collect();
        prop_assert_eq!(markdown(content), words.join("\n\n"));
    }
}
