//! Versions of prompts: made, listed, compared, gone back to.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, get, http::header, post, web};
use db::prompts::versions::{PromptVersion, Which};
use deserr::Deserr;
use domain::{
    page::Limit,
    prompts::{Difference, PromptId, PromptVersionId},
};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::{body::PromptView, changed, missing, shelf::Change};
use crate::{
    context::{Context, Developer},
    error::{ApiError, ApiResult, Code, FieldFault},
    etag,
    extract::{Body, Faults, Path, Paths, Query},
    page::Listing,
};

/// How long the shortest difference of two texts is looked for.
const PATIENCE: Duration = Duration::from_millis(500);

/// The routes of versions.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list)
        .service(create)
        .service(find)
        .service(compare)
        .service(restore);
}

#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct VersionsQuery {
    /// The most versions to answer, 1 to 1000.
    #[deserr(default)]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    limit: Limit,
    /// Where the page starts, from the `Link` of the one before.
    #[deserr(default)]
    cursor: Option<String>,
}

/// The versions of a prompt, newest first, those of earlier names included.
#[utoipa::path(tag = "Prompts",
    params(("id" = PromptId, Path, description = "The prompt"), VersionsQuery),
    responses((status = 200, body = [PromptVersion])))]
#[get("/prompts/{id}/versions")]
async fn list(
    context: Context<Developer>,
    request: HttpRequest,
    Path(id): Path<PromptId>,
    Query(query): Query<VersionsQuery>,
) -> ApiResult<HttpResponse> {
    let listing = Listing::new(&request, &context.who);
    let after = listing.start(query.cursor.as_deref())?;
    let (mut connection, limit) = (context.db().await?, query.limit);
    let page = db::prompts::versions::list(&mut connection, &context.who, id, after, limit)
        .await
        .map_err(missing)?;
    Ok(listing.answer(&page))
}

/// Makes a version of what the prompt says now. If the newest version says the same, that one is
/// answered, with 200.
#[utoipa::path(tag = "Prompts", params(("id" = PromptId, Path, description = "The prompt")),
    responses((status = 201, body = PromptVersion), (status = 200, body = PromptVersion)))]
#[post("/prompts/{id}/versions")]
async fn create(
    context: Context<Developer>,
    request: HttpRequest,
    Path(id): Path<PromptId>,
) -> ApiResult<HttpResponse> {
    let expected = etag::expected(&request)?;
    let change = Change::begin(context.app(), id);
    let mut connection = context.db().await?;
    let (version, created) =
        db::prompts::versions::create(&mut connection, &context.who, id, &expected).await?;
    change.settle().await;
    if !created {
        return Ok(HttpResponse::Ok().json(version));
    }
    let place = format!("/api/prompts/{id}/versions/{}", version.id);
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, place))
        .json(version))
}

/// One version: by its number among those of the newest name, or by its id.
#[utoipa::path(tag = "Prompts",
    params(("id" = PromptId, Path, description = "The prompt"),
        ("n" = String, Path, description = "The version's number, from 1, or its id")),
    responses((status = 200, body = PromptVersion), (status = 304, description = "Unchanged")))]
#[get("/prompts/{id}/versions/{n}")]
async fn find(
    context: Context<Developer>,
    request: HttpRequest,
    Paths(id, which): Paths<PromptId, Which>,
) -> ApiResult<HttpResponse> {
    let mut connection = context.db().await?;
    let version = db::prompts::versions::find(&mut connection, &context.who, id, which).await?;
    Ok(etag::answer(&request, version.created_at, &version))
}

#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DiffQuery {
    /// The older version, by number or id; the one made before `to` if absent.
    #[deserr(default)]
    from: Option<String>,
    /// The newer version, by number or id; the newest if absent.
    #[deserr(default)]
    to: Option<String>,
}

/// What changed from one version to another.
#[derive(Debug, Serialize, ToSchema)]
struct VersionDiff {
    /// The older version.
    from: PromptVersionId,
    /// The newer version.
    to: PromptVersionId,
    #[serde(flatten)]
    difference: Difference,
}

fn which(field: &str, text: Option<String>) -> ApiResult<Option<Which>> {
    let Some(text) = text else { return Ok(None) };
    text.parse().map(Some).map_err(|fault: domain::Fault| {
        let fault = FieldFault {
            field: field.to_owned(),
            message: fault.to_string(),
        };
        ApiError::faults(Code::InvalidQuery, vec![fault])
    })
}

/// Compares two versions: the text line by line, the rest by name.
#[utoipa::path(tag = "Prompts",
    params(("id" = PromptId, Path, description = "The prompt"), DiffQuery),
    responses((status = 200, body = VersionDiff)))]
#[get("/prompts/{id}/diff")]
async fn compare(
    context: Context<Developer>,
    Path(id): Path<PromptId>,
    Query(query): Query<DiffQuery>,
) -> ApiResult<web::Json<VersionDiff>> {
    let (from, to) = (which("from", query.from)?, which("to", query.to)?);
    let mut connection = context.db().await?;
    let (old, new) =
        db::prompts::versions::pair(&mut connection, &context.who, id, from, to).await?;
    drop(connection);
    let (from, to) = (old.id, new.id);
    let compared = web::block(move || Difference::between(&old.body, &new.body, PATIENCE));
    let difference = compared.await.map_err(|cause| ApiError::internal(&cause))?;
    Ok(web::Json(VersionDiff {
        from,
        to,
        difference,
    }))
}

/// A version, by one of its names.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, rename_all = camelCase, validate = one_of_both -> Faults)]
#[schema(rename_all = "camelCase")]
pub struct VersionBody {
    /// Its id.
    #[deserr(default)]
    version_id: Option<PromptVersionId>,
    /// Its number among those of the newest name.
    #[schema(minimum = 1)]
    #[deserr(default)]
    version: Option<i32>,
}

fn one_of_both(body: VersionBody, _: deserr::ValuePointerRef<'_>) -> Result<VersionBody, Faults> {
    let fault = |field: &str, message: &str| {
        Err(Faults::broken_rules(vec![FieldFault {
            field: field.into(),
            message: message.into(),
        }]))
    };
    match (body.version_id, body.version) {
        (Some(_), Some(_)) => fault("version", "must not be sent together with `versionId`"),
        (None, None) => fault("versionId", "is required, or `version`"),
        (None, Some(number)) if number < 1 => fault("version", "must be 1 or more"),
        _ => Ok(body),
    }
}

impl VersionBody {
    /// Which one.
    pub fn which(&self) -> Which {
        match (self.version_id, self.version) {
            (Some(id), _) => Which::Id(id),
            (None, number) => Which::Number(number.unwrap_or(1)),
        }
    }
}

/// Makes the prompt say again what it said in a version. Title, notes and readers stay; no version
/// is made of it yet.
#[utoipa::path(tag = "Prompts", params(("id" = PromptId, Path, description = "The prompt")),
    request_body = VersionBody, responses((status = 200, body = PromptView)))]
#[post("/prompts/{id}/restore")]
async fn restore(
    context: Context<Developer>,
    request: HttpRequest,
    Path(id): Path<PromptId>,
    Body(body): Body<VersionBody>,
) -> ApiResult<HttpResponse> {
    let (expected, which) = (etag::expected(&request)?, body.which());
    let change = Change::begin(context.app(), id);
    let mut connection = context.db().await?;
    let stored =
        db::prompts::versions::restore(&mut connection, &context.who, id, which, &expected).await?;
    change.settle().await;
    Ok(changed(stored))
}
