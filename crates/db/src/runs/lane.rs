//! A lane's statements: it takes cells, promises money, books what calls came to, and ends when no
//! cell waits. Each is one round trip, locks the run's row before anything else of the run, and
//! changes nothing without the lease on the lane's job.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{prelude::*, sql_types};
use diesel_async::{AsyncConnection, RunQueryDsl};
use domain::{
    jobs::{Lease, Wait},
    models::Usd,
    runs::{AttemptId, CellId, RunId, RunStatus, Stage},
};

use super::Target;
use crate::{
    Connection,
    jobs::{FenceError, finish, hold, release},
    prepared::Prepare,
    schema::runs,
};

mod settled;

pub use settled::{NewGrade, Settled};

/// A cell that the lane has taken.
#[derive(Debug, Clone, QueryableByName)]
pub struct Claimed {
    /// Which.
    #[diesel(sql_type = sql_types::Uuid)]
    pub id: CellId,
    /// How often it was taken, this time included.
    #[diesel(sql_type = sql_types::Integer)]
    pub claims: i32,
    /// Its column, from 0.
    #[diesel(sql_type = sql_types::SmallInt)]
    pub column_index: i16,
    /// Its row of the dataset.
    #[diesel(sql_type = sql_types::Integer)]
    pub row_index: i32,
    /// Its repetition, from 0.
    #[diesel(sql_type = sql_types::SmallInt)]
    pub repeat: i16,
    /// What is to be done next.
    #[diesel(sql_type = sql_types::Text)]
    pub stage: Stage,
    /// How often it was begun anew, from 1.
    #[diesel(sql_type = sql_types::SmallInt)]
    pub round: i16,
    /// Calls of this stage that failed in a way that may pass.
    #[diesel(sql_type = sql_types::SmallInt)]
    pub tries: i16,
    /// The output, where it stands already.
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    pub output_raw: Option<String>,
    /// The part of it that the prompt asked for.
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    pub output_parsed: Option<String>,
    /// The values of its row, in the order of the headers; none without a dataset.
    #[diesel(sql_type = sql_types::Nullable<sql_types::Array<sql_types::Nullable<sql_types::Text>>>)]
    pub row_values: Option<Vec<Option<String>>>,
}

/// A call that is about to be made.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    /// The attempt's id.
    pub attempt: AttemptId,
    /// Whose.
    pub cell: CellId,
    /// The cell's round.
    pub round: i16,
    /// What for.
    pub stage: Stage,
    /// The most it may cost.
    pub amount: Usd,
}

/// What became of a [`Wish`].
#[derive(Debug, Clone, Copy, QueryableByName)]
pub struct Promise {
    /// Which attempt.
    #[diesel(sql_type = sql_types::Uuid)]
    pub attempt: AttemptId,
    /// Whether the call may be made.
    #[diesel(sql_type = sql_types::Bool)]
    pub granted: bool,
    /// Whether the run goes on at all.
    #[diesel(sql_type = sql_types::Bool)]
    pub active: bool,
    /// Whether nothing is promised to other calls: then waiting brings no money back.
    #[diesel(sql_type = sql_types::Bool)]
    pub alone: bool,
}

#[derive(QueryableByName)]
struct Held {
    #[diesel(sql_type = sql_types::BigInt)]
    count: i64,
}

impl Held {
    fn or_lost(&self) -> Result<(), FenceError> {
        if self.count == 1 {
            Ok(())
        } else {
            Err(FenceError::Lost)
        }
    }
}

/// Frees cells that are taken and that nobody works on: this lane has none in hand.
pub async fn recover(conn: &mut Connection, held: Lease, run: RunId) -> Result<(), FenceError> {
    let found: Held = diesel::sql_query(include_str!("recover.sql"))
        .bind::<sql_types::Uuid, _>(held.job_id)
        .bind::<sql_types::Uuid, _>(held.token)
        .bind::<sql_types::Uuid, _>(run)
        .prepared()
        .get_result(conn)
        .await?;
    found.or_lost()
}

