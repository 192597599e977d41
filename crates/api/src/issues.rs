//! Issues, as they were read from trackers. Nobody writes them here.

use actix_web::{HttpRequest, HttpResponse, get};
use db::issues::{Filter, Issue, IssueDetail};
use deserr::Deserr;
use domain::{
    page::{Limit, Moment},
    prompts::PromptQuery,
    trackers::{AssigneeQuery, IssueId, IssueStatus, TrackerId},
};
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    context::{Context, Developer},
    error::{ApiError, ApiResult},
    etag,
    extract::{Faults, Path, Query},
    page::Listing,
};

/// The routes of this area.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(find);
}

/// Which issues are listed.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
struct IssuesQuery {
    /// In this state.
    #[deserr(default)]
    status: Option<IssueStatus>,
    /// On which these work: `me`, the id of a user, or `none` for nobody. People are known by their address.
    #[param(value_type = Option<String>)]
    #[deserr(default)]
    assignee: Option<AssigneeQuery>,
    /// Of this tracker.
    #[deserr(default)]
    tracker: Option<TrackerId>,
    /// Only with this in key or title, whatever the case; 1 to 200 characters.
    #[param(value_type = Option<String>, min_length = 1, max_length = 200)]
    #[deserr(default)]
    q: Option<PromptQuery>,
    /// Only what changed here at or after this moment, in the order of the changes; issues that are gone
    /// are among them.
    #[param(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    #[deserr(default)]
    updated_since: Option<Moment>,
    /// The most issues to answer, 1 to 1000.
    #[deserr(default)]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    limit: Limit,
    /// Where the page starts, from the `Link` of the one before.
    #[deserr(default)]
    cursor: Option<String>,
}

/// Lists the issues of your company's trackers, newest change first, without those that are gone.
#[utoipa::path(tag = "Issues", params(IssuesQuery), responses((status = 200, body = [Issue])))]
#[get("/issues")]
async fn list(
    context: Context<Developer>,
    request: HttpRequest,
    Query(query): Query<IssuesQuery>,
) -> ApiResult<HttpResponse> {
    let listing = Listing::new(&request, &context.who);
    let filter = Filter {
        status: query.status,
        assignee: query.assignee,
        tracker: query.tracker,
        text: query.q,
        updated_since: query.updated_since.map(|moment| moment.0),
        after: listing.start(query.cursor.as_deref())?,
    };
    let mut conn = context.db().await?;
    let page = db::issues::list(&mut conn, &context.who, &filter, query.limit).await?;
    Ok(listing.answer(&page))
}

/// One issue, with what the tracker sent; also one that is gone there.
#[utoipa::path(tag = "Issues", params(("id" = IssueId, Path, description = "The issue")),
    responses((status = 200, body = IssueDetail), (status = 304, description = "Unchanged")))]
#[get("/issues/{id}")]
async fn find(
    context: Context<Developer>,
    request: HttpRequest,
    Path(id): Path<IssueId>,
) -> ApiResult<HttpResponse> {
    let found = db::issues::find(&mut *context.db().await?, &context.who, id).await;
    let issue = found.map_err(|cause| match cause {
        diesel::result::Error::NotFound => ApiError::not_found("issue"),
        other => other.into(),
    })?;
    Ok(etag::answer(&request, issue.revision, &issue))
}
