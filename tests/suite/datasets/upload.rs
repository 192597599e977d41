use serde_json::json;
use tests::support::{App, app::Options};

use crate::support::{DATASETS, of_csv, path_of, upload};

#[tokio::test(flavor = "multi_thread")]
async fn a_csv_becomes_a_dataset() {
    let app = App::start().await;
    let client = app.register().await;
    let text = "name,says\r\n\"Ada, Countess\",\"two\r\nlines\"\r\nGrace,\r\n";
    let made = upload(&client, "people.v1.csv", text.as_bytes()).await;
    let dataset = made.expect(201).json();
    assert_eq!(dataset["name"], "people.v1");
    assert_eq!(dataset["fileName"], "people.v1.csv");
    assert_eq!(dataset["source"], "upload");
    assert_eq!(dataset["headers"], json!(["name", "says"]));
    assert_eq!(
        (&dataset["rowCount"], &dataset["version"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(dataset["visibility"], "private");
    assert_eq!(dataset["owner"]["id"], client.id());
    assert_eq!(dataset["sha256"].as_str().map(str::len), Some(64));
    assert_eq!(made.header("location"), Some(path_of(&dataset).as_str()));
    let found = client.get(&path_of(&dataset)).await;
    assert_eq!(found.expect(200).json(), dataset);
    assert_eq!(found.header("etag"), made.header("etag"));
    let preview = client.get(&format!("{}/preview", path_of(&dataset))).await;
    assert_eq!(
        preview.expect(200).json(),
        json!([{"name": "Ada, Countess", "says": "two\r\nlines"}, {"name": "Grace", "says": null}])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_come_in_many_forms() {
    let app = App::start().await;
    let client = app.register().await;
    let files: [(&str, &[u8]); 7] = [
        ("t.csv", b"a,b\n1,x\n"),
        ("t.csv", b"\xef\xbb\xbfa;b\r\n1;x\r\n"),
        ("t.tsv", b"a\tb\n1\tx"),
        ("t.txt", b"a\tb\n1\tx\n"),
        ("t.json", b"[{\"a\": 1, \"b\": \"x\"}]"),
        ("t.jsonl", b"{\"a\": 1, \"b\": \"x\"}\n"),
        ("t", b"{\"a\": 1, \"b\": \"x\"}"),
    ];
    for (name, bytes) in files {
        let dataset = upload(&client, name, bytes).await.expect(201).json();
        let preview = client.get(&format!("{}/preview", path_of(&dataset))).await;
        assert_eq!(preview.json(), json!([{"a": "1", "b": "x"}]), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_is_told_with_its_line_and_nothing_is_stored() {
    let app = App::start().await;
    let client = app.register().await;
    let refused = upload(&client, "t.csv", b"a,a,\n1,2,3\n1\n\"x\"y,2,3\n").await;
    refused.expect_problem(422, "invalid");
    assert_eq!(
        refused.faulty_fields(),
        ["file:1", "file:1", "file:3", "file:4"]
    );
    let many = upload(
        &client,
        "t.csv",
        format!("a,b\n{}", "1\n".repeat(150)).as_bytes(),
    )
    .await;
    let problem = many.expect_problem(422, "invalid");
    assert_eq!(many.faulty_fields().len(), 100);
    assert!(
        problem["detail"]
            .as_str()
            .expect("text")
            .contains("50 more"),
        "{problem}"
    );
    let latin = upload(&client, "t.csv", b"a\nM\xfcller\n").await;
    assert!(
        latin
            .expect_problem(422, "invalid")
            .to_string()
            .contains("UTF-8")
    );
    for (name, bytes) in [
        ("t.csv", &b""[..]),
        ("t.json", b"[]"),
        ("t.xlsx", b"PK\x03\x04..."),
    ] {
        let refused = upload(&client, name, bytes).await;
        refused.expect_problem(422, "invalid");
        assert_eq!(refused.faulty_fields(), ["file"], "{name}");
    }
    assert_eq!(client.get(DATASETS).await.json(), json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_the_form_are_told_at_once() {
    let app = App::start().await;
    let client = app.register().await;
    let form = reqwest::multipart::Form::new()
        .text("name", " ")
        .text("visibility", "everybody")
        .text("else", "ignored");
    let request = client
        .request(reqwest::Method::POST, DATASETS)
        .multipart(form);
    let refused = tests::support::Reply::to(request).await;
    refused.expect_problem(422, "invalid");
    assert_eq!(refused.faulty_fields(), ["file", "name", "visibility"]);
    let no_form = client.post(DATASETS, &json!({"name": "x"})).await;
    no_form.expect_problem(415, "unsupported_type");
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_settings() {
    let app = App::start_with(Options::with(|config| {
        config.datasets.dataset_file_bytes = 60;
        config.datasets.dataset_rows = 3;
        config.datasets.dataset_columns = 2;
        config.datasets.dataset_value_bytes = 10;
    }))
    .await;
    let client = app.register().await;
    upload(&client, "t.csv", b"a,b\n1,2\n3,4\n5,6")
        .await
        .expect(201);
    for text in ["a,b,c\n", "a\n1\n2\n3\n4\n", "a\n12345678901\n"] {
        let refused = upload(&client, "t.csv", text.as_bytes()).await;
        refused.expect_problem(422, "invalid");
    }
    let large = upload(
        &client,
        "t.csv",
        format!("a\n{}", "1234567\n".repeat(9)).as_bytes(),
    )
    .await;
    large.expect_problem(413, "too_large");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_file_again_gives_the_same_dataset_until_it_is_changed() {
    let app = App::start().await;
    let client = app.register().await;
    let first = of_csv(&client, "a\n1\n").await;
    let again = upload(&client, "people.csv", b"a\n1\n").await;
    assert_eq!(again.expect(200).json(), first);
    let named = [("name", "Another"), ("visibility", "company")];
    let other = client
        .upload(DATASETS, "people.csv", b"a\n1\n", &named)
        .await;
    let other = other.expect(201).json();
    assert_ne!(other["id"], first["id"]);
    assert_eq!(
        (&other["name"], &other["visibility"]),
        (&json!("Another"), &json!("company"))
    );
    let rows = json!({"rows": {"delete": [0]}});
    client.patch(&path_of(&first), &rows).await.expect(200);
    let anew = upload(&client, "people.csv", b"a\n1\n").await;
    assert_ne!(anew.expect(201).json()["id"], first["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_file_sent_many_times_at_once_is_one_dataset() {
    let app = App::start().await;
    let client = app.register().await;
    let text = format!("a\n{}", "some value\n".repeat(3000));
    let sent = (0..4).map(|_| upload(&client, "t.csv", text.as_bytes()));
    let answers = futures::future::join_all(sent).await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(made, 1, "{answers:?}");
    assert_eq!(
        client.get(DATASETS).await.json().as_array().map(Vec::len),
        Some(1)
    );
}
