//! Archives that are broken, too large or made to do harm.

use std::io::{Cursor, Write as _};

use serde_json::{Value, json};
use tests::support::{App, Options};
use zip::{ZipWriter, write::SimpleFileOptions};

use super::{Archive, IMPORT, TRIAL, fill, send, send_bytes};

/// That nothing of an import stands.
async fn nothing_stands(app: &App) {
    for table in [
        "prompts",
        "prompt_templates",
        "requests",
        "datasets",
        "documents",
        "outputs",
    ] {
        assert_eq!(app.count(table).await, 0, "{table}");
    }
    assert!(app.files().is_empty(), "{:?}", app.files());
}

/// What becomes of a row.
type Forgery = fn(&mut Value);

/// Forged rows: the file, what becomes of its first row, and where the fault is.
const FORGED: [(&str, Forgery, &str); 16] = [
    (
        "templates.jsonl",
        |row| row["bodyMd"] = json!("Else."),
        "templates[0]",
    ),
    (
        "templates.jsonl",
        |row| row["name"] = json!(""),
        "templates[0].name",
    ),
    (
        "template_versions.jsonl",
        |row| row["bodyMd"] = json!("{{#if"),
        "templateVersions[0].bodyMd",
    ),
    (
        "template_versions.jsonl",
        |row| row["version"] = json!(0),
        "templateVersions[0]",
    ),
    (
        "requests.jsonl",
        |row| row["number"] = json!(1_000_001),
        "requests[0]",
    ),
    (
        "requests.jsonl",
        |row| row["status"] = json!("Lost"),
        "requests[0].status",
    ),
    (
        "request_comments.jsonl",
        |row| row["number"] = json!(7),
        "requestComments[1]",
    ),
    (
        "request_comments.jsonl",
        |row| row["content"] = json!(" "),
        "requestComments[0].content",
    ),
    (
        "request_activity.jsonl",
        |row| row["details"] = json!({"title": "\u{0}"}),
        "requestActivity[0]",
    ),
    (
        "datasets.jsonl",
        |row| row["rowCount"] = json!(9),
        "datasets[0]",
    ),
    (
        "dataset_versions.jsonl",
        |row| row["rowCount"] = json!(9),
        "datasets[0]",
    ),
    (
        "dataset_rows.jsonl",
        |row| row["cells"] = json!(["1"]),
        "datasetRows[0]",
    ),
    (
        "dataset_rows.jsonl",
        |row| row["since"] = json!(99),
        "datasetRows[0]",
    ),
    (
        "outputs.jsonl",
        |row| row["promptVersionId"] = json!(uuid::Uuid::nil()),
        "outputs[0]",
    ),
    (
        "outputs.jsonl",
        |row| row["sha256"] = json!("0".repeat(64)),
        "outputs[0]",
    ),
    (
        "documents.jsonl",
        |row| row["sizeBytes"] = json!(1),
        "documents[0]",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_row_of_any_area_is_told_by_its_place_and_nothing_is_stored() {
    let (from, to) = (App::start().await, App::start().await);
    let company = fill::company(&from).await;
    let bob = to.register().await;
    let export = Archive::of(&company.admin).await;
    for (file, change, field) in FORGED {
        let forged = export.clone().changed(file, change);
        let reply = send(&bob, IMPORT, &forged).await;
        reply.expect_problem(422, "invalid");
        let fields = reply.faulty_fields();
        assert!(
            fields.contains(&field.to_owned()),
            "{file} {field}: {}",
            reply.text()
        );
    }
    nothing_stands(&to).await;
    // All at once, in a trial too.
    let mut forged = export;
    for (file, change, _) in [FORGED[1], FORGED[5], FORGED[7], FORGED[11]] {
        forged = forged.changed(file, change);
    }
    let tried = send(&bob, TRIAL, &forged).await.expect(200).json();
    let told = tried["faults"].to_string();
    for (_, _, field) in [FORGED[1], FORGED[5], FORGED[7], FORGED[11]] {
        assert!(told.contains(field), "{field}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_bytes_than_promised_are_refused_and_so_is_what_leads_elsewhere() {
    let (from, to) = (App::start().await, App::start().await);
    let company = fill::company(&from).await;
    let bob = to.register().await;
    let export = Archive::of(&company.admin).await;
    let output = export.rows("outputs.jsonl")[0]["sha256"]
        .as_str()
        .expect("a hash")
        .to_owned();
    let file = format!("files/{output}");
    let mut forged = export.clone();
    forged.0.insert(file.clone(), b"else".to_vec());
    let reply = send(&bob, IMPORT, &forged).await;
    reply.expect_problem(422, "invalid");
    assert_eq!(reply.faulty_fields(), ["outputs[0]"]);
    let mut large = export.clone();
    large.0.insert(file.clone(), vec![0; 6 << 20]);
    send(&bob, IMPORT, &large)
        .await
        .expect_problem(422, "invalid");
    let mut elsewhere = export.clone();
    let bytes = elsewhere.0.remove(&file).expect("bytes");
    for name in [
        format!("files/../files/{output}"),
        format!("/files/{output}"),
        "files/../../etc/x".into(),
    ] {
        elsewhere.0.insert(name, bytes.clone());
    }
    let reply = send(&bob, TRIAL, &elsewhere).await.expect(200).json();
    assert_eq!(reply["counts"]["faults"], 1, "{reply}");
    assert_eq!(
        reply["ignored"].as_array().map(Vec::len),
        Some(3),
        "{reply}"
    );
    nothing_stands(&to).await;
    assert_eq!(to.count("jobs").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_id_and_rows_without_their_head_are_faults() {
    let (from, to) = (App::start().await, App::start().await);
    let company = fill::company(&from).await;
    let bob = to.register().await;
    let export = Archive::of(&company.admin).await;
    let manifest = export.manifest();
    let files = manifest["varies"].as_object().expect("an object").keys();
    // A move of a label is the same by what it says.
    for file in files.filter(|file| *file != "prompt_label_moves.jsonl") {
        let mut rows = export.rows(file);
        rows.push(rows[0].clone());
        let reply = send(&bob, IMPORT, &export.clone().with(file, &rows)).await;
        reply.expect_problem(422, "invalid");
    }
    for file in [
        "templates.jsonl",
        "requests.jsonl",
        "prompts.jsonl",
        "datasets.jsonl",
    ] {
        let reply = send(&bob, IMPORT, &export.clone().with(file, &[])).await;
        reply.expect_problem(422, "invalid");
    }
    nothing_stands(&to).await;
}

/// An archive with a file of so many zeros.
fn bomb(name: &str, bytes: u64) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().large_file(true);
    zip.start_file("manifest.json", options).expect("a file");
    let manifest = json!({"format": "prompt-architect", "formatVersion": 1});
    zip.write_all(manifest.to_string().as_bytes())
        .expect("bytes");
    zip.start_file(name, options).expect("a file");
    std::io::copy(
        &mut std::io::Read::take(std::io::repeat(0), bytes),
        &mut zip,
    )
    .expect("zeros");
    zip.finish().expect("a ZIP").into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bomb_is_refused_and_limits_are_settings() {
    let app = App::start_with(Options::with(|config| {
        config.archive.import_bytes = 2 << 20;
        config.archive.import_unpacked_bytes = 64 << 20;
    }))
    .await;
    let ada = app.register().await;
    let zeros = bomb("prompts.jsonl", 96 << 20);
    assert!(zeros.len() < 2 << 20, "{}", zeros.len());
    let reply = send_bytes(&ada, IMPORT, zeros).await;
    reply.expect_problem(413, "too_large");
    let mut lines = Archive::of(&ada).await;
    let line = [vec![b' '; 1 << 20], b"{}\n".to_vec()].concat();
    lines.0.insert("dataset_rows.jsonl".into(), line.repeat(65));
    send(&ada, IMPORT, &lines)
        .await
        .expect_problem(413, "too_large");
    let sent = send_bytes(&ada, IMPORT, vec![0; 3 << 20]).await;
    sent.expect_problem(413, "too_large");
    let unknown = bomb("files/0000", 1 << 20);
    let done = send_bytes(&ada, IMPORT, unknown).await.expect(200).json();
    assert_eq!(done["ignored"], json!(["files/0000"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_whose_rows_fail_at_the_end_leaves_no_bytes() {
    let (from, to) = (App::start().await, App::start().await);
    let company = fill::company(&from).await;
    let bob = to.register().await;
    // As a database that dies at the commit, after the bytes were stored.
    let sql = "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'dead'; END $$;
        CREATE CONSTRAINT TRIGGER fail AFTER INSERT ON outputs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail();";
    to.database().run(sql).await;
    let export = Archive::of(&company.admin).await;
    let reply = send(&bob, IMPORT, &export).await;
    assert_eq!(reply.status, 500, "{}", reply.text());
    assert_eq!(to.files().len(), 4, "bytes that nobody names");
    to.database()
        .run("UPDATE jobs SET run_at = now(); DROP TRIGGER fail ON outputs")
        .await;
    to.drain().await;
    nothing_stands(&to).await;
    send(&bob, IMPORT, &export).await.expect(200);
    to.database().run("UPDATE jobs SET run_at = now()").await;
    to.drain().await;
    assert_eq!(to.files().len(), 4, "and now they are named");
}
