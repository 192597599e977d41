//! How OpenAI, or a server that speaks its interface, is reached.

use secrecy::SecretString;
use url::Url;

/// How OpenAI, or a server that speaks its interface, is reached.
#[derive(Debug, Clone, clap::Args)]
pub struct OpenAiConfig {
    /// The API key; a server of one's own may need none
    #[arg(
        id = "openai_api_key",
        long = "openai-api-key",
        env = "OPENAI_API_KEY",
        hide_env_values = true
    )]
    pub api_key: Option<SecretString>,

    /// Where the API is, its version included; another address leads to Ollama, vLLM or a proxy
    #[arg(
        id = "openai_base_url",
        long = "openai-base-url",
        env = "OPENAI_BASE_URL",
        default_value = "https://api.openai.com/v1"
    )]
    pub base_url: Url,

    /// Whether the limit of tokens is sent under its old name `max_tokens`; unset: only to others
    /// than OpenAI
    #[arg(
        id = "openai_legacy_max_tokens",
        long = "openai-legacy-max-tokens",
        env = "OPENAI_LEGACY_MAX_TOKENS"
    )]
    pub legacy_max_tokens: Option<bool>,

    /// How long an answer may take, in seconds, and how long a stream may be silent
    #[arg(
        id = "openai_timeout_seconds",
        long = "openai-timeout-seconds",
        env = "OPENAI_TIMEOUT_SECONDS",
        default_value_t = 300,
        value_parser = clap::value_parser!(u64).range(1..=3600)
    )]
    pub timeout_seconds: u64,
}
