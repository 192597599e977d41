//! Model providers: one adapter each, implementing the ports of `domain::providers`.
//!
//! An adapter translates to the wire and from it, and classifies what went wrong, once. It makes
//! one call; whether and when there is another is decided by who asked.

use std::{fmt, sync::Arc};

use chrono::{DateTime, Utc};
use domain::providers::{Embedder, mock::MockEmbedder};

pub mod gemini;

use gemini::{Gemini, GeminiConfig, GeminiEmbedder};

/// Tells the time: the machine's in production, a test's own in tests.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>);

impl Clock {
    /// The clock of this machine.
    pub fn system() -> Self {
        Self(Arc::new(Utc::now))
    }

    /// A clock that says what the closure says.
    pub fn from_fn(now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The time.
    pub fn now(&self) -> DateTime<Utc> {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Clock")
    }
}

/// Why an adapter cannot be made from its configuration.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The key holds characters that no header can carry.
    #[error("GEMINI_API_KEY holds characters that no API key has: copy it again")]
    Key,
    /// The base cannot have paths put behind it.
    #[error("GEMINI_BASE_URL must be an http or https address, without query or fragment")]
    BaseUrl,
    /// The client does not start, such as without any trusted certificate.
    #[error("the HTTP client cannot start")]
    Client(#[from] reqwest::Error),
}

/// The embedder this configuration names: Gemini with a key, the mock without.
pub fn embedder(config: &GeminiConfig) -> Result<Arc<dyn Embedder>, SetupError> {
    match Gemini::new(config, Clock::system())? {
        Some(gemini) => Ok(Arc::new(GeminiEmbedder::new(
            gemini,
            &config.embedding_model,
        ))),
        None => Ok(Arc::new(MockEmbedder)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(key: &str) -> GeminiConfig {
        GeminiConfig {
            api_key: Some(key.into()),
            base_url: "https://example.com".parse().expect("an address"),
            api_version: "v1beta".into(),
            embedding_model: "gemini-embedding-001".into(),
            timeout_seconds: 1,
        }
    }

    #[test]
    fn without_a_key_the_mock_embeds() {
        let named = |key| {
            embedder(&config(key))
                .expect("valid settings")
                .name()
                .to_owned()
        };
        assert_eq!(named("a-key"), "gemini/gemini-embedding-001");
        assert_eq!(named(" "), "mock/lexical-1");
    }
}
