//! The loop that fills Redis from the outbox. It runs in the API and in every worker, safely side
//! by side, and never inside a request: a stalled Redis slows nothing and fails nothing.

use std::{sync::Arc, time::Duration};

use domain::jobs::Outbox;
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

use super::Sender;

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
    let mut swept = Instant::now() - pace.sweep;
    while !stop.is_cancelled() {
        if swept.elapsed() >= pace.sweep {
            swept = Instant::now();
            report("sweep", outbox.sweep().await);
            report("tidy", sender.tidy().await);
        }
        match round(outbox, sender).await {
            Ok(0) => {
                tokio::select! {
                    () = wake.notified() => {}
                    () = tokio::time::sleep(pace.look) => {}
                    () = stop.cancelled() => {}
                }
            }
            Ok(_) => {}
            Err(cause) => {
                tracing::warn!(error = %cause, "jobs are not dispatched");
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_secs(1)) => {}
                    () = stop.cancelled() => {}
                }
            }
        }
    }
}

/// One round: hands out what there is room for and says how many.
async fn round(outbox: &impl Outbox, sender: &Sender) -> Result<usize, String> {
    // Asked first: while Redis is away nothing is marked as handed out.
    if !sender
        .remembers()
        .await
        .map_err(|cause| cause.to_string())?
    {
        outbox
            .take_back_all()
            .await
            .map_err(|cause| cause.to_string())?;
    }
    let jobs = outbox.pick().await.map_err(|cause| cause.to_string())?;
    if let Err(cause) = sender.send(&jobs).await {
        let ids: Vec<_> = jobs.iter().map(|job| job.id).collect();
        report("take back", outbox.take_back(&ids).await);
        return Err(cause.to_string());
    }
    Ok(jobs.len())
}

fn report<E: std::fmt::Display>(what: &str, result: Result<(), E>) {
    if let Err(cause) = result {
        tracing::warn!(error = %cause, "{what} failed");
    }
}
