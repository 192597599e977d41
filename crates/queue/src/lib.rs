//! Redis: hands job ids to workers through apalis, and keeps what may be lost without harm: caches,
//! rate limits, refresh tokens. The truth is in Postgres, of which nothing is known here.

pub mod arrival;
pub mod cache;
pub mod circuit;
pub mod delivery;
pub mod governor;
pub mod limits;
pub mod lockouts;
pub mod news;
pub mod tokens;

use std::time::Duration;

use domain::jobs::JobKind;
pub use redis::RedisError;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use secrecy::{ExposeSecret, SecretString};

/// A connection that all tasks share and that mends itself.
pub type Redis = ConnectionManager;

/// Where Redis is and how it is used.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Config {
    /// Where Redis is: `redis://:password@host:port/number`.
    #[arg(long, env = "REDIS_URL", hide_env_values = true)]
    pub redis_url: SecretString,
    /// Put before every key, so that several installations can share one server.
    #[arg(long, env = "REDIS_PREFIX", default_value = "pa")]
    pub redis_prefix: String,
    /// Executions of workflows that one company has under way at once, beside those that wait for it.
    #[arg(long, env = "WORKFLOW_COMPANY_CONCURRENCY", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub workflow_company_concurrency: u16,
}

impl Config {
    /// How many jobs of a kind are handed out for one owner of work and under way at once.
    pub fn each(&self, kind: JobKind) -> i64 {
        match kind {
            JobKind::WorkflowsExecute => self.workflow_company_concurrency.into(),
            _ => i64::MAX,
        }
    }

    /// A key of this installation.
    pub fn key(&self, name: &str) -> String {
        format!("{}:{name}", self.redis_prefix)
    }
}

/// Connects for requests: gives up quickly, since a page that waits is worse than a slower one.
pub fn connect(config: &Config) -> Result<Redis, RedisError> {
    connection(config, Duration::from_secs(1), 1)
}

/// Connects for workers: a stalled server is waited for, since apalis ends a worker at an error.
pub fn connect_patiently(config: &Config) -> Result<Redis, RedisError> {
    connection(config, Duration::from_secs(10), 3)
}

/// The first connection is made at first use: no process needs Redis in order to start.
fn connection(config: &Config, answer: Duration, retries: usize) -> Result<Redis, RedisError> {
    let settings = ConnectionManagerConfig::new()
        .set_response_timeout(Some(answer))
        .set_connection_timeout(Some(Duration::from_secs(3)))
        .set_number_of_retries(retries);
    let client = redis::Client::open(config.redis_url.expose_secret())?;
    ConnectionManager::new_lazy_with_config(client, settings)
}

/// Whether Redis answers right now.
pub async fn answers(redis: &Redis) -> bool {
    redis::cmd("PING")
        .query_async::<String>(&mut redis.clone())
        .await
        .is_ok()
}
