use proptest::prelude::*;

use super::*;

fn response_of(output: &str) -> Result<String, Malformed> {
    parse(ExpectedOutput::Response, output)
}

fn json_of(output: &str) -> Result<String, Malformed> {
    parse(ExpectedOutput::Json, output)
}

#[test]
fn where_nothing_is_expected_the_output_stays_as_it_is() {
    for output in ["", " a\n", "<response>b</response>", "{"] {
        assert_eq!(parse(ExpectedOutput::None, output).as_deref(), Ok(output));
    }
}

#[test]
fn a_response_is_the_first_one_trimmed_across_lines_whatever_its_case() {
    for (output, response) in [
        ("<response>yes</response>", "yes"),
        ("Sure!\n<response>\n a\n\n b \n</response>\nBye", "a\n\n b"),
        ("<RESPONSE>x</Response>", "x"),
        ("<response>1</response><response>2</response>", "1"),
        ("</response><response>1</response>", "1"),
        ("<response></response>", ""),
        ("<response> \n </response>", ""),
        ("<response>ä \u{2028}</response>", "ä"),
        ("ſ<response>ſ</response>", "ſ"),
    ] {
        assert_eq!(response_of(output).as_deref(), Ok(response), "{output}");
    }
}

#[test]
fn one_response_within_another_ends_with_the_inner_end() {
    let output = "<response>a <response>b</response> c</response>";
    assert_eq!(response_of(output).as_deref(), Ok("a <response>b"));
}

#[test]
fn without_a_response_or_its_end_there_is_none() {
    for output in [
        "",
        "yes",
        "<respons>a</response>",
        "</response>",
        "< response>a</response>",
    ] {
        assert_eq!(response_of(output), Err(Malformed::NoResponse), "{output}");
    }
    for output in [
        "<response>",
        "</response><response>cut o",
        "<response>a</RESPONS",
    ] {
        assert_eq!(
            response_of(output),
            Err(Malformed::OpenResponse),
            "{output}"
        );
    }
}

#[test]
fn a_response_that_thoughts_speak_of_is_not_the_answer() {
    for (output, response) in [
        (
            "<thinking>I write <response> tags.</thinking><response>a</response>",
            "a",
        ),
        (
            "<Thinking><response>draft</response></thinking> <response>b</response>",
            "b",
        ),
        (
            "<thinking>1</thinking><thinking><response></thinking><response>c</response>",
            "c",
        ),
        // Nothing outside of them: better the thought than nothing.
        ("<thinking><response>d</response></thinking>", "d"),
        // Thoughts without an end are words.
        ("<thinking><response>e</response>", "e"),
        // And so are those within the answer or behind it.
        (
            "<response><thinking>f</thinking></response>",
            "<thinking>f</thinking>",
        ),
        (
            "<response>g</response><thinking></thinking><response>h</response>",
            "g",
        ),
    ] {
        assert_eq!(response_of(output).as_deref(), Ok(response), "{output}");
    }
}

#[test]
fn json_is_laid_out_and_every_word_of_it_stays() {
    let written = r#"{"b":1,"a":[0.10,1e400,-0,123456789012345678901234567890],"a":{},"e":[ ],"t":"\u00e4 \"x\\","n":null}"#;
    let laid_out = r#"{
  "b": 1,
  "a": [
    0.10,
    1e400,
    -0,
    123456789012345678901234567890
  ],
  "a": {},
  "e": [],
  "t": "\u00e4 \"x\\",
  "n": null
}"#;
    assert_eq!(json_of(written).as_deref(), Ok(laid_out));
    assert_eq!(json_of(laid_out).as_deref(), Ok(laid_out), "it stays so");
}

#[test]
fn json_may_stand_in_a_fence_that_is_all_there_is() {
    for output in [
        "[1]",
        " \n[1]\n",
        "\u{feff}[1]",
        "```json\n[1]\n```",
        "```JSON\n[1]```\n",
        "```\n[1]\n```",
        "```json [1] ```",
    ] {
        assert_eq!(json_of(output).as_deref(), Ok("[\n  1\n]"), "{output}");
    }
    for output in [
        "Here:\n```json\n[1]\n```",
        "```json\n[1]\n```\nDone.",
        "```json\n[1]",
        "```yaml\n[1]\n```",
    ] {
        assert!(
            matches!(json_of(output), Err(Malformed::NotJson(_))),
            "{output}"
        );
    }
}

#[test]
fn what_is_no_json_is_named_with_its_place() {
    for output in [
        "yes",
        "{\"a\":1,}",
        "{'a':1}",
        "[1] [2]",
        "[NaN]",
        "[01]",
        "{\"a\"}",
        "\"a\nb\"",
        "[1",
        "}",
    ] {
        assert!(
            matches!(json_of(output), Err(Malformed::NotJson(_))),
            "{output}"
        );
    }
    let fault = json_of("{\"a\": yes}").expect_err("no JSON");
    assert_eq!(
        fault.to_string(),
        "What should be JSON is not: expected value at line 1 column 7."
    );
    for output in ["", " \n", "``````", "```json\n```"] {
        assert_eq!(json_of(output), Err(Malformed::Nothing), "{output:?}");
    }
}

#[test]
fn json_in_a_response_is_looked_for_there_alone() {
    let both = |output| parse(ExpectedOutput::ResponseAndJson, output);
    let output = "{\"no\":1}<response>\n```json\n{\"yes\":1}\n```\n</response>";
    assert_eq!(both(output).as_deref(), Ok("{\n  \"yes\": 1\n}"));
    assert_eq!(both("{}"), Err(Malformed::NoResponse));
    assert!(matches!(
        both("<response>{</response>"),
        Err(Malformed::NotJson(_))
    ));
    assert_eq!(both("<response></response>"), Err(Malformed::Nothing));
}

#[test]
fn neither_depth_nor_width_makes_more_of_a_text_than_it_can_bear() {
    let deep = |levels| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(json_of(&deep(128)).is_ok());
    assert_eq!(json_of(&deep(129)), Err(Malformed::TooDeep));
    assert_eq!(json_of(&deep(1_000_000)), Err(Malformed::TooDeep));
    let wide = format!(
        "{}{}1{}",
        "[".repeat(127),
        "1,".repeat(200_000),
        "]".repeat(127)
    );
    assert_eq!(json_of(&wide), Ok(wide.clone()));
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        "\\PC{0,9}[\"\\\\{},:\\[\\]]{0,3}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::btree_map(".{0,4}", inner, 0..6)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn json_is_laid_out_as_serde_json_does_it(value in any_json()) {
        let pretty = serde_json::to_string_pretty(&value).expect("JSON");
        prop_assert_eq!(json_of(&value.to_string()), Ok(pretty.clone()));
        prop_assert_eq!(json_of(&pretty), Ok(pretty.clone()));
    }

    #[test]
    fn no_output_is_too_odd(output in "(<response>|</response>|<thinking>|</thinking>|[\\[\\]{}\",:`]|json|é|\\PC){0,20}") {
        for expected in ExpectedOutput::ALL {
            let _ = parse(*expected, &output);
        }
    }

    #[test]
    fn what_stands_between_the_tags_comes_back(before in "[^<]{0,9}", inside in "[^<]{0,20}", after in ".{0,20}") {
        let output = format!("{before}<response>{inside}</response>{after}");
        prop_assert_eq!(response_of(&output), Ok(inside.trim().to_owned()));
    }
}
