//! What a run is made of, as its row names it.

use domain::{
    auth::Viewer,
    prompts::{PromptId, PromptVersionId},
    runs::RunId,
    workflows::{WorkflowId, WorkflowVersionId},
};

use super::{Generator, StartError, version};
use crate::{Connection, workflows};

/// What is written down of what is run.
pub struct Source {
    pub prompt: Option<(PromptId, PromptVersionId)>,
    pub workflow: Option<(WorkflowId, WorkflowVersionId)>,
    pub title: String,
    pub label: String,
}

/// What is run, its version made now if need be.
pub async fn source(
    conn: &mut Connection,
    viewer: &Viewer,
    generator: &Generator,
    run: RunId,
) -> Result<Source, StartError> {
    match generator {
        Generator::Prompt(chosen) => {
            let (stored, made) = version(conn, viewer, chosen, run).await?;
            Ok(Source {
                prompt: Some((stored.prompt.id, made.id)),
                workflow: None,
                title: stored.prompt.title.to_string(),
                label: made.label,
            })
        }
        Generator::Workflow(workflow) => {
            let tasks = workflow.tasks.0.clone();
            let pinned = workflows::pin(conn, viewer, Some(workflow.id), tasks).await;
            let version = pinned.map_err(|cause| match cause {
                workflows::StartError::NoPrompts(missing) => {
                    StartError::Faults(missing.into_iter().map(without).collect())
                }
                workflows::StartError::NotFound => diesel::result::Error::NotFound.into(),
                workflows::StartError::Database(cause) => cause.into(),
            })?;
            Ok(Source {
                prompt: None,
                workflow: Some((workflow.id, version)),
                title: workflow.name.to_string(),
                label: "Workflow".into(),
            })
        }
    }
}

fn without((place, prompt): (usize, PromptId)) -> (&'static str, String) {
    let sentence = format!("its tasks[{place}] links a prompt that you cannot see: {prompt}");
    ("workflowId", sentence)
}
