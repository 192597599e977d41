//! The worker: performs jobs, hands them out, and runs the clock. Any number of workers run side
//! by side and may be started and killed at any time.

pub mod config;
mod documents;
mod drain;
mod gauges;
mod patience;
pub mod perform;
mod presence;
mod registry;
mod retention;
mod run;
mod runs;
mod stats;
mod trackers;
mod workflows;

use std::{sync::Arc, time::Duration};

use domain::{jobs::JobKind, providers::Embedder};
use gateway::Gateway;
use integrations::{extract::Extractor, storage::Storage};
use queue::governor::Governor;
use sandbox::Sandbox;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

pub use config::Config;
pub use drain::drain;
pub use presence::beat;
pub use run::{begin, run, tick_trackers};
pub use trackers::Pace;

/// What jobs work with.
pub struct Worker {
    /// Postgres.
    pub pool: db::Pool,
    /// Where files are.
    pub storage: Storage,
    /// What reads files, apart from this process.
    pub extractor: Extractor,
    /// What runs people's functions, apart from this process.
    pub sandbox: Sandbox,
    /// What reaches models, under the governor.
    pub gateway: Gateway,
    /// What makes vectors, under the governor.
    pub embedder: Arc<dyn Embedder>,
    /// The settings.
    pub config: Config,
    /// What this process is called in the job table.
    pub name: String,
    /// How long an attempt at a job of this kind may take.
    pub time_limit: fn(JobKind) -> Duration,
    /// How much of a tracker is read before others have their turn.
    pub pace: Pace,
    /// Ends the worker: nothing new is begun, and long jobs stop where nothing is wasted.
    pub stop: CancellationToken,
    /// Rung when a job has ended, since that makes room and may have enqueued the next.
    pub wake: Arc<Notify>,
    /// Tells who follows runs that something happened.
    pub news: queue::news::News,
}

impl Worker {
    /// Puts together what jobs work with; `extractor` reads files, `sandbox` runs functions. Nothing is connected yet.
    pub fn new(mut config: Config, extractor: Extractor, sandbox: Sandbox) -> anyhow::Result<Self> {
        config.gateway.drop_blanks();
        let faults = config.gateway.faults();
        anyhow::ensure!(
            faults.is_empty(),
            "the configuration has to be corrected:\n- {}",
            faults.join("\n- ")
        );
        let governor = Governor::new(
            queue::connect(&config.queue)?,
            config.queue.clone(),
            config.governor.clone(),
            Arc::default(),
        );
        let stop = CancellationToken::new();
        let pool = db::pool::connect(&config.db)?;
        let pauses = Arc::new(db::provider_keys::Pauses::new(pool.clone()));
        let gateway = Gateway::new(&config.gateway, governor.until(stop.clone()), pauses)?;
        Ok(Self {
            pool,
            storage: Storage::open(&config.storage)?,
            extractor,
            sandbox,
            embedder: gateway.embedder(),
            gateway,
            name: format!("worker-{}", uuid::Uuid::now_v7()),
            time_limit: JobKind::time_limit,
            pace: Pace::default(),
            stop,
            wake: Arc::default(),
            news: queue::news::News::new(
                queue::connect(&config.queue)?,
                config.queue.clone(),
                Arc::default(),
            ),
            config,
        })
    }
}
