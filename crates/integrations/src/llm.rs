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

/// Our guess of how many tokens the texts have, where a provider does not count.
///
/// A token is about four characters of an alphabet, and one and a half of the scripts that write
/// a syllable or a word with one sign.
pub fn estimate_tokens<'a>(texts: impl IntoIterator<Item = &'a str>) -> u64 {
    texts.into_iter().map(estimate_of_one).sum()
}

fn estimate_of_one(text: &str) -> u64 {
    let (dense, letters) = text.chars().fold((0_u64, 0_u64), |(dense, letters), c| {
        if is_dense(c) {
            (dense + 1, letters)
        } else {
            (dense, letters + 1)
        }
    });
    // In twelfths of a token: 8 for a dense sign, 3 for a letter.
    (dense * 8 + letters * 3).div_ceil(12)
}

/// Whether the sign stands for a syllable or a word: Japanese, Chinese, Korean.
const fn is_dense(c: char) -> bool {
    matches!(c, '\u{2E80}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7AF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

#[cfg(test)]
mod tests {
    use super::estimate_tokens;

    #[test]
    fn four_letters_are_a_token_and_the_rest_counts_as_one() {
        assert_eq!(estimate_tokens(["four", "fives"]), 1 + 2);
        assert_eq!(estimate_tokens([""]), 0);
    }

    #[test]
    fn three_chinese_signs_are_two_tokens() {
        assert_eq!(estimate_tokens(["北京市"]), 2);
    }
}
