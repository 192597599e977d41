//! Having workflows performed, and asking for their jobs as browsers do.

use actix_web::{HttpResponse, get, post, web::Json};
use db::workflows::{
    NewExecution, StartError, Subject,
    control::{self, ControlError},
    executions,
};
use domain::{
    jobs::JobId,
    workflows::{ExecutionId, ExecutionStatus, WorkflowId},
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    body::{ExecuteBody, ExecuteSentBody, checked, input},
    view::JobStatusView,
};
use crate::{
    context::{Context, Developer, Runner},
    error::{ApiError, ApiResult, Code, FieldFault},
    extract::{Body, OptionalBody, Path},
};

/// An execution that was started.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct StartedView {
    /// By which its job is asked for.
    job_id: Uuid,
    /// The execution.
    execution_id: ExecutionId,
    /// Where it stands.
    status: ExecutionStatus,
    /// The same in words.
    message: &'static str,
}

impl From<StartError> for ApiError {
    fn from(cause: StartError) -> Self {
        match cause {
            StartError::NotFound => Self::not_found("workflow"),
            StartError::NoPrompts(missing) => {
                let faults = missing.into_iter().map(|(place, prompt)| FieldFault {
                    field: format!("tasks[{place}].promptId"),
                    message: format!("Prompt with ID {prompt} not found"),
                });
                Self::faults(Code::Invalid, faults.collect())
            }
            StartError::Database(cause) => cause.into(),
        }
    }
}

impl From<ControlError> for ApiError {
    fn from(cause: ControlError) -> Self {
        match cause {
            ControlError::NotFound => Self::not_found("execution"),
            ControlError::WrongState(sentence) => Self::new(Code::Conflict, sentence),
            ControlError::NoTask => Self::invalid_query("from", "names no task of this execution"),
            ControlError::Database(cause) => cause.into(),
        }
    }
}

async fn start(context: &Context<Runner>, new: &NewExecution) -> ApiResult<HttpResponse> {
    let mut conn = context.db().await?;
    let execution = db::workflows::start(&mut conn, &context.who, new).await?;
    drop(conn);
    context.app().wake.notify_one();
    Ok(HttpResponse::Accepted().json(StartedView {
        job_id: execution.id.0,
        execution_id: execution.id,
        status: execution.status,
        message: "The workflow waits for a worker.",
    }))
}

/// Has a workflow performed as it stands. What its linked prompts say now counts.
#[utoipa::path(tag = "Workflows", params(("id" = WorkflowId, Path, description = "The workflow")),
    request_body = Option<ExecuteBody>, responses((status = 202, body = StartedView)))]
#[post("/workflows/{id}/execute")]
pub async fn stored(
    context: Context<Runner>,
    Path(id): Path<WorkflowId>,
    OptionalBody(body): OptionalBody<ExecuteBody>,
) -> ApiResult<HttpResponse> {
    let new = NewExecution {
        subject: Subject::Stored(id),
        input: input(body.unwrap_or_default().user_input)?,
        request_id: context.actor().request_id,
    };
    start(&context, &new).await
}

/// Has a workflow performed as it is sent; nothing of it is saved but this.
#[utoipa::path(tag = "Workflows", request_body = ExecuteSentBody, responses((status = 202, body = StartedView)))]
#[post("/workflows/execute")]
pub async fn sent(
    context: Context<Runner>,
    Body(body): Body<ExecuteSentBody>,
) -> ApiResult<HttpResponse> {
    let sent = body.workflow;
    let nameless = || {
        "Workflow"
            .parse()
            .map_err(|fault: domain::Fault| ApiError::internal(&fault))
    };
    let tasks = checked(sent.tasks).map_err(|refusal| refusal.within("workflow"))?;
    let new = NewExecution {
        subject: Subject::Sent {
            id: sent.id.and_then(|id| id.parse().ok()),
            name: sent.name.map_or_else(nameless, Ok)?,
            tasks,
        },
        input: input(body.user_input)?,
        request_id: context.actor().request_id,
    };
    start(&context, &new).await
}

async fn of_job(context: &Context<Developer>, id: JobId) -> ApiResult<executions::Execution> {
    let mut conn = context.db().await?;
    let found = executions::of_job(&mut conn, &context.who, id.0).await;
    found.map_err(|cause| match cause {
        diesel::result::Error::NotFound => ApiError::not_found("job"),
        other => other.into(),
    })
}

/// Where the job of an execution stands, and what it made.
#[utoipa::path(tag = "Workflows", params(("job_id" = JobId, Path, description = "The job")),
    responses((status = 200, body = JobStatusView)))]
#[get("/workflows/jobs/{job_id}/status")]
pub async fn status(
    context: Context<Developer>,
    Path(id): Path<JobId>,
) -> ApiResult<Json<JobStatusView>> {
    let execution = of_job(&context, id).await?;
    let mut conn = context.db().await?;
    let tasks = executions::tasks(&mut conn, execution.id).await?;
    let (input, pinned) = executions::given(&mut conn, execution.id).await?;
    Ok(Json(JobStatusView::of(&execution, tasks, &input, &pinned)))
}

/// A job that was stopped.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct StoppedView {
    /// What happened.
    message: &'static str,
    /// To which job.
    job_id: Uuid,
}

/// Stops an execution: nothing more of it begins, and what is under way is given up.
#[utoipa::path(tag = "Workflows", params(("job_id" = JobId, Path, description = "The job")),
    responses((status = 200, body = StoppedView)))]
#[post("/workflows/stop/{job_id}")]
pub async fn stop(context: Context<Developer>, Path(id): Path<JobId>) -> ApiResult<HttpResponse> {
    let execution = of_job(&context, id).await?;
    control::stop(&mut *context.db().await?, &context.who, execution.id).await?;
    context.app().news.tell(execution.id.0);
    Ok(HttpResponse::Ok().json(StoppedView {
        message: "The execution was stopped.",
        job_id: id.0,
    }))
}
