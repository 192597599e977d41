//! Background work, for admins: what waits and why, what failed.

use actix_web::{HttpRequest, HttpResponse, get};
use db::jobs::{Filter, JobRow};
use deserr::Deserr;
use domain::{
    jobs::{JobKind, JobState},
    page::Limit,
};
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    context::{Admin, Context},
    error::ApiResult,
    extract::{Faults, Query},
    page::Listing,
};

/// The routes of this area.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list);
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
        before: listing.start(query.cursor.as_deref())?,
    };
    let page = db::jobs::list(&mut *context.db().await?, &filter, query.limit).await?;
    Ok(listing.answer(&page))
}
