use std::collections::BTreeMap;

use ::csv::ReaderBuilder;
use proptest::prelude::*;
use quick_xml::{Reader, events::Event};
use serde_json::Value;

use super::*;
use crate::runs::{
    checks::{CheckResult, CheckType},
    summary::{Counters, Counts},
};

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

fn results() -> CheckResults {
    let result = |kind, name: Option<&str>, passed, detail: &str| CheckResult {
        kind,
        name: name.map(str::to_owned),
        passed,
        detail: Some(detail.to_owned()),
        weight: 1.0,
    };
    CheckResults(vec![
        result(
            CheckType::Contains,
            Some("polite"),
            false,
            "The text <b> is not in it.",
        ),
        result(CheckType::Equals, None, false, "It is “x”."),
        result(CheckType::MaxLatencyMs, None, true, "The answer took 5 ms."),
    ])
}

fn cell(status: CellStatus) -> ExportCell<'static> {
    ExportCell {
        run_id: RunId(uuid::Uuid::from_u128(1)),
        version: "3",
        column_index: 0,
        model: "mock/echo",
        row_index: 7,
        repeat: 1,
        status,
        inputs: Object {
            headers: &[],
            cells: &[],
        },
        output_raw: None,
        output_parsed: None,
        grade: None,
        grade_source: None,
        checks: None,
        tokens_in: 10,
        tokens_out: 20,
        tokens_thinking: 5,
        cost: Usd::from_nanos(2_500_000),
        latency_ms: Some(1234),
        cached: false,
        attempt_count: 1,
        error_code: None,
        error_message: None,
        model_version: None,
    }
}

