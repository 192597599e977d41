//! The end of a worker: what runs is finished or handed back, and nothing is wasted.

use std::{sync::Arc, time::Duration};

use domain::jobs::JobState;
use tests::support::{App, Client};
use tokio::sync::{Notify, Semaphore};

use super::{
    delivery::AtWork,
    support::{Scripted, eventually, passages, rows, upload, worker_with},
};

/// An embedder whose calls wait for a permit, and a bell that the first one rings.
fn held_back(permits: usize) -> (Arc<Scripted>, Arc<Semaphore>, Arc<Notify>) {
    let (gate, bell) = (Arc::new(Semaphore::new(permits)), Arc::new(Notify::new()));
    let (waits, rings) = (gate.clone(), bell.clone());
    let embedder = Scripted::of_size(1, move |_| {
        let (waits, rings) = (waits.clone(), rings.clone());
        async move {
            rings.notify_one();
            waits.acquire().await.expect("an open gate").forget();
            Ok(())
        }
    });
    (embedder, gate, bell)
}

async fn begun() -> (App, Client) {
    let app = App::start().await;
    let ada = app.register().await;
    upload(&ada, "a.md", &passages(6)).await;
    (app, ada)
}

async fn completed(app: &App) -> bool {
    app.count("documents WHERE status = 'completed'").await == 1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_under_way_is_waited_for_stored_and_not_repeated_by_the_next_worker() {
    let (app, _) = begun().await;
    let (embedder, gate, bell) = held_back(0);
    let mut worker = worker_with(&app, embedder.clone());
    worker.config.embed_concurrency = 1;
    let at_work = AtWork::start(worker);
    bell.notified().await;
    at_work.worker.stop.cancel();
    // The end is asked for while the first call is under way; only then is it answered.
    gate.add_permits(100);
    at_work.end().await;

    assert_eq!(
        embedder.asked().len(),
        1,
        "no call was begun after the signal"
    );
    let mut conn = app.database().connect().await;
    let job = rows(&mut conn).await.pop().expect("a job");
    assert_eq!(
        (job.state, job.attempts, job.snoozes),
        (JobState::Queued, 0, 1)
    );

    let next = Scripted::of_size(1, |_| async { Ok(()) });
    worker::drain(&worker_with(&app, next.clone()))
        .await
        .expect("drained");
    assert!(completed(&app).await);
    let again = next
        .asked()
        .iter()
        .any(|text| embedder.asked().contains(text));
    assert!(!again, "what was paid for is not asked again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_does_not_end_in_time_is_handed_back_and_done_by_another() {
    let (app, _) = begun().await;
    let (embedder, _gate, bell) = held_back(0);
    let mut worker = worker_with(&app, embedder);
    worker.config.worker_drain_seconds = 0;
    let at_work = AtWork::start(worker);
    bell.notified().await;
    at_work.end().await;
    let mut conn = app.database().connect().await;
    let job = rows(&mut conn).await.pop().expect("a job");
    assert_eq!(
        (job.state, job.attempts, job.snoozes),
        (JobState::Queued, 0, 1)
    );
    assert_eq!(job.worker, None);

    let next = AtWork::start(app.worker());
    eventually("another worker completes it", async || {
        completed(&app).await
    })
    .await;
    next.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_ends_leaves_waiting_jobs_to_others() {
    let (app, ada) = begun().await;
    let (embedder, gate, bell) = held_back(0);
    let at_work = AtWork::start(worker_with(&app, embedder));
    bell.notified().await;
    at_work.worker.stop.cancel();
    upload(&ada, "b.txt", "Uploaded when the worker was about to end.").await;
    let other = AtWork::start(app.worker());
    eventually("another worker takes what waits", async || {
        completed(&app).await
    })
    .await;
    gate.add_permits(100);
    at_work.end().await;
    let all = async || app.count("documents WHERE status = 'completed'").await == 2;
    eventually("the other goes on with what was stopped", all).await;
    other.end().await;
    let attempts = rows(&mut app.database().connect().await).await;
    assert!(attempts.iter().all(|job| job.attempts == 1), "{attempts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_worker_ends_at_once() {
    let app = App::start().await;
    let at_work = AtWork::start(app.worker());
    let ended = tokio::time::timeout(Duration::from_secs(10), at_work.end());
    ended.await.expect("it ends");
}