/// Takes up to `limit` waiting cells, in the order of the rows from `from_row` on. None while the run
/// does not go on.
pub async fn claim(
    conn: &mut Connection,
    held: Lease,
    target: &Target,
    limit: usize,
    from_row: i32,
) -> QueryResult<Vec<Claimed>> {
    diesel::sql_query(include_str!("claim.sql"))
        .bind::<sql_types::Uuid, _>(held.job_id)
        .bind::<sql_types::Uuid, _>(held.token)
        .bind::<sql_types::Uuid, _>(target.id)
        .bind::<sql_types::BigInt, _>(i64::try_from(limit).unwrap_or(i64::MAX))
        .bind::<sql_types::Nullable<sql_types::Uuid>, _>(target.dataset_id)
        .bind::<sql_types::Nullable<sql_types::Integer>, _>(target.dataset_version)
        .bind::<sql_types::Integer, _>(from_row)
        .prepared()
        .load(conn)
        .await
}

/// Writes the attempts before their calls are made, as far as the budget reaches.
pub async fn reserve(
    conn: &mut Connection,
    held: Lease,
    run: RunId,
    wishes: &[Wish],
) -> Result<Vec<Promise>, FenceError> {
    fn each<T>(wishes: &[Wish], member: impl Fn(&Wish) -> T) -> Vec<T> {
        wishes.iter().map(member).collect()
    }
    let promises: Vec<Promise> = diesel::sql_query(include_str!("reserve.sql"))
        .bind::<sql_types::Uuid, _>(held.job_id)
        .bind::<sql_types::Uuid, _>(held.token)
        .bind::<sql_types::Uuid, _>(run)
        .bind::<sql_types::Array<sql_types::Uuid>, _>(each(wishes, |wish| wish.attempt))
        .bind::<sql_types::Array<sql_types::Uuid>, _>(each(wishes, |wish| wish.cell))
        .bind::<sql_types::Array<sql_types::SmallInt>, _>(each(wishes, |wish| wish.round))
        .bind::<sql_types::Array<sql_types::Text>, _>(each(wishes, |wish| wish.stage))
        .bind::<sql_types::Array<sql_types::Numeric>, _>(each(wishes, |wish| wish.amount))
        .prepared()
        .load(conn)
        .await?;
    if promises.len() == wishes.len() {
        Ok(promises)
    } else {
        Err(FenceError::Lost)
    }
}

/// Books how calls ended; each counts once, however often it is booked.
pub async fn settle(
    conn: &mut Connection,
    held: Lease,
    run: RunId,
    settled: &[Settled],
) -> Result<(), FenceError> {
    let mut settled = settled.to_vec();
    for (place, one) in settled.iter_mut().enumerate() {
        one.place = place;
    }
    let settled = serde_json::to_value(settled).unwrap_or_default();
    let found: Held = diesel::sql_query(include_str!("settle.sql"))
        .bind::<sql_types::Uuid, _>(held.job_id)
        .bind::<sql_types::Uuid, _>(held.token)
        .bind::<sql_types::Uuid, _>(run)
        .bind::<sql_types::Jsonb, _>(settled)
        .prepared()
        .get_result(conn)
        .await?;
    found.or_lost()
}

/// Whether a lane has come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// No cell waits: its job is done.
    None,
    /// Cells wait, the first until then.
    Until(DateTime<Utc>),
    /// Likewise, and that is so far away that the job waits too.
    Asleep(DateTime<Utc>),
}

#[derive(QueryableByName)]
struct Due {
    #[diesel(sql_type = sql_types::Timestamptz)]
    due: DateTime<Utc>,
}

