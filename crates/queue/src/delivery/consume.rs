//! The workers' end: ids out of Redis, one apalis worker per kind, kept alive until told to stop.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use apalis::prelude::{
    BackendExt, BoxDynError, Data, Event, EventListenerExt, ParallelizeExt, PollSnapshot,
    PollStrategy, WorkerBuilder, WorkerBuilderExt, WorkerContext, WorkerError,
};
use domain::jobs::{JobId, JobKind};
use futures::{StreamExt, task::AtomicWaker};
use secrecy::ExposeSecret;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{JobRef, queue_config, storage, wake_channel};
use crate::{Config, Redis};

/// Asks consumers to end.
pub type Stop = CancellationToken;

/// What is done with an id; it never fails, since the job's row records how it went.
pub type Perform = Arc<dyn Fn(JobId) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// A worker of apalis at work.
type Running = tokio::task::JoinHandle<Result<(), WorkerError>>;

/// When this process last heard from Redis, for noticing that it is cut off.
#[derive(Debug, Clone)]
pub struct Beat(Arc<AtomicU64>);

impl Default for Beat {
    fn default() -> Self {
        let beat = Self(Arc::default());
        beat.now();
        beat
    }
}

impl Beat {
    fn now(&self) {
        self.0.store(unix_seconds(), Ordering::Relaxed);
    }

    /// How long ago that was.
    pub fn age(&self) -> Duration {
        Duration::from_secs(unix_seconds().saturating_sub(self.0.load(Ordering::Relaxed)))
    }
}

fn unix_seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

/// A bell that a push rings, so that an idle worker starts within a millisecond.
#[derive(Debug, Clone, Default)]
struct Bell(Arc<(AtomicBool, AtomicWaker)>);

impl Bell {
    fn ring(&self) {
        self.0.0.store(true, Ordering::Release);
        self.0.1.wake();
    }
}

/// When to fetch: at the bell, and at a steady interval in case a ring was missed. Unlike the
/// library's own interval it never leaves its waker unarmed.
struct Heart {
    interval: tokio::time::Interval,
    bell: Bell,
}

impl PollStrategy for Heart {
    fn poll_drive(&mut self, cx: &mut Context<'_>, _: &PollSnapshot) -> Poll<Option<()>> {
        self.bell.0.1.register(cx.waker());
        let mut due = self.bell.0.0.swap(false, Ordering::AcqRel);
        while self.interval.poll_tick(cx).is_ready() {
            due = true;
        }
        if due {
            Poll::Ready(Some(()))
        } else {
            Poll::Pending
        }
    }
}

/// Fetches the ids of some kinds and performs them.
pub struct Consumer {
    /// The patient connection: see [`crate::connect_patiently`].
    pub redis: Redis,
    /// Where Redis is.
    pub config: Config,
    /// What is done with an id.
    pub perform: Perform,
    /// Where it is noted that Redis was heard.
    pub beat: Beat,
}

impl Consumer {
    /// Serves these kinds, each with so many jobs at once, until `stop`; running jobs are
    /// finished first.
    pub async fn run(&self, kinds: &[(JobKind, usize)], stop: &Stop) {
        let process = Uuid::now_v7();
        let bells: Vec<(JobKind, Bell)> = kinds
            .iter()
            .map(|(kind, _)| (*kind, Bell::default()))
            .collect();
        let workers = kinds
            .iter()
            .zip(&bells)
            .map(|((kind, at_once), (_, bell))| {
                self.keep_working(*kind, *at_once, bell.clone(), process, stop.clone())
            });
        tokio::select! {
            _ = futures::future::join_all(workers) => {}
            () = self.listen(&bells) => {}
        }
    }

    /// Rings a kind's bell whenever one of its jobs is pushed. Never returns.
    async fn listen(&self, bells: &[(JobKind, Bell)]) {
        loop {
            if let Err(cause) = self.listen_once(bells).await {
                tracing::debug!(error = %cause, "wake-up channel broke");
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    async fn listen_once(&self, bells: &[(JobKind, Bell)]) -> redis::RedisResult<()> {
        let client = redis::Client::open(self.config.redis_url.expose_secret())?;
        let mut channel = client.get_async_pubsub().await?;
        channel.subscribe(wake_channel(&self.config)).await?;
        let mut messages = channel.into_on_message();
        while let Some(message) = messages.next().await {
            let kind: String = message.get_payload()?;
            bells
                .iter()
                .filter(|(k, _)| k.as_str() == kind)
                .for_each(|(_, bell)| bell.ring());
        }
        Ok(())
    }

    /// One apalis worker after another: each ends when its connection breaks.
    async fn keep_working(
        &self,
        kind: JobKind,
        at_once: usize,
        bell: Bell,
        process: Uuid,
        stop: Stop,
    ) {
        let mut generation = 0_u32;
        while !stop.is_cancelled() {
            generation += 1;
            let name = format!("{kind}-{process}-{generation}");
            let context = WorkerContext::new(&name);
            let mut running = self.start(&context, kind, at_once, bell.clone());
            tokio::select! {
                ended = &mut running => {
                    tracing::debug!(worker = name, ?ended, "delivery broke and starts again");
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
                () = stop.cancelled() => end(&context, running).await,
            }
            self.sign_off(kind, &context).await;
        }
    }

    fn start(&self, context: &WorkerContext, kind: JobKind, at_once: usize, bell: Bell) -> Running {
        let interval = tokio::time::interval(Duration::from_millis(250));
        let beat = self.beat.clone();
        let worker = WorkerBuilder::new(context)
            .backend(
                storage(&self.config, self.redis.clone(), kind)
                    .poll_with_strategy(Heart { interval, bell }),
            )
            .concurrency(at_once)
            .parallelize(tokio::spawn)
            .data(self.perform.clone())
            .on_event(move |_, event| {
                if matches!(event, Event::HeartBeat) {
                    beat.now();
                }
            })
            .build(handle);
        tokio::spawn(worker.run())
    }

    /// Takes the worker's name off the list, which apalis forgets to do; but not while ids are in
    /// its hands, or nobody would ever bring them back.
    async fn sign_off(&self, kind: JobKind, context: &WorkerContext) {
        const SCRIPT: &str = "if redis.call('SCARD', KEYS[1]) == 0 then \
             redis.call('DEL', KEYS[3]) return redis.call('ZREM', KEYS[2], ARGV[1]) end return 0";
        let queue = queue_config(&self.config, kind);
        let signed_off: redis::RedisResult<i64> = redis::Script::new(SCRIPT)
            .key(queue.inflight_set_for(context))
            .key(queue.workers_set())
            .key(queue.worker_metadata_key(context))
            .arg(context.name())
            .invoke_async(&mut self.redis.clone())
            .await;
        if let Err(cause) = signed_off {
            tracing::debug!(error = %cause, "worker was not signed off");
        }
    }
}

async fn handle(job: JobRef, perform: Data<Perform>) -> Result<(), BoxDynError> {
    if let Some(id) = job.job_id() {
        (*perform)(id).await;
    }
    // Always acknowledged: a repetition is for the job's row to decide.
    Ok(())
}

/// Pause, drain, stop: stopping a worker that still has jobs would hang it or run them twice.
async fn end(context: &WorkerContext, running: Running) {
    let _ = context.pause();
    while context.task_count() > 0 && !running.is_finished() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // The last acknowledgements are still on their way.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let _ = context.stop();
    let _ = tokio::time::timeout(Duration::from_secs(5), running).await;
}
