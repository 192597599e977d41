//! Background work, for admins: what waits and why, what failed, and what they can do about it.

mod hands;
mod pauses;

use actix_web::{HttpRequest, HttpResponse, get, web::Json};
use db::{
    jobs::{DeadLetters, Filter, JobDetail, JobRow, KindSummary},
    workers::WorkerRow,
};
use deserr::Deserr;
use domain::{
    jobs::{ErrorClass, JobId, JobKind, JobState},
    page::Limit,
};
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    context::{Admin, Context},
    error::{ApiError, ApiResult},
    extract::{Faults, Path, Query},
    page::Listing,
};

/// The routes of this area.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list)
        .service(summary)
        .service(dead)
        .service(workers);
    hands::routes(config);
    pauses::routes(config);
    config.service(find);
}

/// Which jobs are listed.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
struct ListQuery {
    /// Only in this state.
    #[param(inline)]
    #[deserr(default)]
    state: Option<JobState>,
    /// Only of this kind.
    #[param(inline)]
    #[deserr(default)]
    kind: Option<JobKind>,
    /// Only those whose last failure was of this class.
    #[param(value_type = Option<String>, pattern = "^[a-z0-9_]{1,100}$")]
    #[deserr(default)]
    error_class: Option<ErrorClass>,
    /// Only those that work on this row.
    #[param(value_type = Option<uuid::Uuid>)]
    #[deserr(default)]
    subject_id: Option<JobId>,
    /// The most jobs to answer, 1 to 1000.
    #[deserr(default)]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    limit: Limit,
    /// Where the page starts, from the `Link` of the one before.
    #[deserr(default)]
    cursor: Option<String>,
}

/// Lists your company's jobs, newest first, each with the reason it waits or failed.
#[utoipa::path(tag = "Jobs", params(ListQuery), responses((status = 200, body = [JobRow])))]
#[get("/jobs")]
async fn list(
    context: Context<Admin>,
    request: HttpRequest,
    Query(query): Query<ListQuery>,
) -> ApiResult<HttpResponse> {
    let listing = Listing::new(&request, &context.who);
    let filter = Filter {
        company_id: Some(context.who.company_id),
        state: query.state,
        kind: query.kind,
        error_class: query.error_class,
        subject_id: query.subject_id.map(|subject| subject.0),
        before: listing.start(query.cursor.as_deref())?,
    };
    let page = db::jobs::list(&mut *context.db().await?, &filter, query.limit).await?;
    Ok(listing.answer(&page))
}

/// A job of your company, with all that is known of it.
#[utoipa::path(tag = "Jobs", params(("id" = JobId, Path)), responses((status = 200, body = JobDetail)))]
#[get("/jobs/{id}")]
async fn find(context: Context<Admin>, Path(id): Path<JobId>) -> ApiResult<Json<JobDetail>> {
    let company = Some(context.who.company_id);
    let job = db::jobs::find(&mut *context.db().await?, id, company).await?;
    job.map(Json).ok_or_else(|| ApiError::not_found("job"))
}

/// How each kind of jobs stands in your company: how many wait, run and died, since when the oldest has
/// been due, and whether the kind is paused.
#[utoipa::path(tag = "Jobs", responses((status = 200, body = [KindSummary])))]
#[get("/jobs/summary")]
async fn summary(context: Context<Admin>) -> ApiResult<Json<Vec<KindSummary>>> {
    let company = Some(context.who.company_id);
    let kinds = db::jobs::summary(&mut *context.db().await?, company).await?;
    Ok(Json(kinds))
}

/// Your company's dead letters by kind and class of failure, the most first, each with an example.
#[utoipa::path(tag = "Jobs", responses((status = 200, body = [DeadLetters])))]
#[get("/jobs/dead")]
async fn dead(context: Context<Admin>) -> ApiResult<Json<Vec<DeadLetters>>> {
    let company = Some(context.who.company_id);
    let letters = db::jobs::dead(&mut *context.db().await?, company).await?;
    Ok(Json(letters))
}

/// The workers of this installation, with the jobs of your company that each is at. Of others' jobs only
/// the number is told.
#[utoipa::path(tag = "Jobs", responses((status = 200, body = [WorkerRow])))]
#[get("/workers")]
async fn workers(context: Context<Admin>) -> ApiResult<Json<Vec<WorkerRow>>> {
    let company = Some(context.who.company_id);
    let workers = db::workers::list(&mut *context.db().await?, company).await?;
    Ok(Json(workers))
}
