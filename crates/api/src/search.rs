//! Searching documents.

use std::time::Instant;

use actix_web::{post, web};
use db::documents::search::Hit;
use deserr::Deserr;
use domain::{
    auth::Viewer,
    documents::{DocumentId, SearchMode, SearchQuery},
    providers::ProviderError,
};
use serde::Serialize;
use tasks::search::{SearchError, Wanted};
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
    let wanted = Wanted {
        query: body.query,
        limit: body.limit,
        mode,
        document_ids: body.document_ids,
        min_score: body.min_score,
    };
    let (results, model) = find(&context, wanted).await?;
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
    wanted: Wanted,
) -> ApiResult<(Vec<Hit>, Option<String>)> {
    let app = context.app();
    let found = tasks::search::find(&app.pool, &app.gateway, &app.embedder, &context.who, wanted);
    found.await.map_err(|cause| match cause {
        SearchError::Provider(cause) => without_meaning(cause),
        SearchError::Pool(cause) => cause.into(),
        SearchError::Database(cause) => cause.into(),
    })
}

/// The passages of these documents that fit a text best: by meaning and by words.
pub async fn passages<A: Access<Who = Viewer>>(
    context: &Context<A>,
    query: SearchQuery,
    document_ids: Vec<DocumentId>,
    limit: i64,
) -> ApiResult<Vec<Hit>> {
    let wanted = Wanted {
        query,
        limit,
        mode: SearchMode::Hybrid,
        document_ids,
        min_score: None,
    };
    Ok(find(context, wanted).await?.0)
}

/// Without the model there is no search by meaning, but there is one by words.
fn without_meaning(cause: ProviderError) -> ApiError {
    let answer = ApiError::from(cause);
    let detail = format!("{} Searching by keyword goes on.", answer.detail);
    ApiError { detail, ..answer }
}
