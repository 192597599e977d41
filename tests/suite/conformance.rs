//! The fakes against the vendors' own clients: a fake is faithful as long as they accept it.
//!
//! Needs `google-genai`, `openai`, `anthropic` and `jira` in the Python that `PYTHON` names, else
//! `python3`; what is missing is skipped and said.

use std::{
    env,
    io::Write,
    process::{Output, Stdio},
};

use chrono::{Duration, Utc};
use tests::fakes::{
    anthropic, gemini::FakeGemini, issues::Shared, jira::FakeJira, jira_dc::FakeJiraDc, openai,
};
use tokio::process::Command;

/// Variables that the clients read by themselves.
const VARIABLES: [&str; 10] = [
    "GEMINI_API_KEY",
    "GOOGLE_API_KEY",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "OPENAI_ORG_ID",
    "OPENAI_PROJECT_ID",
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_BASE_URL",
    "ANTHROPIC_CUSTOM_HEADERS",
];

fn python() -> Command {
    let mut python = Command::new(env::var_os("PYTHON").unwrap_or_else(|| "python3".into()));
    python.stdin(Stdio::null());
    for variable in VARIABLES {
        python.env_remove(variable);
    }
    python
}

/// Whether a client is installed; says so if not.
async fn has(module: &str) -> bool {
    let mut import = python();
    import
        .args(["-c", &format!("import {module}")])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let found = import.status().await.is_ok_and(|status| status.success());
    if !found {
        let advice = format!("skipped: {module} is not installed for $PYTHON (or python3)");
        writeln!(std::io::stderr(), "{advice}").expect("a place to say it");
    }
    found
}

/// Runs a client's checks; they must all hold.
async fn accepts(script: &str, arguments: &[&str]) {
    let path = format!("{}/conformance/{script}", env!("CARGO_MANIFEST_DIR"));
    let check = python().arg(path).args(arguments).output().await;
    let Output {
        status,
        stdout,
        stderr,
    } = check.expect("Python runs");
    let report = [stdout, stderr].concat();
    assert!(
        status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&report)
    );
}

#[tokio::test]
async fn the_official_python_client_accepts_the_fake_in_both_versions_of_the_api() {
    if !has("google.genai").await {
        return;
    }
    for version in ["v1beta", "v1"] {
        let fake = FakeGemini::start().await;
        accepts("gemini_client.py", &[&fake.url, version]).await;
        assert_eq!(
            fake.counters().keys_in_url,
            0,
            "the client keeps its key out of addresses"
        );
    }
}

#[tokio::test]
async fn openais_python_client_accepts_the_fake() {
    if has("openai").await {
        let fake = openai::start().await;
        accepts("openai_client.py", &[&fake.url]).await;
    }
}

#[tokio::test]
async fn anthropics_python_client_accepts_the_fake() {
    if has("anthropic").await {
        let fake = anthropic::start().await;
        accepts("anthropic_client.py", &[&fake.url]).await;
    }
}

/// The issues that the client's checks are about.
fn populate(shared: &Shared) {
    let mut world = shared.world();
    world.populate("DEMO", 230, Duration::hours(1));
    let first = world.find("DEMO-1").expect("the first").id;
    world.relocate(first, "OPS");
}

#[tokio::test]
async fn the_jira_client_of_python_accepts_the_cloud() {
    if has("jira").await {
        let fake = FakeJira::start(Utc::now()).await;
        populate(&fake.shared);
        accepts("jira_client.py", &["cloud", fake.url()]).await;
    }
}

#[tokio::test]
async fn the_jira_client_of_python_accepts_data_center() {
    if has("jira").await {
        let fake = FakeJiraDc::start(Utc::now()).await;
        populate(&fake.shared);
        accepts("jira_client.py", &["server", &fake.url()]).await;
    }
}
