//! Having a workflow drafted for a goal. What comes back is whole and without a fault, or an error;
//! nothing is saved.

use actix_web::{post, web::Json};
use deserr::Deserr;
use domain::{
    models::ModelRef,
    prompts::draft::Goal,
    workflows::{
        WorkflowId,
        draft::{self, Draft},
    },
};
use serde::Serialize;
use utoipa::ToSchema;

use super::draft::Wanted;
use crate::{
    context::{Context, Runner},
    error::ApiResult,
    extract::{Body, Faults},
};

/// A workflow that is wanted.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults)]
pub struct WorkflowGoalBody {
    /// What the workflow is to achieve, 1 to 20 000 characters.
    #[schema(value_type = String, min_length = 1, max_length = 20_000)]
    goal: Goal,
    /// The model: its id, `provider/name` or name.
    #[deserr(default)]
    model: Option<ModelRef>,
}

/// A workflow that was drafted and not saved.
#[derive(Debug, Serialize, ToSchema)]
pub struct DraftedWorkflow {
    /// The id under which it may be saved.
    id: WorkflowId,
    #[serde(flatten)]
    draft: Draft,
}

/// Drafts a workflow for a goal. Saving it is another request.
#[utoipa::path(tag = "Models", request_body = WorkflowGoalBody, responses((status = 200, body = DraftedWorkflow)))]
#[post("/gemini/generate-workflow")]
pub async fn generate_workflow(
    context: Context<Runner>,
    Body(body): Body<WorkflowGoalBody>,
) -> ApiResult<Json<DraftedWorkflow>> {
    let wanted = Wanted {
        instructions: draft::INSTRUCTIONS,
        name: draft::NAME,
        schema: draft::schema(),
        what: "workflow",
        again: draft::again,
    };
    let message = draft::from_goal(body.goal.as_str());
    let draft = wanted
        .from(&context, body.model.as_ref(), &message, draft::read)
        .await?;
    Ok(Json(DraftedWorkflow {
        id: WorkflowId::new(),
        draft,
    }))
}
