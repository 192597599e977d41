//! Out of a filled company and into an empty one.

use std::collections::{BTreeMap, BTreeSet};

use diesel::sql_types::Text;
use diesel_async::RunQueryDsl as _;
use serde_json::{Value, json};
use tests::support::App;

use super::{Archive, IMPORT, TRIAL, counts, fill, send};

/// The tables that an archive carries, each with its columns that are others elsewhere: ids of companies
/// and people, times of changes, and what is made anew.
const CARRIED: [(&str, &[&str]); 16] = [
    (
        "prompts",
        &["company_id", "owner_id", "grams", "updated_at", "issue_id"],
    ),
    ("prompt_versions", &["company_id", "created_by", "run_id"]),
    ("prompt_labels", &["company_id", "moved_by"]),
    ("prompt_label_moves", &["id", "company_id", "moved_by"]),
    (
        "prompt_templates",
        &["company_id", "creator_id", "updated_at", "deleted_at"],
    ),
    ("prompt_template_versions", &["company_id", "created_by"]),
    (
        "requests",
        &["company_id", "created_by", "assigned_to", "updated_at"],
    ),
    ("request_numbers", &["company_id"]),
    ("request_searches", &["company_id", "grams"]),
    ("request_comments", &["company_id", "author_id"]),
    ("request_activity", &["company_id", "user_id", "details"]),
    (
        "datasets",
        &["company_id", "owner_id", "updated_at", "archived_at"],
    ),
    ("dataset_versions", &["created_by"]),
    ("dataset_rows", &[]),
    (
        "workflows",
        &["id", "company_id", "owner_id", "created_at", "updated_at"],
    ),
    (
        "outputs",
        &[
            "company_id",
            "creator_id",
            "storage_key",
            "scanner",
            "scanned_at",
            "updated_at",
        ],
    ),
];

/// Documents are carried too, but a good deal of their rows is made anew.
const DOCUMENTS: [&str; 8] = [
    "id",
    "visibility",
    "file_name",
    "content_type",
    "size_bytes",
    "sha256",
    "error",
    "created_at",
];

/// The tables that stay behind. A new table goes here, with a sentence in the manifest, or into an archive.
const LEFT_OUT: [&str; 42] = [
    "companies",
    "users",
    "invitations",
    "api_keys",
    "sign_in_events",
    "idempotency_keys",
    "jobs",
    "job_pauses",
    "company_job_pauses",
    "workers",
    "retention_rules",
    "retention_state",
    "embedding_models",
    "chunks",
    "chunk_embeddings",
    "models",
    "model_choices",
    "model_defaults",
    "provider_keys",
    "runs",
    "run_columns",
    "run_latencies",
    "cells",
    "attempts",
    "grades",
    "run_events",
    "responses",
    "workflow_versions",
    "executions",
    "execution_tasks",
    "execution_events",
    "generation_events",
    "generation_sums",
    "generation_folds",
    "trackers",
    "tracker_secrets",
    "tracker_grants",
    "tracker_syncs",
    "issues",
    "tracker_deliveries",
    "audit_heads",
    "audit_entries",
];

#[derive(diesel::QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    text: String,
}

async fn query(app: &App, sql: String) -> Vec<String> {
    let rows: Vec<Row> = diesel::sql_query(sql)
        .load(&mut app.database().connect().await)
        .await
        .expect("rows");
    rows.into_iter().map(|row| row.text).collect()
}

