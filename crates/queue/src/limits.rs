//! How often somebody may ask: fixed windows of a minute, counted in Redis for all processes
//! together. While Redis is away each process counts for itself, and allows a quarter.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::{Duration, Instant},
};

use redis::Script;

use crate::{Config, Redis, cache::milliseconds, circuit::Circuit};

/// The length of a window. It starts with the first request.
pub const WINDOW: Duration = Duration::from_secs(60);

/// Names counted in this process before the oldest are dropped.
const LOCAL_NAMES: usize = 10_000;

/// Counts one more; gives the count and what is left of the window. The expiry is set in the same
/// step as the first count, so no counter stays for ever.
static COUNT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local count = redis.call('INCR', KEYS[1])
         if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
         return {count, redis.call('PTTL', KEYS[1])}",
    )
});

/// Counters of requests.
#[derive(Clone)]
pub struct Limits {
    redis: Redis,
    config: Config,
    circuit: Arc<Circuit>,
    local: Arc<Mutex<HashMap<String, (Instant, u32)>>>,
}

/// Asked too often; it is worth trying again after this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooOften(pub Duration);

impl Limits {
    /// Counters in this Redis.
    pub fn new(redis: Redis, config: Config, circuit: Arc<Circuit>) -> Self {
        Self {
            redis,
            config,
            circuit,
            local: Arc::default(),
        }
    }

    /// Counts one request under `name` and says whether that is more than `limit` in a minute.
    pub async fn count(&self, name: &str, limit: u32) -> Result<(), TooOften> {
        let mut redis = self.redis.clone();
        let mut invocation = COUNT.key(self.key(name));
        invocation.arg(milliseconds(WINDOW));
        let answer = invocation.invoke_async::<(u32, i64)>(&mut redis);
        match self.circuit.ask(answer).await {
            Some((count, _)) if count <= limit => Ok(()),
            Some((_, left)) => Err(TooOften(Duration::from_millis(
                u64::try_from(left).unwrap_or(0),
            ))),
            None => self.count_locally(name, limit),
        }
    }

    pub(crate) fn key(&self, name: &str) -> String {
        self.config.key(&format!("limit:{name}"))
    }

    /// Counts in this process only, and allows a quarter.
    pub(crate) fn count_locally(&self, name: &str, limit: u32) -> Result<(), TooOften> {
        self.count_here(name, (limit / 4).max(1), Instant::now())
    }

    fn count_here(&self, name: &str, limit: u32, now: Instant) -> Result<(), TooOften> {
        let mut counters = self.local.lock().unwrap_or_else(PoisonError::into_inner);
        if counters.len() >= LOCAL_NAMES {
            counters.retain(|_, (start, _)| now.duration_since(*start) < WINDOW);
        }
        if counters.len() >= LOCAL_NAMES {
            counters.clear();
        }
        let (start, count) = counters.entry(name.to_owned()).or_insert((now, 0));
        if now.duration_since(*start) >= WINDOW {
            (*start, *count) = (now, 0);
        }
        *count += 1;
        if *count <= limit {
            Ok(())
        } else {
            Err(TooOften(WINDOW.saturating_sub(now.duration_since(*start))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn without_redis_a_process_counts_for_itself_and_allows_a_quarter() {
        let config = Config {
            redis_url: "redis://127.0.0.1:1/0".to_owned().into(),
            redis_prefix: "x".into(),
            workflow_company_concurrency: 100,
        };
        let redis = crate::connect(&config).expect("an address");
        let limits = Limits::new(redis, config, Arc::default());
        for _ in 0..2 {
            assert_eq!(limits.count("a", 8).await, Ok(()));
        }
        assert!(limits.count("a", 8).await.is_err());
        assert_eq!(limits.count("b", 8).await, Ok(()));
        let now = Instant::now();
        assert!(limits.count_here("a", 2, now).is_err());
        assert_eq!(limits.count_here("a", 2, now + WINDOW), Ok(()));
    }
}
