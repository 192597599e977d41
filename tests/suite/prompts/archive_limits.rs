//! What keeps an import within bounds: how much of it is built in memory, how many come at once,
//! and what a prompt may have.

use std::time::Duration;

use redis::AsyncCommands as _;
use serde_json::{Value, json};
use tests::support::{App, Client};

use super::{
    archive::{IMPORT, files, send, zipped},
    support::{PROMPTS, create, path_of, point, version},
};

/// A list of so many values in few bytes, which are many in memory.
fn crowd(values: usize) -> Value {
    json!(vec![json!({}); values - 1])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_too_many_values_is_a_fault_and_the_others_are_read() {
    let app = App::start().await;
    let ada = app.register().await;
    let rows = json!([
        {"title": "Crowded", "promptText": "Hi.", "view": crowd(70_000)},
        {"title": "Full", "promptText": "Hi.", "view": crowd(60_000)},
        {"title": "Textless"},
    ]);
    let reply = ada.post(IMPORT, &rows).await;
    reply.expect_problem(422, "invalid");
    assert_eq!(
        reply.faulty_fields(),
        ["prompts[0]", "prompts[2].promptText"]
    );
    let mut archive = files(&ada.get("/api/export").await.body);
    let mut row = rows[0].clone();
    row["id"] = json!(uuid::Uuid::now_v7());
    archive[1].1 = row.to_string();
    let reply = send(&ada, IMPORT, zipped(&archive)).await;
    reply.expect_problem(422, "invalid");
    assert_eq!(reply.faulty_fields(), ["prompts[0]"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_of_an_import_has_an_end() {
    let app = App::start().await;
    let ada = app.register().await;
    let wrong =
        json!({"title": "A", "promptText": "P", "sflTenor": {"targetAudience": vec![0; 90]}});
    let mut whole = json!({ "prompts": vec![wrong; 20] });
    let members = whole.as_object_mut().expect("an object");
    members.extend((0..200).map(|n| (format!("unknown{n}"), Value::Null)));
    let trial = format!("{IMPORT}?dryRun=true");
    let tried = ada.post(&trial, &whole).await.expect(200).json();
    assert_eq!(tried["counts"]["faults"], 1800);
    assert_eq!(tried["faults"].as_array().map(Vec::len), Some(1000));
    assert_eq!(tried["ignored"].as_array().map(Vec::len), Some(100));
    let mut archive = files(&ada.get("/api/export").await.body);
    archive.extend((0..50_001).map(|n| (format!("{n}.txt"), String::new())));
    let many = send(&ada, IMPORT, zipped(&archive)).await;
    many.expect_problem(413, "too_large");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browsers_export_of_another_shape_is_malformed() {
    let app = App::start().await;
    let ada = app.register().await;
    for wrong in [
        r#"{"prompts": [], "prompts": []}"#,
        r#"{"prompts": {}}"#,
        r#"{"prompts": "[1"}"#,
        r#"{"prompts": "{}"}"#,
        "{}",
        "7",
        "[] []",
        "[{}",
        "",
    ] {
        let request = ada
            .request(reqwest::Method::POST, IMPORT)
            .header("content-type", "application/json")
            .body(wrong);
        let reply = tests::support::Reply::to(request).await;
        reply.expect_problem(400, "invalid_body");
    }
    let many = json!(vec![0; 20_001]);
    let reply = ada.post(IMPORT, &many).await;
    reply.expect_problem(413, "too_large");
    let reply = ada
        .post(IMPORT, &json!({"prompts": many.to_string()}))
        .await;
    reply.expect_problem(413, "too_large");
}

/// An export of the one prompt there is, with these moves of labels in place of its own.
async fn with_moves(client: &Client, moves: impl FnOnce(Value) -> Vec<Value>) -> Vec<u8> {
    let mut archive = files(&client.get("/api/export").await.body);
    let file = archive
        .iter_mut()
        .find(|file| file.0 == "prompt_label_moves.jsonl")
        .expect("a file");
    let first = file.1.lines().next().expect("a move");
    let first = serde_json::from_str(first).expect("a row");
    let lines: Vec<String> = moves(first).iter().map(Value::to_string).collect();
    file.1 = lines.join("\n");
    zipped(&archive)
}

/// A prompt with a label.
async fn labelled(client: &Client) -> String {
    let path = path_of(&create(client, json!({})).await);
    let one = version(client, &path).await;
    point(client, &path, "production", &one).await;
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_has_no_more_labels_after_an_import_than_otherwise() {
    let app = App::start().await;
    let ada = app.register().await;
    let path = labelled(&ada).await;
    let named = |count: usize| {
        move |first: Value| -> Vec<Value> {
            let of = |n: usize| {
                let mut row = first.clone();
                row["name"] = json!(format!("label-{n}"));
                row
            };
            (0..count).map(of).collect()
        }
    };
    let many = with_moves(&ada, named(50)).await;
    let reply = send(&ada, IMPORT, many).await;
    reply.expect_problem(422, "invalid");
    assert_eq!(reply.faulty_fields(), ["prompts[0]"]);
    let labels = format!("{path}/labels");
    let count = async || ada.get(&labels).await.json().as_array().map(Vec::len);
    assert_eq!(count().await, Some(1));
    let most = with_moves(&ada, named(49)).await;
    send(&ada, IMPORT, most).await.expect(200);
    assert_eq!(count().await, Some(50));
}

#[tokio::test(flavor = "multi_thread")]
async fn moves_whose_time_lies_ahead_are_taken_in_once_and_in_their_order() {
    let app = App::start().await;
    let ada = app.register().await;
    let path = labelled(&ada).await;
    let archive = with_moves(&ada, |first| {
        let at = |moment: &str, version: &Value| {
            let mut row = first.clone();
            row["name"] = json!("ahead");
            row["movedAt"] = json!(moment);
            row["versionId"] = version.clone();
            row
        };
        // The later one comes first.
        vec![
            at("2999-01-02T00:00:00Z", &first["versionId"]),
            at("2999-01-01T00:00:00Z", &Value::Null),
        ]
    })
    .await;
    for created in [2, 0, 0] {
        let done = send(&ada, IMPORT, archive.clone()).await;
        assert_eq!(done.expect(200).json()["counts"]["created"], created);
    }
    let history = ada.get(&format!("{path}/labels/ahead/history")).await;
    let history = history.expect(200).json();
    assert_eq!(history.as_array().map(Vec::len), Some(2));
    let now = chrono::Utc::now().to_rfc3339();
    assert!(history[0]["movedAt"].as_str() < Some(&now), "{history}");
    assert_eq!(ada.get(&path).await.json()["labels"][0], "ahead");
}

/// Waits until a statement of the server waits for a row that the test holds.
async fn waits_for_a_row(app: &App) {
    let waiting =
        "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    for _ in 0..3000 {
        if app.count(waiting).await > 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nothing waits for the row");
}

/// An import that changes the title of the prompt at this path.
fn renaming(path: &str, title: &str) -> Value {
    let id = path.rsplit('/').next();
    json!([{"id": id, "title": title, "promptText": "Say hello to {{name}}."}])
}

#[tokio::test(flavor = "multi_thread")]
async fn one_import_at_a_time_is_in_memory() {
    use diesel_async::SimpleAsyncConnection as _;
    let app = App::start().await;
    let (ada, bob) = (app.register().await, app.register().await);
    let path = path_of(&create(&ada, json!({})).await);
    let mut held = app.database().connect().await;
    held.batch_execute("BEGIN; SELECT 1 FROM prompts FOR UPDATE")
        .await
        .expect("the row");
    let (first, renamed) = (ada.clone(), renaming(&path, "Renamed"));
    let first = tokio::spawn(async move { first.post(IMPORT, &renamed).await.expect(200).json() });
    waits_for_a_row(&app).await;
    let (second, other) = (
        bob.clone(),
        json!([{"title": "Other", "promptText": "Hi."}]),
    );
    let second = tokio::spawn(async move { second.post(IMPORT, &other).await.expect(200).json() });
    // Many times as long as it would take if nothing was in its way.
    for _ in 0..100 {
        assert_eq!(bob.get(PROMPTS).await.expect(200).json(), json!([]));
    }
    assert!(!second.is_finished() && !first.is_finished());
    held.batch_execute("COMMIT").await.expect("the row is free");
    assert_eq!(first.await.expect("done")["counts"]["updated"], 1);
    assert_eq!(second.await.expect("done")["counts"]["created"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_whose_caller_hung_up_ends_and_leaves_no_old_copies() {
    use diesel_async::SimpleAsyncConnection as _;
    let app = App::start().await;
    let ada = app.register().await;
    let path = path_of(&create(&ada, json!({})).await);
    ada.get(&path).await.expect(200);
    let id = path.rsplit('/').next().expect("an id");
    let shelf = app.config.queue.key(&format!("prompt:{id}"));
    let mut redis = app.redis().await;
    assert!(redis.exists::<_, bool>(&shelf).await.expect("an answer"));
    let mut held = app.database().connect().await;
    held.batch_execute("BEGIN; SELECT 1 FROM prompts FOR UPDATE")
        .await
        .expect("the row");
    let (caller, renamed) = (ada.clone(), renaming(&path, "Renamed"));
    let import = tokio::spawn(async move { caller.post(IMPORT, &renamed).await });
    waits_for_a_row(&app).await;
    import.abort();
    assert!(import.await.expect_err("it hung up").is_cancelled());
    // The server has noticed once it answers others on its only thread.
    for _ in 0..20 {
        ada.get(PROMPTS).await.expect(200);
    }
    held.batch_execute("COMMIT").await.expect("the row is free");
    for _ in 0..3000 {
        if !redis.exists::<_, bool>(&shelf).await.expect("an answer") {
            assert_eq!(ada.get(&path).await.json()["title"], "Renamed");
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the old copy is still there");
}
