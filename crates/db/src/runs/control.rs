//! What people do to a run once it is started: call it off, take it up again, have cells made anew,
//! judge them.

use chrono::{DateTime, Utc};
use diesel::{prelude::*, sql_types};
use diesel_async::{AsyncConnection, RunQueryDsl};
use domain::{
    auth::Viewer,
    models::Usd,
    runs::{CellId, Grade, GradeId, ManualGrade, RunId, RunStatus, lanes},
    users::Role,
};

use super::{Run, find, start::lane_jobs};
use crate::{
    Connection,
    jobs::enqueue,
    prepared::Prepare,
    schema::{run_columns, runs},
};

/// Why a run was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// There is none that the viewer may see, or no such cell.
    #[error("not found")]
    NotFound,
    /// The viewer may see but not change it.
    #[error("only its owner or an admin may change it")]
    Forbidden,
    /// It is not in a state for this; the sentence says which it would have to be.
    #[error("{0}")]
    WrongState(String),
    /// A budget below what is spent and promised already.
    #[error("{0} are spent or promised already")]
    BudgetTooSmall(Usd),
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

/// The run, locked, if the viewer may change it.
async fn lock(conn: &mut Connection, viewer: &Viewer, id: RunId) -> Result<Run, ControlError> {
    find(conn, viewer, id).await?;
    runs::table
        .find(id)
        .select(runs::id)
        .for_update()
        .first::<RunId>(conn)
        .await?;
    // Read again: it may have changed before it was locked.
    permitted(find(conn, viewer, id).await?, viewer)
}

/// The run, if the viewer may change it.
fn permitted(run: Run, viewer: &Viewer) -> Result<Run, ControlError> {
    if run.owner.id == viewer.user_id || viewer.role == Role::Admin {
        Ok(run)
    } else {
        Err(ControlError::Forbidden)
    }
}

/// The same before cells are made to wait again: that touches the jobs of the run's lanes, and whoever
/// needs both locks jobs first.
async fn lock_with_lanes(
    conn: &mut Connection,
    viewer: &Viewer,
    id: RunId,
) -> Result<Run, ControlError> {
    permitted(find(conn, viewer, id).await?, viewer)?;
    diesel::sql_query(
        "SELECT FROM jobs WHERE subject_id = $1 AND state IN ('queued', 'running', 'dead') ORDER BY id FOR UPDATE",
    )
    .bind::<sql_types::Uuid, _>(id)
    .execute(conn)
    .await?;
    lock(conn, viewer, id).await
}

/// Ends a run with this status: cells that wait are called off, those under way come to their end.
/// The run's row is locked by this.
pub(super) async fn stop(conn: &mut Connection, id: RunId, status: RunStatus) -> QueryResult<()> {
    let stopped = diesel::update(runs::table.find(id))
        .filter(runs::status.eq_any([RunStatus::Queued, RunStatus::Running, RunStatus::Failed]))
        .set(runs::status.eq(status))
        .execute(conn)
        .await?;
    if stopped > 0 {
        diesel::sql_query(
            "UPDATE cells SET status = 'cancelled', not_before = NULL
             WHERE run_id = $1 AND status = 'queued'",
        )
        .bind::<sql_types::Uuid, _>(id)
        .execute(conn)
        .await?;
    }
    Ok(())
}

/// Calls a run off.
pub async fn cancel(conn: &mut Connection, viewer: &Viewer, id: RunId) -> Result<(), ControlError> {
    conn.transaction(async |conn| {
        let run = lock(conn, viewer, id).await?;
        match run.status {
            RunStatus::Cancelled => Ok(()),
            RunStatus::Queued | RunStatus::Running | RunStatus::Failed => {
                Ok(stop(conn, id, RunStatus::Cancelled).await?)
            }
            ended => Err(ControlError::WrongState(format!(
                "The run is {ended} and cannot be cancelled any more."
            ))),
        }
    })
    .await
}

/// Takes up a run that was called off, ran out of budget or lost its workers, with another budget if
/// one is given.
pub async fn resume(
    conn: &mut Connection,
    viewer: &Viewer,
    id: RunId,
    budget: Option<Usd>,
    request_id: Option<&String>,
) -> Result<Run, ControlError> {
    conn.transaction(async |conn| {
        let run = lock_with_lanes(conn, viewer, id).await?;
        if !is_stopped(run.status) {
            let sentence = format!(
                "The run is {}; only one that is cancelled, budget_exceeded or failed can be resumed.",
                run.status
            );
            return Err(ControlError::WrongState(sentence));
        }
        if let Some(budget) = budget {
            let promised = run.spent + run.reserved + run.unresolved;
            if budget < promised {
                return Err(ControlError::BudgetTooSmall(promised));
            }
            diesel::update(runs::table.find(id))
                .set(runs::budget.eq(budget))
                .execute(conn)
                .await?;
        }
        let again = "UPDATE cells SET status = 'queued', tries = 0, not_before = NULL
                     WHERE run_id = $1 AND status = 'cancelled'";
        requeue(conn, &run, again, None, request_id).await?;
        Ok(find(conn, viewer, id).await?)
    })
    .await
}

/// Has the cells that failed made anew; says how many.
pub async fn rerun_failed(
    conn: &mut Connection,
    viewer: &Viewer,
    id: RunId,
    request_id: Option<&String>,
) -> Result<usize, ControlError> {
    conn.transaction(async |conn| {
        let run = lock_with_lanes(conn, viewer, id).await?;
        refuse_stopped(&run)?;
        let again = "UPDATE cells SET status = 'queued', tries = 0, not_before = NULL,
                         error_code = NULL, error_message = NULL
                     WHERE run_id = $1 AND status = 'failed'";
        requeue(conn, &run, again, None, request_id).await
    })
    .await
}

