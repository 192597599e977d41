//! One worker gets a job, whoever else wants it.

use std::time::Duration;

use domain::jobs::{JobId, JobState};
use futures::future::join_all;
use tests::support::database::Database;

use super::support::{chore, enqueued, row, rows};

const LEASE: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn of_thirty_two_racers_one_gets_the_job() {
    let database = Database::create().await;
    let mut conn = database.connect().await;
    let job = enqueued(&mut conn, chore("a")).await;
    let racers = join_all((0..32).map(|_| database.connect())).await;
    let claims = racers.into_iter().map(|mut conn| async move {
        let claim = db::jobs::claim(&mut conn, job.id, "racer", LEASE).await;
        claim.expect("an answer").is_some()
    });
    let won = join_all(claims).await.into_iter().filter(|won| *won);
    assert_eq!(won.count(), 1);
    let row = row(&mut conn, job.id).await;
    assert_eq!((row.attempts, row.state), (1, JobState::Running));
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_workers_share_a_hundred_jobs_without_meeting() {
    let database = Database::create().await;
    let mut conn = database.connect().await;
    let jobs: Vec<_> = (0..100).map(|n| chore(&n.to_string())).collect();
    db::jobs::enqueue(&mut conn, &jobs).await.expect("rows");
    let ids: Vec<JobId> = rows(&mut conn).await.iter().map(|row| row.id).collect();
    let workers = (0..8).map(|_| {
        let ids = &ids;
        let database = &database;
        async move {
            let mut conn = database.connect().await;
            let mut won = 0;
            for id in ids {
                let claim = db::jobs::claim(&mut conn, *id, "w", LEASE).await;
                won += usize::from(claim.expect("an answer").is_some());
            }
            won
        }
    });
    assert_eq!(join_all(workers).await.into_iter().sum::<usize>(), 100);
    assert!(rows(&mut conn).await.iter().all(|row| row.attempts == 1));
}

#[tokio::test]
async fn a_job_is_not_claimed_before_its_time() {
    let database = Database::create().await;
    let mut conn = database.connect().await;
    let job = enqueued(&mut conn, chore("a")).await;
    database
        .run("UPDATE jobs SET run_at = clock_timestamp() + interval '1 minute'")
        .await;
    let early = db::jobs::claim(&mut conn, job.id, "w", LEASE).await;
    assert!(early.expect("an answer").is_none());
    database
        .run("UPDATE jobs SET run_at = clock_timestamp()")
        .await;
    let due = db::jobs::claim(&mut conn, job.id, "w", LEASE).await;
    assert!(due.expect("an answer").is_some());
}
