//! Starting an execution: what is performed is pinned, and execution, tasks and job come to be in one
//! transaction, or nothing and every reason why not.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel_async::{AsyncConnection, RunQueryDsl};
use domain::{
    auth::Viewer,
    documents::Sha256,
    prompts::PromptId,
    workflows::{
        ExecuteWorkflow, ExecutionId, Linked, Pinned, Task, WorkflowId, WorkflowName,
        WorkflowVersionId,
    },
};
use serde_json::Value;

use super::{executions::Execution, find};
use crate::{
    Connection,
    jobs::{NewJob, enqueue},
    prompts,
    schema::{execution_events, execution_tasks, executions, workflow_versions},
};

/// What is performed.
#[derive(Debug, Clone)]
pub enum Subject {
    /// A workflow as it stands.
    Stored(WorkflowId),
    /// These tasks, as they were sent; perhaps those of a workflow that is being edited.
    Sent {
        /// The workflow, if it is one that the viewer may see.
        id: Option<WorkflowId>,
        /// What it is called.
        name: WorkflowName,
        /// Its tasks, without a fault.
        tasks: Vec<Task>,
    },
}

/// An execution to be started.
#[derive(Debug, Clone)]
pub struct NewExecution {
    /// What is performed.
    pub subject: Subject,
    /// What stands as userInput.
    pub input: Value,
    /// The request that asks for it.
    pub request_id: Option<String>,
}

/// Why no execution was started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no such workflow that the viewer may see.
    #[error("not found")]
    NotFound,
    /// Prompts that tasks are linked to and that the viewer cannot see: place of the task, and prompt.
    #[error("linked prompts are missing")]
    NoPrompts(Vec<(usize, PromptId)>),
    /// Postgres failed.
    #[error(transparent)]
    Database(diesel::result::Error),
}

impl From<diesel::result::Error> for StartError {
    fn from(cause: diesel::result::Error) -> Self {
        match cause {
            diesel::result::Error::NotFound => Self::NotFound,
            cause => Self::Database(cause),
        }
    }
}

/// Starts an execution.
pub async fn start(
    conn: &mut Connection,
    viewer: &Viewer,
    new: &NewExecution,
) -> Result<Execution, StartError> {
    conn.transaction(async |conn| {
        let (workflow, name, tasks) = subject(conn, viewer, &new.subject).await?;
        let version = pin(conn, viewer, workflow, tasks.clone()).await?;
        let id = insert(conn, viewer, new, (workflow, version, &name), &tasks).await?;
        let job = NewJob::new(&ExecuteWorkflow { execution_id: id })
            .identified(id.0)
            .of(viewer.company_id, viewer.company_id.0)
            .on(id.0)
            .caused_by(new.request_id.clone());
        enqueue(conn, &[job]).await?;
        Ok(super::executions::find(conn, viewer, id).await?)
    })
    .await
}

async fn subject(
    conn: &mut Connection,
    viewer: &Viewer,
    subject: &Subject,
) -> Result<(Option<WorkflowId>, WorkflowName, Vec<Task>), StartError> {
    match subject {
        Subject::Stored(id) => {
            let workflow = find(conn, viewer, *id).await?;
            Ok((Some(workflow.id), workflow.name, workflow.tasks.0))
        }
        Subject::Sent { id, name, tasks } => {
            let known = match id {
                Some(id) => find(conn, viewer, *id).await.optional()?,
                None => None,
            };
            Ok((
                known.map(|workflow| workflow.id),
                name.clone(),
                tasks.clone(),
            ))
        }
    }
}

/// The version that says what these tasks and their prompts say now; made if there is none.
pub async fn pin(
    conn: &mut Connection,
    viewer: &Viewer,
    workflow: Option<WorkflowId>,
    tasks: Vec<Task>,
) -> Result<WorkflowVersionId, StartError> {
    let prompts = linked(conn, viewer, &tasks).await?;
    let pinned = Pinned { tasks, prompts };
    let sha256 = pinned.sha256();
    if let Some(known) = version(conn, viewer, workflow, &sha256).await? {
        return Ok(known);
    }
    let id = WorkflowVersionId::new();
    let made = diesel::insert_into(workflow_versions::table)
        .values((
            workflow_versions::id.eq(id),
            workflow_versions::company_id.eq(viewer.company_id),
            workflow_versions::workflow_id.eq(workflow),
            workflow_versions::sha256.eq(&sha256),
            workflow_versions::pinned.eq(&pinned),
            workflow_versions::created_by.eq(viewer.user_id),
        ))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    if made > 0 {
        return Ok(id);
    }
    // Somebody else made the same a moment ago.
    let known = version(conn, viewer, workflow, &sha256).await?;
    known.ok_or(StartError::Database(diesel::result::Error::NotFound))
}

async fn version(
    conn: &mut Connection,
    viewer: &Viewer,
    workflow: Option<WorkflowId>,
    sha256: &Sha256,
) -> QueryResult<Option<WorkflowVersionId>> {
    workflow_versions::table
        .filter(workflow_versions::company_id.eq(viewer.company_id))
        .filter(workflow_versions::workflow_id.is_not_distinct_from(workflow))
        .filter(workflow_versions::sha256.eq(sha256))
        .select(workflow_versions::id)
        .first(conn)
        .await
        .optional()
}

/// What the prompts say that these tasks are linked to, read in one go.
pub async fn linked(
    conn: &mut Connection,
    viewer: &Viewer,
    tasks: &[Task],
) -> Result<BTreeMap<PromptId, Linked>, StartError> {
    let ids = Pinned::links(tasks);
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let found = prompts::bodies(conn, viewer, &ids).await?;
    let found: BTreeMap<PromptId, Linked> = found
        .iter()
        .map(|(id, body)| (*id, Linked::of(body)))
        .collect();
    let missing: Vec<_> = (0..)
        .zip(tasks)
        .filter_map(|(place, task)| Some((place, task.prompt()?)))
        .filter(|(_, id)| !found.contains_key(id))
        .collect();
    if missing.is_empty() {
        Ok(found)
    } else {
        Err(StartError::NoPrompts(missing))
    }
}

async fn insert(
    conn: &mut Connection,
    viewer: &Viewer,
    new: &NewExecution,
    (workflow, version, name): (Option<WorkflowId>, WorkflowVersionId, &WorkflowName),
    tasks: &[Task],
) -> QueryResult<ExecutionId> {
    let id = ExecutionId::new();
    diesel::insert_into(executions::table)
        .values((
            executions::id.eq(id),
            executions::company_id.eq(viewer.company_id),
            executions::owner_id.eq(viewer.user_id),
            executions::workflow_id.eq(workflow),
            executions::version_id.eq(version),
            executions::name.eq(name),
            executions::input.eq(&new.input),
            executions::last_event.eq(1_i64),
        ))
        .execute(conn)
        .await?;
    let rows: Vec<_> = (0_i16..)
        .zip(tasks)
        .map(|(place, task)| {
            (
                execution_tasks::execution_id.eq(id),
                execution_tasks::place.eq(place),
                execution_tasks::task_id.eq(&task.id),
            )
        })
        .collect();
    diesel::insert_into(execution_tasks::table)
        .values(rows)
        .execute(conn)
        .await?;
    diesel::insert_into(execution_events::table)
        .values((
            execution_events::execution_id.eq(id),
            execution_events::number.eq(1_i64),
            execution_events::kind.eq("queued"),
        ))
        .execute(conn)
        .await?;
    Ok(id)
}
