//! A Gemini embedder that talks to a fake, at a time of the test's own.

use chrono::{DateTime, Utc};
use domain::providers::{Embedder, EmbeddingTask, Embeddings, ProviderError};
use integrations::llm::{
    Clock,
    gemini::{Gemini, GeminiConfig, GeminiEmbedder},
};
use tests::fakes::gemini::{Cue, FakeGemini};

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
