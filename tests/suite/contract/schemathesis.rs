//! The OpenAPI document against the server, by a program that knows nothing but the document:
//! Schemathesis makes requests of all kinds and holds every answer against what is promised.

use std::path::{Path, PathBuf};

use serde_json::json;
use tests::support::App;

const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";

/// The Schemathesis program: beside the interpreter of `PYTHON`.
fn program() -> Option<PathBuf> {
    let program = PathBuf::from(std::env::var_os("PYTHON")?)
        .parent()?
        .join("schemathesis");
    program.exists().then_some(program)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_keeps_every_promise_of_its_openapi_document() {
    let Some(program) = program() else {
        eprintln!("skipped: set PYTHON to an interpreter with Schemathesis beside it");
        return;
    };
    let app = App::start().await;
    let admin = app.register().await;
    admin
        .upload("/api/documents/upload", "a.txt", b"Copper conducts.", &[])
        .await
        .expect(201);
    app.drain().await;
    // A key first, since these calls end sessions; then a session for what no key may do.
    let body = json!({"name": "all", "scopes": ["read", "write", "run"]});
    let key = admin.post("/api/api-keys", &body).await.expect(201).json();
    let key = key["key"].as_str().expect("a key").to_owned();
    // Nobody works here, so that what is followed has no end.
    let left_out = "^/metrics$|\\{id\\}/events$";
    let rest = ["--exclude-path-regex", left_out];
    hold(&program, &app.url, &key, &rest).await;
    let session = admin.signed_in["accessToken"]
        .as_str()
        .expect("a token")
        .to_owned();
    let of_people = "^/api/(api-keys|auth/(sessions|events))";
    hold(
        &program,
        &app.url,
        &session,
        &["--include-path-regex", of_people],
    )
    .await;
}

/// Runs Schemathesis and fails with its report when an answer is not as promised.
async fn hold(program: &Path, url: &str, bearer: &str, routes: &[&str]) {
    let folder = tempfile::tempdir().expect("a folder");
    let output = tokio::process::Command::new(program)
        .current_dir(folder.path())
        .args(["run", &format!("{url}/api/openapi.json")])
        .args(["--header", &format!("Authorization: Bearer {bearer}")])
        .args(["--checks", CHECKS, "--max-examples", "20", "--seed", "1"])
        // CPython before 3.11.8 fails at times when two threads read code at once (gh-106905).
        .args(["--workers", "1"])
        .args(["--generation-database", "none"])
        .args(routes)
        .env("NO_COLOR", "1")
        .output()
        .await
        .expect("Schemathesis starts");
    let (report, errors) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{report}\n{errors}");
}
