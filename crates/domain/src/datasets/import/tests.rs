use proptest::prelude::*;

use super::*;
use crate::datasets::export;

const LIMITS: Limits = Limits {
    rows: 1000,
    columns: 8,
    value_bytes: 2000,
    row_bytes: 4000,
};

type Table = (Vec<String>, Vec<Cells>);

fn read(bytes: &[u8], file_name: &str, limits: &Limits) -> Result<Table, Faults> {
    let survey = survey(bytes, file_name, limits).expect("no I/O to fail")?;
    let rows: Vec<Cells> = rows(bytes, &survey, limits)
        .expect("readable")
        .collect::<io::Result<_>>()
        .expect("what was surveyed");
    assert_eq!(rows.len(), survey.rows);
    assert!(rows.iter().all(|row| row.len() == survey.headers.len()));
    Ok((survey.headers, rows))
}

fn table(bytes: &[u8], file_name: &str) -> Table {
    read(bytes, file_name, &LIMITS).expect("a table")
}

fn faults(bytes: &[u8], file_name: &str) -> Vec<(Option<u64>, String)> {
    let faults = read(bytes, file_name, &LIMITS).expect_err("faults");
    let told = faults.told.into_iter();
    told.map(|fault| (fault.line, fault.message)).collect()
}

fn lines_at_fault(bytes: &[u8], file_name: &str) -> Vec<Option<u64>> {
    let faults = faults(bytes, file_name).into_iter();
    faults.map(|(line, _)| line).collect()
}

fn cells(values: &[&str]) -> Cells {
    values
        .iter()
        .map(|value| Some((*value).to_owned()))
        .collect()
}

#[test]
fn quotes_hold_separators_line_ends_and_quotes() {
    let (headers, rows) = table(
        b"a,b\r\n\"x, \"\"y\"\"\",\"1\r\n2\n3\"\r\nplain 5\" pipe,z",
        "t.csv",
    );
    assert_eq!(headers, ["a", "b"]);
    assert_eq!(rows[0], cells(&["x, \"y\"", "1\r\n2\n3"]));
    assert_eq!(rows[1], cells(&["plain 5\" pipe", "z"]));
}

#[test]
fn nothing_is_no_value_and_two_quotes_are_an_empty_text() {
    let (_, rows) = table(b"a,b,c\n,\"\",x\n,,\n", "t.csv");
    assert_eq!(rows[0], [None, Some(String::new()), Some("x".into())]);
    assert_eq!(rows[1], [None, None, None]);
}

#[test]
fn every_line_end_and_blank_lines_are_taken() {
    for text in [
        "a,b\n1,2\n\n3,4\n\n",
        "a,b\r1,2\r\r3,4",
        "\r\na,b\r\n1,2\r\n\r\n3,4",
    ] {
        let (headers, rows) = table(text.as_bytes(), "t.csv");
        assert_eq!(headers, ["a", "b"], "{text:?}");
        assert_eq!(rows, [cells(&["1", "2"]), cells(&["3", "4"])], "{text:?}");
    }
}

#[test]
fn the_separator_is_found_by_the_table_it_makes() {
    let cases: [(&str, &str, usize); 7] = [
        ("a;b;c\n1,5;2,5;3,5\n", "t.csv", 3),
        ("a\tb\n1,2\t3;4\n", "t.txt", 2),
        ("a,b\n1;2;3,4\n", "t.csv", 2),
        ("\"a;b\",c\n1,2\n", "t.csv", 2),
        ("a,b;c\td\n1\n", "t.tsv", 2),
        ("one\ntwo\n", "t.csv", 1),
        ("one;two", "t.csv", 2),
    ];
    for (text, name, columns) in cases {
        let format = sniff::format(text.as_bytes(), name);
        let Format::Separated(separator) = format else {
            panic!("{text:?} is taken for {format:?}");
        };
        let mut records = csv::Records::new(text.as_bytes(), separator, &LIMITS);
        let first = records.take().expect("readable").expect("a record");
        assert_eq!(first.content.len(), columns, "{text:?}");
    }
}

#[test]
fn each_fault_of_a_csv_is_told_with_its_line() {
    let text = b"a,b\n1,2\n\"x\ny\",2,3\n1\n\"q\"z,2\n\xff,2\n\0,2\n1,\"open\n\n";
    assert_eq!(lines_at_fault(text, "t.csv"), [3, 5, 6, 7, 8, 9].map(Some));
    let told = faults(text, "t.csv");
    assert_eq!(told[0].1, "has 3 values; the first line names 2 columns");
    assert!(told[2].1.contains("after a closing quote"), "{told:?}");
    assert!(told[3].1.contains("UTF-8"), "{told:?}");
    assert!(told[4].1.contains("NUL"), "{told:?}");
    assert!(told[5].1.contains("never closed"), "{told:?}");
}

