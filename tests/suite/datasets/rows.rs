use proptest::prelude::*;
use serde_json::{Value, json};
use tests::support::{App, Client};

use crate::support::{csv, of_csv, path_of, upload};

#[tokio::test(flavor = "multi_thread")]
async fn rows_come_page_by_page() {
    let app = App::start().await;
    let client = app.register().await;
    let lines: Vec<String> = (0..25).map(|n| format!("value {n}\n")).collect();
    let path = path_of(&of_csv(&client, &format!("a\n{}", lines.concat())).await);
    let mut next = Some(format!("{path}/rows?limit=10"));
    let (mut seen, mut pages) = (Vec::new(), 0);
    while let Some(page) = next {
        let reply = client.get(&page).await;
        seen.extend(reply.expect(200).json().as_array().expect("a list").clone());
        next = reply.next_page().map(str::to_owned);
        pages += 1;
    }
    assert_eq!((seen.len(), pages), (25, 3));
    assert_eq!(
        seen[24],
        json!({"rowIndex": 24, "values": {"a": "value 24"}})
    );
    let preview = client.get(&format!("{path}/preview?limit=2")).await.json();
    assert_eq!(preview, json!([{"a": "value 0"}, {"a": "value 1"}]));
    let foreign = client.get(&format!("{path}/rows?cursor=x")).await;
    foreign.expect_problem(400, "invalid_query");
    for query in ["version=0", "version=x", "limit=0", "other=1"] {
        let wrong = client.get(&format!("{path}/rows?{query}")).await;
        wrong.expect_problem(400, "invalid_query");
    }
    let none = client.get(&format!("{path}/rows?version=2")).await;
    none.expect_problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn large_rows_come_in_smaller_pages_and_none_is_lost() {
    let app = App::start().await;
    let client = app.register().await;
    let large = "x".repeat(1_000_000);
    let lines: Vec<String> = (0..12).map(|n| format!("{n},{large}\n")).collect();
    let lines = lines.concat();
    let path = path_of(&of_csv(&client, &format!("n,text\n{lines}")).await);
    let first = client.get(&format!("{path}/rows")).await;
    let count = first.expect(200).json().as_array().expect("a list").len();
    assert!((8..12).contains(&count), "{count} rows");
    let rest = client.get(first.next_page().expect("a page more")).await;
    let rest = rest.expect(200).json();
    assert_eq!(rest[0]["rowIndex"], count);
    assert_eq!(rest.as_array().expect("a list").len() + count, 12);
    let whole = csv(&client, &path).await;
    assert_eq!(whole.lines().count(), 13);
    assert_eq!(whole.len(), "n,text\r\n".len() + lines.len() + 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_names_its_file_and_its_type() {
    let app = App::start().await;
    let client = app.register().await;
    let path = path_of(&of_csv(&client, "b,a\n1,\n,\"\"\n").await);
    let file = client.get(&format!("{path}/export")).await;
    assert_eq!(file.expect(200).text(), "b,a\r\n1,\r\n,\"\"\r\n");
    assert_eq!(file.header("content-type"), Some("text/csv; charset=utf-8"));
    let disposition = file.header("content-disposition").expect("a name");
    assert!(disposition.contains("people.csv"), "{disposition}");
    let lines = client.get(&format!("{path}/export?format=jsonl")).await;
    assert_eq!(
        lines.expect(200).text(),
        "{\"b\":\"1\",\"a\":null}\n{\"b\":null,\"a\":\"\"}\n"
    );
    let wrong = client.get(&format!("{path}/export?format=xml")).await;
    wrong.expect_problem(400, "invalid_query");
    let none = client.get(&format!("{path}/export?version=9")).await;
    none.expect_problem(404, "not_found");
}

type Table = Vec<Vec<Option<String>>>;

fn any_table() -> impl Strategy<Value = Table> {
    let value = proptest::option::of("[a,;\t\"\\\\\r\n{}é🙂 ]{0,12}");
    (2_usize..5).prop_flat_map(move |columns| {
        let row = proptest::collection::vec(value.clone(), columns);
        proptest::collection::vec(row, 1..20)
    })
}

/// The table as a file of somebody else's making.
fn written(table: &Table, separator: &str) -> String {
    let columns = table[0].len();
    let headers: Vec<String> = (0..columns).map(|n| format!("column {n}")).collect();
    let mut file = headers.join(separator) + "\n";
    for row in table {
        let quoted = row.iter().map(|value| match value {
            Some(text) => format!("\"{}\"", text.replace('"', "\"\"")),
            None => String::new(),
        });
        file += &(quoted.collect::<Vec<_>>().join(separator) + "\n");
    }
    file
}

fn objects(table: &Table) -> Vec<Value> {
    let object = |row: &Vec<Option<String>>| -> Value {
        let members = row.iter().enumerate();
        members
            .map(|(n, value)| (format!("column {n}"), json!(value)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    table.iter().map(object).collect()
}

async fn exported(client: &Client, name: &str, file: &str) -> (Vec<Value>, String) {
    let made = upload(client, name, file.as_bytes()).await;
    assert!(
        matches!(made.status, 200 | 201),
        "{}\n{file:?}",
        made.text()
    );
    let path = path_of(&made.json());
    let lines = client
        .get(&format!("{path}/export?format=jsonl"))
        .await
        .text();
    let lines = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    (lines.collect(), csv(client, &path).await)
}

#[test]
fn a_table_comes_back_as_it_went_in() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (app, client) = runtime.block_on(async {
        let app = App::start().await;
        let client = app.register().await;
        (app, client)
    });
    let config = ProptestConfig {
        cases: 24,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |(table in any_table())| {
        runtime.block_on(async {
            let wanted = objects(&table);
            let lines: Vec<String> = wanted.iter().map(Value::to_string).collect();
            let files = [
                ("a.csv", written(&table, ",")),
                ("a.csv", written(&table, ";")),
                ("a.tsv", written(&table, "\t")),
                ("a.jsonl", lines.join("\n")),
                ("a.json", format!("[{}]", lines.join(",\n"))),
            ];
            for (name, file) in files {
                let (got, as_csv) = exported(&client, name, &file).await;
                assert_eq!(got, wanted, "{name} {file:?}");
                let (again, _) = exported(&client, "again.csv", &as_csv).await;
                assert_eq!(again, wanted, "again {name} {as_csv:?}");
            }
        });
    });
    runtime.block_on(async { drop(app) });
}
