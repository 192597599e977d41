//! Job ids to Redis and back, through apalis. apalis is a transport here and nothing more: what it
//! carries may get lost, come twice or come late without harm, because the job's row decides.
//!
//! What apalis-redis 1.0 does not do is done here: small windows instead of long queues, a wake-up
//! of our own, a fresh name for each worker, its restart when the connection breaks, an orderly
//! end, and the removal of what finished.

mod consume;
mod dispatch;

pub use consume::{Beat, Consumer, Stop};
pub use dispatch::{Pace, dispatch_forever};

use std::time::Duration;

use apalis::prelude::{TaskBuilder, TaskId, TaskSink};
use apalis_redis::{Config as QueueConfig, RedisStorage};
use domain::jobs::{Dispatch, JobId, JobKind};
use redis::AsyncCommands;
use serde::{Deserialize, Serialize};

use crate::{Config, Redis, RedisError};

/// All that Redis carries of a job. Its form never changes: a payload that cannot be read would
/// end the worker that fetched it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct JobRef {
    #[serde(default)]
    id: String,
}

/// Why ids did not get out.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Redis failed.
    #[error(transparent)]
    Redis(#[from] RedisError),
    /// apalis failed to push.
    #[error("{0}")]
    Push(String),
}

/// Hands job ids out.
#[derive(Clone)]
pub struct Sender {
    redis: Redis,
    config: Config,
}

impl Sender {
    /// A sender on this connection.
    pub fn new(redis: Redis, config: Config) -> Self {
        Self { redis, config }
    }

    /// Pushes the jobs and wakes the workers of their kinds.
    pub async fn send(&self, jobs: &[Dispatch]) -> Result<(), SendError> {
        for kind in JobKind::ALL {
            let of_kind: Vec<_> = jobs.iter().filter(|job| job.kind == *kind).collect();
            if !of_kind.is_empty() {
                self.send_kind(*kind, &of_kind).await?;
            }
        }
        Ok(())
    }

    async fn send_kind(&self, kind: JobKind, jobs: &[&Dispatch]) -> Result<(), SendError> {
        let mut storage = storage(&self.config, self.redis.clone(), kind);
        let tasks = jobs.iter().map(|job| {
            let id = TaskId::from_string(format!("{}.{}", job.id, job.epoch));
            TaskBuilder::new(JobRef {
                id: job.id.to_string(),
            })
            .task_id(id)
            .build()
        });
        let mut tasks = futures::stream::iter(tasks.collect::<Vec<_>>());
        storage
            .push_all(&mut tasks)
            .await
            .map_err(|cause| SendError::Push(format!("{cause:?}")))?;
        let mut redis = self.redis.clone();
        let _: i64 = redis
            .publish(wake_channel(&self.config), kind.as_str())
            .await?;
        Ok(())
    }

    /// Whether Redis still knows what was sent to it: `false` once after it lost its data.
    async fn remembers(&self) -> Result<bool, RedisError> {
        let mut redis = self.redis.clone();
        // Set-if-absent, so that of many dispatchers one alone notices.
        let absent: bool = redis.set_nx(self.config.key("jobs:remembered"), 1).await?;
        Ok(!absent)
    }

    /// Removes what apalis keeps of finished jobs, a bounded number at a time.
    async fn tidy(&self) -> Result<(), RedisError> {
        const SCRIPT: &str = "for _, set in ipairs({KEYS[1], KEYS[2]}) do \
             for _, id in ipairs(redis.call('SPOP', set, 500)) do \
               redis.call('HDEL', KEYS[3], id) redis.call('DEL', KEYS[4] .. ':' .. id) \
             end end";
        for kind in JobKind::ALL {
            let queue = queue_config(&self.config, *kind);
            let mut redis = self.redis.clone();
            let _: () = redis::Script::new(SCRIPT)
                .key(queue.done_jobs_set())
                .key(queue.dead_jobs_set())
                .key(queue.job_data_hash())
                .key(queue.job_meta_hash())
                .invoke_async(&mut redis)
                .await?;
        }
        Ok(())
    }
}

fn wake_channel(config: &Config) -> String {
    config.key("jobs:wake")
}

fn queue_config(config: &Config, kind: JobKind) -> QueueConfig {
    QueueConfig::default()
        .queue(config.key(&format!("jobs:{kind}")))
        // No prefetch: a job that waits behind a slow one on this worker could run on another.
        .batch_size(1)
        .heartbeat_interval(Duration::from_secs(2))
        .missed_heartbeats(15)
        // Fetching is atomic without it, and it scans the whole list for every job.
        .lock_tasks(false)
        .emit_events(false)
}

fn storage(config: &Config, redis: Redis, kind: JobKind) -> RedisStorage<JobRef> {
    RedisStorage::new(redis).with_config(queue_config(config, kind))
}

impl JobRef {
    fn job_id(&self) -> Option<JobId> {
        self.id.parse().ok()
    }
}
