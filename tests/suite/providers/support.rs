//! Adapters that talk to fakes, at a time of the test's own.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::providers::{
    Embedder, EmbeddingTask, Embeddings, ProviderError,
    generate::{Part, Provider, Request, Speaker, Turn},
};
use integrations::llm::{
    Clock, Kind, Providers,
    anthropic::AnthropicConfig,
    gemini::{Gemini, GeminiConfig, GeminiEmbedder},
    openai::OpenAiConfig,
};
use tests::fakes::{
    anthropic,
    gemini::{Cue, FakeGemini},
    openai,
    stage::Fake,
};
use url::Url;

pub(crate) fn noon() -> DateTime<Utc> {
    "2026-11-20T12:00:00Z".parse().expect("a time")
}

pub(crate) fn config(fake: &FakeGemini) -> GeminiConfig {
    GeminiConfig {
        api_key: Some("good-key".into()),
        base_url: fake.url.parse().expect("an address"),
        api_version: "v1beta".into(),
        embedding_model: "gemini-embedding-001".into(),
        timeout_seconds: 20,
    }
}

pub(crate) fn embedder(config: &GeminiConfig) -> GeminiEmbedder {
    let gemini = Gemini::new(config, Clock::from_fn(noon))
        .expect("valid settings")
        .expect("a key");
    GeminiEmbedder::new(gemini, &config.embedding_model)
}

pub(crate) async fn embed(fake: &FakeGemini, texts: &[&str]) -> Result<Embeddings, ProviderError> {
    embedder(&config(fake))
        .embed(texts, EmbeddingTask::Document)
        .await
}

/// What one call becomes when this happens to it.
pub(crate) async fn meets(cue: Cue) -> ProviderError {
    let fake = FakeGemini::start().await;
    fake.script([cue]);
    embed(&fake, &["a text"])
        .await
        .expect_err("the call is refused")
}

/// The three providers with a wire, each with its fake, under a key and a patience of one's own.
pub(crate) struct Fakes {
    pub(crate) gemini: FakeGemini,
    pub(crate) openai: Fake,
    pub(crate) anthropic: Fake,
}

impl Fakes {
    pub(crate) async fn start() -> Self {
        Self {
            gemini: FakeGemini::start().await,
            openai: openai::start().await,
            anthropic: anthropic::start().await,
        }
    }

    pub(crate) fn providers(&self, key: &str, seconds: u64) -> Providers {
        let gemini = GeminiConfig {
            api_key: Some(key.into()),
            timeout_seconds: seconds,
            ..config(&self.gemini)
        };
        let openai = OpenAiConfig {
            api_key: Some(key.into()),
            base_url: address(&format!("{}/v1", self.openai.url)),
            legacy_max_tokens: Some(false),
            timeout_seconds: seconds,
        };
        let anthropic = AnthropicConfig {
            api_key: Some(key.into()),
            base_url: address(&self.anthropic.url),
            version: "2026-10-21".into(),
            timeout_seconds: seconds,
        };
        Providers::new(&gemini, &openai, &anthropic, Clock::from_fn(noon)).expect("valid settings")
    }
}

pub(crate) fn address(text: &str) -> Url {
    text.parse().expect("an address")
}

/// The provider of the configuration.
pub(crate) fn provider(providers: &Providers, kind: Kind) -> Arc<dyn Provider> {
    providers.provider(kind, None, None).expect("a provider")
}

/// A question to a model that each fake knows.
pub(crate) fn question(kind: Kind, text: &str) -> Request {
    let model = match kind {
        Kind::Gemini => "gemini-3.5-flash-lite",
        Kind::OpenAi => "gpt-6-luna",
        Kind::Anthropic => "claude-haiku-5-5",
        Kind::Mock => "mock-1",
    };
    Request {
        model: model.into(),
        turns: vec![Turn {
            speaker: Speaker::User,
            parts: vec![Part::Text(text.into())],
        }],
        ..Request::default()
    }
}

pub(crate) const WITH_A_WIRE: [Kind; 3] = [Kind::Gemini, Kind::OpenAi, Kind::Anthropic];
