//! A worker's life: it serves its kinds, dispatches, runs the clock, and ends in good order.

use std::{sync::Arc, time::Duration};

use db::jobs::{NewJob, Rows, Window};
use domain::{
    documents::RefreshDocuments,
    jobs::{JobKind, Outcome, Prune},
    retention::ApplyRetention,
    stats::FoldStats,
};
use queue::delivery::{Beat, Consumer, Pace, Sender, dispatch_forever};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{Worker, gauges, perform::perform, presence};

/// Rows removed by one statement.
const PRUNE_BATCH: i64 = 5_000;

/// How often a worker looks for trackers whose time has come.
const TRACKER_LOOK: Duration = Duration::from_secs(5);

/// How long a worker may be out of touch with a Redis that answers others.
const SILENCE: Duration = Duration::from_secs(60);

/// Serves until `worker.stop`. Fails when the worker is cut off from a Redis that is up: whoever
/// runs it should start it again.
pub async fn run(worker: Arc<Worker>) -> anyhow::Result<()> {
    let patient = queue::connect_patiently(&worker.config.queue)?;
    let beat = Beat::default();
    // Running jobs are first given time to end; what still runs then is handed back.
    let hand_back = CancellationToken::new();
    let attempts = TaskTracker::new();
    let consumer = Consumer {
        redis: patient.clone(),
        config: worker.config.queue.clone(),
        beat: beat.clone(),
        perform: performer(&worker, &attempts, &hand_back),
    };
    tracing::info!(kinds = ?worker.config.served(), worker.name = worker.name, embedder = worker.embedder.name(), "serving");
    let ended = tokio::select! {
        ((), ()) = serve(&worker, &consumer, &attempts, patient) => Ok(()),
        () = after(&worker, &hand_back) => Ok(()),
        () = clock(&worker) => Ok(()),
        () = clock_of_trackers(&worker) => Ok(()),
        () = gauges::keep_setting(&worker) => Ok(()),
        () = presence::keep_saying(&worker) => Ok(()),
        cause = cut_off(&worker, &beat) => Err(cause),
    };
    presence::sign_off(&worker).await;
    ended
}

/// Consumes until told to stop, and dispatches until nothing runs here any more: the last jobs may
/// enqueue others, and a dispatch is not broken off between Postgres and Redis.
async fn serve(
    worker: &Worker,
    consumer: &Consumer,
    attempts: &TaskTracker,
    redis: queue::Redis,
) -> ((), ()) {
    let sender = Sender::new(redis, worker.config.queue.clone());
    let (rows, served) = (rows(worker), worker.config.served());
    let ended = CancellationToken::new();
    tokio::join!(
        async {
            consumer.run(&served, &worker.stop).await;
            // Attempts outlive a delivery whose connection broke.
            attempts.close();
            attempts.wait().await;
            ended.cancel();
        },
        dispatch_forever(&rows, &sender, worker.wake.clone(), pace(), ended.clone())
    )
}

/// How often a worker looks for due jobs of its own accord.
pub fn pace() -> Pace {
    Pace {
        look: Duration::from_millis(200),
        sweep: Duration::from_secs(1),
    }
}

fn rows(worker: &Worker) -> Rows {
    let window = i64::from(worker.config.concurrency) * 8;
    Rows {
        pool: worker.pool.clone(),
        windows: JobKind::ALL
            .iter()
            .map(|kind| Window {
                kind: *kind,
                places: window.max(64),
                each: worker.config.queue.each(*kind),
            })
            .collect(),
        lost_after_seconds: worker.config.job_lost_after_seconds,
    }
}

fn performer(
    worker: &Arc<Worker>,
    attempts: &TaskTracker,
    hand_back: &CancellationToken,
) -> queue::delivery::Perform {
    let (worker, attempts, hand_back) = (worker.clone(), attempts.clone(), hand_back.clone());
    Arc::new(move |id| {
        let (worker, hand_back) = (worker.clone(), hand_back.clone());
        let attempt = async move { perform(&worker, id, &hand_back).await };
        Box::pin(attempts.track_future(attempt))
    })
}

