//! What a worker can be told, on the command line or by the environment.

use std::{net::SocketAddr, time::Duration};

use domain::{jobs::JobKind, retention::Kept};
use gateway::GatewayConfig;
use integrations::{extract::ExtractorConfig, storage::StorageConfig};
use sandbox::SandboxConfig;

/// Embedding jobs that take the place of one job of another kind.
const EMBEDDINGS: u16 = 3;

/// A worker's settings.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Config {
    /// The kinds of jobs to serve, separated by commas; without it, all.
    #[arg(long, env = "WORKER_KINDS", value_delimiter = ',')]
    pub kinds: Vec<JobKind>,
    /// Jobs of each kind performed at once; of those that embed, which mostly wait, three times as
    /// many.
    #[arg(long, env = "WORKER_CONCURRENCY", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub concurrency: u16,
    /// Seconds after which a silent worker's jobs are given to another.
    #[arg(long, env = "JOB_LEASE_SECONDS", default_value_t = 10.0, value_parser = seconds)]
    pub job_lease_seconds: f64,
    /// Seconds after which a job that was handed out and not begun is looked for in Redis; one that
    /// is no longer there is handed out again.
    #[arg(long, env = "JOB_LOST_AFTER_SECONDS", default_value_t = 3.0, value_parser = seconds)]
    pub job_lost_after_seconds: f64,
    /// Seconds that running jobs get to end when the worker stops; then they are handed back.
    #[arg(long, env = "WORKER_DRAIN_SECONDS", default_value_t = 25)]
    pub worker_drain_seconds: u64,
    /// Days that settled jobs are kept.
    #[arg(long, env = "JOB_KEEP_DAYS", default_value_t = 7, value_parser = days(Kept::Jobs))]
    pub job_keep_days: i32,
    /// Days that responses of models are kept for runs that use them.
    #[arg(long, env = "RESPONSE_KEEP_DAYS", default_value_t = 14, value_parser = days(Kept::Responses))]
    pub response_keep_days: i32,
    /// Days that events of what is over are kept; without, for ever.
    #[arg(long, env = "EVENT_KEEP_DAYS", value_parser = days(Kept::Events))]
    pub event_keep_days: Option<i32>,
    /// Days that single calls of runs that are over are kept; without, for ever.
    #[arg(long, env = "ATTEMPT_KEEP_DAYS", value_parser = days(Kept::Attempts))]
    pub attempt_keep_days: Option<i32>,
    /// Days that entries of the audit log are kept; without, for ever.
    #[arg(long, env = "AUDIT_KEEP_DAYS", value_parser = days(Kept::Audit))]
    pub audit_keep_days: Option<i32>,
    /// The hour of the day, in UTC, from which what was kept for long enough is removed.
    #[arg(long, env = "RETENTION_HOUR", default_value_t = 3, value_parser = clap::value_parser!(u8).range(0..=23))]
    pub retention_hour: u8,
    /// Embedding calls under way at once for one document.
    #[arg(long, env = "EMBED_CONCURRENCY", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub embed_concurrency: u16,
    /// Executions of workflows performed at once: they mostly wait for models.
    #[arg(long, env = "WORKFLOW_CONCURRENCY", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub workflow_concurrency: u16,
    /// Seconds that an execution may take from when it is taken up to its last task.
    #[arg(long, env = "WORKFLOW_SECONDS", default_value_t = 3600, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub workflow_seconds: u32,
    /// Seconds between two readings of a tracker.
    #[arg(long, env = "TRACKER_SYNC_SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u32).range(10..=86_400))]
    pub tracker_sync_seconds: u32,
    /// Hours between two times that all which a tracker has is gone through.
    #[arg(long, env = "TRACKER_SWEEP_HOURS", default_value_t = 24, value_parser = clap::value_parser!(u16).range(1..=720))]
    pub tracker_sweep_hours: u16,
    /// The address to serve metrics on; without it they are not served.
    #[arg(long, env = "WORKER_METRICS_BIND")]
    pub worker_metrics_bind: Option<SocketAddr>,
    /// Postgres.
    #[command(flatten)]
    pub db: db::pool::Config,
    /// Redis.
    #[command(flatten)]
    pub queue: queue::Config,
    /// When providers may be called.
    #[command(flatten)]
    pub governor: queue::governor::GovernorConfig,
    /// The providers, and the keys they are called with.
    #[command(flatten)]
    pub gateway: GatewayConfig,
    /// Files.
    #[command(flatten)]
    pub storage: StorageConfig,
    /// Reading files.
    #[command(flatten)]
    pub extractor: ExtractorConfig,
    /// What functions may take.
    #[command(flatten)]
    pub sandbox: SandboxConfig,
}

/// As many days as something may be kept.
fn days(kept: Kept) -> impl Fn(&str) -> Result<i32, String> + Clone {
    move |text| {
        let days: i32 = text
            .parse()
            .map_err(|_| "must be a whole number".to_owned())?;
        kept.check(days).map(|()| days).map_err(|fault| fault.0)
    }
}

/// A time between a tenth of a second and an hour.
fn seconds(text: &str) -> Result<f64, String> {
    let accepted = |seconds: &f64| (0.1..=3600.0).contains(seconds);
    text.parse()
        .ok()
        .filter(accepted)
        .ok_or_else(|| "must be between 0.1 and 3600".to_owned())
}

impl Config {
    /// The kinds served, each with how many at once.
    pub fn served(&self) -> Vec<(JobKind, usize)> {
        let kinds = if self.kinds.is_empty() {
            JobKind::ALL
        } else {
            &self.kinds
        };
        kinds
            .iter()
            .map(|kind| (*kind, usize::from(self.at_once(*kind))))
            .collect()
    }

    /// How many jobs of this kind are performed at once.
    pub fn at_once(&self, kind: JobKind) -> u16 {
        match kind {
            // Hardly more than waiting for somebody else.
            JobKind::DocumentsEmbed => self.concurrency.saturating_mul(EMBEDDINGS),
            JobKind::WorkflowsExecute => self.workflow_concurrency,
            _ => self.concurrency,
        }
    }

    /// How long a lease lasts.
    pub fn lease(&self) -> Duration {
        Duration::from_secs_f64(self.job_lease_seconds)
    }
}
