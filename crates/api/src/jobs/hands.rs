//! An admin's hand on jobs, many at once: another round of attempts, or none.

use actix_web::{HttpResponse, post, web::Json};
use db::jobs::{Laid, Selection};
use deserr::Deserr;
use domain::{
    jobs::{ErrorClass, JobId, JobKind},
    users::CompanyId,
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    context::{Admin, Context},
    error::{ApiError, ApiResult, Code, FieldFault},
    extract::{Body, Faults},
};

/// The most jobs that a hand is laid on at once.
const MOST: usize = 1000;

/// The most that may become due each second.
const FASTEST: u16 = 1000;

/// The routes of this part.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(retry).service(discard);
}

/// Which jobs, by at least one of these; each narrows the others.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[schema(rename_all = "camelCase")]
struct RetryBody {
    /// These, at most 1000.
    #[deserr(default)]
    ids: Option<Vec<JobId>>,
    /// Of this kind.
    #[schema(inline)]
    #[deserr(default)]
    kind: Option<JobKind>,
    /// Whose last failure was of this class.
    #[schema(value_type = Option<String>)]
    #[deserr(default)]
    error_class: Option<ErrorClass>,
    /// No more than so many become due each second, 1 to 1000; without it, all at once.
    #[schema(minimum = 1, maximum = 1000)]
    #[deserr(default)]
    per_second: Option<u16>,
}

/// Which jobs, by at least one of these; each narrows the others.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[schema(rename_all = "camelCase")]
struct DiscardBody {
    /// These, at most 1000, dead or waiting.
    #[deserr(default)]
    ids: Option<Vec<JobId>>,
    /// Of this kind.
    #[schema(inline)]
    #[deserr(default)]
    kind: Option<JobKind>,
    /// Whose last failure was of this class.
    #[schema(value_type = Option<String>)]
    #[deserr(default)]
    error_class: Option<ErrorClass>,
}

/// What a hand was laid on.
#[derive(Debug, Serialize, ToSchema)]
struct LaidView {
    /// How many jobs.
    jobs: usize,
    /// Whether there are more: send the same again for them.
    more: bool,
}

impl From<Laid> for LaidView {
    fn from(laid: Laid) -> Self {
        Self {
            jobs: laid.jobs,
            more: laid.more,
        }
    }
}

/// Gives dead jobs another round of attempts, up to 1000 at once. What is under way again already is not
/// touched, so that two who do this at once count once.
#[utoipa::path(tag = "Jobs", request_body = RetryBody, responses((status = 202, body = LaidView)))]
#[post("/jobs/retry")]
async fn retry(context: Context<Admin>, Body(body): Body<RetryBody>) -> ApiResult<HttpResponse> {
    let mut faults = Vec::new();
    if body
        .per_second
        .is_some_and(|rate| !(1..=FASTEST).contains(&rate))
    {
        let rule = format!("must be between 1 and {FASTEST}");
        faults.push(fault("perSecond", &rule));
    }
    let which = (body.ids, body.kind, body.error_class);
    let which = selection(context.who.company_id, which, faults)?;
    let mut conn = context.db().await?;
    let laid = db::jobs::retry(&mut conn, &which, body.per_second, most()).await?;
    context.app().wake.notify_one();
    Ok(HttpResponse::Accepted().json(LaidView::from(laid)))
}

/// Gives up dead jobs for good, and waiting ones that are named; up to 1000 at once.
#[utoipa::path(tag = "Jobs", request_body = DiscardBody, responses((status = 200, body = LaidView)))]
#[post("/jobs/discard")]
async fn discard(
    context: Context<Admin>,
    Body(body): Body<DiscardBody>,
) -> ApiResult<Json<LaidView>> {
    let which = (body.ids, body.kind, body.error_class);
    let which = selection(context.who.company_id, which, Vec::new())?;
    let laid = db::jobs::discard(&mut *context.db().await?, &which, most()).await?;
    Ok(Json(laid.into()))
}

fn most() -> i64 {
    i64::try_from(MOST).unwrap_or(i64::MAX)
}

fn fault(field: &str, rule: &str) -> FieldFault {
    FieldFault {
        field: field.into(),
        message: rule.into(),
    }
}

type Wanted = (Option<Vec<JobId>>, Option<JobKind>, Option<ErrorClass>);

/// What the members select, or every fault, those found before included. Nobody means all jobs by accident.
fn selection(
    company: CompanyId,
    (ids, kind, error_class): Wanted,
    mut faults: Vec<FieldFault>,
) -> ApiResult<Selection> {
    if ids.is_none() && kind.is_none() && error_class.is_none() {
        let rule = "is missing: give `ids`, `kind` or `errorClass`";
        faults.push(fault("ids", rule));
    }
    if ids
        .as_ref()
        .is_some_and(|ids| !(1..=MOST).contains(&ids.len()))
    {
        faults.push(fault("ids", &format!("must name 1 to {MOST} jobs")));
    }
    if !faults.is_empty() {
        return Err(ApiError::faults(Code::Invalid, faults));
    }
    Ok(Selection {
        company_id: Some(company),
        ids: ids.unwrap_or_default(),
        kind,
        error_class,
    })
}
