//! Workflows: writing, finding, sharing and deleting them. Performing them is in [`execute`], what
//! became of that in [`executions`], trying a single task in [`run_task`].

mod body;
mod execute;
mod executions;
mod run_task;
mod view;

use actix_web::{HttpRequest, HttpResponse, delete, get, http::header, patch, post, put};
use db::workflows::{ChangeError, Filter, Workflow};
use deserr::Deserr;
use domain::{
    page::{Limit, Moment},
    prompts::PromptQuery,
    workflows::WorkflowId,
};
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    context::{Context, Developer},
    error::{ApiError, ApiResult, Code, FieldFault},
    etag,
    extract::{Body, Faults, Path, Query},
    page::Listing,
};
pub use body::WorkflowBody;

/// The routes of this area.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list)
        .service(create)
        .service(execute::sent)
        .service(run_task::run_task)
        .service(execute::status)
        .service(execute::stop)
        .service(find)
        .service(put)
        .service(update)
        .service(delete)
        .service(execute::stored)
        .service(executions::list)
        .service(executions::find)
        .service(executions::resume)
        .service(executions::follow);
}

impl From<ChangeError> for ApiError {
    fn from(cause: ChangeError) -> Self {
        match cause {
            ChangeError::NotFound => Self::not_found("workflow"),
            ChangeError::Forbidden => Self::new(
                Code::Forbidden,
                "Only its owner or an admin may change this workflow.",
            ),
            ChangeError::Stale => Self::new(
                Code::Stale,
                "The workflow changed in the meantime. Read it again and repeat the change.",
            ),
            ChangeError::Incomplete(members) => {
                let missing = |member: &str| FieldFault {
                    field: member.to_owned(),
                    message: "is required".to_owned(),
                };
                Self::faults(Code::Invalid, members.into_iter().map(missing).collect())
            }
            ChangeError::Database(cause) => cause.into(),
        }
    }
}

fn missing(cause: diesel::result::Error) -> ApiError {
    match cause {
        diesel::result::Error::NotFound => ApiError::not_found("workflow"),
        other => other.into(),
    }
}

/// Whose workflows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserr, utoipa::ToSchema)]
#[deserr(rename_all = lowercase)]
#[schema(rename_all = "lowercase")]
enum WorkflowOwnerFilter {
    /// One's own.
    Me,
}

/// Which workflows are listed.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
struct ListQuery {
    /// Only with this in the name, whatever the case; 1 to 200 characters.
    #[param(value_type = Option<String>, min_length = 1, max_length = 200)]
    #[deserr(default)]
    q: Option<PromptQuery>,
    /// `me`: only your own.
    #[param(inline)]
    #[deserr(default)]
    owner: Option<WorkflowOwnerFilter>,
    /// Only what changed at or after this moment, in the order of the changes.
    #[param(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    #[deserr(default)]
    updated_since: Option<Moment>,
    /// The most workflows to answer, 1 to 1000.
    #[deserr(default)]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    limit: Limit,
    /// Where the page starts, from the `Link` of the one before.
    #[deserr(default)]
    cursor: Option<String>,
}

/// Lists the workflows you may see, newest change first.
#[utoipa::path(tag = "Workflows", params(ListQuery), responses((status = 200, body = [Workflow])))]
#[get("/workflows")]
async fn list(
    context: Context<Developer>,
    request: HttpRequest,
    Query(query): Query<ListQuery>,
) -> ApiResult<HttpResponse> {
    let listing = Listing::new(&request, &context.who);
    let filter = Filter {
        own: query.owner.is_some(),
        text: query.q.map(|text| text.as_str().to_owned()),
        updated_since: query.updated_since.map(|moment| moment.0),
        after: listing.start(query.cursor.as_deref())?,
    };
    let mut conn = context.db().await?;
    let page = db::workflows::list(&mut conn, &context.who, &filter, query.limit).await?;
    Ok(listing.answer(&page))
}

/// Creates a workflow of yours. Members it does not know are ignored.
#[utoipa::path(tag = "Workflows", request_body = WorkflowBody, responses((status = 201, body = Workflow)))]
#[post("/workflows")]
async fn create(
    context: Context<Developer>,
    Body(body): Body<WorkflowBody>,
) -> ApiResult<HttpResponse> {
    let new = body.changes()?.into_new(&context.who, WorkflowId::new())?;
    let workflow = db::workflows::create(&mut *context.db().await?, &context.who, &new).await?;
    Ok(created(&workflow))
}

fn created(workflow: &Workflow) -> HttpResponse {
    HttpResponse::Created()
        .insert_header((header::LOCATION, format!("/api/workflows/{}", workflow.id)))
        .insert_header(header::ETag(etag::of(workflow.updated_at)))
        .json(workflow)
}

fn changed(workflow: &Workflow) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(header::ETag(etag::of(workflow.updated_at)))
        .json(workflow)
}

/// One workflow.
#[utoipa::path(tag = "Workflows", params(("id" = WorkflowId, Path, description = "The workflow")),
    responses((status = 200, body = Workflow), (status = 304, description = "Unchanged")))]
#[get("/workflows/{id}")]
async fn find(
    context: Context<Developer>,
    request: HttpRequest,
    Path(id): Path<WorkflowId>,
) -> ApiResult<HttpResponse> {
    let workflow = db::workflows::find(&mut *context.db().await?, &context.who, id).await;
    let workflow = workflow.map_err(missing)?;
    Ok(etag::answer(&request, workflow.updated_at, &workflow))
}

/// Changes the members that are sent, or creates a workflow of yours with this id.
#[utoipa::path(tag = "Workflows", params(("id" = WorkflowId, Path, description = "The workflow")),
    request_body = WorkflowBody,
    responses((status = 200, body = Workflow), (status = 201, body = Workflow)))]
#[put("/workflows/{id}")]
async fn put(
    context: Context<Developer>,
    request: HttpRequest,
    Path(id): Path<WorkflowId>,
    Body(body): Body<WorkflowBody>,
) -> ApiResult<HttpResponse> {
    let (expected, changes) = (etag::expected(&request)?, body.changes()?);
    let mut conn = context.db().await?;
    let put = db::workflows::put(&mut conn, &context.who, id, &changes, &expected).await?;
    Ok(match put {
        (workflow, true) => created(&workflow),
        (workflow, false) => changed(&workflow),
    })
}

/// Changes the members that are sent.
#[utoipa::path(tag = "Workflows", params(("id" = WorkflowId, Path, description = "The workflow")),
    request_body = WorkflowBody, responses((status = 200, body = Workflow)))]
#[patch("/workflows/{id}")]
async fn update(
    context: Context<Developer>,
    request: HttpRequest,
    Path(id): Path<WorkflowId>,
    Body(body): Body<WorkflowBody>,
) -> ApiResult<HttpResponse> {
    let (expected, changes) = (etag::expected(&request)?, body.changes()?);
    let mut conn = context.db().await?;
    let workflow = db::workflows::update(&mut conn, &context.who, id, &changes, &expected).await?;
    Ok(changed(&workflow))
}

/// Deletes a workflow. What was performed of it stays.
#[utoipa::path(tag = "Workflows", params(("id" = WorkflowId, Path, description = "The workflow")),
    responses((status = 204, description = "Deleted")))]
#[delete("/workflows/{id}")]
async fn delete(
    context: Context<Developer>,
    request: HttpRequest,
    Path(id): Path<WorkflowId>,
) -> ApiResult<HttpResponse> {
    let expected = etag::expected(&request)?;
    db::workflows::delete(&mut *context.db().await?, &context.who, id, &expected).await?;
    Ok(HttpResponse::NoContent().finish())
}