#[test]
fn headers_are_trimmed_and_must_name_each_column_once() {
    assert_eq!(table(b" a ,\"b\"\n1,2", "t.csv").0, ["a", "b"]);
    let told = faults(b"a,, a,b\x07\n", "t.csv");
    let messages: Vec<_> = told.iter().map(|(_, message)| message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "column 2 has no name",
            "columns 1 and 3 are both called \"a\"",
            "the name of column 4 must not contain control characters",
        ]
    );
    assert!(told.iter().all(|(line, _)| *line == Some(1)));
}

#[test]
fn what_is_no_text_at_all_says_so_once() {
    for (bytes, word) in [
        (&b""[..], "empty"),
        (b"\xef\xbb\xbf\r\n ", "empty"),
        (b"PK\x03\x04rest", "workbook"),
        (b"[]", "no columns"),
        (b"\xff\xfea", "UTF-16"),
    ] {
        let told = faults(bytes, "t");
        assert!(told.len() == 1 && told[0].1.contains(word), "{told:?}");
    }
}

#[test]
fn a_byte_order_mark_is_taken_away_and_utf_16_is_translated() {
    let text = "a,b\nä,🙂 x\n";
    let mut utf8 = b"\xef\xbb\xbf".to_vec();
    utf8.extend(text.bytes());
    let wide = |unit: fn(u16) -> [u8; 2], mark: [u8; 2]| {
        let units = text.encode_utf16().flat_map(unit);
        mark.into_iter().chain(units).collect::<Vec<u8>>()
    };
    for bytes in [
        utf8,
        wide(u16::to_le_bytes, [0xff, 0xfe]),
        wide(u16::to_be_bytes, [0xfe, 0xff]),
    ] {
        let (headers, rows) = table(&bytes, "t.csv");
        assert_eq!(
            (headers, rows),
            (vec!["a".into(), "b".into()], vec![cells(&["ä", "🙂 x"])])
        );
    }
}

