//! How Gemini is reached: read from the environment, once, at start.

use domain::providers::fingerprint;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// How Gemini is reached. Without a key it is not.
#[derive(Debug, Clone, clap::Args)]
pub struct GeminiConfig {
    /// The API key of a Google AI Studio project; without one the mock provider stands in
    #[arg(
        id = "gemini_api_key",
        long = "gemini-api-key",
        env = "GEMINI_API_KEY",
        hide_env_values = true
    )]
    pub api_key: Option<SecretString>,

    /// Where the API is; another address leads to a proxy or to the fake of the tests
    #[arg(
        id = "gemini_base_url",
        long = "gemini-base-url",
        env = "GEMINI_BASE_URL",
        default_value = "https://generativelanguage.googleapis.com"
    )]
    pub base_url: Url,

    /// The version of the API, a part of every path
    #[arg(
        id = "gemini_api_version",
        long = "gemini-api-version",
        env = "GEMINI_API_VERSION",
        default_value = "v1beta"
    )]
    pub api_version: String,

    /// The model that embeds documents and questions; another one re-embeds everything
    #[arg(
        id = "gemini_embedding_model",
        long = "gemini-embedding-model",
        env = "GEMINI_EMBEDDING_MODEL",
        default_value = "gemini-embedding-001"
    )]
    pub embedding_model: String,

    /// How long a call may take, in seconds, answer included
    #[arg(
        id = "gemini_timeout_seconds",
        long = "gemini-timeout-seconds",
        env = "GEMINI_TIMEOUT_SECONDS",
        default_value_t = 60,
        value_parser = clap::value_parser!(u64).range(1..=600)
    )]
    pub timeout_seconds: u64,
}

impl GeminiConfig {
    /// The key's fingerprint; `None` without a key.
    pub fn fingerprint(&self) -> Option<String> {
        let key = self.api_key.as_ref()?.expose_secret().trim();
        (!key.is_empty()).then(|| fingerprint(self.base_url.as_str(), key))
    }
}
