//! Reading executions: they belong to whoever started them, and nobody else sees them.

use chrono::{DateTime, Utc};
use diesel::{dsl, prelude::*, sql_types};
use diesel_async::RunQueryDsl;
use domain::{
    auth::Viewer,
    models::Usd,
    page::{Limit, Page},
    users::{CompanyId, UserId},
    workflows::{
        ExecutionId, ExecutionStatus, Pinned, TaskStatus, WorkflowId, WorkflowName,
        WorkflowVersionId, task::TaskId,
    },
};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Connection,
    horizon::horizon,
    schema::{execution_tasks, executions, jobs, workflow_versions},
};

/// An execution.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = executions)]
pub struct Execution {
    /// Which.
    pub id: ExecutionId,
    /// The workflow, as long as there is one.
    pub workflow_id: Option<WorkflowId>,
    /// What is performed.
    pub version_id: WorkflowVersionId,
    /// What the workflow was called.
    pub name: WorkflowName,
    /// Where it stands.
    pub status: ExecutionStatus,
    /// Why it failed, by a stable name.
    pub error_code: Option<String>,
    /// Why, in a sentence.
    pub error_message: Option<String>,
    /// The number of its newest event.
    pub last_event: i64,
    /// When it was started.
    pub created_at: DateTime<Utc>,
    /// When a worker took it up.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// A task of an execution.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = execution_tasks)]
pub struct ExecutionTask {
    /// Its place in the workflow, from 0.
    pub place: i16,
    /// Its name within the workflow.
    pub task_id: TaskId,
    /// Where it stands.
    pub status: TaskStatus,
    /// What it made.
    pub result: Option<Value>,
    /// Why it failed or was skipped, by a stable name.
    pub error_code: Option<String>,
    /// Why, in a sentence.
    pub error_message: Option<String>,
    /// What whoever reads the result should know.
    pub notice: Option<String>,
    /// How often it was begun or tried.
    pub attempts: i32,
    /// Tokens of all inputs.
    pub tokens_in: i64,
    /// Tokens of all outputs.
    pub tokens_out: i64,
    /// Tokens of all thoughts.
    pub tokens_thinking: i64,
    /// What it cost.
    pub cost: Usd,
    /// Whether all of its cost is known.
    pub priced: bool,
    /// The model that answered last.
    pub model_version: Option<String>,
    /// When it was begun.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

/// What an execution came to so far, without what its tasks made.
#[derive(Debug, Clone, Default, PartialEq, Eq, QueryableByName)]
pub struct Sum {
    /// Which.
    #[diesel(sql_type = sql_types::Uuid)]
    pub execution_id: Uuid,
    /// Tasks that ended, whichever way.
    #[diesel(sql_type = sql_types::BigInt)]
    pub ended: i64,
    /// All tasks.
    #[diesel(sql_type = sql_types::BigInt)]
    pub tasks: i64,
    /// Tokens of all inputs.
    #[diesel(sql_type = sql_types::BigInt)]
    pub tokens_in: i64,
    /// Tokens of all outputs.
    #[diesel(sql_type = sql_types::BigInt)]
    pub tokens_out: i64,
    /// What it cost.
    #[diesel(sql_type = sql_types::Numeric)]
    pub cost: Usd,
}

/// The executions a viewer may see: their own.
#[dsl::auto_type(no_type_alias)]
pub(super) fn visible_to(company_id: CompanyId, user_id: UserId) -> _ {
    executions::company_id
        .eq(company_id)
        .and(executions::owner_id.eq(user_id))
}

/// One execution of the viewer's.
pub async fn find(
    conn: &mut Connection,
    viewer: &Viewer,
    id: ExecutionId,
) -> QueryResult<Execution> {
    executions::table
        .filter(executions::id.eq(id))
        .filter(visible_to(viewer.company_id, viewer.user_id))
        .select(Execution::as_select())
        .first(conn)
        .await
}

/// The same by the id of a job that worked on it.
pub async fn of_job(conn: &mut Connection, viewer: &Viewer, job: Uuid) -> QueryResult<Execution> {
    let of_job = jobs::table
        .filter(jobs::id.eq(job).and(jobs::kind.eq("workflows.execute")))
        .select(jobs::subject_id);
    executions::table
        .filter(
            executions::id
                .eq(job)
                .or(executions::id.nullable().eq_any(of_job)),
        )
        .filter(visible_to(viewer.company_id, viewer.user_id))
        .select(Execution::as_select())
        .first(conn)
        .await
}

/// The tasks of an execution that the viewer was shown, in their order.
pub async fn tasks(conn: &mut Connection, id: ExecutionId) -> QueryResult<Vec<ExecutionTask>> {
    execution_tasks::table
        .filter(execution_tasks::execution_id.eq(id))
        .order(execution_tasks::place)
        .select(ExecutionTask::as_select())
        .load(conn)
        .await
}

/// What was given to an execution, and what is performed.
pub async fn given(conn: &mut Connection, id: ExecutionId) -> QueryResult<(Value, Pinned)> {
    executions::table
        .inner_join(workflow_versions::table)
        .filter(executions::id.eq(id))
        .select((executions::input, workflow_versions::pinned))
        .first(conn)
        .await
}

/// What executions that the viewer was shown came to.
pub async fn sums(conn: &mut Connection, ids: &[ExecutionId]) -> QueryResult<Vec<Sum>> {
    diesel::sql_query(
        "SELECT execution_id, count(*) FILTER (WHERE status NOT IN ('PENDING', 'RUNNING')) AS ended,
                count(*) AS tasks, sum(tokens_in)::bigint AS tokens_in,
                sum(tokens_out)::bigint AS tokens_out, sum(cost) AS cost
         FROM execution_tasks WHERE execution_id = ANY ($1) GROUP BY execution_id",
    )
    .bind::<sql_types::Array<sql_types::Uuid>, _>(ids)
    .load(conn)
    .await
}

/// Which executions are listed.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only in this state.
    pub status: Option<ExecutionStatus>,
    /// Only of this workflow.
    pub workflow_id: Option<WorkflowId>,
    /// Only what changed at or after this moment, in the order of the changes.
    pub updated_since: Option<DateTime<Utc>>,
    /// Only what comes after this row.
    pub after: Option<(DateTime<Utc>, ExecutionId)>,
}

/// The viewer's executions: newest first, or, with `updated_since`, in the order of their changes.
pub async fn list(
    conn: &mut Connection,
    viewer: &Viewer,
    filter: &Filter,
    limit: Limit,
) -> QueryResult<Page<Execution, (DateTime<Utc>, ExecutionId)>> {
    let mut query = executions::table
        .filter(visible_to(viewer.company_id, viewer.user_id))
        .select(Execution::as_select())
        .limit(limit.rows() + 1)
        .into_boxed();
    if let Some(status) = filter.status {
        query = query.filter(executions::status.eq(status));
    }
    if let Some(workflow) = filter.workflow_id {
        query = query.filter(executions::workflow_id.eq(workflow));
    }
    let (changed, made, id) = (
        executions::updated_at,
        executions::created_at,
        executions::id,
    );
    let by_change = filter.updated_since.is_some();
    if let Some(since) = filter.updated_since {
        let horizon = horizon(conn).await?;
        query = query
            .filter(changed.ge(since))
            .filter(changed.lt(horizon))
            .order((changed, id));
        if let Some((at, last)) = filter.after {
            query = query.filter(changed.gt(at).or(changed.eq(at).and(id.gt(last))));
        }
    } else {
        query = query.order((made.desc(), id.desc()));
        if let Some((at, last)) = filter.after {
            query = query.filter(made.lt(at).or(made.eq(at).and(id.lt(last))));
        }
    }
    let rows = query.load(conn).await?;
    Ok(Page::from_surplus(rows, limit, |row: &Execution| {
        (
            if by_change {
                row.updated_at
            } else {
                row.created_at
            },
            row.id,
        )
    }))
}
