//! What the governor is told, on the command line or by the environment.

use std::time::Duration;

use domain::providers::lane::{Pace, Rules};

/// The part of a limit that a process takes for itself while it cannot ask how many others there are.
const PROCESSES: f64 = 4.0;

/// How calls to model providers are governed.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct GovernorConfig {
    /// The most calls at once under one key to one model family, of all processes together
    #[arg(long, env = "GOVERNOR_CONCURRENCY", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub governor_concurrency: u16,
    /// The same for one process while Redis is away
    #[arg(long, env = "GOVERNOR_LOCAL_CONCURRENCY", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub governor_local_concurrency: u16,
    /// The longest a call waits for its turn, in seconds; beyond, it is turned away with the time
    #[arg(long, env = "GOVERNOR_PATIENCE_SECONDS", default_value_t = 10.0, value_parser = seconds)]
    pub governor_patience_seconds: f64,
    /// Seconds after which a silent process's calls no longer count as under way
    #[arg(long, env = "GOVERNOR_LEASE_SECONDS", default_value_t = 15.0, value_parser = seconds)]
    pub governor_lease_seconds: f64,
    /// Calls a minute that Gemini allows one key of one model family; unset, as many as go well
    #[arg(long, env = "GEMINI_REQUESTS_PER_MINUTE", value_parser = clap::value_parser!(u32).range(1..))]
    pub gemini_requests_per_minute: Option<u32>,
    /// Tokens a minute that Gemini allows one key of one model family
    #[arg(long, env = "GEMINI_TOKENS_PER_MINUTE", value_parser = clap::value_parser!(u32).range(1..))]
    pub gemini_tokens_per_minute: Option<u32>,
    /// Calls a minute that `OpenAI`, or what speaks its language, allows one key of one model family
    #[arg(long, env = "OPENAI_REQUESTS_PER_MINUTE", value_parser = clap::value_parser!(u32).range(1..))]
    pub openai_requests_per_minute: Option<u32>,
    /// Tokens a minute that `OpenAI` allows one key of one model family
    #[arg(long, env = "OPENAI_TOKENS_PER_MINUTE", value_parser = clap::value_parser!(u32).range(1..))]
    pub openai_tokens_per_minute: Option<u32>,
    /// Calls a minute that Anthropic allows one key of one model family
    #[arg(long, env = "ANTHROPIC_REQUESTS_PER_MINUTE", value_parser = clap::value_parser!(u32).range(1..))]
    pub anthropic_requests_per_minute: Option<u32>,
    /// Tokens a minute that Anthropic allows one key of one model family
    #[arg(long, env = "ANTHROPIC_TOKENS_PER_MINUTE", value_parser = clap::value_parser!(u32).range(1..))]
    pub anthropic_tokens_per_minute: Option<u32>,
}

/// A time between a tenth of a second and ten minutes.
fn seconds(text: &str) -> Result<f64, String> {
    let accepted = |seconds: &f64| (0.1..=600.0).contains(seconds);
    text.parse()
        .ok()
        .filter(accepted)
        .ok_or_else(|| "must be between 0.1 and 600".to_owned())
}

impl GovernorConfig {
    /// The longest a call waits.
    pub fn patience(&self) -> Duration {
        Duration::from_secs_f64(self.governor_patience_seconds)
    }

    /// What the lanes of a provider are held to, all processes together.
    pub(super) fn rules(&self, provider: &str) -> Rules {
        let (calls, tokens) = match provider {
            "gemini" => (
                self.gemini_requests_per_minute,
                self.gemini_tokens_per_minute,
            ),
            "openai" => (
                self.openai_requests_per_minute,
                self.openai_tokens_per_minute,
            ),
            "anthropic" => (
                self.anthropic_requests_per_minute,
                self.anthropic_tokens_per_minute,
            ),
            _ => (None, None),
        };
        Rules {
            most: f64::from(self.governor_concurrency),
            calls: calls.map(Pace::per_minute),
            tokens: tokens.map(Pace::per_minute),
            lease: self.governor_lease_seconds * 1000.0,
        }
    }

    /// What one process is held to by itself.
    pub(super) fn local_rules(&self, provider: &str) -> Rules {
        let shared = self.rules(provider);
        let part = |pace: Pace| pace.share(PROCESSES);
        Rules {
            most: f64::from(
                self.governor_local_concurrency
                    .min(self.governor_concurrency),
            ),
            calls: shared.calls.map(part),
            tokens: shared.tokens.map(part),
            // A process knows which of its own calls have ended.
            lease: f64::INFINITY,
        }
    }
}
