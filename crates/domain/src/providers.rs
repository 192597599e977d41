//! Model providers as the product sees them: the port an adapter implements, and the errors it
//! classifies, once, so that nobody else reads status codes.

use std::{fmt, future::Future, pin::Pin};

use chrono::{DateTime, Utc};

use crate::models::ProviderKeyId;

pub mod family;
pub mod generate;
pub mod lane;
pub mod mock;
pub mod picture;
mod thinking;

pub use thinking::ThinkingWish;

/// Dimensions of every stored embedding.
pub const EMBEDDING_DIMENSIONS: usize = 1536;

/// What a text is embedded for; some models place questions and answers differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmbeddingTask {
    /// A passage that is to be found.
    Document,
    /// A question that looks for passages.
    Query,
}

/// The vectors of a batch, in the order of its texts, each of length one.
#[derive(Debug, Clone, PartialEq)]
pub struct Embeddings {
    /// One vector of [`EMBEDDING_DIMENSIONS`] numbers per text.
    pub vectors: Vec<Vec<f32>>,
    /// Tokens the provider counted, or our estimate.
    pub tokens: u64,
    /// Whether `tokens` is our estimate.
    pub tokens_estimated: bool,
}

/// What a provider in trouble said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// In its words.
    pub says: String,
    /// When to come again, if it said so.
    pub retry_at: Option<DateTime<Utc>>,
}

impl<T: Into<String>> From<T> for Trouble {
    fn from(says: T) -> Self {
        Self {
            says: says.into(),
            retry_at: None,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.says)
    }
}

/// What can go wrong with a call to a provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// Too many requests or tokens; not again before this time.
    #[error("the provider asks to wait until {retry_at}")]
    RateLimited {
        /// The moment the provider named.
        retry_at: DateTime<Utc>,
    },
    /// The quota of the day is spent.
    #[error("the provider's daily quota is spent until {until}")]
    QuotaSpent {
        /// When it is filled again.
        until: DateTime<Utc>,
    },
    /// Not asked at all: the governor of our own calls holds this one back.
    #[error("the provider is not called before {until}: {why}")]
    Held {
        /// When it is worth trying again.
        until: DateTime<Utc>,
        /// Why.
        why: &'static str,
    },
    /// Not asked at all: an admin of the company has paused the key.
    #[error("{0}")]
    Paused(PausedKey),
    /// The provider has trouble of its own; trying again may help.
    #[error("the provider is overloaded or failing: {0}")]
    Overloaded(Trouble),
    /// The key is wrong, or may not do this.
    #[error("the provider refuses the key: {0}")]
    Unauthorized(String),
    /// The account has no money left.
    #[error("the provider account is out of credit: {0}")]
    OutOfCredit(String),
    /// The provider will not answer this content.
    #[error("the provider refused the content: {0}")]
    Refused(String),
    /// The request is larger than the model takes.
    #[error("the input is too long for the model: {0}")]
    TooLong(String),
    /// The provider does not accept the request as it stands.
    #[error("the provider rejects the request: {0}")]
    Invalid(String),
    /// The answer is not what the interface promises.
    #[error("the provider's answer cannot be read: {0}")]
    Malformed(String),
    /// No answer in time, or the connection broke.
    #[error("no answer from the provider: {0}")]
    Timeout(String),
    /// Not asked at all: what the provider said to an earlier call holds still.
    #[error(transparent)]
    Unasked(Box<Self>),
}

impl ProviderError {
    /// A stable name for logs, metrics and dead letters.
    pub fn class(&self) -> &'static str {
        match self {
            Self::RateLimited { .. } => "provider_rate_limited",
            Self::QuotaSpent { .. } => "provider_quota_spent",
            Self::Held { .. } => "provider_held",
            Self::Paused(_) => "provider_key_paused",
            Self::Overloaded(_) => "provider_overloaded",
            Self::Unauthorized(_) => "provider_unauthorized",
            Self::OutOfCredit(_) => "provider_out_of_credit",
            Self::Refused(_) => "provider_refused",
            Self::TooLong(_) => "provider_input_too_long",
            Self::Invalid(_) => "provider_invalid_request",
            Self::Malformed(_) => "provider_malformed_answer",
            Self::Timeout(_) => "provider_timeout",
            Self::Unasked(earlier) => earlier.class(),
        }
    }

    /// What the provider said, to this call or to an earlier one.
    pub fn said(&self) -> &Self {
        match self {
            Self::Unasked(earlier) => earlier.said(),
            error => error,
        }
    }

    /// Whether the provider was not asked, so that nothing can have been spent.
    pub const fn is_unasked(&self) -> bool {
        matches!(self, Self::Held { .. } | Self::Paused(_) | Self::Unasked(_))
    }

    /// The time before which it is no use to call again, if the error names one.
    pub fn retry_at(&self) -> Option<DateTime<Utc>> {
        match self.said() {
            Self::RateLimited { retry_at: until }
            | Self::QuotaSpent { until }
            | Self::Held { until, .. } => Some(*until),
            Self::Paused(key) => Some(key.look_again),
            Self::Overloaded(trouble) => trouble.retry_at,
            _ => None,
        }
    }
}

/// A key that calls wait for, since it is paused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PausedKey {
    /// Which.
    pub id: ProviderKeyId,
    /// What admins call it.
    pub label: String,
    /// When it is worth looking again. Whoever resumes it wakes what waits, so that this is for
    /// whatever else may have changed: the model may have another key by then.
    pub look_again: DateTime<Utc>,
}

impl fmt::Display for PausedKey {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "the provider key \"{}\" is paused", self.label)
    }
}

/// Says which keys are paused: implemented on Postgres, asked before every call under a company's key.
pub trait KeyPauses: Send + Sync {
    /// Fails with [`ProviderError::Paused`], or with [`ProviderError::Held`] while it cannot be told.
    fn ask(&self, key: ProviderKeyId) -> PortFuture<'_, Result<(), ProviderError>>;

    /// Somebody has paused or resumed a key here and now.
    fn forget(&self);
}

/// A future that an object-safe port returns.
pub type PortFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A model that turns texts into vectors.
pub trait Embedder: Send + Sync {
    /// Provider and model, such as `gemini/gemini-embedding-001`: vectors of different names never meet.
    fn name(&self) -> &str;

    /// The most texts one call takes.
    fn batch_size(&self) -> usize;

    /// Embeds the texts, one vector each, in order. Makes one call and never retries.
    fn embed<'a>(
        &'a self,
        texts: &'a [&'a str],
        task: EmbeddingTask,
    ) -> PortFuture<'a, Result<Embeddings, ProviderError>>;
}

/// What a key is called where it must not be told: the same for the same key at the same place, and
/// telling nothing of it. Keys are long and random, so that 64 bits of a plain hash suffice.
pub fn fingerprint(place: &str, key: &str) -> String {
    let digest = crate::documents::Sha256::of(format!("{place}\n{key}").as_bytes());
    let mut name = digest.to_string();
    name.truncate(16);
    name
}

/// Brings a vector to length one. A vector of zeros stays as it is.
pub fn normalise(vector: &mut [f32]) {
    let length = vector
        .iter()
        .map(|x| f64::from(*x).powi(2))
        .sum::<f64>()
        .sqrt();
    if length > 0.0 {
        for component in vector {
            #[expect(clippy::cast_possible_truncation, reason = "it is at most one")]
            let shortened = (f64::from(*component) / length) as f32;
            *component = shortened;
        }
    }
}
