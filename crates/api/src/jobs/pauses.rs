//! Pauses: of kinds of jobs, for the own company and for no other, and of the company's provider keys.
//! What the operator paused for everybody is shown and stays as it is.

use actix_web::{HttpResponse, delete, get, put, web::Json};
use db::{jobs::PauseRow, provider_keys::ProviderKey};
use deserr::Deserr;
use domain::{
    jobs::{JobKind, PauseNote},
    models::ProviderKeyId,
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    context::{Admin, Context},
    error::{ApiError, ApiResult, Code},
    extract::{Faults, OptionalBody, Path},
};

/// The routes of this part.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list)
        .service(pause)
        .service(resume)
        .service(pause_key)
        .service(resume_key);
}

#[derive(Debug, Default, Deserr, ToSchema)]
#[deserr(error = Faults, deny_unknown_fields)]
struct PauseBody {
    /// What others should know: 1 to 500 characters.
    #[schema(value_type = Option<String>)]
    #[deserr(default)]
    note: Option<PauseNote>,
}

/// What is paused.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PausesView {
    /// Kinds of jobs.
    kinds: Vec<PauseRow>,
    /// Keys of providers.
    provider_keys: Vec<ProviderKey>,
}

/// What is paused for your company: kinds of jobs, by you or for the whole installation, and keys of
/// providers.
#[utoipa::path(tag = "Jobs", responses((status = 200, body = PausesView)))]
#[get("/jobs/pauses")]
async fn list(context: Context<Admin>) -> ApiResult<Json<PausesView>> {
    let company = context.who.company_id;
    let mut conn = context.db().await?;
    let keys = db::provider_keys::list(&mut conn, company).await?;
    Ok(Json(PausesView {
        kinds: db::jobs::pauses(&mut conn, Some(company)).await?,
        provider_keys: keys
            .into_iter()
            .filter(|key| key.paused_at.is_some())
            .collect(),
    }))
}

/// Has your company's jobs of a kind not begun any more; those that run go on. Done again, it changes the
/// note alone.
#[utoipa::path(tag = "Jobs", params(("kind" = JobKind, Path)), request_body = Option<PauseBody>,
    responses((status = 200, body = PauseRow)))]
#[put("/jobs/pauses/{kind}")]
async fn pause(
    context: Context<Admin>,
    Path(kind): Path<JobKind>,
    OptionalBody(body): OptionalBody<PauseBody>,
) -> ApiResult<Json<PauseRow>> {
    if !kind.is_for_companies() {
        return Err(ApiError::invalid(
            "kind",
            "is a chore of the installation's own: its operator can pause it",
        ));
    }
    let (company, by) = (context.who.company_id, Some(context.who.user_id));
    let note = body.unwrap_or_default().note;
    let mut conn = context.db().await?;
    db::jobs::pause_for(&mut conn, company, kind, by, note.as_ref()).await?;
    let pauses = db::jobs::pauses(&mut conn, Some(company)).await?;
    let mut own = pauses
        .into_iter()
        .filter(|pause| pause.kind == kind && pause.company_id.is_some());
    let pause = own.next();
    pause.map(Json).ok_or_else(|| {
        ApiError::new(
            Code::Conflict,
            "Somebody resumed this kind at the same moment. Look at `GET /api/jobs/pauses`.",
        )
    })
}

/// Has your company's jobs of a kind begun again.
#[utoipa::path(tag = "Jobs", params(("kind" = JobKind, Path)),
    responses((status = 204, description = "Not paused by your company")))]
#[delete("/jobs/pauses/{kind}")]
async fn resume(context: Context<Admin>, Path(kind): Path<JobKind>) -> ApiResult<HttpResponse> {
    let mut conn = context.db().await?;
    let was_paused = db::jobs::resume_for(&mut conn, context.who.company_id, kind).await?;
    if !was_paused && db::jobs::paused_everywhere(&mut conn, kind).await? {
        return Err(ApiError::new(
            Code::Conflict,
            "The operator of this installation has paused this kind for everybody. Ask them to resume it.",
        ));
    }
    context.app().wake.notify_one();
    Ok(HttpResponse::NoContent().finish())
}

/// Has no more calls made with a key of your company: jobs that need it wait, and calls by people are
/// refused. Calls under way go on. Done again, it changes the note alone.
#[utoipa::path(tag = "Models", params(("id" = ProviderKeyId, Path)), request_body = Option<PauseBody>,
    responses((status = 200, body = ProviderKey)))]
#[put("/provider-keys/{id}/pause")]
async fn pause_key(
    context: Context<Admin>,
    Path(id): Path<ProviderKeyId>,
    OptionalBody(body): OptionalBody<PauseBody>,
) -> ApiResult<Json<ProviderKey>> {
    let (company, by) = (Some(context.who.company_id), Some(context.who.user_id));
    let note = body.unwrap_or_default().note;
    let mut conn = context.db().await?;
    let key = db::provider_keys::pause(&mut conn, id, company, by, note.as_ref()).await?;
    context.app().gateway.pauses.forget();
    key.map(Json)
        .ok_or_else(|| ApiError::not_found("provider key"))
}

/// Has calls made with the key again, and wakes what waited for it.
#[utoipa::path(tag = "Models", params(("id" = ProviderKeyId, Path)),
    responses((status = 204, description = "Not paused")))]
#[delete("/provider-keys/{id}/pause")]
async fn resume_key(
    context: Context<Admin>,
    Path(id): Path<ProviderKeyId>,
) -> ApiResult<HttpResponse> {
    let company = Some(context.who.company_id);
    let key = db::provider_keys::resume(&mut *context.db().await?, id, company).await?;
    context.app().gateway.pauses.forget();
    context.app().wake.notify_one();
    key.map(|_| HttpResponse::NoContent().finish())
        .ok_or_else(|| ApiError::not_found("provider key"))
}
