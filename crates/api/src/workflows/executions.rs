//! What became of executions: they are seen by whoever started them, and by nobody else.

use actix_web::{HttpRequest, HttpResponse, get, post};
use db::workflows::{control, executions};
use deserr::Deserr;
use domain::{
    page::{Limit, Moment},
    workflows::{ExecutionId, ExecutionStatus, WorkflowId, task::TaskId},
};
use utoipa::IntoParams;

use super::view::{ExecutionView, WholeExecutionView};
use crate::{
    context::{Access, Context, Developer, Runner},
    error::{ApiError, ApiResult},
    etag,
    extract::{Faults, Path, Query},
    feed::{self, Subject},
    page::Listing,
};

fn missing(cause: diesel::result::Error) -> ApiError {
    match cause {
        diesel::result::Error::NotFound => ApiError::not_found("execution"),
        other => other.into(),
    }
}

/// Which executions are listed.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
struct ListQuery {
    /// Only in this state.
    #[param(inline)]
    #[deserr(default)]
    status: Option<ExecutionStatus>,
    /// Only of this workflow.
    #[param(value_type = Option<uuid::Uuid>)]
    #[deserr(default)]
    workflow_id: Option<WorkflowId>,
    /// Only what changed at or after this moment, in the order of the changes.
    #[param(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    #[deserr(default)]
    updated_since: Option<Moment>,
    /// The most executions to answer, 1 to 1000.
    #[deserr(default)]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    limit: Limit,
    /// Where the page starts, from the `Link` of the one before.
    #[deserr(default)]
    cursor: Option<String>,
}

/// Lists your executions, newest first.
#[utoipa::path(tag = "Workflows", params(ListQuery), responses((status = 200, body = [ExecutionView])))]
#[get("/executions")]
pub async fn list(
    context: Context<Developer>,
    request: HttpRequest,
    Query(query): Query<ListQuery>,
) -> ApiResult<HttpResponse> {
    let listing = Listing::new(&request, &context.who);
    let filter = executions::Filter {
        status: query.status,
        workflow_id: query.workflow_id,
        updated_since: query.updated_since.map(|moment| moment.0),
        after: listing.start(query.cursor.as_deref())?,
    };
    let mut conn = context.db().await?;
    let page = executions::list(&mut conn, &context.who, &filter, query.limit).await?;
    let ids: Vec<ExecutionId> = page.rows.iter().map(|row| row.id).collect();
    let sums = executions::sums(&mut conn, &ids).await?;
    let view = |row: executions::Execution| {
        let sum = sums.iter().find(|sum| sum.execution_id == row.id.0);
        ExecutionView::of(row, &sum.cloned().unwrap_or_default())
    };
    let views: Vec<_> = page.rows.into_iter().map(view).collect();
    Ok(listing.answer_with(page.next.as_ref(), &views))
}

/// One of your executions, with where its tasks stand and what they made.
#[utoipa::path(tag = "Workflows", params(("id" = ExecutionId, Path, description = "The execution")),
    responses((status = 200, body = WholeExecutionView), (status = 304, description = "Unchanged")))]
#[get("/executions/{id}")]
pub async fn find(
    context: Context<Developer>,
    request: HttpRequest,
    Path(id): Path<ExecutionId>,
) -> ApiResult<HttpResponse> {
    let (updated_at, view) = whole(&context, id).await?;
    Ok(etag::answer(&request, updated_at, &view))
}

async fn whole<A: Access<Who = domain::auth::Viewer>>(
    context: &Context<A>,
    id: ExecutionId,
) -> ApiResult<(chrono::DateTime<chrono::Utc>, WholeExecutionView)> {
    let mut conn = context.db().await?;
    let execution = executions::find(&mut conn, &context.who, id)
        .await
        .map_err(missing)?;
    let tasks = executions::tasks(&mut conn, id).await?;
    let (_, pinned) = executions::given(&mut conn, id).await?;
    Ok((
        execution.updated_at,
        WholeExecutionView::of(execution, tasks, pinned),
    ))
}

/// From where on an execution is performed again.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ResumeQuery {
    /// The task that is performed again, with all that depends on it.
    #[param(value_type = Option<String>)]
    #[deserr(default)]
    from: Option<TaskId>,
}

/// Takes up an execution that is over: tasks without a result are performed again, and from `from` on
/// all that depends on it. Every other result stands.
#[utoipa::path(tag = "Workflows",
    params(("id" = ExecutionId, Path, description = "The execution"), ResumeQuery),
    responses((status = 202, body = WholeExecutionView)))]
#[post("/executions/{id}/resume")]
pub async fn resume(
    context: Context<Runner>,
    Path(id): Path<ExecutionId>,
    Query(query): Query<ResumeQuery>,
) -> ApiResult<HttpResponse> {
    let request_id = context.actor().request_id;
    let mut conn = context.db().await?;
    control::resume(&mut conn, &context.who, id, query.from.as_ref(), request_id).await?;
    drop(conn);
    context.app().wake.notify_one();
    context.app().news.tell(id.0);
    let (_, view) = whole(&context, id).await?;
    Ok(HttpResponse::Accepted().json(view))
}

/// Follows an execution: each event with its number as `id`, and `{kind, taskId, at}`. Ends with the
/// execution; 204 to who has seen its end already.
#[utoipa::path(tag = "Workflows", params(("id" = ExecutionId, Path, description = "The execution"),
    ("Last-Event-ID" = Option<i64>, Header, description = "The last event you have seen")),
    responses((status = 200, description = "The events as they come",
        content((String = "text/event-stream"))),
        (status = 204, description = "The execution is over, and you have seen everything")))]
#[get("/executions/{id}/events")]
pub async fn follow(
    context: Context<Developer>,
    request: HttpRequest,
    Path(id): Path<ExecutionId>,
) -> ApiResult<HttpResponse> {
    let mut conn = context.db().await?;
    let execution = executions::find(&mut conn, &context.who, id).await;
    execution.map_err(missing)?;
    let reach = Subject::Execution(id).reach(&mut conn).await?;
    drop(conn);
    let reach = reach.ok_or_else(|| missing(diesel::result::Error::NotFound))?;
    feed::follow(&context, &request, Subject::Execution(id), reach)
}
