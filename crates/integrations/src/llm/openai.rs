//! OpenAI's Chat Completions, and every server that speaks them: Ollama, vLLM, LM Studio,
//! llama.cpp, OpenRouter, LiteLLM and others.
//!
//! What these servers differ in is not guessed from their names: the name of the token limit is a
//! setting, and all else is read leniently.

use domain::providers::{
    PortFuture, ProviderError,
    generate::{Events, Provider, Reply, Request},
};
use reqwest::{
    Client, RequestBuilder,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
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

pub use config::OpenAiConfig;
use from_wire::OpenAiDraft;

/// OpenAI's own servers.
const OFFICIAL_HOST: &str = "api.openai.com";

/// A connection to a server under one key. Its `Debug` shows the key to nobody.
#[derive(Debug, Clone)]
pub struct OpenAi {
    client: Client,
    base: Url,
    /// None for servers that ask for none.
    key: Option<SecretString>,
    legacy_max_tokens: bool,
    patience: Patience,
    clock: Clock,
}

impl OpenAi {
    /// Connects to nothing yet.
    pub(super) fn new(
        config: &OpenAiConfig,
        client: Client,
        key: Option<&SecretString>,
        base: &Url,
        clock: Clock,
    ) -> Result<Self, SetupError> {
        if let Some(key) = key {
            HeaderValue::from_str(key.expose_secret())
                .map_err(|_| SetupError::Key("OPENAI_API_KEY"))?;
        }
        let is_official = needs_key(base);
        Ok(Self {
            client,
            base: checked_base(base, "OPENAI_BASE_URL")?,
            key: key.cloned(),
            legacy_max_tokens: config.legacy_max_tokens.unwrap_or(!is_official),
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
        from_wire::whole(&body, self.draft(request, asked))
    }

    async fn replies(&self, request: &Request) -> Result<Events, ProviderError> {
        let (call, asked) = self.question(request, true)?;
        let response = self.patience.begin(call).await?;
        let response = response.map_err(|refused| self.refusal(&refused))?;
        self.patience
            .events(response, self.draft(request, asked))
            .await
    }

    fn question(
        &self,
        request: &Request,
        streams: bool,
    ) -> Result<(RequestBuilder, Asked), ProviderError> {
        let (body, not_applied) = to_wire::body(request, streams, self.legacy_max_tokens)?;
        let call = self.client.post(self.address(&["chat", "completions"]));
        let call = self
            .signed(call)
            .header(CONTENT_TYPE, "application/json")
            .body(body.to_string());
        Ok((call, Asked::new(request, not_applied)))
    }

    fn draft(&self, request: &Request, asked: Asked) -> OpenAiDraft {
        OpenAiDraft::new(asked, to_wire::strict(request), self.clone())
    }

    async fn list(&self) -> Result<(), ProviderError> {
        let call = self.signed(self.client.get(self.address(&["models"])));
        let answer = self.patience.whole(call).await?;
        answer.map(drop).map_err(|refused| self.refusal(&refused))
    }

    fn address(&self, path: &[&str]) -> Url {
        let mut address = self.base.clone();
        path_of(&mut address).extend(path);
        address
    }

    fn signed(&self, call: RequestBuilder) -> RequestBuilder {
        let Some(key) = &self.key else {
            return call;
        };
        let mut value = HeaderValue::from_str(&format!("Bearer {}", key.expose_secret()))
            .expect("the key was checked to fit a header");
        value.set_sensitive(true);
        call.header(AUTHORIZATION, value)
    }

    fn secret(&self) -> &str {
        self.key.as_ref().map_or("", |key| key.expose_secret())
    }

    fn refusal(&self, refused: &Refused) -> ProviderError {
        errors::classify(refused, self.clock.now(), self.secret())
    }
}

impl Provider for OpenAi {
    fn name(&self) -> &'static str {
        "openai"
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

/// Whether a server wants a key: OpenAI's does, one of one's own may not.
pub(super) fn needs_key(base: &Url) -> bool {
    base.host_str() == Some(OFFICIAL_HOST)
}