/// What a reader of CSV gets: each line by its headers.
fn read_csv(headers: &[String], cells: &[ExportCell<'_>]) -> Vec<BTreeMap<String, String>> {
    let mut out = Vec::new();
    csv::head(&mut out, headers);
    for cell in cells {
        csv::line(&mut out, cell).expect("a line");
    }
    let mut reader = ReaderBuilder::new().from_reader(&out[..]);
    reader
        .deserialize()
        .map(|line| line.expect("a line"))
        .collect()
}

#[test]
fn a_line_of_csv_holds_the_row_and_the_cell() {
    let (headers, checks) = (texts(&["question", "status", "input.status"]), results());
    let inputs = [
        Some("Is 1 < 2?\nSay \"yes\"".into()),
        Some("new".into()),
        None,
    ];
    let cell = ExportCell {
        inputs: Object {
            headers: &headers,
            cells: &inputs,
        },
        output_raw: Some("<response>a,b;c</response>"),
        output_parsed: Some("a,b;c"),
        grade: Grade::from_share(0.25),
        grade_source: Some(GradeSource::Checks),
        checks: Some(&checks),
        ..cell(CellStatus::Completed)
    };
    let lines = read_csv(&headers, &[cell]);
    let line = |name: &str| lines[0].get(name).map(String::as_str);
    assert_eq!(lines[0].len(), 3 + csv::MEMBERS.len());
    assert_eq!(line("question"), Some("Is 1 < 2?\nSay \"yes\""));
    // A header of the dataset is never mistaken for a member, nor for another header.
    assert_eq!(line("status"), Some("completed"));
    assert_eq!(line("input.input.status"), Some("new"));
    assert_eq!(line("input.status"), Some(""));
    assert_eq!(line("outputParsed"), Some("a,b;c"));
    assert_eq!(
        (line("grade"), line("gradeSource")),
        (Some("0.25"), Some("checks"))
    );
    assert_eq!(
        (line("cost"), line("latencyMs")),
        (Some("0.0025"), Some("1234"))
    );
    assert_eq!(
        (line("cached"), line("errorCode")),
        (Some("false"), Some(""))
    );
    let checks: Value = serde_json::from_str(line("checks").expect("checks")).expect("JSON");
    assert_eq!(checks[0]["name"], "polite");
}

#[test]
fn no_spreadsheet_takes_a_text_for_a_formula() {
    let headers = texts(&["=HYPERLINK(1)"]);
    for (text, written) in [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-2+3+cmd|' /C calc'!A0", "'-2+3+cmd|' /C calc'!A0"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("＝1", "'＝1"),
        ("-12.5e3", "-12.5e3"),
        ("+4", "+4"),
        ("-inf", "'-inf"),
        ("a=1", "a=1"),
        ("", ""),
    ] {
        let cells = [Some(text.to_owned())];
        let cell = ExportCell {
            inputs: Object {
                headers: &headers,
                cells: &cells,
            },
            output_parsed: Some(text),
            error_message: Some(text),
            ..cell(CellStatus::Completed)
        };
        let line = &read_csv(&headers, &[cell])[0];
        for name in ["'=HYPERLINK(1)", "outputParsed", "errorMessage"] {
            assert_eq!(line[name], written, "{name}");
        }
    }
}

#[test]
fn a_line_of_json_keeps_everything_as_it_is() {
    let (headers, checks) = (texts(&["status", "=x"]), results());
    let inputs = [Some("=1\u{1}\n".to_owned()), None];
    let cell = ExportCell {
        inputs: Object {
            headers: &headers,
            cells: &inputs,
        },
        output_raw: Some("=2"),
        grade: Some(Grade::ONE),
        checks: Some(&checks),
        ..cell(CellStatus::Malformed)
    };
    let mut out = Vec::new();
    json_line(&mut out, &cell).expect("a line");
    json_line(&mut out, &cell).expect("a line");
    let text = String::from_utf8(out).expect("UTF-8");
    assert_eq!(text.lines().count(), 2);
    let line: Value = serde_json::from_str(text.lines().next().expect("a line")).expect("JSON");
    assert_eq!(
        line["inputs"],
        serde_json::json!({"status": "=1\u{1}\n", "=x": null})
    );
    assert_eq!(
        (&line["status"], &line["outputRaw"]),
        (&"malformed".into(), &"=2".into())
    );
    assert_eq!(
        (&line["grade"], &line["cost"]),
        (&1.0.into(), &"0.0025".into())
    );
    assert_eq!(line["checks"][1]["type"], "equals");
    let members: Vec<&str> = csv::MEMBERS.to_vec();
    assert!(
        members.iter().all(|member| line.get(member).is_some()),
        "{line}"
    );
    assert_eq!(
        line.as_object().map(serde_json::Map::len),
        Some(members.len() + 1)
    );
}

/// What a reader of XML gets: how often each element stands there, and all texts with all values of
/// attributes. Fails on whatever is not well-formed.
fn read_xml(text: &str) -> (BTreeMap<String, usize>, String) {
    let (mut elements, mut texts) = (BTreeMap::new(), String::new());
    let mut reader = Reader::from_str(text);
    let mut open = Vec::new();
    loop {
        let event = reader.read_event().expect("well-formed");
        if let Event::Start(tag) | Event::Empty(tag) = &event {
            let name = tag.name().as_ref().to_owned();
            for attribute in tag.attributes() {
                let value = attribute.expect("an attribute").value;
                texts += &quick_xml::escape::unescape(&value).expect("escaped");
                texts.push('|');
            }
            *elements.entry(name.clone()).or_insert(0) += 1;
            if matches!(event, Event::Start(_)) {
                open.push(name);
            }
        } else if let Event::End(_) = &event {
            open.pop();
        } else if let Event::Text(text) = &event {
            texts += text;
        } else if let Event::GeneralRef(name) = &event {
            let reference = format!("&{};", &**name);
            texts += &quick_xml::escape::unescape(&reference).expect("a reference");
        } else if matches!(event, Event::Eof) {
            assert!(open.is_empty(), "{open:?} stay open");
            return (elements, texts);
        }
    }
}

fn junit(cells: &[ExportCell<'_>], counters: &Counters) -> String {
    let suites = [junit::Suite::of(0, "mock/echo", counters)];
    let mut out = String::new();
    junit::open(&mut out, "Run <1>", &suites);
    junit::open_suite(&mut out, &suites[0]);
    for cell in cells {
        junit::case(&mut out, cell);
    }
    junit::close_suite(&mut out);
    junit::close(&mut out);
    out
}

#[test]
fn junit_tells_failures_errors_and_what_was_skipped() {
    let checks = results();
    let graded = |status, share| ExportCell {
        grade: Grade::from_share(share),
        checks: Some(&checks),
        output_parsed: Some("a ]]> b"),
        ..cell(status)
    };
    let cells = [
        graded(CellStatus::Completed, 0.5),
        graded(CellStatus::Completed, 0.499_999),
        graded(CellStatus::Malformed, 1.0),
        cell(CellStatus::Completed),
        cell(CellStatus::Malformed),
        cell(CellStatus::Failed),
        cell(CellStatus::Queued),
        cell(CellStatus::Running),
        cell(CellStatus::Cancelled),
    ];
    let counters = Counters {
        counts: Counts {
            queued: 1,
            running: 1,
            completed: 3,
            malformed: 2,
            failed: 1,
            cancelled: 1,
        },
        graded: 3,
        passed: 2,
        malformed_ungraded: 1,
        ..Counters::default()
    };
    let out = junit(&cells, &counters);
    let (elements, texts) = read_xml(&out);
    let count = |name: &str| elements.get(name).copied().unwrap_or(0);
    assert_eq!(
        (count("testsuites"), count("testsuite"), count("testcase")),
        (1, 1, 9)
    );
    assert_eq!(
        (count("failure"), count("error"), count("skipped")),
        (2, 1, 3)
    );
    // What the opening tags promise is what follows.
    let promised = "tests=\"9\" failures=\"2\" errors=\"1\" skipped=\"3\">";
    assert_eq!(out.matches(promised).count(), 2, "{out}");
    for said in [
        "Run <1>",
        "mock/echo (column 0)",
        "row 7, repeat 1",
        "The grade is 0.499999; 0.5 passes.",
        "contains polite: The text <b> is not in it.\nequals: It is “x”.\n",
        "a ]]> b",
        "1.234",
    ] {
        assert!(texts.contains(said), "{said} is not in {texts}");
    }
    // A check that passed is no reason to fail.
    assert!(!texts.contains("maxLatencyMs"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn whatever_is_answered_makes_good_xml(output in "(?s).{0,40}", message in "[\\x00-\\x7f\u{fffe}]{0,40}") {
        let cell = ExportCell {
            output_raw: Some(&output),
            error_message: Some(&message),
            error_code: Some("<\"&'>"),
            ..cell(CellStatus::Failed)
        };
        let out = junit(&[cell], &Counters::default());
        let allowed = |c: char| matches!(c, '\t' | '\n' | ' '..='\u{fffd}' | '\u{10000}'..);
        prop_assert!(out.chars().all(allowed));
        let (_, texts) = read_xml(&out);
        let held = |text: &str| text.chars().filter(|c| allowed(*c) || *c == '\r').collect::<String>();
        prop_assert!(texts.contains(&held(&message)), "{texts:?}");
        prop_assert!(texts.contains(&held(&output)), "{texts:?}");
    }

    #[test]
    fn whatever_is_answered_makes_a_line_of_csv(output in "(?s).{0,40}") {
        let cell = ExportCell { output_raw: Some(&output), ..cell(CellStatus::Completed) };
        let read = &read_csv(&[], &[cell])[0]["outputRaw"];
        prop_assert!(*read == output || read.strip_prefix('\'') == Some(&output));
    }
}
