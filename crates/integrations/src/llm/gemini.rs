//! Google's Gemini API: one connection, and what is asked through it.
//!
//! The shapes on the wire are in `wire` and `generate`, the meaning of errors in `errors`.

use std::time::Duration;

use bytes::Bytes;
use domain::providers::ProviderError;
use reqwest::{
    Client,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{
    Clock, SetupError,
    address::{checked_base, path_of},
    call::{Patience, Refused},
};
use crate::http;

mod config;
mod embed;
mod errors;
mod generate;
mod pacific;
mod wire;

pub use config::GeminiConfig;
pub use embed::GeminiEmbedder;

/// The most texts that one call may embed.
pub const MAX_BATCH: usize = 100;

/// The most bytes of one request; refusals have been seen from 4 MiB on.
pub const MAX_REQUEST_BYTES: usize = 1_000_000;

/// The most bytes of a question, pictures included, which Google limits to 20 MB.
const MAX_QUESTION_BYTES: usize = 20_000_000;

/// The header that tells Google how long we wait.
const SERVER_TIMEOUT: &str = "x-server-timeout";

/// A connection to the API under one key. Its `Debug` shows the key to nobody.
#[derive(Debug, Clone)]
pub struct Gemini {
    client: Client,
    base: Url,
    version: String,
    key: SecretString,
    patience: Patience,
    clock: Clock,
}

impl Gemini {
    /// Connects to nothing yet. `None` without a key: an empty variable is none as well.
    pub fn new(config: &GeminiConfig, clock: Clock) -> Result<Option<Self>, SetupError> {
        let key = config
            .api_key
            .as_ref()
            .map(|key| key.expose_secret().trim())
            .unwrap_or_default();
        if key.is_empty() {
            return Ok(None);
        }
        let client = http::client(Duration::from_secs(config.timeout_seconds))?;
        Self::with(config, client, &key.into(), &config.base_url, clock).map(Some)
    }

    /// A connection under another key than the configured one, or to another base.
    pub(super) fn with(
        config: &GeminiConfig,
        client: Client,
        key: &SecretString,
        base: &Url,
        clock: Clock,
    ) -> Result<Self, SetupError> {
        HeaderValue::from_str(key.expose_secret())
            .map_err(|_| SetupError::Key("GEMINI_API_KEY"))?;
        Ok(Self {
            client,
            base: checked_base(base, "GEMINI_BASE_URL")?,
            version: config.api_version.clone(),
            key: key.clone(),
            patience: Patience {
                seconds: config.timeout_seconds,
            },
            clock,
        })
    }

    /// Posts a body to a method of a model and gives back the answer of a success.
    async fn post(&self, model: &str, method: &str, body: String) -> Result<Bytes, ProviderError> {
        let request = self
            .client
            .post(self.address(model, method))
            .headers(self.headers())
            .body(body);
        let body = self.patience.whole(request).await?;
        let body = body.map_err(|refused| self.refusal(&refused))?;
        match errors::inside_success(&body) {
            Some(code) => Err(self.classify(code, None, &body)),
            None => Ok(body),
        }
    }

    /// Asks for the list of models, which costs nothing and needs a good key.
    async fn list(&self) -> Result<(), ProviderError> {
        let mut address = self.base.clone();
        path_of(&mut address).push(&self.version).push("models");
        address.set_query(Some("pageSize=1"));
        let request = self.client.get(address).headers(self.headers());
        let answer = self.patience.whole(request).await?;
        answer.map(drop).map_err(|refused| self.refusal(&refused))
    }

    fn fits(body: &str) -> Result<(), ProviderError> {
        if body.len() <= MAX_QUESTION_BYTES {
            return Ok(());
        }
        let problem = format!(
            "a request of {} bytes, at most {MAX_QUESTION_BYTES} are sent",
            body.len()
        );
        Err(ProviderError::TooLong(problem))
    }

    fn address(&self, model: &str, method: &str) -> Url {
        let mut address = self.base.clone();
        let kind = if model.contains('/') {
            None
        } else {
            Some("models")
        };
        let (path, name) = model.rsplit_once('/').unwrap_or(("", model));
        path_of(&mut address)
            .push(&self.version)
            .extend(kind)
            .extend(path.split('/').filter(|segment| !segment.is_empty()))
            .push(&format!("{name}:{method}"));
        address
    }

    fn headers(&self) -> HeaderMap {
        let mut key = HeaderValue::from_str(self.key.expose_secret())
            .expect("the key was checked to fit a header");
        key.set_sensitive(true);
        HeaderMap::from_iter([
            (HeaderName::from_static("x-goog-api-key"), key),
            (
                HeaderName::from_static(SERVER_TIMEOUT),
                self.patience.seconds.into(),
            ),
            (
                reqwest::header::CONTENT_TYPE,
                HeaderValue::from_static("application/json"),
            ),
        ])
    }

    fn classify(&self, status: u16, retry_after: Option<&str>, body: &[u8]) -> ProviderError {
        // Google names the key in some refusals; it must not travel on in ours.
        errors::classify(
            status,
            retry_after,
            body,
            self.clock.now(),
            self.key.expose_secret(),
        )
    }

    fn refusal(&self, refused: &Refused) -> ProviderError {
        let retry_after = refused.header("retry-after");
        self.classify(refused.status, retry_after, &refused.body)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        gemini: GeminiConfig,
    }

    fn config(arguments: &[&str]) -> GeminiConfig {
        let words = ["program", "--gemini-api-key", "the-key"]
            .iter()
            .chain(arguments);
        Program::try_parse_from(words)
            .expect("valid arguments")
            .gemini
    }

    fn gemini(arguments: &[&str]) -> Gemini {
        Gemini::new(&config(arguments), Clock::system())
            .expect("valid settings")
            .expect("a key")
    }

    #[test]
    fn a_call_goes_to_the_method_of_the_model() {
        let address = gemini(&[]).address("gemini-embedding-001", "batchEmbedContents");
        let public = "https://generativelanguage.googleapis.com";
        assert_eq!(
            address.as_str(),
            format!("{public}/v1beta/models/gemini-embedding-001:batchEmbedContents")
        );
    }

    #[test]
    fn a_base_may_carry_a_path_and_a_model_its_collection() {
        let address = gemini(&[
            "--gemini-base-url",
            "http://proxy/google/",
            "--gemini-api-version",
            "v1",
        ])
        .address("tunedModels/ours?key=x", "embedContent");
        assert_eq!(
            address.as_str(),
            "http://proxy/google/v1/tunedModels/ours%3Fkey=x:embedContent"
        );
    }

    #[test]
    fn a_blank_key_is_no_key() {
        let blank = GeminiConfig {
            api_key: Some("  \n".into()),
            ..config(&[])
        };
        assert!(
            Gemini::new(&blank, Clock::system())
                .expect("valid settings")
                .is_none()
        );
    }

    #[test]
    fn a_key_that_no_header_carries_is_named_at_start() {
        let broken = GeminiConfig {
            api_key: Some("two\nlines".into()),
            ..config(&[])
        };
        assert!(matches!(
            Gemini::new(&broken, Clock::system()),
            Err(SetupError::Key(_))
        ));
    }

    #[test]
    fn nobody_sees_the_key() {
        let gemini = gemini(&[]);
        let shown = format!("{gemini:?} {:?} {:?}", config(&[]), gemini.headers());
        assert!(shown.contains("Sensitive") && !shown.contains("the-key"));
    }
}