/// Has one cell made anew, past kept responses. What it was stays with its attempt, and its grades
/// with their round.
pub async fn rerun(
    conn: &mut Connection,
    viewer: &Viewer,
    id: RunId,
    cell: CellId,
    request_id: Option<&String>,
) -> Result<(), ControlError> {
    conn.transaction(async |conn| {
        let run = lock_with_lanes(conn, viewer, id).await?;
        refuse_stopped(&run)?;
        let status = status_of(conn, id, cell).await?;
        if matches!(
            status,
            domain::runs::CellStatus::Queued | domain::runs::CellStatus::Running
        ) {
            let sentence = format!("The cell is {status}; wait for its end, then rerun it.");
            return Err(ControlError::WrongState(sentence));
        }
        diesel::sql_query(include_str!("keep_output.sql"))
            .bind::<sql_types::Uuid, _>(cell)
            .execute(conn)
            .await?;
        requeue(
            conn,
            &run,
            include_str!("rerun.sql"),
            Some(cell),
            request_id,
        )
        .await?;
        Ok(())
    })
    .await
}

async fn status_of(
    conn: &mut Connection,
    id: RunId,
    cell: CellId,
) -> QueryResult<domain::runs::CellStatus> {
    use crate::schema::cells;
    cells::table
        .find(cell)
        .filter(cells::run_id.eq(id))
        .select(cells::status)
        .first(conn)
        .await
}

/// Whether nobody takes cells of such a run.
const fn is_stopped(status: RunStatus) -> bool {
    matches!(
        status,
        RunStatus::Cancelled | RunStatus::BudgetExceeded | RunStatus::Failed
    )
}

fn refuse_stopped(run: &Run) -> Result<(), ControlError> {
    if is_stopped(run.status) {
        let sentence = format!("The run is {}: resume it first.", run.status);
        return Err(ControlError::WrongState(sentence));
    }
    Ok(())
}

/// Makes cells wait again by this statement, and sees to it that somebody works on them. The run is
/// locked, so that a lane that ends now has seen them or is known to have ended.
async fn requeue(
    conn: &mut Connection,
    run: &Run,
    statement: &str,
    cell: Option<CellId>,
    request_id: Option<&String>,
) -> Result<usize, ControlError> {
    diesel::update(runs::table.find(run.id))
        .set(runs::status.eq(RunStatus::Running))
        .execute(conn)
        .await?;
    let query = diesel::sql_query(statement).bind::<sql_types::Uuid, _>(run.id);
    let waiting = match cell {
        Some(cell) => query.bind::<sql_types::Uuid, _>(cell).execute(conn).await?,
        None => query.execute(conn).await?,
    };
    if waiting == 0 && run.open_cells == 0 {
        let ended = if run.finished_at.is_some() {
            RunStatus::Completed
        } else {
            run.status
        };
        diesel::update(runs::table.find(run.id))
            .set(runs::status.eq(ended))
            .execute(conn)
            .await?;
    }
    // Whoever waits for a provider is to look again: not every cell waits for that one, and its key or
    // quota may be another now.
    diesel::sql_query(
        "UPDATE cells SET not_before = NULL
         WHERE run_id = $1 AND status = 'queued' AND not_before IS NOT NULL",
    )
    .bind::<sql_types::Uuid, _>(run.id)
    .execute(conn)
    .await?;
    diesel::update(run_columns::table.filter(run_columns::run_id.eq(run.id)))
        .set(run_columns::not_before.eq(None::<DateTime<Utc>>))
        .execute(conn)
        .await?;
    diesel::sql_query(
        "UPDATE jobs SET run_at = clock_timestamp() WHERE id IN (
             SELECT id FROM jobs WHERE subject_id = $1 AND kind = 'runs.lane' AND state = 'queued'
             FOR UPDATE SKIP LOCKED)",
    )
    .bind::<sql_types::Uuid, _>(run.id)
    .execute(conn)
    .await?;
    let width = u16::try_from(run.concurrency).unwrap_or(1);
    let company = run.company_id;
    let jobs = lane_jobs(run.id, company.0, company, &lanes(width), request_id);
    enqueue(conn, &jobs).await?;
    Ok(waiting)
}

/// Notes what a person says of a cell, and has the effective grade follow.
pub async fn judge(
    conn: &mut Connection,
    viewer: &Viewer,
    id: RunId,
    cell: CellId,
    verdict: ManualGrade,
) -> Result<(), ControlError> {
    conn.transaction(async |conn| {
        let run = lock(conn, viewer, id).await?;
        let status = status_of(conn, run.id, cell).await?;
        if !matches!(
            status,
            domain::runs::CellStatus::Completed | domain::runs::CellStatus::Malformed
        ) {
            let sentence = format!("The cell is {status}; only an output can be graded.");
            return Err(ControlError::WrongState(sentence));
        }
        let grade = match verdict {
            ManualGrade::Pass => Some(Grade::ONE),
            ManualGrade::Fail => Some(Grade::ZERO),
            ManualGrade::Unset => None,
        };
        diesel::sql_query(include_str!("judge.sql"))
            .bind::<sql_types::Uuid, _>(run.id)
            .bind::<sql_types::Uuid, _>(cell)
            .bind::<sql_types::Text, _>(verdict)
            .bind::<sql_types::Nullable<sql_types::Integer>, _>(grade)
            .bind::<sql_types::Uuid, _>(GradeId::new())
            .bind::<sql_types::Uuid, _>(viewer.user_id)
            .prepared()
            .execute(conn)
            .await?;
        Ok(())
    })
    .await
}
