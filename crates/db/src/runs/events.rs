//! What happened in a run, in the order of its numbers. Whoever writes events locks the run's row, so
//! a number that can be read has all smaller ones before it.

use chrono::{DateTime, Utc};
use diesel::{dsl, prelude::*};
use diesel_async::RunQueryDsl;
use domain::{
    auth::Viewer,
    runs::{CellId, RunId, RunStatus},
};

use super::visible_to;
use crate::{
    Connection,
    schema::{cells, run_events, runs, users},
};

/// Something that happened.
#[derive(Debug, Clone, Queryable)]
pub struct Event {
    /// Its number, from 1.
    pub number: i64,
    /// What.
    pub kind: String,
    /// The cell that it happened to.
    pub cell_id: Option<CellId>,
    /// Its row.
    pub row_index: Option<i32>,
    /// Its column.
    pub column_index: Option<i16>,
    /// When.
    pub at: DateTime<Utc>,
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// The number of the last event that is no longer kept; 0 while all are.
    pub forgotten: i64,
    /// The number of its newest event.
    pub last_event: i64,
    /// Whether nothing follows, unless somebody takes it up again.
    pub is_over: bool,
}

impl Reach {
    /// That of something whose events are kept from `first` on.
    pub fn new(first: Option<i64>, last_event: i64, is_over: bool) -> Self {
        Self {
            forgotten: first.map_or(last_event, |first| first - 1),
            last_event,
            is_over,
        }
    }
}

/// How far a run has come; `None` if it is gone.
pub async fn reach(conn: &mut Connection, run: RunId) -> QueryResult<Option<Reach>> {
    let first = run_events::table
        .filter(run_events::run_id.eq(runs::id))
        .select(dsl::min(run_events::number))
        .single_value();
    let row: Option<(RunStatus, i32, i64, Option<i64>)> = runs::table
        .find(run)
        .select((runs::status, runs::open_cells, runs::last_event, first))
        .first(conn)
        .await
        .optional()?;
    Ok(row.map(|(status, open, last, first)| {
        let is_active = matches!(status, RunStatus::Queued | RunStatus::Running);
        let is_over = !is_active && (open == 0 || status == RunStatus::Failed);
        Reach::new(first, last, is_over)
    }))
}

/// Up to `limit` events of a run after this number.
pub async fn after(
    conn: &mut Connection,
    run: RunId,
    number: i64,
    limit: i64,
) -> QueryResult<Vec<Event>> {
    run_events::table
        .left_join(cells::table.on(run_events::cell_id.eq(cells::id.nullable())))
        .filter(run_events::run_id.eq(run))
        .filter(run_events::number.gt(number))
        .order(run_events::number)
        .limit(limit)
        .select((
            run_events::number,
            run_events::kind,
            run_events::cell_id,
            cells::row_index.nullable(),
            cells::column_index.nullable(),
            run_events::created_at,
        ))
        .load(conn)
        .await
}

/// Whether the viewer may still see the run.
pub async fn is_open_to(conn: &mut Connection, viewer: &Viewer, run: RunId) -> QueryResult<bool> {
    let viewers = users::table
        .filter(users::id.eq(viewer.user_id))
        .filter(users::is_active.eq(true));
    let seen = runs::table
        .filter(runs::id.eq(run))
        .filter(visible_to(viewer.company_id, viewer.user_id));
    diesel::select(dsl::exists(viewers).and(dsl::exists(seen)))
        .get_result(conn)
        .await
}
