//! `worker jobs`, as an operator types it.

use std::{path::PathBuf, process::Command};

use domain::jobs::{JobKind, JobState};
use tests::support::database::Database;

use super::support::{chore, enqueued, rows};

/// The worker's program, which is built beside the tests.
fn program() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a program");
    let folder = test
        .parent()
        .and_then(|deps| deps.parent())
        .expect("a target folder");
    let program = folder.join("worker");
    assert!(
        program.exists(),
        "build the programs first: cargo build --workspace --bins"
    );
    program
}

/// What `worker jobs …` says; fails if it fails.
fn jobs(database: &Database, arguments: &[&str]) -> String {
    let output = run(database, arguments);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

fn run(database: &Database, arguments: &[&str]) -> std::process::Output {
    let mut command = Command::new(program());
    command
        .args(["jobs", "--database-url", database.url()])
        .args(arguments);
    command.output().expect("the program starts")
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_listed_with_their_state_and_the_reason_they_wait() {
    let database = Database::create().await;
    let mut conn = database.connect().await;
    let waiting = enqueued(&mut conn, chore("a")).await;
    let dead = enqueued(&mut conn, chore("b")).await;
    let bury = format!(
        "UPDATE jobs SET state = 'dead', attempts = 8, error_message = 'The disk is full.' WHERE id = '{}'",
        dead.id
    );
    database.run(&bury).await;
    let list = jobs(&database, &["list"]);
    let expected = format!(
        "{}  documents.discard_file   dead      attempt 8/8  The disk is full.\n\
         {}  documents.discard_file   queued    attempt 0/8  waits for its turn\n",
        dead.id, waiting.id
    );
    assert_eq!(list, expected);
    let dead_only = jobs(&database, &["list", "--state", "dead", "--limit", "1"]);
    assert_eq!(dead_only.lines().count(), 1);
    assert!(jobs(&database, &["list", "--kind", "jobs.prune"]).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_jobs_are_retried_and_given_up_by_id_or_by_kind() {
    let database = Database::create().await;
    let mut conn = database.connect().await;
    for name in ["a", "b", "c"] {
        enqueued(&mut conn, chore(name)).await;
    }
    database
        .run("UPDATE jobs SET state = 'dead', attempts = 8")
        .await;
    let first = rows(&mut conn).await[0].id.to_string();
    assert_eq!(jobs(&database, &["retry", &first]), "1 jobs wait again\n");
    let kind = ["--kind", "documents.discard_file"];
    assert_eq!(
        jobs(&database, &["discard", kind[0], kind[1]]),
        "2 jobs given up\n"
    );
    assert_eq!(jobs(&database, &["discard", &first]), "1 jobs given up\n");
    assert_eq!(
        jobs(&database, &["retry", kind[0], kind[1]]),
        "0 jobs wait again\n"
    );
    assert!(
        rows(&mut conn)
            .await
            .iter()
            .all(|row| row.state == JobState::Cancelled)
    );
    let unsaid = run(&database, &["retry"]);
    assert!(
        !unsaid.status.success(),
        "all jobs of all kinds are not retried by accident"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_is_paused_and_resumed() {
    let database = Database::create().await;
    let mut conn = database.connect().await;
    let said = jobs(&database, &["pause", "documents.embed"]);
    assert_eq!(said, "documents.embed is paused\n");
    let paused = db::jobs::paused(&mut conn).await;
    assert_eq!(paused.expect("kinds"), [JobKind::DocumentsEmbed]);
    let said = jobs(&database, &["resume", "documents.embed"]);
    assert_eq!(said, "documents.embed is handed out again\n");
    assert!(db::jobs::paused(&mut conn).await.expect("kinds").is_empty());
    assert!(
        !run(&database, &["pause", "documents.unknown"])
            .status
            .success()
    );
}
