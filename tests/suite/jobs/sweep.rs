//! What is left behind by workers that died, and what is no longer needed.

use std::time::Duration;

use domain::jobs::{JobKind, JobState, Outcome};
use tests::support::{App, database::Database};

use super::support::{chore, enqueued, eventually, row, rows, upload};

const NO_LEASE: Duration = Duration::ZERO;

#[tokio::test]
async fn a_silent_workers_job_waits_again_and_a_lively_ones_does_not() {
    let database = Database::create().await;
    let mut conn = database.connect().await;
    let silent = enqueued(&mut conn, chore("a")).await.id;
    let lively = enqueued(&mut conn, chore("b")).await.id;
    let minute = Duration::from_secs(60);
    db::jobs::claim(&mut conn, silent, "a", NO_LEASE)
        .await
        .expect("a claim");
    db::jobs::claim(&mut conn, lively, "b", minute)
        .await
        .expect("a claim");
    assert_eq!(db::jobs::sweep(&mut conn).await.expect("a sweep"), 1);
    let row_of_silent = row(&mut conn, silent).await;
    assert_eq!(row_of_silent.state, JobState::Queued);
    assert_eq!(row_of_silent.error_class.as_deref(), Some("worker_lost"));
    assert_eq!(row(&mut conn, lively).await.state, JobState::Running);
    assert_eq!(db::jobs::sweep(&mut conn).await.expect("a sweep"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_kills_every_worker_dies_and_its_document_says_why() {
    let app = App::start().await;
    let ada = app.register().await;
    let document = upload(&ada, "a.txt", "Deadly to parsers.").await;
    let mut conn = app.database().connect().await;
    let job = rows(&mut conn).await.pop().expect("a job");
    for attempt in 1..=job.max_attempts {
        eventually("it waits again", async || {
            let mut conn = app.database().connect().await;
            let claim = db::jobs::claim(&mut conn, job.id, "doomed", NO_LEASE).await;
            claim.expect("an answer").is_some()
        })
        .await;
        db::jobs::sweep(&mut conn).await.expect("a sweep");
        assert_eq!(row(&mut conn, job.id).await.attempts, attempt);
    }
    assert_eq!(row(&mut conn, job.id).await.state, JobState::Dead);
    let path = format!("/api/documents/{}", document["id"].as_str().expect("an id"));
    let failed = ada.get(&path).await.json();
    assert_eq!(failed["status"], "failed");
    assert_eq!(failed["errorCode"], "worker_lost");
    assert_eq!(
        failed["error"],
        "The worker stopped answering during this attempt."
    );
}

#[tokio::test]
async fn settled_jobs_are_pruned_in_batches_and_only_when_they_are_old() {
    let database = Database::create().await;
    let mut conn = database.connect().await;
    let jobs: Vec<_> = (0..30).map(|n| chore(&n.to_string())).collect();
    db::jobs::enqueue(&mut conn, &jobs).await.expect("rows");
    database
        .run(
            "WITH numbered AS (SELECT id, row_number() OVER (ORDER BY id) AS n FROM jobs)
             UPDATE jobs SET
                 state = CASE WHEN n <= 20 THEN 'done' WHEN n <= 25 THEN 'dead' ELSE 'queued' END,
                 finished_at = clock_timestamp() - CASE WHEN n <= 15 THEN interval '8 days' ELSE interval '1 day' END
             FROM numbered WHERE numbered.id = jobs.id",
        )
        .await;
    let week = Duration::from_secs(7 * 24 * 3600);
    let mut pruned = Vec::new();
    for _ in 0..3 {
        pruned.push(
            db::jobs::prune(&mut conn, week, 10)
                .await
                .expect("a number"),
        );
    }
    assert_eq!(pruned, [10, 5, 0]);
    assert_eq!(rows(&mut conn).await.len(), 15);
}

#[tokio::test]
async fn unsettled_jobs_are_counted_by_kind_and_state_with_the_age_of_the_oldest() {
    let database = Database::create().await;
    let mut conn = database.connect().await;
    for name in ["a", "b", "c"] {
        enqueued(&mut conn, chore(name)).await;
    }
    database
        .run("UPDATE jobs SET run_at = clock_timestamp() - interval '1 minute'")
        .await;
    let running = enqueued(&mut conn, chore("d")).await.id;
    let claim = db::jobs::claim(&mut conn, running, "w", NO_LEASE).await;
    let done = enqueued(&mut conn, chore("e")).await.id;
    let other = db::jobs::claim(&mut conn, done, "w", NO_LEASE).await;
    let other = other.expect("an answer").expect("a claim");
    db::jobs::settle(&mut conn, &other, &Outcome::Done, 0.0)
        .await
        .expect("settled");
    assert!(claim.expect("an answer").is_some());
    let mut depths = db::jobs::depths(&mut conn).await.expect("depths");
    depths.sort_by_key(|depth| depth.state.as_str());
    let found: Vec<_> = depths
        .iter()
        .map(|depth| (depth.kind, depth.state, depth.jobs))
        .collect();
    let kind = JobKind::DocumentsDiscardFile;
    assert_eq!(
        found,
        [(kind, JobState::Queued, 3), (kind, JobState::Running, 1)]
    );
    assert!((60.0..90.0).contains(&depths[0].age_seconds), "{depths:?}");
}