/// Hands running jobs back when the time to end by themselves is over. Never returns by itself.
async fn after(worker: &Worker, hand_back: &CancellationToken) {
    worker.stop.cancelled().await;
    tokio::time::sleep(Duration::from_secs(worker.config.worker_drain_seconds)).await;
    hand_back.cancel();
    std::future::pending::<()>().await;
}

/// Enqueues what is due by the clock; many workers do so side by side, and it counts once.
async fn clock(worker: &Worker) {
    while let Err(cause) = begin(worker).await {
        tracing::warn!(
            error = format!("{cause:#}"),
            "the clock cannot be started yet"
        );
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    for minute in 1_u32.. {
        tokio::time::sleep(Duration::from_secs(60)).await;
        if let Err(cause) = tick(worker, minute).await {
            tracing::warn!(error = format!("{cause:#}"), "the clock missed a tick");
        }
    }
}

/// Has trackers read whose time has come.
async fn clock_of_trackers(worker: &Worker) {
    loop {
        tokio::time::sleep(TRACKER_LOOK).await;
        if let Err(cause) = tick_trackers(worker).await {
            tracing::warn!(
                error = format!("{cause:#}"),
                "the clock of trackers missed a tick"
            );
        }
    }
}

/// Begins the rounds of trackers that are due, and says how many. Many workers do so side by side, and it
/// counts once.
pub async fn tick_trackers(worker: &Worker) -> anyhow::Result<usize> {
    let config = &worker.config;
    let (every, sweep) = (config.tracker_sync_seconds, config.tracker_sweep_hours);
    let mut conn = worker.pool.get().await?;
    let begun = db::trackers::syncs::tick(&mut conn, every.into(), sweep.into()).await?;
    if begun > 0 {
        worker.wake.notify_one();
    }
    Ok(begun)
}

/// Makes the embedding model of this worker known, and has documents of another made anew.
pub async fn begin(worker: &Worker) -> anyhow::Result<()> {
    let mut conn = worker.pool.get().await?;
    db::documents::refresh::choose(&mut conn, worker.embedder.name()).await?;
    db::jobs::enqueue(
        &mut conn,
        &[NewJob::new(&RefreshDocuments {}).once("clock")],
    )
    .await?;
    Ok(())
}

async fn tick(worker: &Worker, minute: u32) -> anyhow::Result<()> {
    let mut conn = worker.pool.get().await?;
    let mut due = vec![NewJob::new(&FoldStats {}).once("clock")];
    if minute.is_multiple_of(10) {
        due.push(NewJob::new(&Prune {}).once("clock"));
        due.push(NewJob::new(&RefreshDocuments {}).once("clock"));
    }
    if db::retention::is_due(&mut conn, worker.config.retention_hour.into()).await? {
        due.push(NewJob::new(&ApplyRetention {}).once("clock"));
    }
    db::jobs::enqueue(&mut conn, &due).await?;
    Ok(())
}

/// Removes what was kept for long enough, in small batches.
pub async fn prune(worker: &Worker) -> anyhow::Result<Outcome> {
    let days = u64::from(worker.config.job_keep_days.unsigned_abs());
    let keep = Duration::from_secs(days * 24 * 3600);
    let mut conn = worker.pool.get().await?;
    while db::jobs::prune(&mut conn, keep, PRUNE_BATCH).await? > 0 {}
    db::idempotency::prune(&mut conn).await?;
    db::trackers::hooks::prune(&mut conn).await?;
    db::trackers::grants::prune(&mut conn).await?;
    Ok(Outcome::Done)
}

/// Returns when this worker hears nothing from a Redis that is up.
async fn cut_off(worker: &Worker, beat: &Beat) -> anyhow::Error {
    loop {
        tokio::time::sleep(Duration::from_secs(5)).await;
        if beat.age() > SILENCE
            && let Ok(redis) = queue::connect(&worker.config.queue)
            && queue::answers(&redis).await
        {
            return anyhow::anyhow!(
                "no job queue was heard for {SILENCE:?} although Redis answers"
            );
        }
    }
}
