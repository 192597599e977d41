//! From the table towards Redis and back: which jobs are handed out, and which are taken back.

use diesel::{prelude::*, sql_types};
use diesel_async::RunQueryDsl;
use domain::jobs::{Dispatch, JobId, JobKind, Outbox};

use crate::{
    Connection, Pool,
    schema::{job_pauses, jobs},
};

/// How many jobs of each kind may be in Redis at once, waiting. Small windows keep dispatch fair,
/// and Redis far below the 8 000 waiting ids at which apalis-redis stops.
pub type Windows = Vec<(JobKind, i64)>;

#[derive(QueryableByName)]
struct DispatchRow {
    #[diesel(sql_type = sql_types::Uuid)]
    id: JobId,
    #[diesel(sql_type = sql_types::Text)]
    kind: JobKind,
    #[diesel(sql_type = sql_types::Integer)]
    epoch: i32,
}

/// Marks due jobs as dispatched and names them.
pub async fn dispatch(conn: &mut Connection, windows: &Windows) -> QueryResult<Vec<Dispatch>> {
    let (kinds, places): (Vec<_>, Vec<_>) = windows.iter().map(|(k, n)| (k.as_str(), *n)).unzip();
    let rows: Vec<DispatchRow> = diesel::sql_query(include_str!("dispatch.sql"))
        .bind::<sql_types::Array<sql_types::Text>, _>(kinds)
        .bind::<sql_types::Array<sql_types::BigInt>, _>(places)
        .load(conn)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| Dispatch {
            id: row.id,
            kind: row.kind,
            epoch: row.epoch,
        })
        .collect())
}

/// Due jobs, whether handed out or not, in the order they were made.
pub async fn due(conn: &mut Connection, limit: i64) -> QueryResult<Vec<JobId>> {
    let now = diesel::dsl::now.into_sql::<sql_types::Timestamptz>();
    let paused = job_pauses::table.select(job_pauses::kind);
    jobs::table
        .filter(jobs::state.eq("queued").and(jobs::run_at.le(now)))
        .filter(jobs::kind.ne_all(paused))
        .order(jobs::id)
        .limit(limit)
        .select(jobs::id)
        .load(conn)
        .await
}

/// These messages did not get out: the jobs wait for another dispatch.
pub async fn take_back(conn: &mut Connection, ids: &[JobId]) -> QueryResult<()> {
    diesel::update(
        jobs::table
            .filter(jobs::id.eq_any(ids))
            .filter(jobs::state.eq("queued")),
    )
    .set(jobs::dispatched_at.eq(None::<chrono::DateTime<chrono::Utc>>))
    .execute(conn)
    .await
    .map(|_| ())
}

/// Every message is lost: all jobs that wait for a worker are dispatched again.
pub async fn take_back_all(conn: &mut Connection) -> QueryResult<()> {
    diesel::sql_query(
        "UPDATE jobs SET dispatched_at = NULL WHERE state = 'queued' AND dispatched_at IS NOT NULL",
    )
    .execute(conn)
    .await
    .map(|_| ())
}

/// Takes back the jobs of silent workers and lost messages, and buries what has no attempts left.
pub async fn sweep(conn: &mut Connection, lost_after_seconds: f64) -> QueryResult<()> {
    diesel::sql_query(include_str!("sweep.sql"))
        .bind::<sql_types::Double, _>(lost_after_seconds)
        .execute(conn)
        .await
        .map(|_| ())
}

/// The job table as the dispatch loop sees it.
pub struct Rows {
    /// Postgres.
    pub pool: Pool,
    /// How much is handed out at once.
    pub windows: Windows,
    /// Seconds after which an unclaimed message counts as lost.
    pub lost_after_seconds: f64,
}

/// What the dispatch loop can fail of.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// No connection.
    #[error(transparent)]
    Pool(#[from] crate::pool::PoolError),
    /// A statement failed.
    #[error(transparent)]
    Database(#[from] diesel::result::Error),
}

impl Outbox for Rows {
    type Error = OutboxError;

    async fn pick(&self) -> Result<Vec<Dispatch>, OutboxError> {
        Ok(dispatch(&mut *self.pool.get().await?, &self.windows).await?)
    }

    async fn take_back(&self, ids: &[JobId]) -> Result<(), OutboxError> {
        Ok(take_back(&mut *self.pool.get().await?, ids).await?)
    }

    async fn take_back_all(&self) -> Result<(), OutboxError> {
        Ok(take_back_all(&mut *self.pool.get().await?).await?)
    }

    async fn sweep(&self) -> Result<(), OutboxError> {
        Ok(sweep(&mut *self.pool.get().await?, self.lost_after_seconds).await?)
    }
}