#[test]
fn json_keeps_numbers_as_written_and_what_is_nested_as_compact_json() {
    let text = br#"
[ {"a": "x\n\u00e4", "b": 1.50, "c": null},
  {"b": 12345678901234567890123, "d": { "k y" : [ 1, "a \" }" ] }, "a": true} ]
"#;
    let (headers, rows) = table(text, "t.json");
    assert_eq!(headers, ["a", "b", "c", "d"]);
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(rows[0], [some("x\nä"), some("1.50"), None, None]);
    assert_eq!(
        rows[1],
        [
            some("true"),
            some("12345678901234567890123"),
            None,
            some(r#"{"k y":[1,"a \" }"]}"#)
        ]
    );
}

#[test]
fn an_object_per_line_is_a_table_too() {
    let (headers, rows) = table(b"{\"a\":1}\r\n\n{\"b\":\"\"}", "t.jsonl");
    assert_eq!(headers, ["a", "b"]);
    assert_eq!(
        rows,
        [[Some("1".into()), None], [None, Some(String::new())]]
    );
}

#[test]
fn each_fault_of_a_json_is_told_with_its_line() {
    let lines =
        b"{\"a\":1}\n{\"a\":}\n[1]\n{\"a\":1,\"a\":2}\n{\"\":1}\n{\"a\":\"\\u0000\"}\n\xff\n";
    assert_eq!(
        lines_at_fault(lines, "t.jsonl"),
        [2, 3, 4, 5, 6, 7].map(Some)
    );
    let list = b"[\n{\"a\":1},\n7,\n,\n{\"a\" 1},\n{\"a\":2}";
    assert_eq!(lines_at_fault(list, "t.json"), [3, 4, 5, 6].map(Some));
    assert!(
        faults(b"[{\"a\":1}] x", "t.json")[0]
            .1
            .contains("after the end")
    );
    assert!(faults(b"[{\"a\":1},]", "t.json")[0].1.contains("nothing"));
}

#[test]
fn limits_are_faults_and_not_memory() {
    let few = Limits {
        rows: 2,
        columns: 2,
        value_bytes: 4,
        row_bytes: 6,
    };
    let cases: [(&[u8], &str, &str); 9] = [
        (b"a\n1\n2\n3\n", "t.csv", "row too many"),
        (b"a,b,c\n", "t.csv", "at most 2"),
        (b"a\n12345\n", "t.csv", "more than 4"),
        (b"a,b\n1234,567\n", "t.csv", "more than 6"),
        (b"{}\n{}\n{}\n", "t.jsonl", "row too many"),
        (b"{\"abcdefg\":1}", "t.jsonl", "more than 6"),
        (b"[{\"abcdefg\":1}]", "t.json", "more than 6"),
        (b"a\n\"", "t.csv", "never closed"),
        (
            b"a\n\xf0\x9f\x99\x82\n12\xf0\x9f\x99\x82\n",
            "t.csv",
            "more than 4",
        ),
    ];
    for (bytes, name, words) in cases {
        let faults = read(bytes, name, &few).expect_err("faults");
        let told = &faults.told[0].message;
        assert!(told.contains(words), "{bytes:?}: {told}");
    }
    let wide = Limits {
        row_bytes: 100,
        ..few
    };
    for (bytes, words) in [
        (&b"{\"a\":\"12345\"}"[..], "more than 4"),
        (b"{\"a\":1,\"b\":2,\"c\":3}", "more than 2 members"),
        (b"{\"a\":1,\"b\":2}\n{\"c\":3}", "one column too many"),
    ] {
        let faults = read(bytes, "t.jsonl", &wide).expect_err("faults");
        assert!(faults.told[0].message.contains(words), "{faults:?}");
    }
}

#[test]
fn a_hundred_faults_are_told_and_the_others_counted() {
    let text = format!("a,b\n{}", "1\n".repeat(250));
    let faults = read(text.as_bytes(), "t.csv", &LIMITS).expect_err("faults");
    assert_eq!((faults.told.len(), faults.more), (100, 150));
}

/// Texts with everything that has a meaning in a file.
fn value() -> impl Strategy<Value = Option<String>> {
    proptest::option::of(
        proptest::string::string_regex("[a-c,;\t\"\r\n {}\\[\\]:ä🙂\u{feff}\\\\]{0,8}")
            .expect("a pattern"),
    )
}

fn any_table() -> impl Strategy<Value = Table> {
    let names = proptest::collection::hash_set("[a-d;\"ä]{1,4}|[a-c], ?[{\\[]", 2..5);
    names.prop_flat_map(|names| {
        let headers: Vec<String> = names.into_iter().collect();
        let row = proptest::collection::vec(value(), headers.len());
        (Just(headers), proptest::collection::vec(row, 0..8))
    })
}

proptest! {
    #[test]
    fn what_is_written_as_csv_is_read_again(of in any_table()) {
        let mut file = Vec::new();
        export::csv_line(&mut file, of.0.iter().map(|name| Some(name.as_str())));
        for row in &of.1 {
            export::csv_line(&mut file, row.iter().map(Option::as_deref));
        }
        prop_assert_eq!(read(&file, "t.csv", &LIMITS), Ok(of));
    }

    #[test]
    fn what_is_written_as_json_lines_is_read_again(of in any_table()) {
        prop_assume!(!of.1.is_empty());
        let mut file = Vec::new();
        for row in &of.1 {
            let object = export::Object { headers: &of.0, cells: row };
            export::json_line(&mut file, object).expect("JSON");
        }
        prop_assert_eq!(read(&file, "t.jsonl", &LIMITS), Ok(of.clone()));
        let list = String::from_utf8(file).expect("UTF-8").trim_end().replace('\n', " ,\n");
        prop_assert_eq!(read(format!("[{list}]").as_bytes(), "t", &LIMITS), Ok(of));
    }

    #[test]
    fn arbitrary_bytes_are_a_table_or_faults(bytes in proptest::collection::vec(any::<u8>(), 0..300), name in "t\\.(csv|tsv|json|jsonl|x)") {
        let _ = read(&bytes, &name, &LIMITS);
    }

    #[test]
    fn arbitrary_punctuation_is_a_table_or_faults(text in "[a\",;\t\r\n{}\\[\\]:1\\\\ \u{0}]{0,60}", name in "t\\.(csv|tsv|json|jsonl|x)") {
        let _ = read(text.as_bytes(), &name, &LIMITS);
    }

    #[test]
    fn where_a_piece_ends_makes_no_difference(of in any_table(), piece in 1_usize..7) {
        let mut file = Vec::new();
        export::csv_line(&mut file, of.0.iter().map(|name| Some(name.as_str())));
        for row in &of.1 {
            export::csv_line(&mut file, row.iter().map(Option::as_deref));
        }
        let reader = BufReader::with_capacity(piece, file.as_slice());
        let read: Vec<Cells> = csv::rows(reader, b',', &LIMITS).collect::<io::Result<_>>().expect("rows");
        prop_assert_eq!(read, of.1);
    }

    #[test]
    fn a_csv_is_the_same_byte_by_byte(text in "[ab\",\r\n]{0,80}") {
        let few = Limits { rows: 1000, columns: 3, value_bytes: 4, row_bytes: 9 };
        let records = |piece| {
            let reader = BufReader::with_capacity(piece, text.as_bytes());
            let mut records = csv::Records::new(reader, b',', &few);
            let each = std::iter::from_fn(|| records.take().expect("readable"));
            each.map(|record| format!("{record:?}")).collect::<Vec<_>>()
        };
        prop_assert_eq!(records(1), records(1000));
    }
}
