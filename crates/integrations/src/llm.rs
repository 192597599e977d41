//! Model providers: one adapter each, implementing the ports of `domain::providers`.
//!
//! An adapter translates to the wire and from it, and classifies what went wrong, once. It makes
//! one call; whether and when there is another is decided by who asked.

use std::{fmt, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use domain::{
    models::ProviderName,
    providers::{Embedder, generate::Provider, mock::MockEmbedder},
};
use reqwest::Client;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::http::{self, Reach};

mod address;
pub mod anthropic;
mod bound;
mod call;
pub mod gemini;
pub mod mock;
pub mod openai;
pub(crate) mod refusal;
#[cfg(test)]
mod samples;
mod sse;
mod wishes;

use anthropic::{Anthropic, AnthropicConfig};
use gemini::{Gemini, GeminiConfig, GeminiEmbedder};
use mock::MockProvider;
use openai::{OpenAi, OpenAiConfig};

/// Longer than any call: each one brings its own limit.
const LONGEST_CALL: Duration = Duration::from_secs(3600);

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
    #[error("{0} holds characters that no API key has: copy it again")]
    Key(&'static str),
    /// There is no key.
    #[error("there is no key for this provider: store one, or set {0}")]
    NoKey(&'static str),
    /// The base cannot have paths put behind it.
    #[error("{0} must be an http or https address, without query or fragment")]
    BaseUrl(&'static str),
    /// The client does not start, such as without any trusted certificate.
    #[error("the HTTP client cannot start")]
    Client(#[from] reqwest::Error),
}

/// Which interface is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Google's.
    Gemini,
    /// OpenAI's, by whomever.
    OpenAi,
    /// Anthropic's.
    Anthropic,
    /// None: the mock.
    Mock,
}

/// Makes providers: one for each key and address, all over the same connections.
#[derive(Debug, Clone)]
pub struct Providers {
    gemini: GeminiConfig,
    openai: OpenAiConfig,
    anthropic: AnthropicConfig,
    /// It keeps the connections, by host; a key is part of each request, not of a connection.
    client: Client,
    /// The same for addresses that a company chose.
    guarded: Client,
    clock: Clock,
}

impl From<ProviderName> for Kind {
    fn from(name: ProviderName) -> Self {
        match name {
            ProviderName::Gemini => Self::Gemini,
            ProviderName::OpenAi => Self::OpenAi,
            ProviderName::Anthropic => Self::Anthropic,
            ProviderName::Mock => Self::Mock,
        }
    }
}

impl Providers {
    /// Connects to nothing yet.
    pub fn new(
        gemini: &GeminiConfig,
        openai: &OpenAiConfig,
        anthropic: &AnthropicConfig,
        clock: Clock,
    ) -> Result<Self, SetupError> {
        let client = http::client(LONGEST_CALL)?;
        Ok(Self {
            guarded: client.clone(),
            gemini: gemini.clone(),
            openai: openai.clone(),
            anthropic: anthropic.clone(),
            client,
            clock,
        })
    }

    /// The same, whose calls to addresses other than the configured ones connect only where `reach`
    /// lets them. Who passes such an address has to check it first.
    pub fn reaching(self, reach: &Reach) -> Result<Self, SetupError> {
        let guarded = reach.client(LONGEST_CALL)?;
        Ok(Self { guarded, ..self })
    }

    /// Whether the environment has a key for this provider.
    pub fn has_own_key(&self, kind: Kind) -> bool {
        self.own_key(kind)
            .is_some_and(|key| !key.expose_secret().trim().is_empty())
    }

    /// The provider under this key, or under the one of the environment; at this address, or at the
    /// configured one. The environment's key only goes to the configured address. Cheap: made anew
    /// for each use, it shares its connections with all others.
    pub fn provider(
        &self,
        kind: Kind,
        key: Option<&SecretString>,
        base_url: Option<&Url>,
    ) -> Result<Arc<dyn Provider>, SetupError> {
        let at_home = base_url.is_none();
        let key = key.or_else(|| self.own_key(kind).filter(|_| at_home));
        let key = key.filter(|key| !key.expose_secret().trim().is_empty());
        let key = key.map(|key| SecretString::from(key.expose_secret().trim()));
        let client = if at_home { &self.client } else { &self.guarded };
        let (client, clock) = (client.clone(), self.clock.clone());
        let needed = |setting| key.as_ref().ok_or(SetupError::NoKey(setting));
        Ok(match kind {
            Kind::Mock => Arc::new(MockProvider::new(clock)),
            Kind::Gemini => {
                let base = base_url.unwrap_or(&self.gemini.base_url);
                let key = needed("GEMINI_API_KEY")?;
                Arc::new(Gemini::with(&self.gemini, client, key, base, clock)?)
            }
            Kind::OpenAi => {
                let base = base_url.unwrap_or(&self.openai.base_url);
                if openai::needs_key(base) {
                    needed("OPENAI_API_KEY")?;
                }
                Arc::new(OpenAi::new(
                    &self.openai,
                    client,
                    key.as_ref(),
                    base,
                    clock,
                )?)
            }
            Kind::Anthropic => {
                let base = base_url.unwrap_or(&self.anthropic.base_url);
                let key = needed("ANTHROPIC_API_KEY")?;
                Arc::new(Anthropic::new(&self.anthropic, client, key, base, clock)?)
            }
        })
    }

    /// What the key of such a call is called where it must not be told; `None` without a key.
    pub fn fingerprint(
        &self,
        kind: Kind,
        key: Option<&SecretString>,
        base_url: Option<&Url>,
    ) -> Option<String> {
        let key = key.or_else(|| self.own_key(kind).filter(|_| base_url.is_none()))?;
        let key = key.expose_secret().trim();
        let base = base_url.or(match kind {
            Kind::Gemini => Some(&self.gemini.base_url),
            Kind::OpenAi => Some(&self.openai.base_url),
            Kind::Anthropic => Some(&self.anthropic.base_url),
            Kind::Mock => None,
        })?;
        (!key.is_empty()).then(|| domain::providers::fingerprint(base.as_str(), key))
    }

    const fn own_key(&self, kind: Kind) -> Option<&SecretString> {
        match kind {
            Kind::Gemini => self.gemini.api_key.as_ref(),
            Kind::OpenAi => self.openai.api_key.as_ref(),
            Kind::Anthropic => self.anthropic.api_key.as_ref(),
            Kind::Mock => None,
        }
    }
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
