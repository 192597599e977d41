//! Search through the API: the samples' questions, the three modes, filters, limits, strangers.

use std::path::PathBuf;

use serde_json::{Value, json};
use tests::support::{App, Client};

const UPLOAD: &str = "/api/documents/upload";

fn samples() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("samples")
}

async fn upload_samples(client: &Client) {
    for entry in samples().read_dir().expect("samples") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        if path.is_file() && name != "questions.json" {
            let bytes = std::fs::read(&path).expect("a sample");
            client.upload(UPLOAD, &name, &bytes, &[]).await.expect(201);
        }
    }
}

async fn search(client: &Client, body: Value) -> Value {
    client.post("/api/search", &body).await.expect(200).json()
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_about_the_samples_find_the_passages_that_answer_them() {
    let app = App::start().await;
    let ada = app.register().await;
    upload_samples(&ada).await;
    app.drain().await;
    let questions = std::fs::read(samples().join("questions.json")).expect("questions");
    let questions: Vec<Value> = serde_json::from_slice(&questions).expect("a list");
    for mode in ["semantic", "keyword", "hybrid"] {
        let mut missed = Vec::new();
        for question in &questions {
            let body = json!({"query": question["question"], "mode": mode, "limit": 3});
            let found = search(&ada, body).await;
            let wanted = question["mustContain"].as_str().expect("a text");
            let hits = found["results"].as_array().expect("a list");
            if !hits.iter().any(|hit| {
                hit["text"]
                    .as_str()
                    .is_some_and(|text| text.contains(wanted))
            }) {
                missed.push(question["question"].clone());
            }
        }
        assert!(missed.len() <= 1, "{mode} missed {missed:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mode_says_how_it_ranked() {
    let app = App::start().await;
    let ada = app.register().await;
    ada.upload(UPLOAD, "a.txt", b"Copper conducts electricity well.", &[])
        .await
        .expect(201);
    ada.upload(UPLOAD, "b.txt", b"Bees dance to tell the way.", &[])
        .await
        .expect(201);
    app.drain().await;
    let semantic = search(&ada, json!({"query": "copper"})).await;
    assert_eq!(
        (&semantic["mode"], &semantic["model"]),
        (&json!("semantic"), &json!("mock/lexical-1"))
    );
    assert_eq!(semantic["results"][0]["semanticRank"], 1);
    assert_eq!(semantic["results"][0].get("keywordRank"), None);
    let keyword = search(&ada, json!({"query": "copper", "mode": "keyword"})).await;
    assert_eq!(keyword["results"].as_array().map(Vec::len), Some(1));
    let hybrid = search(&ada, json!({"query": "copper", "mode": "hybrid"})).await;
    let (first, second) = (&hybrid["results"][0], &hybrid["results"][1]);
    assert!(
        (first["score"].as_f64().expect("a score") - 2.0 / 61.0).abs() < 1e-9,
        "{first}"
    );
    assert!(
        (second["score"].as_f64().expect("a score") - 1.0 / 62.0).abs() < 1e-9,
        "{second}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_sees_own_and_shared_documents_only() {
    let app = App::start().await;
    let admin = app.register().await;
    let colleague = app.member(&admin, "developer").await;
    let stranger = app.register().await;
    admin
        .upload(UPLOAD, "a.txt", b"Copper one.", &[])
        .await
        .expect(201);
    admin
        .upload(
            UPLOAD,
            "b.txt",
            b"Copper two.",
            &[("visibility", "company")],
        )
        .await
        .expect(201);
    stranger
        .upload(
            UPLOAD,
            "c.txt",
            b"Copper three.",
            &[("visibility", "company")],
        )
        .await
        .expect(201);
    app.drain().await;
    for mode in ["semantic", "keyword", "hybrid"] {
        let names = |found: Value| -> Vec<String> {
            let hits = found["results"].as_array().expect("a list").clone();
            let mut names: Vec<String> = hits
                .iter()
                .map(|hit| hit["fileName"].as_str().expect("a name").to_owned())
                .collect();
            names.sort();
            names
        };
        let body = json!({"query": "copper", "mode": mode});
        assert_eq!(
            names(search(&admin, body.clone()).await),
            ["a.txt", "b.txt"],
            "{mode}"
        );
        assert_eq!(
            names(search(&colleague, body.clone()).await),
            ["b.txt"],
            "{mode}"
        );
        assert_eq!(names(search(&stranger, body).await), ["c.txt"], "{mode}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_can_be_narrowed_to_documents_and_scores() {
    let app = App::start().await;
    let ada = app.register().await;
    let first = ada
        .upload(UPLOAD, "a.txt", b"Copper is red.", &[])
        .await
        .json();
    ada.upload(UPLOAD, "b.txt", b"Copper is soft.", &[])
        .await
        .expect(201);
    app.drain().await;
    let narrowed = search(
        &ada,
        json!({"query": "copper", "documentIds": [first["id"]]}),
    )
    .await;
    assert_eq!(
        narrowed["results"].as_array().map(Vec::len),
        Some(1),
        "{narrowed}"
    );
    let nothing = search(&ada, json!({"query": "copper", "minScore": 1.1})).await;
    assert_eq!(nothing["results"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_search_is_named_at_once() {
    let app = App::start().await;
    let ada = app.register().await;
    let body = json!({"query": " ", "mode": "magic", "documentIds": ["x"]});
    let reply = ada.post("/api/search", &body).await;
    reply.expect_problem(422, "invalid");
    assert_eq!(reply.faulty_fields(), ["documentIds[0]", "mode", "query"]);
    let reply = ada
        .post("/api/search", &json!({"query": "x", "limit": 51}))
        .await;
    reply.expect_problem(422, "invalid");
    let reply = ada.post("/api/search", &json!({"query": 7})).await;
    reply.expect_problem(400, "invalid_body");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_for_nothing_but_punctuation_finds_nothing() {
    let app = App::start().await;
    let ada = app.register().await;
    ada.upload(UPLOAD, "a.txt", b"Copper.", &[])
        .await
        .expect(201);
    app.drain().await;
    let found = search(&ada, json!({"query": "?! ' & | :* (", "mode": "keyword"})).await;
    assert_eq!(found["results"], json!([]));
}
