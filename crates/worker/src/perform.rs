//! One attempt at a job: claim it, do it within its time while the lease is kept, and settle it.
//! A job that panics or overruns is tried again like one that fails.

use std::{panic::AssertUnwindSafe, time::Duration};

use domain::jobs::{Claim, Failure, JobId, Outcome};
use futures::FutureExt;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::{Worker, patience::insist, registry};

/// How long a job that was fetched is claimed when Postgres is away; then its message is given up,
/// and another follows.
const CLAIM_PATIENCE: Duration = Duration::from_secs(5);

/// Performs the job if it still waits for somebody, unless the worker is about to end.
/// `hand_back` puts it back unfinished.
pub async fn perform(worker: &Worker, id: JobId, hand_back: &CancellationToken) {
    if worker.stop.is_cancelled() {
        return;
    }
    if let Err(cause) = attempt(worker, id, hand_back).await {
        // The lease runs out by itself, and another attempt follows.
        tracing::warn!(error = format!("{cause:#}"), job.id = %id, "attempt could not be recorded");
    }
    worker.wake.notify_one();
}

async fn attempt(worker: &Worker, id: JobId, hand_back: &CancellationToken) -> anyhow::Result<()> {
    let lease = worker.config.lease();
    let claim = insist(CLAIM_PATIENCE, || async {
        let mut conn = worker.pool.get().await?;
        Ok(db::jobs::claim(&mut conn, id, &worker.name, lease).await?)
    });
    let Some(claim) = claim.await? else {
        return Ok(());
    };
    let started = Instant::now();
    let span = tracing::info_span!("job", job.id = %id, job.kind = %claim.kind, request.id = claim.request_id);
    let outcome = outcome(worker, &claim, hand_back).instrument(span).await;
    record(&claim, outcome.as_ref(), started.elapsed());
    let Some(outcome) = outcome else {
        return Ok(());
    };
    let random = rand::random();
    insist(lease, || async {
        let mut conn = worker.pool.get().await?;
        Ok(db::jobs::settle(&mut conn, &claim, &outcome, random).await?)
    })
    .await
}

/// How the attempt ended; `None` when the lease was lost and nothing may be recorded.
async fn outcome(worker: &Worker, claim: &Claim, hand_back: &CancellationToken) -> Option<Outcome> {
    let work = AssertUnwindSafe(timeout(
        (worker.time_limit)(claim.kind),
        registry::perform(worker, claim),
    ));
    tokio::select! {
        ended = work.catch_unwind() => Some(match ended {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Outcome::Retry(Failure::new("time_limit", "The attempt took too long.")),
            Err(_) => Outcome::Retry(Failure::new("panic", "The attempt failed unexpectedly.")),
        }),
        () = lease_lost(worker, claim) => None,
        () = hand_back.cancelled() => Some(stopped()),
    }
}

/// The worker ends before the job does.
pub fn stopped() -> Outcome {
    Outcome::Snooze(chrono::Utc::now(), "its worker was stopped".into())
}

/// Extends the lease while the job runs; returns when somebody else has it.
async fn lease_lost(worker: &Worker, claim: &Claim) {
    let lease = worker.config.lease();
    let third = lease / 3;
    let mut ticks = interval_at(Instant::now() + third, third);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match extend(worker, claim, lease).await {
            Ok(true) => {}
            Ok(false) => return,
            // The next tick may succeed; if none does, the fence keeps this attempt from counting.
            Err(cause) => tracing::warn!(error = %cause, "lease not extended"),
        }
    }
}

async fn extend(worker: &Worker, claim: &Claim, lease: Duration) -> anyhow::Result<bool> {
    let mut conn = worker.pool.get().await?;
    Ok(db::jobs::extend(&mut conn, claim.lease, lease).await?)
}

fn record(claim: &Claim, outcome: Option<&Outcome>, took: Duration) {
    let (name, failure) = match outcome {
        Some(Outcome::Done) => ("done", None),
        Some(Outcome::Retry(failure) | Outcome::RetryAt(_, failure)) => ("retry", Some(failure)),
        Some(Outcome::Snooze(..)) => ("snooze", None),
        Some(Outcome::Discard(failure)) => ("discard", Some(failure)),
        None => ("lease_lost", None),
    };
    metrics::counter!("job_attempts_total", "kind" => claim.kind.as_str(), "outcome" => name)
        .increment(1);
    metrics::histogram!("job_attempt_duration_seconds", "kind" => claim.kind.as_str(), "outcome" => name)
        .record(took.as_secs_f64());
    tracing::info!(
        job.id = %claim.lease.job_id,
        job.kind = %claim.kind,
        job.attempt = claim.attempt,
        job.outcome = name,
        error.class = failure.map(|f| f.class.as_str()),
        error.message = failure.map(|f| f.message.as_str()),
        request.id = claim.request_id,
        duration_ms = took.as_secs_f64() * 1000.0,
        "job"
    );
}
