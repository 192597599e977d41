//! Cells of runs as files.

use serde_json::{Value, json};
use tests::support::{App, Client, Reply};

use super::support::{RUNS, id, prompt, words, worked};

/// A run of 2 columns with this many rows, those with a 1 in their word graded well.
async fn run(app: &App, client: &Client, rows: usize) -> String {
    let prompt = prompt(client, "[[mock: echo]] Say {{word}}.").await;
    let data = words(client, rows).await;
    let body = json!({"promptId": prompt, "datasetId": data,
        "modelIds": ["mock/text-1", "mock/text-1"],
        "checks": [{"type": "contains", "value": "1"}]});
    id(&worked(app, client, &body).await)
}

async fn export(client: &Client, run: &str, format: &str) -> Reply {
    let path = format!("{RUNS}/{run}/export?format={format}");
    client.get(&path).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_cell_is_a_line_with_the_values_of_its_row() {
    let app = App::start().await;
    let ada = app.register().await;
    // More than a page has.
    let run = run(&app, &ada, 70).await;
    let reply = export(&ada, &run, "jsonl").await;
    let lines: Vec<Value> = reply
        .expect(200)
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let places: Vec<_> = lines
        .iter()
        .map(|cell| (cell["rowIndex"].as_i64(), cell["columnIndex"].as_i64()))
        .collect();
    let expected: Vec<_> = (0..70)
        .flat_map(|row| [(Some(row), Some(0)), (Some(row), Some(1))])
        .collect();
    assert_eq!(places, expected);
    for (place, cell) in lines.iter().enumerate() {
        let word = format!("word {}", place / 2);
        assert_eq!(cell["inputs"], json!({ "word": word }));
        assert!(cell["outputRaw"].as_str().expect("a text").contains(&word));
    }
    let csv = export(&ada, &run, "csv").await;
    let text = csv.expect(200).text();
    assert!(text.starts_with("word,runId,"), "{text}");
    assert_eq!(text.lines().count(), 141);
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    let disposition = csv.header("content-disposition").expect("a name");
    assert!(disposition.contains("Tried.csv"), "{disposition}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_reads_a_suite_for_each_column() {
    let app = App::start().await;
    let ada = app.register().await;
    let run = run(&app, &ada, 60).await;
    let text = export(&ada, &run, "junit").await.expect(200).text();
    let count = |what: &str| text.matches(what).count();
    assert_eq!(count("<testsuite "), 2);
    assert_eq!(count("</testsuite>"), 2);
    assert_eq!(count("<testcase "), 120);
    // Words 1, 10 to 19, 21, 31, 41 and 51 hold a 1.
    assert_eq!(count("<failure"), 2 * (60 - 15));
    assert!(text.contains("tests=\"120\" failures=\"90\""), "{text}");
    assert!(text.trim_end().ends_with("</testsuites>"));
    let second = text.find("(column 1)").expect("a second suite");
    let first = &text[..second];
    assert!(first.contains("(column 0)"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_without_a_dataset_has_a_file_too_and_strangers_have_none() {
    let app = App::start().await;
    let ada = app.register().await;
    let bob = app.register().await;
    let prompt = prompt(&ada, "[[mock: echo]] Say hello.").await;
    let body = json!({"promptId": prompt, "modelIds": ["mock/text-1"]});
    let run = id(&worked(&app, &ada, &body).await);
    let text = export(&ada, &run, "csv").await.expect(200).text();
    assert_eq!(text.lines().count(), 2, "{text}");
    export(&ada, &run, "junit").await.expect(200);
    export(&bob, &run, "csv")
        .await
        .expect_problem(404, "not_found");
    export(&ada, &run, "pdf")
        .await
        .expect_problem(400, "invalid_query");
}
