//! The loop that fills Redis from the outbox. It runs in the API and in every worker, safely side
//! by side, and never inside a request: a stalled Redis slows nothing and fails nothing.

use std::{sync::Arc, time::Duration};

use domain::jobs::Outbox;
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

use super::Sender;

/// After a failure nothing is tried for this long.
const PAUSE: Duration = Duration::from_secs(1);

/// How often the loop looks.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// For jobs that became due.
    pub look: Duration,
    /// For silent workers and lost messages, and for tidying Redis.
    pub sweep: Duration,
}

/// Dispatches until `stop`; `wake` makes it look at once.
pub async fn dispatch_forever(
    outbox: &impl Outbox,
    sender: &Sender,
    wake: Arc<Notify>,
    pace: Pace,
    stop: CancellationToken,
) {
    let mut sweep_at = Instant::now();
    while !stop.is_cancelled() {
        if Instant::now() >= sweep_at {
            sweep_at = Instant::now() + pace.sweep;
            sweep(outbox, sender).await;
        }
        let began = Instant::now();
        let patience = match round(outbox, sender).await {
            // More may be due: what one owner offers in a round is limited.
            Ok(1..) => Duration::ZERO,
            Ok(0) => pace.look,
            Err(cause) => {
                tracing::warn!(error = %cause, "jobs are not dispatched");
                tokio::time::sleep(PAUSE).await;
                Duration::ZERO
            }
        };
        // As long a rest as the round took: a loop that is woken all the time takes half of one
        // connection, and Postgres is asked less often when it is slow.
        tokio::time::sleep(began.elapsed().min(pace.look)).await;
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(patience) => {}
            () = wake.notified() => {}
        }
    }
}

/// One round: hands out what there is room for and says how many.
async fn round(outbox: &impl Outbox, sender: &Sender) -> Result<usize, String> {
    // Asked first: while Redis is away nothing is marked as handed out.
    if !sender.remembers().await.map_err(text)? {
        tracing::warn!("Redis has lost its data: jobs are handed out again");
        outbox.take_back_all().await.map_err(text)?;
    }
    let jobs = outbox.pick().await.map_err(text)?;
    if let Err(cause) = sender.send(&jobs).await {
        report("take back", outbox.take_back(&jobs).await.map(drop));
        return Err(cause.to_string());
    }
    Ok(jobs.len())
}

/// Mends what died elsewhere: workers, and messages on their way.
async fn sweep(outbox: &impl Outbox, sender: &Sender) {
    let silent = outbox.sweep().await;
    if let Ok(jobs @ 1..) = silent {
        metrics::counter!("job_leases_expired_total").increment(jobs.unsigned_abs());
        tracing::warn!(jobs, "workers went silent: their jobs are given to others");
    }
    report("sweep", silent.map(drop));
    report("search for lost messages", recover(outbox, sender).await);
    report("tidy", sender.tidy().await);
}

/// Takes back jobs whose message is gone: its worker died with it in hand, or it never got out.
async fn recover(outbox: &impl Outbox, sender: &Sender) -> Result<(), String> {
    let waiting = outbox.handed_out().await.map_err(text)?;
    let missing = sender.missing(waiting).await.map_err(text)?;
    if missing.is_empty() {
        return Ok(());
    }
    let jobs = outbox.take_back(&missing).await.map_err(text)?;
    metrics::counter!("job_messages_lost_total").increment(u64::try_from(jobs).unwrap_or_default());
    tracing::info!(jobs, "messages were lost: their jobs are handed out again");
    Ok(())
}

fn text(cause: impl std::fmt::Display) -> String {
    cause.to_string()
}

fn report<E: std::fmt::Display>(what: &str, result: Result<(), E>) {
    if let Err(cause) = result {
        tracing::warn!(error = %cause, "{what} failed");
    }
}