/// The rows of a table, without these columns.
async fn dump(app: &App, table: &str, without: &[&str]) -> Vec<Value> {
    let sql = format!("SELECT to_jsonb(t)::text AS text FROM {table} t");
    let mut rows: Vec<Value> = Vec::new();
    for text in query(app, sql).await {
        let mut row: Value = serde_json::from_str(&text).expect("a row");
        let members = row.as_object_mut().expect("an object");
        for column in without {
            members.remove(*column);
        }
        rows.push(row);
    }
    rows.sort_by_key(Value::to_string);
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filled_company_arrives_in_an_empty_one_without_loss() {
    let (from, to) = (App::start().await, App::start().await);
    let company = fill::company(&from).await;
    let bob = to.register().await;
    let export = Archive::of(&company.admin).await;
    let tried = send(&bob, TRIAL, &export).await.expect(200).json();
    assert_eq!(
        to.files(),
        Vec::<std::path::PathBuf>::new(),
        "a trial stores nothing"
    );
    assert_eq!(to.count("prompts").await + to.count("jobs").await, 0);
    let done = send(&bob, IMPORT, &export).await.expect(200).json();
    assert_eq!(done["counts"], tried["counts"]);
    assert_eq!(done["rows"], tried["rows"]);
    let again = Archive::of(&bob).await;
    for (file, rows) in export.lasting() {
        assert!(!rows.is_empty(), "{file} has no rows to compare");
    }
    is_the_same(&again, &export);
    for (table, varying) in CARRIED {
        let (here, there) = (
            dump(&from, table, varying).await,
            dump(&to, table, varying).await,
        );
        assert_eq!(here, there, "{table}");
        every_column_was_tried(table, &here);
    }
    let documents = "(SELECT id, visibility, file_name, content_type, size_bytes, sha256, error, created_at FROM documents)";
    assert_eq!(
        dump(&from, documents, &[]).await,
        dump(&to, documents, &[]).await
    );
    assert_eq!(DOCUMENTS.len(), 8);
    // Documents are searched where they arrive.
    to.drain().await;
    let found = json!({"query": "heron", "mode": "keyword"});
    let found = bob.post("/api/search", &found).await.expect(200).json();
    assert_eq!(
        found["results"].as_array().map(Vec::len),
        Some(2),
        "{found}"
    );
    // A second time there is nothing to do.
    let files = to.files().len();
    let twice = send(&bob, IMPORT, &export).await.expect(200).json();
    let (created, _, _, _) = counts(&done);
    assert_eq!(counts(&twice), (0, 0, created + 1, 0), "{twice}");
    assert_eq!(to.files().len(), files);
    is_the_same(&Archive::of(&bob).await, &again);
}

/// That an archive has what another has, file by file.
fn is_the_same(archive: &Archive, other: &Archive) {
    let (left, right) = (archive.lasting(), other.lasting());
    for (file, rows) in &left {
        assert_eq!(Some(rows), right.get(file), "{file}");
    }
    assert_eq!(left.len(), right.len());
}

/// A column that is null everywhere proves nothing.
fn every_column_was_tried(table: &str, rows: &[Value]) {
    let mut tried: BTreeMap<&str, bool> = BTreeMap::new();
    for row in rows {
        for (column, value) in row.as_object().expect("an object") {
            *tried.entry(column).or_default() |= !value.is_null();
        }
    }
    let idle: Vec<_> = tried.iter().filter(|(_, tried)| !**tried).collect();
    assert!(idle.is_empty(), "{table}: fill these in: {idle:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_is_in_an_archive_or_left_out_for_a_reason() {
    let app = App::start().await;
    let sql =
        "SELECT relname::text AS text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND relkind IN ('r', 'p') AND NOT relispartition
        AND relname <> '__diesel_schema_migrations'";
    let there: BTreeSet<String> = query(&app, sql.into()).await.into_iter().collect();
    let carried = CARRIED.iter().map(|(table, _)| *table);
    let known: BTreeSet<String> = carried
        .chain(LEFT_OUT)
        .chain(["documents"])
        .map(str::to_owned)
        .collect();
    assert_eq!(
        there, known,
        "a table is carried by an archive, or left out: decide, and say it in format.rs"
    );
    let manifest = Archive::of(&app.register().await).await.manifest();
    for (name, why) in manifest["leftOut"].as_object().expect("an object") {
        assert!(why.as_str().is_some_and(|why| why.ends_with('.')), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_known_by_their_addresses_and_others_keep_their_names() {
    let (from, to) = (App::start().await, App::start().await);
    let company = fill::company(&from).await;
    let bob = to.register().await;
    let dora = json!({"email": company.developer.email(), "name": "Dora There", "role": "developer",
        "password": "violet-otter-77"});
    bob.post("/api/users", &dora).await.expect(201);
    let dora = to.sign_in(company.developer.email()).await;
    let export = Archive::of(&company.admin).await;
    let done = send(&bob, IMPORT, &export).await.expect(200).json();
    assert_eq!(
        done["dropped"].as_array().map(Vec::len),
        Some(1),
        "the issue: {done}"
    );
    assert!(
        done["dropped"][0]["field"]
            .as_str()
            .is_some_and(|field| field.ends_with(".issueId"))
    );
    let list = bob.get("/api/requests").await.json();
    let request = list["requests"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|row| row["vendor"] == "KUKA");
    let request = request.expect("the request");
    let names = |rows: &Value| -> Vec<Value> {
        rows.as_array()
            .expect("a list")
            .iter()
            .map(|row| row["authorName"].clone())
            .collect()
    };
    let theirs = company.admin.get("/api/requests").await.json();
    let theirs = theirs["requests"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|row| row["vendor"] == "KUKA");
    let theirs = theirs.expect("the request");
    assert_eq!(request["assignedTo"], dora.id());
    assert_eq!(request["assignedToName"], theirs["assignedToName"]);
    assert_eq!(
        request["createdBy"],
        bob.id(),
        "nobody here has the requester's address"
    );
    assert_eq!(request["createdByName"], theirs["createdByName"]);
    assert_eq!(names(&request["comments"]), names(&theirs["comments"]));
    assert_eq!(request["comments"][1]["authorId"], dora.id());
    // She goes on where she was.
    let path = format!(
        "/api/requests/{}/status",
        request["id"].as_str().expect("an id")
    );
    dora.patch(&path, &json!({"status": "Completed"}))
        .await
        .expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_went_on_since_an_export_is_kept_or_taken_back_by_its_kind() {
    let app = App::start().await;
    let company = fill::company(&app).await;
    let ada = &company.admin;
    let export = Archive::of(ada).await;
    let rows = |file: &str, with: fn(&Value) -> bool| {
        let rows = export.rows(file);
        let row = rows.iter().find(|row| with(row)).expect("a row");
        row["id"].as_str().expect("an id").to_owned()
    };
    let template = rows("templates.jsonl", |row| row["name"] == "Plain");
    let request = rows("requests.jsonl", |row| row["vendor"] == "ABB");
    let dataset = rows("datasets.jsonl", |row| row["version"] == 1);
    let prompt = rows("prompts.jsonl", |row| row["title"] == "Renamed");
    let template = format!("/api/prompt-templates/{template}");
    ada.patch(&template, &json!({"bodyMd": "Else {{title}}."}))
        .await
        .expect(200);
    let comment = json!({"content": "Later."});
    ada.post(&format!("/api/requests/{request}/comments"), &comment)
        .await
        .expect(201);
    let dataset = format!("/api/datasets/{dataset}");
    let more = json!({"name": "Later", "rows": {"add": [{"k": "3"}]}});
    ada.patch(&dataset, &more).await.expect(200);
    let prompt = format!("/api/prompts/{prompt}");
    let later = json!({"notes": "Later.", "title": "Later"});
    ada.patch(&prompt, &later).await.expect(200);
    let back = send(ada, IMPORT, &export).await.expect(200).json();
    assert_eq!((counts(&back).1, counts(&back).3), (3, 0), "{back}");
    let now = ada.get(&template).await.json();
    assert_eq!(
        (&now["bodyMd"], &now["version"]),
        (&json!("Say {{title}}."), &json!(3))
    );
    let now = ada.get(&format!("/api/requests/{request}")).await.json();
    assert_eq!(
        now["comments"][0]["content"], "Later.",
        "what was said is not unsaid"
    );
    let now = ada.get(&dataset).await.json();
    assert_eq!(
        (&now["name"], &now["rowCount"], &now["version"]),
        (&json!("p"), &json!(3), &json!(2))
    );
    let now = ada.get(&prompt).await.json();
    assert_eq!(
        (&now["title"], &now["notes"]),
        (&json!("Renamed"), &json!(fill::ODD))
    );
    let twice = send(ada, IMPORT, &export).await.expect(200).json();
    assert_eq!((counts(&twice).0, counts(&twice).1), (0, 0), "{twice}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_longer_past_of_a_request_and_the_later_versions_of_a_dataset_are_added() {
    let (from, to) = (App::start().await, App::start().await);
    let company = fill::company(&from).await;
    let bob = to.register().await;
    let first = Archive::of(&company.admin).await;
    send(&bob, IMPORT, &first).await.expect(200);
    let path = |file: &str| {
        let rows = first.rows(file);
        rows[0]["id"].as_str().expect("an id").to_owned()
    };
    let comment = json!({"content": "And then?"});
    let request = format!("/api/requests/{}/comments", path("requests.jsonl"));
    company.admin.post(&request, &comment).await.expect(201);
    let dataset = format!("/api/datasets/{}", path("datasets.jsonl"));
    let change = json!({"rows": {"delete": [0], "add": [{"a": "later"}]}});
    company.admin.patch(&dataset, &change).await.expect(200);
    let second = Archive::of(&company.admin).await;
    let done = send(&bob, IMPORT, &second).await.expect(200).json();
    assert_eq!(counts(&done).3, 0, "{done}");
    assert_eq!((counts(&done).0, counts(&done).1), (3, 2), "{done}");
    is_the_same(&Archive::of(&bob).await, &second);
    // The other way round nothing is lost.
    let back = send(&bob, IMPORT, &first).await.expect(200).json();
    assert_eq!((counts(&back).0, counts(&back).1), (0, 0), "{back}");
    is_the_same(&Archive::of(&bob).await, &second);
}
