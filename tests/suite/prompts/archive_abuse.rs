//! Archives made to get what their sender may not have, or to do harm.

use serde_json::{Value, json};
use tests::support::{App, Client};

use super::{
    archive::{IMPORT, files, send, zipped},
    support::{PROMPTS, create, path_of, point, version},
};

/// An export of what somebody may see, for changing it before it comes back.
struct Archive(Vec<(String, String)>);

impl Archive {
    async fn of(client: &Client) -> Self {
        Self(files(&client.get("/api/export").await.body))
    }

    /// The rows of one of its files, changed.
    fn change(mut self, name: &str, change: impl FnOnce(&mut Vec<Value>)) -> Self {
        let file = self.0.iter_mut().find(|file| file.0 == name);
        let text = &mut file.expect("a file").1;
        let mut rows: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("a row"))
            .collect();
        change(&mut rows);
        let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
        *text = lines.join("\n");
        self
    }

    fn zip(&self) -> Vec<u8> {
        zipped(&self.0)
    }
}

const VERSIONS: &str = "prompt_versions.jsonl";
const MOVES: &str = "prompt_label_moves.jsonl";

/// A shared prompt with two versions, the first one released.
async fn shared(client: &Client) -> String {
    let path = path_of(&create(client, json!({"visibility": "company"})).await);
    let one = version(client, &path).await;
    point(client, &path, "production", &one).await;
    client
        .patch(&path, &json!({"promptText": "Two."}))
        .await
        .expect(200);
    version(client, &path).await;
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_adds_nothing_to_what_one_may_only_see() {
    let app = App::start().await;
    let ada = app.register().await;
    let bob = app.member(&ada, "developer").await;
    let path = shared(&ada).await;
    let before = Archive::of(&ada).await;
    let second = |rows: &mut Vec<Value>| {
        let mut row = rows[0].clone();
        row["version"] = json!(7);
        row["id"] = json!("0d0f1c66-30f0-4d0e-9d21-0d8ac4d6a1c0");
        rows.push(row);
    };
    let moved = |rows: &mut Vec<Value>| {
        let mut row = rows[0].clone();
        row["name"] = json!("hotfix");
        rows.push(row);
    };
    let later = |rows: &mut Vec<Value>| rows[0]["lineage"] = json!(2);
    let forged = [
        (
            Archive::of(&bob).await.change(VERSIONS, second),
            "promptVersions[2]",
        ),
        (
            Archive::of(&bob).await.change(MOVES, moved),
            "promptLabelMoves[1]",
        ),
        (
            Archive::of(&bob).await.change("prompts.jsonl", later),
            "prompts[0]",
        ),
    ];
    for (archive, field) in forged {
        let reply = send(&bob, IMPORT, archive.zip()).await;
        reply.expect_problem(422, "invalid");
        assert!(
            reply.faulty_fields().contains(&field.to_owned()),
            "{}",
            reply.text()
        );
    }
    let after = Archive::of(&ada).await;
    assert_eq!(after.0[1..], before.0[1..]);
    let labels = ada.get(&format!("{path}/labels")).await.json();
    assert_eq!(labels.as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_an_admin_says_who_made_a_version() {
    let app = App::start().await;
    let ada = app.register().await;
    let bob = app.member(&ada, "developer").await;
    shared(&bob).await;
    for (client, named, expected) in [(&bob, ada.id(), bob.id()), (&ada, bob.id(), bob.id())] {
        let archive = Archive::of(client).await.change(VERSIONS, |rows| {
            let mut row = rows[0].clone();
            row["version"] = json!(if client.id() == bob.id() { 7 } else { 8 });
            row["id"] = json!(uuid::Uuid::now_v7());
            row["createdBy"] = json!(named);
            rows.push(row);
        });
        send(client, IMPORT, archive.zip()).await.expect(200);
        let made = client.get(PROMPTS).await.json();
        let path = path_of(&made[0]);
        let newest = client.get(&format!("{path}/versions")).await.json();
        assert_eq!(newest[0]["createdBy"], expected, "{newest}");
    }
}

/// Gives a version the hash of what it says, as a forger would.
fn sign(version: &mut Value) {
    let body: domain::prompts::Body =
        serde_json::from_value(version["body"].clone()).expect("a body");
    version["sha256"] = serde_json::to_value(body.sha256()).expect("a hash");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_obeys_the_rules_of_a_prompt() {
    let app = App::start().await;
    let ada = app.register().await;
    shared(&ada).await;
    let changes: [(&str, Value); 8] = [
        ("/body/sflField/topic", json!("a\0b")),
        ("/body/sflMode/outputFormat", json!("a".repeat(10_001))),
        ("/body/sflTenor/targetAudience", json!(vec!["a"; 101])),
        ("/body/metadata", json!({"note": "a\0b"})),
        ("/body/metadata", json!({"note": "a".repeat(65_536)})),
        ("/version", json!(i32::MAX)),
        ("/lineage", json!(i32::MAX)),
        ("/createdAt", json!("-9999-01-01T00:00:00Z")),
    ];
    for (member, value) in changes {
        let archive = Archive::of(&ada).await.change(VERSIONS, |rows| {
            let mut row = rows[0].clone();
            row["version"] = json!(7);
            row["id"] = json!(uuid::Uuid::now_v7());
            *row.pointer_mut(member).expect("a member") = value;
            if member == "/body/metadata" {
                sign(&mut row);
            }
            rows.push(row);
        });
        let reply = send(&ada, IMPORT, archive.zip()).await;
        reply.expect_problem(422, "invalid");
        assert_eq!(reply.faulty_fields(), ["promptVersions[2]"], "{member}");
    }
    let high = Archive::of(&ada)
        .await
        .change("prompts.jsonl", |rows| rows[0]["lineage"] = json!(i32::MAX));
    let reply = send(&ada, IMPORT, high.zip()).await;
    let fields = reply.faulty_fields();
    assert!(
        fields.contains(&"prompts[0].lineage".to_owned()),
        "{fields:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_comes_again_and_again_is_a_fault_or_replaced() {
    let app = App::start().await;
    let ada = app.register().await;
    shared(&ada).await;
    let again = |rows: &mut Vec<Value>| {
        for number in 7..10 {
            let mut row = rows[0].clone();
            row["version"] = json!(number);
            rows.push(row);
        }
    };
    let archive = Archive::of(&ada).await.change(VERSIONS, again);
    let reply = send(&ada, IMPORT, archive.zip()).await;
    reply.expect_problem(422, "invalid");
    assert_eq!(reply.faulty_fields().len(), 3, "{}", reply.text());
    // In three prompts, one after another: each time the id is in use, and its substitute later.
    for _ in 0..3 {
        let prompt = uuid::Uuid::now_v7();
        let archive = Archive::of(&ada)
            .await
            .change(MOVES, Vec::clear)
            .change("prompts.jsonl", |rows| {
                rows.truncate(1);
                rows[0]["id"] = json!(prompt);
            })
            .change(VERSIONS, |rows| {
                rows.truncate(1);
                rows[0]["promptId"] = json!(prompt);
            });
        send(&ada, IMPORT, archive.zip()).await.expect(200);
    }
    assert_eq!(app.count("prompts").await, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_has_a_limit_long_before_the_archive_has_one() {
    let app = App::start().await;
    let ada = app.register().await;
    let mut archive = Archive::of(&ada).await;
    let file = archive.0.iter_mut().find(|file| file.0 == VERSIONS);
    file.expect("a file").1 = format!("[{}0]\n", "0,".repeat(9 << 20));
    let refused = send(&ada, IMPORT, archive.zip()).await;
    refused.expect_problem(413, "too_large");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_may_be_large_and_carry_a_key_for_repeating_it() {
    let app = App::start().await;
    let ada = app.register().await.with("idempotency-key", "import-1");
    let text = "x".repeat(190_000);
    let rows: Vec<Value> = (0..12)
        .map(|number| json!({"title": format!("Prompt {number}"), "promptText": text}))
        .collect();
    let reply = ada.post(IMPORT, &json!(rows)).await;
    assert_eq!(reply.expect(200).json()["counts"]["created"], 12);
}
