//! Job ids to Redis and back, through apalis. apalis is a transport here and nothing more: what it
//! carries may get lost, come twice or come late without harm, because the job's row decides.
//!
//! What apalis-redis 1.0 does not do is done here: small windows instead of long queues, a wake-up
//! of our own, a fresh name for each worker, its restart when the connection breaks, an orderly
//! end, and the removal of what finished.

mod consume;
mod dispatch;

pub use consume::{Beat, Consumer, Perform, Stop};
pub use dispatch::{Pace, dispatch_forever};

use std::{collections::HashSet, time::Duration};

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
            let id = TaskId::from_string(message_id(job));
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

    /// Those of these jobs whose message no longer waits in Redis. One that a worker has just taken
    /// and not yet claimed is among them, which costs a repeated message at worst.
    async fn missing(&self, mut jobs: Vec<Dispatch>) -> Result<Vec<Dispatch>, RedisError> {
        for kind in JobKind::ALL {
            if jobs.iter().any(|job| job.kind == *kind) {
                let waiting = self.waiting(*kind).await?;
                jobs.retain(|job| job.kind != *kind || !waiting.contains(&message_id(job)));
            }
        }
        Ok(jobs)
    }

    /// The messages of a kind that no worker has fetched.
    async fn waiting(&self, kind: JobKind) -> Result<HashSet<String>, RedisError> {
        let queue = queue_config(&self.config, kind);
        // Both at one moment: apalis moves messages from the first to the second.
        let (scheduled, active): (Vec<String>, Vec<String>) = redis::pipe()
            .atomic()
            .zrange(queue.scheduled_jobs_set(), 0, -1)
            .lrange(queue.active_jobs_list(), 0, -1)
            .query_async(&mut self.redis.clone())
            .await?;
        Ok(scheduled.into_iter().chain(active).collect())
    }

    /// Removes what apalis keeps of finished jobs, a bounded number at a time.
    async fn tidy(&self) -> Result<(), RedisError> {
        const AT_ONCE: usize = 500;
        const SCRIPT: &str = "local most = 0 \
             for _, set in ipairs({KEYS[1], KEYS[2]}) do \
               local ids = redis.call('SPOP', set, ARGV[1]) \
               most = math.max(most, #ids) \
               for _, id in ipairs(ids) do \
                 redis.call('HDEL', KEYS[3], id) redis.call('DEL', KEYS[4] .. ':' .. id) \
               end \
             end return most";
        for kind in JobKind::ALL {
            let queue = queue_config(&self.config, *kind);
            let mut removed = AT_ONCE;
            while removed == AT_ONCE {
                removed = redis::Script::new(SCRIPT)
                    .key(queue.done_jobs_set())
                    .key(queue.dead_jobs_set())
                    .key(queue.job_data_hash())
                    .key(queue.job_meta_hash())
                    .arg(AT_ONCE)
                    .invoke_async(&mut self.redis.clone())
                    .await?;
            }
        }
        Ok(())
    }
}

/// What a message is called: another with each dispatch, or Redis would take a repeated one for
/// the last.
fn message_id(job: &Dispatch) -> String {
    format!("{}.{}", job.id, job.epoch)
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
