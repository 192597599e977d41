//! Trying a single task on values that are sent along.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, post};
use db::workflows::StartError;
use deserr::Deserr;
use domain::workflows::{Task, faults, scope::Store};
use serde_json::Value;
use tasks::{Directly, Failure, Performer};
use utoipa::ToSchema;

use crate::{
    context::{Context, Runner},
    error::{ApiError, ApiResult, Code, FieldFault},
    extract::{Body, Faults},
};

/// A task, and the values that it finds.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, rename_all = camelCase)]
#[schema(rename_all = "camelCase")]
pub struct RunTaskBody {
    /// The task. What it depends on does not matter here.
    task: Task,
    /// Values by their names, `userInput` among them.
    #[schema(value_type = Option<Object>)]
    #[deserr(default)]
    data_store: Option<BTreeMap<String, Value>>,
}

impl From<Failure> for ApiError {
    fn from(cause: Failure) -> Self {
        match cause {
            Failure::Provider(cause) => cause.into(),
            Failure::Connect(cause) => cause.into(),
            Failure::Internal(cause) => Self::internal(&format!("{cause:#}")),
            Failure::Task { .. } => Self::new(Code::TaskFailed, cause.to_string()),
        }
    }
}

fn without_prompt(cause: StartError) -> ApiError {
    match cause {
        StartError::NoPrompts(missing) => {
            let id = missing
                .first()
                .map(|(_, id)| id.to_string())
                .unwrap_or_default();
            ApiError::invalid("task.promptId", format!("Prompt with ID {id} not found"))
        }
        cause => cause.into(),
    }
}

/// Performs a task and answers its result as it is: text, object, list, number or `null`.
#[utoipa::path(tag = "Workflows", request_body = RunTaskBody,
    responses((status = 200, description = "The result", body = Value)))]
#[post("/workflows/run-task")]
pub async fn run_task(
    context: Context<Runner>,
    Body(body): Body<RunTaskBody>,
) -> ApiResult<HttpResponse> {
    let found = faults::task(&body.task)
        .into_iter()
        .map(|(member, message)| FieldFault {
            field: format!("task.{member}"),
            message,
        });
    let found: Vec<FieldFault> = found.collect();
    if !found.is_empty() {
        return Err(ApiError::faults(Code::Invalid, found));
    }
    let tasks = std::slice::from_ref(&body.task);
    let prompts = db::workflows::linked(&mut *context.db().await?, &context.who, tasks).await;
    let prompts = prompts.map_err(without_prompt)?;
    let store: Store = body.data_store.unwrap_or_default().into_iter().collect();
    let performer = Performer {
        means: context.app().means(),
        viewer: &context.who,
        asks: Directly(&context.app().pool),
        model: None,
        seed: rand::random(),
        prompts: &prompts,
    };
    let made = performer.perform(&body.task, &store).await.result?;
    Ok(HttpResponse::Ok().json(made.value))
}