/// Ends the lane's job if no cell of the run waits, and puts it to sleep if none may be taken for
/// longer than `short`; `wait` says for what. Whoever makes a cell wait locks the run too, so that a cell that comes now
/// finds this lane, can wake it, or has room for another.
pub async fn end(
    conn: &mut Connection,
    held: Lease,
    run: RunId,
    short: TimeDelta,
    wait: &Wait,
) -> Result<Rest, FenceError> {
    conn.transaction(async |conn| {
        hold(conn, held).await?;
        // By a statement of its own, and whatever the run's state: what is read after it sees all that
        // waited behind the lock.
        let status: Option<RunStatus> = runs::table
            .find(run)
            .select(runs::status)
            .for_update()
            .first(conn)
            .await
            .optional()?;
        // Cells that were taken and never heard of, since the answer was lost.
        recover(conn, held, run).await?;
        let next: Option<Due> = match status {
            Some(RunStatus::Queued | RunStatus::Running) => next_due(conn, run).await?,
            _ => None,
        };
        match next {
            None => {
                finish(conn, held).await?;
                Ok(Rest::None)
            }
            Some(Due { due }) if due - Utc::now() > short => {
                release(conn, held, due, None, Some(wait)).await?;
                Ok(Rest::Asleep(due))
            }
            Some(Due { due }) => Ok(Rest::Until(due)),
        }
    })
    .await
}

/// When the first of the run's waiting cells may be taken; looks no further than one that may be now.
async fn next_due(conn: &mut Connection, run: RunId) -> QueryResult<Option<Due>> {
    diesel::sql_query(
        "WITH waiting AS NOT MATERIALIZED (
             SELECT greatest(clock_timestamp(), cells.not_before,
                             CASE WHEN stage = 'generate' THEN c.not_before END) AS due,
                    cells.not_before AS own, stage, c.not_before AS parked
             FROM cells JOIN run_columns c USING (run_id, column_index)
             WHERE run_id = $1 AND status = 'queued'
         )
         (SELECT due FROM waiting
          WHERE (own IS NULL OR own <= clock_timestamp())
            AND (stage = 'grade' OR parked IS NULL OR parked <= clock_timestamp())
          LIMIT 1)
         UNION ALL
         (SELECT due FROM waiting ORDER BY due LIMIT 1)
         LIMIT 1",
    )
    .bind::<sql_types::Uuid, _>(run)
    .prepared()
    .get_result(conn)
    .await
    .optional()
}

/// Whether this lane should make room: more lanes of other runs wait for a place than lanes of this
/// run, those begun before it, make room already. A company that is paused waits for no place.
pub async fn others_wait(conn: &mut Connection, held: Lease, run: RunId) -> QueryResult<bool> {
    let answer: Answer = diesel::sql_query(
        // In parts, each of which a partial index serves.
        "WITH waiting AS (
             SELECT subject_id, run_at, company_id FROM jobs
             WHERE kind = 'runs.lane' AND state = 'queued' AND dispatched_at IS NULL
             UNION ALL
             SELECT subject_id, run_at, company_id FROM jobs
             WHERE kind = 'runs.lane' AND state = 'queued' AND dispatched_at IS NOT NULL)
         SELECT (SELECT count(*) FROM waiting
                 WHERE subject_id <> $2 AND run_at < clock_timestamp() - interval '100 milliseconds'
                   AND company_id NOT IN (SELECT company_id FROM company_job_pauses WHERE kind = 'runs.lane'))
              > (SELECT count(*) FROM jobs
                 WHERE kind = 'runs.lane' AND state = 'running' AND subject_id = $2 AND id < $1) AS answer",
    )
    .bind::<sql_types::Uuid, _>(held.job_id)
    .bind::<sql_types::Uuid, _>(run)
    .prepared()
    .get_result(conn)
    .await?;
    Ok(answer.answer)
}

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = sql_types::Bool)]
    answer: bool,
}

/// Ends a run whose budget does not reach for another call: what waits is called off, what was begun
/// comes to its end.
pub async fn exhaust(conn: &mut Connection, held: Lease, run: RunId) -> Result<(), FenceError> {
    conn.transaction(async |conn| {
        hold(conn, held).await?;
        super::control::stop(conn, run, RunStatus::BudgetExceeded).await?;
        Ok(())
    })
    .await
}
