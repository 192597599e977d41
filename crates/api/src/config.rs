//! What the API server can be told, on the command line or by the environment.

use std::net::SocketAddr;

use gateway::GatewayConfig;
use integrations::{scan::ScanConfig, storage::StorageConfig};
use sandbox::SandboxConfig;

use crate::{
    archive::ArchiveSettings,
    auth::settings::{Mode, Settings},
    datasets::DatasetSettings,
};

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
    /// Seconds that running requests get to end when the server stops.
    #[arg(long, env = "SHUTDOWN_SECONDS", default_value_t = 30)]
    pub shutdown_seconds: u64,
    /// Seconds that a copy of a prompt is shown without a look at its row, 1 to 30: how long a
    /// change may go unseen of which Redis was never told.
    #[arg(long, env = "PROMPT_TRUST_SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=30))]
    pub prompt_trust_seconds: u32,
    /// Files.
    #[command(flatten)]
    pub storage: StorageConfig,
    /// Malware.
    #[command(flatten)]
    pub scan: ScanConfig,
    /// When providers may be called.
    #[command(flatten)]
    pub governor: queue::governor::GovernorConfig,
    /// The providers, and the keys they are called with.
    #[command(flatten)]
    pub gateway: GatewayConfig,
    /// How large runs may be.
    #[command(flatten)]
    pub runs: crate::runs::RunLimits,
    /// Sign-in and rate limits.
    #[command(flatten)]
    pub accounts: Settings,
    /// How large datasets may be.
    #[command(flatten)]
    pub datasets: DatasetSettings,
    /// How large imports may be.
    #[command(flatten)]
    pub archive: ArchiveSettings,
    /// What functions may take.
    #[command(flatten)]
    pub sandbox: SandboxConfig,
    /// Postgres.
    #[command(flatten)]
    pub db: db::pool::Config,
    /// Redis.
    #[command(flatten)]
    pub queue: queue::Config,
}

impl Config {
    /// The same without settings that were given empty, as compose files do with what is unset.
    #[must_use]
    pub fn without_blanks(mut self) -> Self {
        self.cors_origins.retain(|origin| !origin.is_empty());
        self.accounts.drop_blanks();
        self.gateway.drop_blanks();
        self
    }

    /// Everything that is wrong with the settings, a sentence each.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = self.accounts.faults();
        faults.extend(self.gateway.faults());
        faults.extend(self.datasets.faults());
        if self.accounts.auth_mode == Mode::SingleUser {
            if !self.api_bind.ip().is_loopback() {
                faults.push(
                    "AUTH_MODE=single-user needs API_BIND on loopback, such as 127.0.0.1:8080"
                        .into(),
                );
            }
            if self.trusted_proxies > 0 {
                faults.push("AUTH_MODE=single-user needs TRUSTED_PROXIES=0: whoever reaches the proxy would be let in".into());
            }
        }
        if !is_web_address(&self.public_url) {
            faults.push("PUBLIC_URL must be an address such as https://prompts.example.com".into());
        }
        for origin in &self.cors_origins {
            let parsed = url::Url::parse(origin).map(|url| url.origin().ascii_serialization());
            if !parsed.is_ok_and(|parsed| parsed == *origin) {
                faults.push(format!("CORS_ORIGINS holds {origin:?}, which is no origin such as https://app.example.com"));
            }
        }
        faults
    }
}

fn is_web_address(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.query().is_none()
            && url.fragment().is_none()
    })
}
