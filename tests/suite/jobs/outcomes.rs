//! How attempts end, and what becomes of the job and its document.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use domain::{
    jobs::{Failure, JobState, Outcome},
    providers::{ProviderError, Trouble},
};
use serde_json::Value;
use tests::support::{App, Client, database::Database};

use super::support::{Scripted, chore, enqueued, passages, row, rows, upload, worker_with};

/// A document whose embedding is next.
async fn extracted() -> (App, Client, Value) {
    let app = App::start().await;
    let ada = app.register().await;
    let document = upload(&ada, "a.md", &passages(3)).await;
    let mut conn = app.database().connect().await;
    let embed = domain::jobs::JobKind::DocumentsEmbed;
    db::jobs::pause(&mut conn, embed, None)
        .await
        .expect("paused");
    app.drain().await;
    db::jobs::resume(&mut conn, embed).await.expect("resumed");
    (app, ada, document)
}

/// Performs what is due with an embedder that always ends so.
async fn attempt(app: &App, failure: fn() -> ProviderError) {
    let worker = worker_with(app, Scripted::new(move |_| async move { Err(failure()) }));
    worker::drain(&worker).await.expect("drained");
}

async fn reread(ada: &Client, document: &Value) -> Value {
    let path = format!("/api/documents/{}", document["id"].as_str().expect("an id"));
    ada.get(&path).await.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_key_is_not_tried_twice_and_the_document_fails_with_the_sentence() {
    let (app, ada, document) = extracted().await;
    attempt(&app, || {
        ProviderError::Unauthorized("API key not valid".into())
    })
    .await;
    let job = rows(&mut app.database().connect().await)
        .await
        .pop()
        .expect("a job");
    assert_eq!((job.state, job.attempts), (JobState::Dead, 1));
    let failed = reread(&ada, &document).await;
    assert_eq!(failed["status"], "failed");
    assert_eq!(failed["errorCode"], "provider_unauthorized");
    assert_eq!(
        failed["error"],
        "the provider refuses the key: API key not valid"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overloaded_provider_is_asked_again_later_and_at_last_given_up() {
    let (app, ada, document) = extracted().await;
    let overloaded = || ProviderError::Overloaded("503".into());
    let mut conn = app.database().connect().await;
    let job = rows(&mut conn).await.pop().expect("a job");
    for attempt_number in 1..=job.max_attempts {
        let before = row(&mut conn, job.id).await;
        assert_eq!(
            (before.state, before.attempts),
            (JobState::Queued, attempt_number - 1)
        );
        assert_eq!(reread(&ada, &document).await["status"], "processing");
        app.database()
            .run("UPDATE jobs SET run_at = clock_timestamp()")
            .await;
        attempt(&app, overloaded).await;
        let after = row(&mut conn, job.id).await;
        assert_eq!(after.attempts, attempt_number);
        assert!(after.state == JobState::Dead || after.run_at > Utc::now());
    }
    let dead = row(&mut conn, job.id).await;
    assert_eq!(dead.error_class.as_deref(), Some("provider_overloaded"));
    assert_eq!(dead.state, JobState::Dead);
    assert_eq!(reread(&ada, &document).await["status"], "failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overloaded_provider_that_names_a_time_is_not_asked_before_it() {
    let (app, _ada, _document) = extracted().await;
    attempt(&app, || {
        ProviderError::Overloaded(Trouble {
            says: "503".into(),
            retry_at: Some(Utc::now() + TimeDelta::hours(5)),
        })
    })
    .await;
    let mut conn = app.database().connect().await;
    let job = rows(&mut conn).await.pop().expect("a job");
    assert_eq!((job.state, job.attempts), (JobState::Queued, 1));
    assert!((job.run_at - Utc::now()).num_minutes() >= 299);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limit_spends_no_attempt_and_is_waited_for_to_the_second() {
    let (app, ada, document) = extracted().await;
    attempt(&app, || ProviderError::RateLimited {
        retry_at: Utc::now() + TimeDelta::hours(1),
    })
    .await;
    let mut conn = app.database().connect().await;
    let job = rows(&mut conn).await.pop().expect("a job");
    assert_eq!(
        (job.state, job.attempts, job.snoozes),
        (JobState::Queued, 0, 1)
    );
    assert!((job.run_at - Utc::now()).num_minutes() >= 59);
    // Not before its time, by any way.
    app.drain().await;
    let early = db::jobs::claim(&mut conn, job.id, "w", Duration::from_secs(9)).await;
    assert!(early.expect("an answer").is_none());
    app.database()
        .run("UPDATE jobs SET run_at = clock_timestamp()")
        .await;
    app.drain().await;
    assert_eq!(reread(&ada, &document).await["status"], "completed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_a_failed_attempt_and_not_the_end_of_the_worker() {
    let (app, ada, document) = extracted().await;
    let scripted = Scripted::new(|call| async move {
        assert!(call > 0, "the first call panics");
        Ok(())
    });
    let worker = worker_with(&app, scripted);
    worker::drain(&worker).await.expect("drained");
    let job = rows(&mut app.database().connect().await)
        .await
        .pop()
        .expect("a job");
    assert_eq!(job.error_class.as_deref(), Some("panic"));
    assert_eq!((job.state, job.attempts), (JobState::Queued, 1));
    app.database()
        .run("UPDATE jobs SET run_at = clock_timestamp()")
        .await;
    worker::drain(&worker).await.expect("drained");
    assert_eq!(reread(&ada, &document).await["status"], "completed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_overruns_its_time_is_ended_and_tried_again() {
    let (app, _, _) = extracted().await;
    let endless = Scripted::new(|_| std::future::pending());
    let mut worker = worker_with(&app, endless);
    worker.time_limit = |_| Duration::from_millis(300);
    worker::drain(&worker).await.expect("drained");
    let job = rows(&mut app.database().connect().await)
        .await
        .pop()
        .expect("a job");
    assert_eq!(job.error_class.as_deref(), Some("time_limit"));
    assert_eq!((job.state, job.attempts), (JobState::Queued, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_lets_the_other_calls_end_and_begins_no_more() {
    let (app, ada, document) = extracted().await;
    let failing = Scripted::of_size(1, |call| async move {
        if call == 0 {
            return Err(ProviderError::Overloaded("503".into()));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        Ok(())
    });
    let mut worker = worker_with(&app, failing.clone());
    worker.config.embed_concurrency = 2;
    worker::drain(&worker).await.expect("drained");
    let asked = failing.asked();
    assert_eq!(asked.len(), 2, "one failed, one was under way");
    let halfway = reread(&ada, &document).await;
    assert_eq!(halfway["chunksEmbedded"], 1, "{halfway}");

    app.database()
        .run("UPDATE jobs SET run_at = clock_timestamp()")
        .await;
    let fine = Scripted::new(|_| async { Ok(()) });
    worker::drain(&worker_with(&app, fine.clone()))
        .await
        .expect("drained");
    assert!(
        !fine.asked().contains(&asked[1]),
        "what was stored is not asked again"
    );
    assert_eq!(reread(&ada, &document).await["status"], "completed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vector_is_stored_although_every_connection_breaks_after_its_call() {
    let (app, ada, document) = extracted().await;
    let url = app.database().url().to_owned();
    let scripted = Scripted::new(move |_| {
        let url = url.clone();
        async move {
            use diesel_async::{AsyncConnection as _, SimpleAsyncConnection as _};
            let mut conn = db::Connection::establish(&url).await.expect("Postgres");
            conn.batch_execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )
            .await
            .expect("cut off");
            Ok(())
        }
    });
    worker::drain(&worker_with(&app, scripted.clone()))
        .await
        .expect("drained");
    let job = rows(&mut app.database().connect().await)
        .await
        .pop()
        .expect("a job");
    assert_eq!((job.state, job.attempts), (JobState::Done, 1), "{job:?}");
    assert_eq!(reread(&ada, &document).await["status"], "completed");
}

#[tokio::test]
async fn retries_wait_longer_each_time_and_a_named_time_is_kept() {
    let database = Database::create().await;
    let mut conn = database.connect().await;
    let job = enqueued(&mut conn, chore("a")).await.id;
    let failure = || Failure::new("busy", "The file is in use.");
    let mut waits = Vec::new();
    for _ in 0..3 {
        database
            .run("UPDATE jobs SET run_at = clock_timestamp()")
            .await;
        let claim = db::jobs::claim(&mut conn, job, "w", Duration::from_secs(9)).await;
        let claim = claim.expect("an answer").expect("a claim");
        let retry = Outcome::Retry(failure());
        db::jobs::settle(&mut conn, &claim, &retry, 1.0)
            .await
            .expect("settled");
        let wait = row(&mut conn, job).await.run_at - Utc::now();
        waits.push((wait.num_milliseconds() + 500) / 1000);
    }
    assert_eq!(waits, [2, 4, 8]);

    database
        .run("UPDATE jobs SET run_at = clock_timestamp()")
        .await;
    let claim = db::jobs::claim(&mut conn, job, "w", Duration::from_secs(9)).await;
    let claim = claim.expect("an answer").expect("a claim");
    let at = "2031-01-01T00:00:00Z".parse().expect("a time");
    let outcome = Outcome::RetryAt(at, failure());
    db::jobs::settle(&mut conn, &claim, &outcome, 1.0)
        .await
        .expect("settled");
    let row = row(&mut conn, job).await;
    assert_eq!((row.run_at, row.attempts), (at, 4));
    assert_eq!(row.error_message.as_deref(), Some("The file is in use."));
}
