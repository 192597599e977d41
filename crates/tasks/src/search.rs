//! Finding passages of documents: where a question lies is asked of the embedding models that the
//! company's documents were made with, then Postgres is asked for what is near.

use std::sync::Arc;

use db::{
    documents::search::{Hit, Question},
    halfvec::Embedding,
};
use domain::{
    auth::Viewer,
    documents::{DocumentId, SearchMode, SearchQuery},
    providers::{Embedder, EmbeddingTask, ProviderError},
};
use futures::future::join_all;
use gateway::Gateway;

/// What is looked for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The question or the words.
    pub query: SearchQuery,
    /// The most passages, up to 50.
    pub limit: i64,
    /// By meaning, by words, or both.
    pub mode: SearchMode,
    /// Only in these documents; all if there are none.
    pub document_ids: Vec<DocumentId>,
    /// Only passages with at least this score.
    pub min_score: Option<f64>,
}

/// Why nothing was found out.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The model that places the question does not answer.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// There is no connection.
    #[error(transparent)]
    Pool(#[from] db::pool::PoolError),
    /// Postgres failed.
    #[error(transparent)]
    Database(#[from] diesel::result::Error),
}

/// The passages of documents that the viewer may see, best first, and the model under which their
/// meaning was compared.
pub async fn find(
    pool: &db::Pool,
    gateway: &Gateway,
    embedder: &Arc<dyn Embedder>,
    viewer: &Viewer,
    wanted: Wanted,
) -> Result<(Vec<Hit>, Option<String>), SearchError> {
    let embedders = match wanted.mode {
        SearchMode::Keyword => Vec::new(),
        SearchMode::Semantic | SearchMode::Hybrid => {
            embedders(pool, gateway, embedder, viewer).await?
        }
    };
    // Asked without a connection: none is held while a model thinks.
    let vectors = places(&embedders, &wanted.query).await?;
    let question = Question {
        mode: wanted.mode,
        text: wanted.query.as_str(),
        vectors,
        document_ids: wanted.document_ids,
        limit: wanted.limit,
        min_score: wanted.min_score,
    };
    let found = db::documents::search::search(&mut *pool.get().await?, viewer, &question).await?;
    Ok((
        found,
        embedders.first().map(|first| first.name().to_owned()),
    ))
}

/// What places a question where the company's documents are: the model in use, and as long as some
/// documents are still found under an earlier one, that too if it can be asked.
async fn embedders(
    pool: &db::Pool,
    gateway: &Gateway,
    embedder: &Arc<dyn Embedder>,
    viewer: &Viewer,
) -> Result<Vec<Arc<dyn Embedder>>, SearchError> {
    let mut conn = pool.get().await?;
    let names = db::documents::search::models(&mut conn, viewer.company_id).await?;
    let former = names
        .iter()
        .filter(|name| *name != embedder.name())
        .filter_map(|name| gateway.former_embedder(name));
    Ok([embedder.clone()].into_iter().chain(former).collect())
}

/// The question's vectors: under the first model for certain, and under each earlier one that
/// answers. One that its provider has ended must not keep anybody from searching.
async fn places<'a>(
    embedders: &'a [Arc<dyn Embedder>],
    query: &SearchQuery,
) -> Result<Vec<(Embedding, &'a str)>, ProviderError> {
    let asked = join_all(embedders.iter().map(|by| place(&**by, query))).await;
    let mut vectors = Vec::with_capacity(asked.len());
    for (number, placed) in asked.into_iter().enumerate() {
        match placed {
            Ok(vector) => vectors.push(vector),
            Err(cause) if number == 0 => return Err(cause),
            Err(cause) => {
                tracing::warn!(error = %cause, "an earlier embedding model does not answer");
            }
        }
    }
    Ok(vectors)
}

/// The vector of a question under a model.
async fn place<'a>(
    embedder: &'a dyn Embedder,
    query: &SearchQuery,
) -> Result<(Embedding, &'a str), ProviderError> {
    let made = embedder
        .embed(&[query.as_str()], EmbeddingTask::Query)
        .await?;
    let vector = made
        .vectors
        .first()
        .ok_or_else(|| ProviderError::Malformed("no vector came back".into()))?;
    Ok((Embedding::from(vector.as_slice()), embedder.name()))
}
