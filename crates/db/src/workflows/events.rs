//! What happened in an execution, in the order of its numbers. Whoever writes events locks the row of
//! the execution, so a number that can be read has all smaller ones before it.

use chrono::{DateTime, Utc};
use diesel::{dsl, prelude::*};
use diesel_async::RunQueryDsl;
use domain::{
    auth::Viewer,
    workflows::{ExecutionId, ExecutionStatus, task::TaskId},
};

use super::executions::visible_to;
use crate::{
    Connection,
    runs::events::Reach,
    schema::{execution_events, executions, users},
};

/// Something that happened.
#[derive(Debug, Clone, Queryable)]
pub struct Event {
    /// Its number, from 1.
    pub number: i64,
    /// What.
    pub kind: String,
    /// The task that it happened to.
    pub task_id: Option<TaskId>,
    /// When.
    pub at: DateTime<Utc>,
}

/// How far an execution has come; `None` if it is gone.
pub async fn reach(conn: &mut Connection, execution: ExecutionId) -> QueryResult<Option<Reach>> {
    let first = execution_events::table
        .filter(execution_events::execution_id.eq(executions::id))
        .select(dsl::min(execution_events::number))
        .single_value();
    let row: Option<(ExecutionStatus, i64, Option<i64>)> = executions::table
        .find(execution)
        .select((executions::status, executions::last_event, first))
        .first(conn)
        .await
        .optional()?;
    Ok(row.map(|(status, last, first)| Reach::new(first, last, status.is_over())))
}

/// Up to `limit` events of an execution after this number.
pub async fn after(
    conn: &mut Connection,
    execution: ExecutionId,
    number: i64,
    limit: i64,
) -> QueryResult<Vec<Event>> {
    execution_events::table
        .filter(execution_events::execution_id.eq(execution))
        .filter(execution_events::number.gt(number))
        .order(execution_events::number)
        .limit(limit)
        .select((
            execution_events::number,
            execution_events::kind,
            execution_events::task_id,
            execution_events::created_at,
        ))
        .load(conn)
        .await
}

/// Whether the viewer may still see the execution.
pub async fn is_open_to(
    conn: &mut Connection,
    viewer: &Viewer,
    execution: ExecutionId,
) -> QueryResult<bool> {
    let viewers = users::table
        .filter(users::id.eq(viewer.user_id))
        .filter(users::is_active.eq(true));
    let seen = executions::table
        .filter(executions::id.eq(execution))
        .filter(visible_to(viewer.company_id, viewer.user_id));
    diesel::select(dsl::exists(viewers).and(dsl::exists(seen)))
        .get_result(conn)
        .await
}
