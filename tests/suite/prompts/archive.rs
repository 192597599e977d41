//! Prompts on the move: out as an archive, in from one or from what a browser kept.

use std::io::{Cursor, Read as _, Write as _};

use reqwest::Method;
use serde_json::{Value, json};
use tests::support::{App, Client, Reply};
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

use super::support::{PROMPTS, create, path_of, point, titles, version};

pub const IMPORT: &str = "/api/import";

pub async fn send(client: &Client, path: &str, archive: Vec<u8>) -> Reply {
    let request = client
        .request(Method::POST, path)
        .header("content-type", "application/zip")
        .body(archive);
    Reply::to(request).await
}

/// The files of rows in an archive, after its manifest those of prompts.
pub fn files(archive: &[u8]) -> Vec<(String, String)> {
    let mut zip = ZipArchive::new(Cursor::new(archive)).expect("a ZIP");
    let mut files: Vec<(String, String)> = (0..zip.len())
        .map(|place| {
            let mut file = zip.by_index(place).expect("a file");
            let mut text = String::new();
            file.read_to_string(&mut text).expect("text");
            (file.name().to_owned(), text)
        })
        .collect();
    files.sort_by_key(|(name, _)| (name != "manifest.json", name != "prompts.jsonl"));
    files
}

pub fn zipped(files: &[(String, String)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in files {
        zip.start_file(name.as_str(), SimpleFileOptions::default())
            .expect("a file");
        zip.write_all(text.as_bytes()).expect("text");
    }
    zip.finish().expect("a ZIP").into_inner()
}

/// The rows of an archive without what differs by place: people, and when prompts changed.
fn rows(archive: &[u8]) -> Vec<Value> {
    let mut rows = Vec::new();
    for (name, text) in files(archive) {
        let is_of_people = name == "manifest.json" || name == "people.jsonl";
        for line in text.lines().filter(|_| !is_of_people) {
            let mut row: Value = serde_json::from_str(line).expect("a row");
            let members = row.as_object_mut().expect("an object");
            for place in ["updatedAt", "createdBy", "movedBy"] {
                members.remove(place);
            }
            if name == "prompt_label_moves.jsonl" {
                members.remove("id");
            }
            members.insert("file".into(), json!(name));
            rows.push(row);
        }
    }
    rows
}

/// Some prompts with versions under two names, and labels that moved.
async fn library(client: &Client) -> Vec<String> {
    let members = json!({
        "promptText": "One {{x}}.", "notes": "n", "metadata": {"temperature": 0.25},
        "sourceDocument": {"name": "a.txt", "content": "c"}, "visibility": "company",
    });
    let path = path_of(&create(client, members).await);
    let one = version(client, &path).await;
    point(client, &path, "production", &one).await;
    point(client, &path, "gone", &one).await;
    client
        .delete(&format!("{path}/labels/gone"))
        .await
        .expect(204);
    client
        .patch(&path, &json!({"promptText": "Two."}))
        .await
        .expect(200);
    let two = version(client, &path).await;
    point(client, &path, "production", &two).await;
    client
        .patch(&path, &json!({"title": "Renamed", "promptText": "Three."}))
        .await
        .expect(200);
    version(client, &path).await;
    client
        .patch(&path, &json!({"promptText": "A draft."}))
        .await
        .expect(200);
    let second = create(client, json!({"title": "Second", "kind": "grader"})).await;
    vec![path, path_of(&second)]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_imported_into_an_empty_installation_is_the_same_library() {
    let (from, to) = (App::start().await, App::start().await);
    let (ada, bob) = (from.register().await, to.register().await);
    let paths = library(&ada).await;
    let export = ada.get("/api/export").await;
    export.expect(200);
    assert_eq!(export.header("content-type"), Some("application/zip"));
    let manifest: Value = serde_json::from_str(&files(&export.body)[0].1).expect("a manifest");
    assert_eq!(
        (&manifest["format"], &manifest["formatVersion"]),
        (&json!("prompt-architect"), &json!(1))
    );
    assert_eq!(manifest["rows"]["prompt_versions.jsonl"], 3);
    let tried = send(&bob, &format!("{IMPORT}?dryRun=true"), export.body.clone()).await;
    let tried = tried.expect(200).json();
    assert_eq!(
        tried["counts"],
        json!({"created": 9, "updated": 0, "unchanged": 0, "faults": 0})
    );
    assert_eq!(
        bob.get(PROMPTS).await.json(),
        json!([]),
        "a trial changes nothing"
    );
    let done = send(&bob, IMPORT, export.body.clone())
        .await
        .expect(200)
        .json();
    assert_eq!(done["counts"], tried["counts"]);
    let again = bob.get("/api/export").await;
    assert_eq!(rows(&again.body), rows(&export.body));
    for path in &paths {
        let (mut there, mut here) = (ada.get(path).await.json(), bob.get(path).await.json());
        for prompt in [&mut there, &mut here] {
            let members = prompt.as_object_mut().expect("an object");
            members.remove("owner");
            members.remove("updatedAt");
        }
        assert_eq!(there, here);
    }
    let released = format!("{}?label=production", paths[0]);
    assert_eq!(
        bob.get(&released).await.expect(200).json()["promptText"],
        "Two."
    );
    // A second time there is nothing to do.
    let twice = send(&bob, IMPORT, export.body.clone())
        .await
        .expect(200)
        .json();
    assert_eq!(
        twice["counts"],
        json!({"created": 0, "updated": 0, "unchanged": 9, "faults": 0})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_since_the_export_is_as_it_was() {
    let app = App::start().await;
    let ada = app.register().await;
    let paths = library(&ada).await;
    let export = ada.get("/api/export").await.body;
    let change = json!({"title": "Changed"});
    ada.patch(&paths[1], &change).await.expect(200);
    ada.get(&paths[1]).await.expect(200);
    let back = send(&ada, IMPORT, export).await.expect(200).json();
    let counts = json!({"created": 0, "updated": 1, "unchanged": 8, "faults": 0});
    assert_eq!(back["counts"], counts);
    assert_eq!(ada.get(&paths[1]).await.json()["title"], "Second");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_neighbour_on_the_same_installation_gets_copies_under_other_ids() {
    let app = App::start().await;
    let (ada, bob) = (app.register().await, app.register().await);
    let paths = library(&ada).await;
    let export = ada.get("/api/export").await;
    for counts in [
        json!({"created": 9, "updated": 0, "unchanged": 0, "faults": 0}),
        json!({"created": 0, "updated": 0, "unchanged": 9, "faults": 0}),
    ] {
        let done = send(&bob, IMPORT, export.body.clone())
            .await
            .expect(200)
            .json();
        assert_eq!(done["counts"], counts);
    }
    assert_eq!(
        bob.get(PROMPTS).await.json().as_array().map(Vec::len),
        Some(2)
    );
    for path in &paths {
        bob.get(path).await.expect_problem(404, "not_found");
    }
    assert_eq!(app.count("prompts").await, 4);
    let released = bob.get(&format!("{PROMPTS}?label=production")).await.json();
    let path = format!("{}?label=production", path_of(&released[0]));
    assert_eq!(bob.get(&path).await.json()["promptText"], "Two.");
    let theirs = ada.get("/api/export").await;
    assert_eq!(
        rows(&theirs.body),
        rows(&export.body),
        "nothing of the others has changed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_has_what_one_may_see_and_no_more() {
    let app = App::start().await;
    let ada = app.register().await;
    let bob = app.member(&ada, "developer").await;
    create(&ada, json!({"title": "Hidden", "promptText": "A secret."})).await;
    let shared = path_of(&create(&ada, json!({"title": "Shared", "visibility": "company"})).await);
    version(&ada, &shared).await;
    let export = bob.get("/api/export").await;
    let text: String = files(&export.body)
        .into_iter()
        .filter(|(name, _)| name != "manifest.json")
        .map(|(_, text)| text)
        .collect();
    assert!(text.contains("Shared") && !text.contains("Hidden") && !text.contains("secret"));
    // What is somebody else's is taken as it is, and not changed.
    let same = send(&bob, IMPORT, export.body.clone())
        .await
        .expect(200)
        .json();
    assert_eq!(same["counts"]["unchanged"], 2);
    ada.patch(&shared, &json!({"title": "Shared anew"}))
        .await
        .expect(200);
    let differs = send(&bob, IMPORT, export.body).await;
    differs.expect_problem(422, "invalid");
    assert_eq!(differs.faulty_fields(), ["prompts[0]"]);
    assert_eq!(ada.get(&shared).await.json()["title"], "Shared anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_browser_kept_is_taken_in() {
    let app = App::start().await;
    let ada = app.register().await;
    let kept = json!([
        {"id": "1700000000000", "title": "Old", "promptText": "Hi {{x}}.", "isTesting": false,
            "sflTenor": {"targetAudience": "Experts"}, "createdAt": "2024-05-06T07:08:09.000Z"},
        {"id": "0d0f1c66-30f0-4d0e-9d21-0d8ac4d6a1c0", "title": "New", "promptText": "Ho.", "sflField": null},
    ]);
    let first = ada.post(IMPORT, &kept).await.expect(200).json();
    assert_eq!(
        first["counts"],
        json!({"created": 2, "updated": 0, "unchanged": 0, "faults": 0})
    );
    let as_object = json!({"prompts": kept.to_string(), "workflows": [], "theme": "dark"});
    let second = ada.post(IMPORT, &as_object).await.expect(200).json();
    assert_eq!(second["counts"]["unchanged"], 2);
    assert_eq!(second["ignored"], json!(["theme"]));
    let list = ada.get(PROMPTS).await.json();
    let named = |title: &str| {
        let place = titles(&list).iter().position(|found| *found == title);
        &list[place.expect("a prompt of this title")]
    };
    let (old, new) = (named("Old"), named("New"));
    assert_eq!(old["sflTenor"]["targetAudience"], json!(["Experts"]));
    assert_eq!(old["createdAt"], "2024-05-06T07:08:09Z");
    assert_eq!(new["id"], kept[1]["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_fault_and_nothing_is_stored_and_all_faults_are_told() {
    let app = App::start().await;
    let ada = app.register().await;
    let kept = json!([
        {"title": "Good", "promptText": "Hi."},
        {"title": "", "kind": "judge"},
        {"title": "No text"},
        "nonsense",
        {"id": "a", "title": "A", "promptText": "P"},
        {"id": "a", "title": "B", "promptText": "P"},
    ]);
    let expected = [
        "prompts[1].kind",
        "prompts[1].title",
        "prompts[2].promptText",
        "prompts[3]",
        "prompts[5]",
    ];
    let reply = ada.post(IMPORT, &kept).await;
    reply.expect_problem(422, "invalid");
    assert_eq!(reply.faulty_fields(), expected);
    let tried = ada
        .post(&format!("{IMPORT}?dryRun=true"), &kept)
        .await
        .expect(200)
        .json();
    assert_eq!(tried["counts"]["faults"], 5, "{tried}");
    assert_eq!(app.count("prompts").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_or_broken_archive_stores_nothing() {
    let app = App::start().await;
    let ada = app.register().await;
    library(&ada).await;
    let export = ada.get("/api/export").await.body;
    let bob = app.register().await;
    let change = |name: &str, from: &str, to: &str| {
        let mut all = files(&export);
        let file = all.iter_mut().find(|file| file.0 == name).expect("a file");
        assert!(file.1.contains(from), "{}", file.1);
        file.1 = file.1.replacen(from, to, 1);
        zipped(&all)
    };
    let forged = change("prompt_versions.jsonl", "One {{x}}.", "Forged.");
    let reply = send(&bob, IMPORT, forged).await;
    reply.expect_problem(422, "invalid");
    assert!(
        reply
            .faulty_fields()
            .contains(&"promptVersions[0]".to_owned()),
        "{}",
        reply.text()
    );
    for archive in [
        b"no archive".to_vec(),
        export[..export.len() / 2].to_vec(),
        change(
            "manifest.json",
            "\"formatVersion\":1",
            "\"formatVersion\":2",
        ),
        zipped(&[("prompts.jsonl".into(), String::new())]),
    ] {
        send(&bob, IMPORT, archive)
            .await
            .expect_problem(400, "invalid_body");
    }
    let torn = change("prompts.jsonl", "{", "");
    send(&bob, IMPORT, torn)
        .await
        .expect_problem(422, "invalid");
    let text = Reply::to(
        bob.request(Method::POST, IMPORT)
            .header("content-type", "text/plain")
            .body("x"),
    )
    .await;
    text.expect_problem(415, "unsupported_type");
    assert_eq!(bob.get(PROMPTS).await.json(), json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_has_limits() {
    let app = App::start().await;
    let ada = app.register().await;
    let manifest = files(&ada.get("/api/export").await.body)[0].clone();
    let bomb = "\n".repeat(500_001);
    let many = zipped(&[manifest.clone(), ("prompts.jsonl".into(), bomb)]);
    send(&ada, IMPORT, many)
        .await
        .expect_problem(413, "too_large");
    let large = " ".repeat(129 * 1024 * 1024);
    let bomb = zipped(&[manifest, ("prompts.jsonl".into(), large)]);
    assert!(bomb.len() < 1024 * 1024);
    send(&ada, IMPORT, bomb)
        .await
        .expect_problem(413, "too_large");
    // What a browser kept is smaller than an archive may be.
    let kept = ada
        .request(Method::POST, IMPORT)
        .header("content-type", "application/json")
        .body(vec![b' '; 32 * 1024 * 1024 + 1]);
    Reply::to(kept).await.expect_problem(413, "too_large");
}
