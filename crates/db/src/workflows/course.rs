//! How an execution goes on: a worker takes it up, and books step by step what ended and what begins.
//! Each step is one statement, and changes nothing without the lease on the execution's job.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::{prelude::*, sql_types};
use diesel_async::{AsyncConnection, RunQueryDsl};
use domain::{
    jobs::Lease,
    models::Usd,
    users::{CompanyId, Role, UserId},
    workflows::{ExecutionId, ExecutionStatus, Pinned, TaskStatus},
};
use serde::Serialize;
use serde_json::Value;

use crate::{
    Connection,
    jobs::{FenceError, hold},
    prepared::Prepare,
    schema::{execution_tasks, executions, users, workflow_versions},
};

/// An execution as a worker takes it up.
#[derive(Debug, Clone)]
pub struct Course {
    /// Which.
    pub id: ExecutionId,
    /// Its company.
    pub company_id: CompanyId,
    /// Whose it is.
    pub owner_id: UserId,
    /// What its owner may do; `None` if they may do nothing any more.
    pub role: Option<Role>,
    /// What is performed.
    pub pinned: Pinned,
    /// What stands as userInput.
    pub input: Value,
    /// Where the tasks stand.
    pub statuses: Vec<TaskStatus>,
    /// What completed tasks made, by their places.
    pub results: BTreeMap<usize, Value>,
    /// When a worker first took it up since it was started or resumed.
    pub started_at: DateTime<Utc>,
}

type Row = (
    CompanyId,
    UserId,
    Role,
    bool,
    Pinned,
    Value,
    Option<DateTime<Utc>>,
);

/// Takes up an execution: what an earlier worker was stopped over waits again. `None` if there is
/// nothing to be done about it.
pub async fn take_up(
    conn: &mut Connection,
    held: Lease,
    id: ExecutionId,
) -> Result<Option<Course>, FenceError> {
    conn.transaction(async |conn| {
        hold(conn, held).await?;
        diesel::sql_query(
            "WITH begun AS (
                 UPDATE executions SET status = 'running', started_at = coalesce(started_at, clock_timestamp()),
                     last_event = last_event + (status = 'pending')::integer
                 FROM (SELECT status AS before FROM executions WHERE id = $1) was
                 WHERE id = $1 AND status IN ('pending', 'running')
                 RETURNING last_event, before
             ), waiting AS (
                 UPDATE execution_tasks SET status = 'PENDING'
                 WHERE execution_id = $1 AND status = 'RUNNING' AND EXISTS (SELECT FROM begun)
             )
             INSERT INTO execution_events (execution_id, number, kind)
             SELECT $1, last_event, 'started' FROM begun WHERE before = 'pending'",
        )
        .bind::<sql_types::Uuid, _>(id)
        .prepared()
        .execute(conn)
        .await?;
        Ok(course(conn, id).await?)
    })
    .await
}

async fn course(conn: &mut Connection, id: ExecutionId) -> QueryResult<Option<Course>> {
    let row: Option<Row> = executions::table
        .inner_join(workflow_versions::table)
        .inner_join(users::table)
        .filter(executions::id.eq(id))
        .filter(executions::status.eq(ExecutionStatus::Running))
        .select((
            executions::company_id,
            executions::owner_id,
            users::role,
            users::is_active,
            workflow_versions::pinned,
            executions::input,
            executions::started_at,
        ))
        .first(conn)
        .await
        .optional()?;
    let Some((company_id, owner_id, role, is_active, pinned, input, started_at)) = row else {
        return Ok(None);
    };
    let tasks: Vec<(TaskStatus, Option<Value>)> = execution_tasks::table
        .filter(execution_tasks::execution_id.eq(id))
        .order(execution_tasks::place)
        .select((execution_tasks::status, execution_tasks::result))
        .load(conn)
        .await?;
    let statuses = tasks.iter().map(|(status, _)| *status).collect();
    let completed = (0..)
        .zip(tasks)
        .filter(|(_, (status, _))| *status == TaskStatus::Completed);
    Ok(Some(Course {
        id,
        company_id,
        owner_id,
        role: is_active.then_some(role),
        pinned,
        input,
        statuses,
        results: completed
            .map(|(place, (_, result))| (place, result.unwrap_or_default()))
            .collect(),
        started_at: started_at.unwrap_or_else(Utc::now),
    }))
}

/// How a task ended.
#[derive(Debug, Clone, Serialize)]
pub struct Ended {
    /// Its place.
    pub place: usize,
    /// Where it stands then: completed, failed, or pending if it was put off.
    pub status: TaskStatus,
    /// What it made.
    pub result: Option<Value>,
    /// Why it failed, by a stable name.
    pub error_code: Option<String>,
    /// Why, in a sentence.
    pub error_message: Option<String>,
    /// What whoever reads the result should know.
    pub notice: Option<String>,
    /// Tries after the first since it was begun.
    pub retries: i32,
    /// Tokens of all inputs.
    pub tokens_in: i64,
    /// Tokens of all outputs.
    pub tokens_out: i64,
    /// Tokens of all thoughts.
    pub tokens_thinking: i64,
    /// What it cost.
    pub cost: Usd,
    /// Whether all of that is known.
    pub priced: bool,
    /// The model that answered last.
    pub model_version: Option<String>,
}

/// A step to be booked.
#[derive(Debug, Clone, Default)]
pub struct Booking {
    /// What ended.
    pub ended: Vec<Ended>,
    /// What is performed never.
    pub skipped: Vec<usize>,
    /// Why not.
    pub skipped_because: &'static str,
    /// What begins.
    pub begun: Vec<usize>,
    /// Where the execution stands then, if it is over.
    pub end: Option<ExecutionStatus>,
    /// Why it failed: stable name and sentence.
    pub error: Option<(String, String)>,
}

#[derive(QueryableByName)]
struct Held {
    #[diesel(sql_type = sql_types::BigInt)]
    held: i64,
}

/// Books a step; a step that is booked twice counts once. With its end the execution's job is done.
pub async fn book(
    conn: &mut Connection,
    held: Lease,
    id: ExecutionId,
    booking: &Booking,
) -> Result<(), FenceError> {
    let places = |places: &[usize]| -> Vec<i16> {
        places
            .iter()
            .filter_map(|place| i16::try_from(*place).ok())
            .collect()
    };
    let error = booking.error.as_ref();
    let row: Held = diesel::sql_query(include_str!("book.sql"))
        .bind::<sql_types::Uuid, _>(id)
        .bind::<sql_types::Uuid, _>(held.job_id)
        .bind::<sql_types::Uuid, _>(held.token)
        .bind::<sql_types::Jsonb, _>(serde_json::to_value(&booking.ended).unwrap_or_default())
        .bind::<sql_types::Array<sql_types::SmallInt>, _>(places(&booking.skipped))
        .bind::<sql_types::Text, _>(booking.skipped_because)
        .bind::<sql_types::Array<sql_types::SmallInt>, _>(places(&booking.begun))
        .bind::<sql_types::Nullable<sql_types::Text>, _>(booking.end)
        .bind::<sql_types::Nullable<sql_types::Text>, _>(error.map(|(code, _)| code))
        .bind::<sql_types::Nullable<sql_types::Text>, _>(error.map(|(_, sentence)| sentence))
        .prepared()
        .get_result(conn)
        .await?;
    if row.held == 1 {
        Ok(())
    } else {
        Err(FenceError::Lost)
    }
}
