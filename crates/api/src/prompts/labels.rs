//! Labels of prompts: which version is in production, which is next.

use actix_web::{HttpRequest, HttpResponse, delete, get, http::header, put, web};
use db::prompts::labels::{LabelMove, PromptLabel};
use deserr::Deserr;
use domain::{
    page::Limit,
    prompts::{LabelName, PromptId},
};
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{missing, shelf::Change, versions::VersionBody};
use crate::{
    context::{Context, Developer},
    error::ApiResult,
    etag,
    extract::{Body, Faults, Path, Paths, Query},
    page::Listing,
};

/// The routes of labels.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list)
        .service(point)
        .service(remove)
        .service(history);
}

/// The labels of a prompt, by name.
#[utoipa::path(tag = "Prompts", params(("id" = PromptId, Path, description = "The prompt")),
    responses((status = 200, body = [PromptLabel])))]
#[get("/prompts/{id}/labels")]
async fn list(
    context: Context<Developer>,
    Path(id): Path<PromptId>,
) -> ApiResult<web::Json<Vec<PromptLabel>>> {
    let labels = db::prompts::labels::list(&mut *context.db().await?, &context.who, id)
        .await
        .map_err(missing)?;
    Ok(web::Json(labels))
}

/// Points a label at a version; it is made if there is none of the name.
#[utoipa::path(tag = "Prompts",
    params(("id" = PromptId, Path, description = "The prompt"),
        ("name" = String, Path, description = "The label: 1 to 64 letters, digits, `.`, `_` or `-`")),
    request_body = VersionBody, responses((status = 200, body = PromptLabel)))]
#[put("/prompts/{id}/labels/{name}")]
async fn point(
    context: Context<Developer>,
    request: HttpRequest,
    Paths(id, name): Paths<PromptId, LabelName>,
    Body(body): Body<VersionBody>,
) -> ApiResult<HttpResponse> {
    let (expected, which) = (etag::expected(&request)?, body.which());
    let change = Change::begin(context.app(), id);
    let mut connection = context.db().await?;
    let who = &context.who;
    let (label, revision) =
        db::prompts::labels::point(&mut connection, who, id, &name, which, &expected).await?;
    change.settle().await;
    Ok(HttpResponse::Ok()
        .insert_header(header::ETag(etag::of(revision)))
        .json(label))
}

/// Takes a label away.
#[utoipa::path(tag = "Prompts",
    params(("id" = PromptId, Path, description = "The prompt"),
        ("name" = String, Path, description = "The label")),
    responses((status = 204, description = "Taken away")))]
#[delete("/prompts/{id}/labels/{name}")]
async fn remove(
    context: Context<Developer>,
    request: HttpRequest,
    Paths(id, name): Paths<PromptId, LabelName>,
) -> ApiResult<HttpResponse> {
    let expected = etag::expected(&request)?;
    let change = Change::begin(context.app(), id);
    let mut connection = context.db().await?;
    db::prompts::labels::remove(&mut connection, &context.who, id, &name, &expected).await?;
    change.settle().await;
    Ok(HttpResponse::NoContent().finish())
}

#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct HistoryQuery {
    /// The most moves to answer, 1 to 1000.
    #[deserr(default)]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    limit: Limit,
    /// Where the page starts, from the `Link` of the one before.
    #[deserr(default)]
    cursor: Option<String>,
}

/// The moves of a label, newest first; none for a name that was never used.
#[utoipa::path(tag = "Prompts",
    params(("id" = PromptId, Path, description = "The prompt"),
        ("name" = String, Path, description = "The label"), HistoryQuery),
    responses((status = 200, body = [LabelMove])))]
#[get("/prompts/{id}/labels/{name}/history")]
async fn history(
    context: Context<Developer>,
    request: HttpRequest,
    Paths(id, name): Paths<PromptId, LabelName>,
    Query(query): Query<HistoryQuery>,
) -> ApiResult<HttpResponse> {
    let listing = Listing::new(&request, &context.who);
    let after = listing.start(query.cursor.as_deref())?;
    let (mut connection, limit) = (context.db().await?, query.limit);
    let who = &context.who;
    let page = db::prompts::labels::history(&mut connection, who, id, &name, after, limit)
        .await
        .map_err(missing)?;
    Ok(listing.answer(&page))
}
