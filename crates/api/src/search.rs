//! Searching documents.

use std::{sync::Arc, time::Instant};

use actix_web::{post, web};
use db::{
    documents::search::{Hit, Question},
    halfvec::Embedding,
};
use deserr::Deserr;
use domain::{
    auth::Viewer,
    documents::{DocumentId, SearchMode, SearchQuery},
    providers::{Embedder, EmbeddingTask, ProviderError},
};
use futures::future::join_all;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    context::{Access, Context, Reader},
    error::{ApiError, ApiResult, FieldFault},
    extract::{Body, Faults},
};

/// The most documents a search may be narrowed to.
const DOCUMENTS: usize = 1000;

/// The routes of this area.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(search);
}

/// What is looked for.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, rename_all = camelCase, validate = check -> Faults)]
#[schema(rename_all = "camelCase")]
struct SearchBody {
    /// The question or the words, 1 to 2000 characters.
    #[schema(value_type = String, min_length = 1, max_length = 2000)]
    query: SearchQuery,
    /// The most passages to find, 1 to 50.
    #[deserr(default = 10)]
    #[schema(default = 10, minimum = 1, maximum = 50)]
    limit: i64,
    /// By meaning, by words, or both.
    #[deserr(default = SearchMode::Semantic)]
    #[schema(default = "semantic")]
    mode: SearchMode,
    /// Only in these documents.
    #[deserr(default)]
    document_ids: Vec<DocumentId>,
    /// Only passages with at least this score.
    #[deserr(default)]
    min_score: Option<f64>,
}

fn check(body: SearchBody, _: deserr::ValuePointerRef<'_>) -> Result<SearchBody, Faults> {
    let fault = |field: &str, message: String| FieldFault {
        field: field.into(),
        message,
    };
    let mut faults = Vec::new();
    if !(1..=50).contains(&body.limit) {
        faults.push(fault("limit", "must be between 1 and 50".into()));
    }
    if body.document_ids.len() > DOCUMENTS {
        faults.push(fault(
            "documentIds",
            format!("must have at most {DOCUMENTS} items"),
        ));
    }
    if faults.is_empty() {
        Ok(body)
    } else {
        Err(Faults::broken_rules(faults))
    }
}

/// What was found.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SearchAnswer {
    /// The passages, best first.
    results: Vec<Hit>,
    /// How they were found.
    mode: SearchMode,
    /// Which model the meaning is compared under; a `mock` compares letters, not meanings. Documents
    /// that are still to be made anew under it are compared under their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    /// Milliseconds it took.
    took_ms: f64,
}

/// Finds passages of the documents you may see.
#[utoipa::path(tag = "Search", request_body = SearchBody,
    responses((status = 200, body = SearchAnswer), (status = 502, body = crate::error::Problem, content_type = "application/problem+json")))]
#[post("/search")]
async fn search(
    context: Context<Reader>,
    Body(body): Body<SearchBody>,
) -> ApiResult<web::Json<SearchAnswer>> {
    let started = Instant::now();
    let mode = body.mode;
    let (results, model) = find(&context, body).await?;
    Ok(web::Json(SearchAnswer {
        results,
        mode,
        model,
        took_ms: started.elapsed().as_secs_f64() * 1000.0,
    }))
}

/// The passages, best first, and the model under which their meaning was compared.
async fn find<A: Access<Who = Viewer>>(
    context: &Context<A>,
    body: SearchBody,
) -> ApiResult<(Vec<Hit>, Option<String>)> {
    let embedders = match body.mode {
        SearchMode::Keyword => Vec::new(),
        SearchMode::Semantic | SearchMode::Hybrid => embedders(context).await?,
    };
    // Asked without a connection: none is held while a model thinks.
    let vectors = places(&embedders, &body.query).await?;
    let question = Question {
        mode: body.mode,
        text: body.query.as_str(),
        vectors,
        document_ids: body.document_ids,
        limit: body.limit,
        min_score: body.min_score,
    };
    let found =
        db::documents::search::search(&mut *context.db().await?, &context.who, &question).await?;
    Ok((
        found,
        embedders.first().map(|first| first.name().to_owned()),
    ))
}

/// The passages of these documents that fit a text best: by meaning and by words.
pub async fn passages<A: Access<Who = Viewer>>(
    context: &Context<A>,
    query: SearchQuery,
    document_ids: Vec<DocumentId>,
    limit: i64,
) -> ApiResult<Vec<Hit>> {
    let body = SearchBody {
        query,
        limit,
        mode: SearchMode::Hybrid,
        document_ids,
        min_score: None,
    };
    Ok(find(context, body).await?.0)
}

/// What places a question where the company's documents are: the model in use, and as long as some
/// documents are still found under an earlier one, that too if it can be asked.
async fn embedders<A: Access<Who = Viewer>>(
    context: &Context<A>,
) -> ApiResult<Vec<Arc<dyn Embedder>>> {
    let app = context.app();
    let company = context.who.company_id;
    let names = db::documents::search::models(&mut *context.db().await?, company).await?;
    let former = names
        .iter()
        .filter(|name| *name != app.embedder.name())
        .filter_map(|name| app.gateway.former_embedder(name));
    Ok([app.embedder.clone()].into_iter().chain(former).collect())
}

/// The question's vectors: under the first model for certain, and under each earlier one that
/// answers. One that its provider has ended must not keep anybody from searching.
async fn places<'a>(
    embedders: &'a [Arc<dyn Embedder>],
    query: &SearchQuery,
) -> ApiResult<Vec<(Embedding, &'a str)>> {
    let asked = join_all(embedders.iter().map(|by| place(&**by, query))).await;
    let mut vectors = Vec::with_capacity(asked.len());
    for (number, placed) in asked.into_iter().enumerate() {
        match placed {
            Ok(vector) => vectors.push(vector),
            Err(cause) if number == 0 => return Err(without_meaning(cause)),
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

/// Without the model there is no search by meaning, but there is one by words.
fn without_meaning(cause: ProviderError) -> ApiError {
    let answer = ApiError::from(cause);
    let detail = format!("{} Searching by keyword goes on.", answer.detail);
    ApiError { detail, ..answer }
}
