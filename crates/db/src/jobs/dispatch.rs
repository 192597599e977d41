//! From the table towards Redis and back: which jobs are handed out, and which are taken back.

use diesel::{prelude::*, sql_types};
use diesel_async::RunQueryDsl;
use domain::jobs::{Dispatch, JobId, JobKind, JobState, Outbox};

use crate::{
    Connection, Pool,
    prepared::Prepare,
    schema::{company_job_pauses, job_pauses, jobs},
};

/// How many jobs of a kind may be handed out. Small windows keep dispatch fair, and Redis far below
/// the 8 000 waiting ids at which apalis-redis stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The kind.
    pub kind: JobKind,
    /// In Redis at once, waiting.
    pub places: i64,
    /// Waiting there and under way at once for one owner of work.
    pub each: i64,
}

/// The windows of all kinds.
pub type Windows = Vec<Window>;

#[derive(QueryableByName)]
struct DispatchRow {
    #[diesel(sql_type = sql_types::Uuid)]
    id: JobId,
    #[diesel(sql_type = sql_types::Text)]
    kind: JobKind,
    #[diesel(sql_type = sql_types::Integer)]
    epoch: i32,
}

impl From<DispatchRow> for Dispatch {
    fn from(row: DispatchRow) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            epoch: row.epoch,
        }
    }
}

/// Marks due jobs as dispatched and names them.
pub async fn dispatch(conn: &mut Connection, windows: &Windows) -> QueryResult<Vec<Dispatch>> {
    let kinds: Vec<_> = windows.iter().map(|window| window.kind.as_str()).collect();
    let places: Vec<_> = windows.iter().map(|window| window.places).collect();
    let each: Vec<_> = windows.iter().map(|window| window.each).collect();
    let rows: Vec<DispatchRow> = diesel::sql_query(include_str!("dispatch.sql"))
        .bind::<sql_types::Array<sql_types::Text>, _>(kinds)
        .bind::<sql_types::Array<sql_types::BigInt>, _>(places)
        .bind::<sql_types::Array<sql_types::BigInt>, _>(each)
        .prepared()
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(Dispatch::from).collect())
}

/// Due jobs, whether handed out or not, in the order they were made.
pub async fn due(conn: &mut Connection, limit: i64) -> QueryResult<Vec<JobId>> {
    let now = diesel::dsl::now.into_sql::<sql_types::Timestamptz>();
    let paused = job_pauses::table.select(job_pauses::kind);
    let paused_for_company = company_job_pauses::table
        .filter(company_job_pauses::kind.eq(jobs::kind))
        .filter(
            company_job_pauses::company_id
                .nullable()
                .eq(jobs::company_id),
        );
    jobs::table
        .filter(jobs::state.eq("queued").and(jobs::run_at.le(now)))
        .filter(jobs::kind.ne_all(paused))
        .filter(diesel::dsl::not(diesel::dsl::exists(paused_for_company)))
        .order(jobs::id)
        .limit(limit)
        .select(jobs::id)
        .load(conn)
        .await
}

/// Names jobs that were dispatched so many seconds ago and that nobody has claimed since.
pub async fn handed_out(conn: &mut Connection, seconds: f64) -> QueryResult<Vec<Dispatch>> {
    let rows: Vec<DispatchRow> = diesel::sql_query(
        "SELECT id, kind, epoch FROM jobs
         WHERE state = 'queued' AND dispatched_at < clock_timestamp() - $1 * interval '1 second'
         LIMIT 1000",
    )
    .bind::<sql_types::Double, _>(seconds)
    .prepared()
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(Dispatch::from).collect())
}

/// These messages are lost or did not get out: the jobs wait for another dispatch. Says how many.
pub async fn take_back(conn: &mut Connection, lost: &[Dispatch]) -> QueryResult<usize> {
    let (ids, epochs): (Vec<_>, Vec<_>) = lost.iter().map(|job| (job.id, job.epoch)).unzip();
    diesel::sql_query(include_str!("take_back.sql"))
        .bind::<sql_types::Array<sql_types::Uuid>, _>(ids)
        .bind::<sql_types::Array<sql_types::Integer>, _>(epochs)
        .execute(conn)
        .await
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

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = sql_types::BigInt)]
    count: i64,
}

/// Takes back the jobs of silent workers, buries what has no attempts left, and says how many
/// workers' jobs these were.
pub async fn sweep(conn: &mut Connection) -> QueryResult<i64> {
    let swept: Count = diesel::sql_query(include_str!("sweep.sql"))
        .prepared()
        .get_result(conn)
        .await?;
    Ok(swept.count)
}

/// How many jobs of a kind are in a state.
#[derive(Debug, Clone, QueryableByName)]
pub struct Depth {
    /// The kind.
    #[diesel(sql_type = sql_types::Text)]
    pub kind: JobKind,
    /// Queued, running or dead.
    #[diesel(sql_type = sql_types::Text)]
    pub state: JobState,
    /// How many.
    #[diesel(sql_type = sql_types::BigInt)]
    pub jobs: i64,
    /// How long the oldest of those that wait has been due.
    #[diesel(sql_type = sql_types::Double)]
    pub age_seconds: f64,
}

/// Counts the jobs that are not settled.
pub async fn depths(conn: &mut Connection) -> QueryResult<Vec<Depth>> {
    diesel::sql_query(include_str!("depth.sql"))
        .load(conn)
        .await
}

/// The job table as the dispatch loop sees it.
pub struct Rows {
    /// Postgres.
    pub pool: Pool,
    /// How much is handed out at once.
    pub windows: Windows,
    /// Seconds after which an unclaimed job is looked for in Redis.
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

    async fn handed_out(&self) -> Result<Vec<Dispatch>, OutboxError> {
        Ok(handed_out(&mut *self.pool.get().await?, self.lost_after_seconds).await?)
    }

    async fn take_back(&self, lost: &[Dispatch]) -> Result<usize, OutboxError> {
        Ok(take_back(&mut *self.pool.get().await?, lost).await?)
    }

    async fn take_back_all(&self) -> Result<(), OutboxError> {
        Ok(take_back_all(&mut *self.pool.get().await?).await?)
    }

    async fn sweep(&self) -> Result<i64, OutboxError> {
        Ok(sweep(&mut *self.pool.get().await?).await?)
    }
}
