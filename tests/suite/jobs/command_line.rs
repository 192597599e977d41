//! `worker jobs`, as an operator types it.

use std::{path::PathBuf, process::Command};

use domain::jobs::{JobKind, JobState};
use tests::support::database::Database;
use uuid::Uuid;

use super::support::{chore, company, enqueued, owned, rows};

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

/// What `worker workers` says.
fn workers(database: &Database) -> String {
    let mut command = Command::new(program());
    command.args(["workers", "--database-url", database.url()]);
    let output = command.output().expect("the program starts");
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

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_summed_up_and_retried_by_class_at_a_rate() {
    let database = Database::create().await;
    let mut conn = database.connect().await;
    for name in ["a", "b", "c"] {
        enqueued(&mut conn, chore(name)).await;
    }
    database
        .run(
            "UPDATE jobs SET state = 'dead', error_class = 'disk_full', error_message = 'It is full.',
                 finished_at = '2026-01-31T12:00:00Z'",
        )
        .await;
    let newest = rows(&mut conn).await[2].id;
    let dead = jobs(&database, &["dead"]);
    let expected = format!(
        "     3  documents.discard_file   disk_full                    last 2026-01-31T12:00:00Z  \
         {newest}  It is full.\n"
    );
    assert_eq!(dead, expected);
    let none = jobs(&database, &["retry", "--error-class", "worker_lost"]);
    assert_eq!(none, "0 jobs wait again\n");
    let class = ["retry", "--error-class", "disk_full", "--rate", "4"];
    assert_eq!(jobs(&database, &class), "3 jobs wait again\n");
    let rows = rows(&mut conn).await;
    let steps = rows
        .windows(2)
        .map(|two| (two[1].run_at - two[0].run_at).num_milliseconds());
    assert_eq!(steps.collect::<Vec<_>>(), [250, 250]);
    let shown = jobs(&database, &["show", &newest.to_string()]);
    assert!(shown.contains("\"waitCode\": \"scheduled\""), "{shown}");
    let summary = jobs(&database, &["summary"]);
    let line = summary
        .lines()
        .find(|line| line.starts_with("documents.discard_file"));
    assert!(line.expect("the kind").contains("3 queued"), "{summary}");
    assert!(!run(&database, &["retry", "--rate", "4"]).status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_is_paused_for_one_company_and_the_pause_is_listed_with_its_note() {
    let database = Database::create().await;
    let mut conn = database.connect().await;
    let (ours, theirs) = (company(&database).await, company(&database).await);
    for company in [ours, theirs] {
        enqueued(&mut conn, owned(company, Uuid::now_v7())).await;
    }
    let id = ours.to_string();
    let for_us = ["--company", id.as_str()];
    let pause = [
        "pause",
        "documents.embed",
        for_us[0],
        for_us[1],
        "--note",
        "Too dear",
    ];
    assert_eq!(
        jobs(&database, &pause),
        format!("documents.embed is paused for {id}\n")
    );
    let pauses = jobs(&database, &["pauses"]);
    assert!(
        pauses.contains(&id) && pauses.trim_end().ends_with("by the operator  Too dear"),
        "{pauses}"
    );
    let list = jobs(&database, &["list", for_us[0], for_us[1]]);
    assert!(
        list.trim_end().ends_with("is paused for its company"),
        "{list}"
    );
    assert_eq!(list.lines().count(), 1);
    jobs(
        &database,
        &["resume", "documents.embed", for_us[0], for_us[1]],
    );
    assert!(jobs(&database, &["pauses"]).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_are_listed_with_what_they_do() {
    let database = Database::create().await;
    let mut conn = database.connect().await;
    assert!(workers(&database).is_empty());
    let hello = db::workers::Hello {
        name: "worker-1",
        host: "engine",
        version: "1.2.3",
        kinds: &[],
        is_draining: false,
    };
    db::workers::beat(&mut conn, &hello).await.expect("heard");
    let job = enqueued(&mut conn, chore("a")).await;
    let lease = std::time::Duration::from_secs(60);
    let claim = db::jobs::claim(&mut conn, job.id, "worker-1", lease).await;
    claim.expect("an answer").expect("claimed");
    let said = workers(&database);
    let lines: Vec<&str> = said.lines().collect();
    assert!(
        lines[0].starts_with("worker-1  up       engine 1.2.3"),
        "{said}"
    );
    assert!(lines[0].ends_with("1 jobs"), "{said}");
    assert!(
        lines[1].trim_start().starts_with(&job.id.to_string()),
        "{said}"
    );
}
