//! How Anthropic is reached.

use secrecy::SecretString;
use url::Url;

/// How Anthropic is reached.
#[derive(Debug, Clone, clap::Args)]
pub struct AnthropicConfig {
    /// The API key
    #[arg(
        id = "anthropic_api_key",
        long = "anthropic-api-key",
        env = "ANTHROPIC_API_KEY",
        hide_env_values = true
    )]
    pub api_key: Option<SecretString>,

    /// Where the API is, without its version
    #[arg(
        id = "anthropic_base_url",
        long = "anthropic-base-url",
        env = "ANTHROPIC_BASE_URL",
        default_value = "https://api.anthropic.com"
    )]
    pub base_url: Url,

    /// The version of the API; 2023-06-01 still takes temperature, where the model does
    #[arg(
        id = "anthropic_version",
        long = "anthropic-version",
        env = "ANTHROPIC_VERSION",
        default_value = "2026-10-21",
        value_parser = version
    )]
    pub version: String,

    /// How long an answer may take, in seconds, and how long a stream may be silent
    #[arg(
        id = "anthropic_timeout_seconds",
        long = "anthropic-timeout-seconds",
        env = "ANTHROPIC_TIMEOUT_SECONDS",
        default_value_t = 300,
        value_parser = clap::value_parser!(u64).range(1..=3600)
    )]
    pub timeout_seconds: u64,
}

/// Versions are dates, and compared as such.
fn version(text: &str) -> Result<String, String> {
    chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .map(|date| date.to_string())
        .map_err(|_| "a version is a date such as 2026-10-21".into())
}
