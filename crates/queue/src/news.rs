//! Word from process to process that something happened in a run or an execution of a workflow. It may be lost: whoever listens
//! looks now and then of their own accord, and reads what happened from Postgres.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::StreamExt as _;
use redis::AsyncCommands as _;
use secrecy::ExposeSecret as _;
use uuid::Uuid;

use crate::{Config, Redis, circuit::Circuit};

/// How long word of one of them is gathered before it is sent again.
const PAUSE: Duration = Duration::from_millis(50);

/// After this long a broken connection is made anew.
const AGAIN: Duration = Duration::from_secs(1);

/// What tells other processes.
#[derive(Clone)]
pub struct News {
    redis: Redis,
    config: Config,
    circuit: Arc<Circuit>,
    waiting: Arc<Mutex<Waiting>>,
}

#[derive(Default)]
struct Waiting {
    subjects: HashSet<Uuid>,
    /// Whether somebody is sending already.
    is_sent: bool,
}

impl News {
    /// News over this Redis.
    pub fn new(redis: Redis, config: Config, circuit: Arc<Circuit>) -> Self {
        Self {
            redis,
            config,
            circuit,
            waiting: Arc::default(),
        }
    }

    /// Tells that something happened in what has this id, after it was committed. Waits for nobody.
    pub fn tell(&self, subject: Uuid) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.subjects.insert(subject);
        if !std::mem::replace(&mut waiting.is_sent, true) {
            tokio::spawn(self.clone().send());
        }
    }

    async fn send(self) {
        while let Some(subjects) = self.take() {
            for subject in subjects {
                let mut redis = self.redis.clone();
                let told = redis.publish::<_, _, i64>(channel(&self.config), subject.to_string());
                self.circuit.ask(told).await;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn take(&self) -> Option<HashSet<Uuid>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.is_sent = !waiting.subjects.is_empty();
        waiting
            .is_sent
            .then(|| std::mem::take(&mut waiting.subjects))
    }
}

fn channel(config: &Config) -> String {
    config.key("runs:news")
}

/// Calls `heard` for each id of which there is word. Never returns.
pub async fn listen(config: &Config, heard: impl Fn(Uuid)) {
    loop {
        if let Err(cause) = listen_once(config, &heard).await {
            tracing::debug!(error = %cause, "news broke off");
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn listen_once(config: &Config, heard: &impl Fn(Uuid)) -> redis::RedisResult<()> {
    let client = redis::Client::open(config.redis_url.expose_secret())?;
    let mut subscription = client.get_async_pubsub().await?;
    subscription.subscribe(channel(config)).await?;
    let mut messages = subscription.into_on_message();
    while let Some(message) = messages.next().await {
        if let Ok(subject) = message.get_payload::<String>()?.parse() {
            heard(subject);
        }
    }
    Ok(())
}
