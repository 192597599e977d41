//! An execution as it is shown.

use chrono::{DateTime, Utc};
use db::workflows::executions::{Execution, ExecutionTask, Sum};
use domain::{
    models::Usd,
    workflows::{
        ExecutionId, ExecutionStatus, Graph, Pinned, TaskKind, TaskStatus, WorkflowId,
        WorkflowName, WorkflowVersionId, scope,
        task::{TaskId, TaskName},
    },
};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

/// An execution.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExecutionView {
    /// Its id.
    pub id: ExecutionId,
    /// By which its job is asked for.
    pub job_id: Uuid,
    /// The workflow, as long as there is one.
    pub workflow_id: Option<WorkflowId>,
    /// What is performed: the same for executions of the same tasks with the same prompts.
    pub version_id: WorkflowVersionId,
    /// What the workflow was called.
    pub name: WorkflowName,
    /// Where it stands.
    pub status: ExecutionStatus,
    /// Why it failed, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The same by a stable name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// How many of its tasks in a hundred have ended.
    pub progress: i64,
    /// Tokens of all inputs.
    pub tokens_in: i64,
    /// Tokens of all outputs, thoughts included.
    pub tokens_out: i64,
    /// What it cost so far.
    pub cost: Usd,
    /// When it was started.
    pub created_at: DateTime<Utc>,
    /// When a worker took it up.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl ExecutionView {
    /// Of an execution and what it came to.
    pub fn of(execution: Execution, sum: &Sum) -> Self {
        Self {
            id: execution.id,
            job_id: execution.id.0,
            workflow_id: execution.workflow_id,
            version_id: execution.version_id,
            name: execution.name,
            status: execution.status,
            error: execution.error_message,
            error_code: execution.error_code,
            progress: sum.ended * 100 / sum.tasks.max(1),
            tokens_in: sum.tokens_in,
            tokens_out: sum.tokens_out,
            cost: sum.cost,
            created_at: execution.created_at,
            started_at: execution.started_at,
            finished_at: execution.finished_at,
            updated_at: execution.updated_at,
        }
    }
}

/// A task of an execution.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExecutionTaskView {
    /// Its name within the workflow.
    #[schema(value_type = String)]
    id: TaskId,
    /// What it is called.
    #[schema(value_type = String)]
    name: TaskName,
    /// What it does.
    #[serde(rename = "type")]
    kind: TaskKind,
    /// Where it stands.
    status: TaskStatus,
    /// What it made; `null` until it is completed.
    result: Value,
    /// Why it failed or was skipped, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// The same by a stable name.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<String>,
    /// What whoever reads the result should know.
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<String>,
    /// How often it was begun or tried.
    attempts: i32,
    /// Tokens of all inputs.
    tokens_in: i64,
    /// Tokens of all outputs, thoughts included.
    tokens_out: i64,
    /// Tokens of all thoughts.
    tokens_thinking: i64,
    /// What it cost; `null` where that is not known.
    cost: Option<Usd>,
    /// The model that answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    model_version: Option<String>,
    /// When it was begun.
    started_at: Option<DateTime<Utc>>,
    /// When it ended.
    finished_at: Option<DateTime<Utc>>,
}

/// An execution with its tasks.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WholeExecutionView {
    #[serde(flatten)]
    execution: ExecutionView,
    /// Its tasks, in the order of the workflow.
    tasks: Vec<ExecutionTaskView>,
}

impl WholeExecutionView {
    /// Of an execution, its tasks, and what is performed.
    pub fn of(execution: Execution, tasks: Vec<ExecutionTask>, pinned: Pinned) -> Self {
        let sum = sum(&tasks);
        let tasks = pinned
            .tasks
            .into_iter()
            .zip(tasks)
            .map(|(task, row)| ExecutionTaskView {
                id: row.task_id,
                name: task.name,
                kind: task.kind,
                status: row.status,
                result: row.result.unwrap_or_default(),
                error: row.error_message,
                error_code: row.error_code,
                notice: row.notice,
                attempts: row.attempts,
                tokens_in: row.tokens_in,
                tokens_out: row.tokens_out,
                tokens_thinking: row.tokens_thinking,
                cost: row.priced.then_some(row.cost),
                model_version: row.model_version,
                started_at: row.started_at,
                finished_at: row.finished_at,
            });
        Self {
            tasks: tasks.collect(),
            execution: ExecutionView::of(execution, &sum),
        }
    }
}

