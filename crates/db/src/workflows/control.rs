//! Stopping an execution, and taking it up again.

use diesel::{prelude::*, sql_types};
use diesel_async::{AsyncConnection, RunQueryDsl};
use domain::{
    auth::Viewer,
    workflows::{ExecuteWorkflow, ExecutionId, Graph, TaskStatus, engine, task::TaskId},
};

use super::executions::{Execution, find, given, tasks};
use crate::{
    Connection,
    jobs::{NewJob, enqueue},
    schema::executions,
};

/// Why an execution was not stopped or taken up.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The viewer has none of this id.
    #[error("not found")]
    NotFound,
    /// It stands otherwise.
    #[error("{0}")]
    WrongState(&'static str),
    /// It has no such task.
    #[error("it has no such task")]
    NoTask,
    /// Postgres failed.
    #[error(transparent)]
    Database(diesel::result::Error),
}

impl From<diesel::result::Error> for ControlError {
    fn from(cause: diesel::result::Error) -> Self {
        match cause {
            diesel::result::Error::NotFound => Self::NotFound,
            cause => Self::Database(cause),
        }
    }
}

/// Locks the jobs of an execution, which come before its row wherever both are locked.
async fn lock_jobs(conn: &mut Connection, id: ExecutionId) -> QueryResult<()> {
    diesel::sql_query(
        "SELECT FROM jobs WHERE subject_id = $1 AND kind = 'workflows.execute' ORDER BY id FOR UPDATE",
    )
    .bind::<sql_types::Uuid, _>(id)
    .execute(conn)
    .await
    .map(|_| ())
}

async fn lock(conn: &mut Connection, viewer: &Viewer, id: ExecutionId) -> QueryResult<Execution> {
    find(conn, viewer, id).await?;
    lock_jobs(conn, id).await?;
    executions::table
        .find(id)
        .select(executions::id)
        .for_update()
        .first::<ExecutionId>(conn)
        .await?;
    find(conn, viewer, id).await
}

/// Stops an execution: nothing more of it begins, and what is under way is given up. A trigger of its
/// job says so of its tasks.
pub async fn stop(
    conn: &mut Connection,
    viewer: &Viewer,
    id: ExecutionId,
) -> Result<Execution, ControlError> {
    conn.transaction(async |conn| {
        let execution = lock(conn, viewer, id).await?;
        if execution.status.is_over() {
            return Err(ControlError::WrongState("The execution is over already."));
        }
        diesel::sql_query(
            "UPDATE jobs SET state = 'cancelled', finished_at = clock_timestamp(), dispatched_at = NULL,
                 lease_token = NULL, lease_until = NULL
             WHERE subject_id = $1 AND kind = 'workflows.execute' AND state IN ('queued', 'running')",
        )
        .bind::<sql_types::Uuid, _>(id)
        .execute(conn)
        .await?;
        Ok(find(conn, viewer, id).await?)
    })
    .await
}

/// Takes up an execution that is over: tasks without a result are performed, and from `from` on all
/// that depends on it; every other result stands.
pub async fn resume(
    conn: &mut Connection,
    viewer: &Viewer,
    id: ExecutionId,
    from: Option<&TaskId>,
    request_id: Option<String>,
) -> Result<Execution, ControlError> {
    conn.transaction(async |conn| {
        let execution = lock(conn, viewer, id).await?;
        if !execution.status.is_over() {
            return Err(ControlError::WrongState(
                "The execution is not over yet. Stop it first, or wait.",
            ));
        }
        let (_, pinned) = given(conn, id).await?;
        let place = match from {
            Some(from) => {
                let place = pinned.tasks.iter().position(|task| task.id == *from);
                Some(place.ok_or(ControlError::NoTask)?)
            }
            None => None,
        };
        let statuses: Vec<TaskStatus> = tasks(conn, id)
            .await?
            .iter()
            .map(|task| task.status)
            .collect();
        // What was started had no cycle.
        let Ok(graph) = Graph::new(&pinned.tasks) else {
            return Err(ControlError::NoTask);
        };
        let anew = engine::anew(&graph, &statuses, place);
        if anew.is_empty() {
            return Err(ControlError::WrongState(
                "Every task has its result. Say from which task on it is to be performed again.",
            ));
        }
        renew(conn, id, &anew).await?;
        crate::jobs::cancel_of(conn, id.0).await?;
        let job = NewJob::new(&ExecuteWorkflow { execution_id: id })
            .of(viewer.company_id, viewer.company_id.0)
            .on(id.0)
            .caused_by(request_id);
        enqueue(conn, &[job]).await?;
        Ok(find(conn, viewer, id).await?)
    })
    .await
}

async fn renew(conn: &mut Connection, id: ExecutionId, anew: &[usize]) -> QueryResult<()> {
    let places: Vec<i16> = anew
        .iter()
        .filter_map(|place| i16::try_from(*place).ok())
        .collect();
    diesel::sql_query("SELECT renew_execution($1, $2)")
        .bind::<sql_types::Uuid, _>(id)
        .bind::<sql_types::Array<sql_types::SmallInt>, _>(places)
        .execute(conn)
        .await
        .map(|_| ())
}
