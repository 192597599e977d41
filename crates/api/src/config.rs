//! What the API server can be told, on the command line or by the environment.

use std::net::SocketAddr;

use integrations::{llm::gemini::GeminiConfig, storage::StorageConfig};
use secrecy::SecretString;

/// The server's settings.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Config {
    /// The address to listen on.
    #[arg(long, env = "API_BIND", default_value = "127.0.0.1:8080")]
    pub api_bind: SocketAddr,
    /// Threads that answer requests; 0 means one per processor.
    #[arg(long, env = "API_THREADS", default_value_t = 0)]
    pub api_threads: usize,
    /// Where the server is reached from outside: links in invitations start with it.
    #[arg(long, env = "PUBLIC_URL", default_value = "http://localhost:8080")]
    pub public_url: String,
    /// Origins whose pages may call the API, separated by commas.
    #[arg(long, env = "CORS_ORIGINS", value_delimiter = ',')]
    pub cors_origins: Vec<String>,
    /// How many proxies in front are trusted to name the caller's address in X-Forwarded-For.
    #[arg(long, env = "TRUSTED_PROXIES", default_value_t = 0)]
    pub trusted_proxies: usize,
    /// Keys that sign access tokens, separated by commas: the first signs, all are accepted.
    /// Each has at least 32 characters.
    #[arg(long, env = "JWT_KEYS", hide_env_values = true, value_delimiter = ',')]
    pub jwt_keys: Vec<SecretString>,
    /// Seconds that running requests get to end when the server stops.
    #[arg(long, env = "SHUTDOWN_SECONDS", default_value_t = 30)]
    pub shutdown_seconds: u64,
    /// Files.
    #[command(flatten)]
    pub storage: StorageConfig,
    /// Gemini.
    #[command(flatten)]
    pub gemini: GeminiConfig,
    /// Postgres.
    #[command(flatten)]
    pub db: db::pool::Config,
    /// Redis.
    #[command(flatten)]
    pub queue: queue::Config,
}
