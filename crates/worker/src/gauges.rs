//! How long the queues are, for Prometheus.

use std::{collections::HashMap, time::Duration};

use db::jobs::Depth;
use domain::jobs::{JobKind, JobState};

use crate::Worker;

/// Between two looks: counting a long queue takes Postgres some milliseconds.
const PACE: Duration = Duration::from_secs(15);

/// Sets the gauges now and then. Never returns.
pub async fn keep_setting(worker: &Worker) {
    loop {
        if let Err(cause) = set(worker).await {
            tracing::debug!(error = format!("{cause:#}"), "queues were not measured");
        }
        tokio::time::sleep(PACE).await;
    }
}

/// Sets `jobs` by kind and state, and `jobs_oldest_due_seconds` by kind: how long the oldest job
/// that waits has been due.
async fn set(worker: &Worker) -> anyhow::Result<()> {
    let depths = db::jobs::depths(&mut *worker.pool.get().await?).await?;
    let found: HashMap<_, &Depth> = depths
        .iter()
        .map(|depth| ((depth.kind, depth.state), depth))
        .collect();
    for kind in JobKind::ALL {
        // Those that are not found are set as well: a queue that ran empty has none.
        for state in [JobState::Queued, JobState::Running, JobState::Dead] {
            let jobs = found.get(&(*kind, state)).map_or(0, |depth| depth.jobs);
            metrics::gauge!("jobs", "kind" => kind.as_str(), "state" => state.as_str())
                .set(f64::from(i32::try_from(jobs).unwrap_or(i32::MAX)));
        }
        let age = found
            .get(&(*kind, JobState::Queued))
            .map_or(0.0, |depth| depth.age_seconds.max(0.0));
        metrics::gauge!("jobs_oldest_due_seconds", "kind" => kind.as_str()).set(age);
    }
    Ok(())
}
