//! Texts to vectors, a batch in one call.

use domain::providers::{Embedder, EmbeddingTask, Embeddings, PortFuture, ProviderError};

use super::{Gemini, MAX_BATCH, wire};

/// Embeds through `batchEmbedContents`.
#[derive(Debug, Clone)]
pub struct GeminiEmbedder {
    gemini: Gemini,
    model: String,
    name: String,
}

impl GeminiEmbedder {
    /// Embeds with this model of this connection.
    pub fn new(gemini: Gemini, model: &str) -> Self {
        Self {
            gemini,
            model: model.to_owned(),
            name: format!("gemini/{model}"),
        }
    }

    async fn embed(
        &self,
        texts: &[&str],
        task: EmbeddingTask,
    ) -> Result<Embeddings, ProviderError> {
        if texts.is_empty() {
            return Ok(Embeddings {
                vectors: Vec::new(),
                tokens: 0,
                tokens_estimated: false,
            });
        }
        let body = wire::to_wire(&self.model, texts, task)?;
        let answer = self
            .gemini
            .post(&self.model, "batchEmbedContents", body)
            .await?;
        wire::from_wire(&answer, texts)
    }
}

impl Embedder for GeminiEmbedder {
    fn name(&self) -> &str {
        &self.name
    }

    fn batch_size(&self) -> usize {
        MAX_BATCH
    }

    fn embed<'a>(
        &'a self,
        texts: &'a [&'a str],
        task: EmbeddingTask,
    ) -> PortFuture<'a, Result<Embeddings, ProviderError>> {
        Box::pin(self.embed(texts, task))
    }
}
