//! Model providers: one adapter each, implementing the ports of `domain::providers`.
//!
//! An adapter translates to the wire and from it, and classifies what went wrong, once. It makes
//! one call; whether and when there is another is decided by who asked.

use std::{fmt, sync::Arc};

use chrono::{DateTime, Utc};
use domain::providers::{Embedder, mock::MockEmbedder};

pub mod gemini;
pub mod mock;
mod refusal;

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

/// The embedding models that can be asked, over one connection.
#[derive(Debug, Clone)]
pub struct Embedders {
    gemini: Option<Gemini>,
    model: String,
}

impl Embedders {
    /// Those this configuration has the key of. Nothing is connected yet.
    pub fn new(config: &GeminiConfig) -> Result<Self, SetupError> {
        Ok(Self {
            gemini: Gemini::new(config, Clock::system())?,
            model: config.embedding_model.clone(),
        })
    }

    /// The one to use: Gemini with a key, the mock without.
    pub fn current(&self) -> Arc<dyn Embedder> {
        match &self.gemini {
            Some(gemini) => Arc::new(GeminiEmbedder::new(gemini.clone(), &self.model)),
            None => Arc::new(MockEmbedder),
        }
    }

    /// The one of this name, such as `gemini/gemini-embedding-001`, for documents that were made with
    /// another than the current. `None` without its key, or when nothing goes by the name.
    pub fn named(&self, name: &str) -> Option<Arc<dyn Embedder>> {
        if name == MockEmbedder.name() {
            return Some(Arc::new(MockEmbedder));
        }
        let (model, gemini) = (name.strip_prefix("gemini/")?, self.gemini.clone()?);
        Some(Arc::new(GeminiEmbedder::new(gemini, model)))
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

    fn embedders(key: &str) -> Embedders {
        Embedders::new(&config(key)).expect("valid settings")
    }

    #[test]
    fn without_a_key_the_mock_embeds() {
        let current = |key| embedders(key).current().name().to_owned();
        assert_eq!(current("a-key"), "gemini/gemini-embedding-001");
        assert_eq!(current(" "), "mock/lexical-1");
    }

    #[test]
    fn a_model_of_before_is_asked_if_its_key_is_there() {
        let named = |key, name| {
            let found = embedders(key).named(name);
            found.map(|embedder| embedder.name().to_owned())
        };
        let before = "gemini/gemini-embedding-000".to_owned();
        assert_eq!(named("a-key", &before), Some(before.clone()));
        assert_eq!(named("", &before), None);
        assert_eq!(
            named("", "mock/lexical-1").as_deref(),
            Some("mock/lexical-1")
        );
        assert_eq!(named("a-key", "mock/lexical-0"), None);
    }
}