/// What tasks come to.
pub fn sum(tasks: &[ExecutionTask]) -> Sum {
    let over =
        |task: &&ExecutionTask| !matches!(task.status, TaskStatus::Pending | TaskStatus::Running);
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    Sum {
        ended: count(tasks.iter().filter(over).count()),
        tasks: count(tasks.len()),
        tokens_in: tasks.iter().map(|task| task.tokens_in).sum(),
        tokens_out: tasks.iter().map(|task| task.tokens_out).sum(),
        cost: tasks.iter().map(|task| task.cost).sum(),
        ..Sum::default()
    }
}

/// What an execution made.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReturnValue {
    /// The workflow, as long as there is one.
    workflow_id: Option<WorkflowId>,
    /// Where it stands.
    status: ExecutionStatus,
    /// What each completed task made, by the tasks' names.
    #[schema(value_type = Object)]
    results: Map<String, Value>,
    /// What was given and made, by the names under which it is kept.
    #[schema(value_type = Object)]
    data_store: Map<String, Value>,
}

/// Where the job of an execution stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobStatusView {
    /// The job.
    id: Uuid,
    /// The same.
    job_id: Uuid,
    /// The execution.
    execution_id: ExecutionId,
    /// Where it stands.
    status: ExecutionStatus,
    /// How many of its tasks in a hundred have ended.
    progress: i64,
    /// What it made, once it is over.
    return_value: Option<ReturnValue>,
    /// Why it failed.
    failed_reason: Option<String>,
    /// When a worker took it up, in milliseconds since 1970.
    processed_on: Option<i64>,
    /// When it ended, likewise.
    finished_on: Option<i64>,
}

impl JobStatusView {
    /// Of an execution, its tasks, what was given, and what is performed.
    pub fn of(
        execution: &Execution,
        tasks: Vec<ExecutionTask>,
        input: &Value,
        pinned: &Pinned,
    ) -> Self {
        let sum = sum(&tasks);
        let is_over = execution.status.is_over();
        Self {
            id: execution.id.0,
            job_id: execution.id.0,
            execution_id: execution.id,
            status: execution.status,
            progress: sum.ended * 100 / sum.tasks.max(1),
            return_value: is_over.then(|| returned(execution, tasks, input, pinned)),
            failed_reason: execution.error_message.clone(),
            processed_on: execution.started_at.map(|at| at.timestamp_millis()),
            finished_on: execution.finished_at.map(|at| at.timestamp_millis()),
        }
    }
}

fn returned(
    execution: &Execution,
    tasks: Vec<ExecutionTask>,
    input: &Value,
    pinned: &Pinned,
) -> ReturnValue {
    let completed = (0..)
        .zip(tasks)
        .filter(|(_, task)| task.status == TaskStatus::Completed);
    let made: Vec<(usize, TaskId, Value)> = completed
        .map(|(place, task)| (place, task.task_id, task.result.unwrap_or_default()))
        .collect();
    let data_store = Graph::new(&pinned.tasks).map(|graph| {
        let results = made
            .iter()
            .map(|(place, _, result)| (*place, result.clone()))
            .collect();
        scope::store(input, &pinned.tasks, &graph, results)
    });
    ReturnValue {
        workflow_id: execution.workflow_id,
        status: execution.status,
        results: made
            .into_iter()
            .map(|(_, id, result)| (id.to_string(), result))
            .collect(),
        data_store: data_store.unwrap_or_default(),
    }
}
