//! Anthropic's Messages API, in its version of October 2026 unless another is set.

use domain::providers::{
    PortFuture, ProviderError,
    generate::{Events, Provider, Reply, Request},
};
use reqwest::{
    Client, RequestBuilder,
    header::{CONTENT_TYPE, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{
    Clock, SetupError,
    address::{checked_base, path_of},
    call::{Asked, Patience, Refused},
};

mod config;
mod errors;
mod from_wire;
mod to_wire;

pub use config::AnthropicConfig;
use from_wire::AnthropicDraft;

/// From this version on parameters of sampling are refused, whatever their value.
const WITHOUT_SAMPLING: &str = "2026-10-21";

/// A connection to the API under one key. Its `Debug` shows the key to nobody.
#[derive(Debug, Clone)]
pub struct Anthropic {
    client: Client,
    base: Url,
    version: String,
    key: SecretString,
    patience: Patience,
    clock: Clock,
}

impl Anthropic {
    /// Connects to nothing yet.
    pub(super) fn new(
        config: &AnthropicConfig,
        client: Client,
        key: &SecretString,
        base: &Url,
        clock: Clock,
    ) -> Result<Self, SetupError> {
        HeaderValue::from_str(key.expose_secret())
            .map_err(|_| SetupError::Key("ANTHROPIC_API_KEY"))?;
        Ok(Self {
            client,
            base: checked_base(base, "ANTHROPIC_BASE_URL")?,
            version: config.version.clone(),
            key: key.clone(),
            patience: Patience {
                seconds: config.timeout_seconds,
            },
            clock,
        })
    }

    async fn reply(&self, request: &Request) -> Result<Reply, ProviderError> {
        let (call, asked) = self.question(request, false)?;
        let answer = self.patience.whole(call).await?;
        let body = answer.map_err(|refused| self.refusal(&refused))?;
        from_wire::whole(&body, AnthropicDraft::new(asked, self.clone()))
    }

    async fn replies(&self, request: &Request) -> Result<Events, ProviderError> {
        let (call, asked) = self.question(request, true)?;
        let response = self.patience.begin(call).await?;
        let response = response.map_err(|refused| self.refusal(&refused))?;
        let draft = AnthropicDraft::new(asked, self.clone());
        self.patience.events(response, draft).await
    }

    fn question(
        &self,
        request: &Request,
        streams: bool,
    ) -> Result<(RequestBuilder, Asked), ProviderError> {
        // Versions are dates: they compare as texts.
        let takes_sampling = self.version.as_str() < WITHOUT_SAMPLING;
        let (body, not_applied) = to_wire::body(request, streams, takes_sampling)?;
        let call = self.client.post(self.address("messages"));
        let call = self
            .signed(call)
            .header(CONTENT_TYPE, "application/json")
            .body(body.to_string());
        Ok((call, Asked::new(request, not_applied)))
    }

    async fn list(&self) -> Result<(), ProviderError> {
        let mut address = self.address("models");
        address.set_query(Some("limit=1"));
        let answer = self
            .patience
            .whole(self.signed(self.client.get(address)))
            .await?;
        answer.map(drop).map_err(|refused| self.refusal(&refused))
    }

    fn address(&self, what: &str) -> Url {
        let mut address = self.base.clone();
        path_of(&mut address).push("v1").push(what);
        address
    }

    fn signed(&self, call: RequestBuilder) -> RequestBuilder {
        let mut key = HeaderValue::from_str(self.key.expose_secret())
            .expect("the key was checked to fit a header");
        key.set_sensitive(true);
        call.header("x-api-key", key)
            .header("anthropic-version", &self.version)
    }

    fn secret(&self) -> &str {
        self.key.expose_secret()
    }

    fn refusal(&self, refused: &Refused) -> ProviderError {
        errors::classify(refused, self.clock.now(), self.secret())
    }
}

impl Provider for Anthropic {
    fn name(&self) -> &'static str {
        "anthropic"
    }

    fn generate<'a>(
        &'a self,
        request: &'a Request,
    ) -> PortFuture<'a, Result<Reply, ProviderError>> {
        Box::pin(self.reply(request))
    }

    fn stream<'a>(&'a self, request: &'a Request) -> PortFuture<'a, Result<Events, ProviderError>> {
        Box::pin(self.replies(request))
    }

    fn check(&self) -> PortFuture<'_, Result<(), ProviderError>> {
        Box::pin(self.list())
    }
}
