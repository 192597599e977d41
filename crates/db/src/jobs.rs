//! Background work: Postgres decides what is to be done, who does it and whether it counts.
//!
//! A job's life: [`enqueue`] inserts it in the transaction that makes it necessary, [`dispatch`]
//! hands its id out, [`claim`] gives one worker the lease, [`hold`] lets only the holder of the lease
//! change anything, and [`settle`] ends the attempt.

mod dispatch;
mod hands;
mod list;
mod pauses;
mod summary;
mod why;

pub use dispatch::{
    Depth, Rows, Window, Windows, depths, dispatch, due, handed_out, sweep, take_back,
    take_back_all,
};
pub use hands::{Laid, Selection, discard, retry};
pub use list::{Filter, JobDetail, JobRow, find, list};
pub use pauses::{
    PauseRow, Pauser, Scope, pause, pause_for, paused, paused_everywhere, pauses, resume,
    resume_for,
};
pub use summary::{DeadLetters, KindSummary, dead, summary};

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::{prelude::*, result::Error, sql_types};
use diesel_async::RunQueryDsl;
use domain::{
    jobs::{
        Claim, Failure, Job, JobId, JobKind, JobState, Lease, Outcome, Wait, backoff,
        waiting::NEXT_ATTEMPT,
    },
    users::CompanyId,
};
use uuid::Uuid;

use crate::{Connection, prepared::Prepare, schema::jobs};

/// A job to be enqueued.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = jobs)]
pub struct NewJob {
    id: JobId,
    kind: JobKind,
    company_id: Option<CompanyId>,
    fair_key: Uuid,
    subject_id: Option<Uuid>,
    args: serde_json::Value,
    max_attempts: i32,
    dedupe_key: Option<String>,
    request_id: Option<String>,
    run_at: DateTime<Utc>,
}

impl NewJob {
    /// A job of the system's own.
    pub fn new<J: Job>(job: &J) -> Self {
        Self {
            id: JobId::new(),
            kind: J::KIND,
            company_id: None,
            fair_key: Uuid::nil(),
            subject_id: None,
            args: serde_json::to_value(job).unwrap_or_default(),
            max_attempts: J::KIND.max_attempts(),
            dedupe_key: None,
            request_id: None,
            run_at: Utc::now(),
        }
    }

    /// Has this id, so that who asked for it can name it by what it works on.
    #[must_use]
    pub fn identified(mut self, id: Uuid) -> Self {
        self.id = JobId(id);
        self
    }

    /// Belongs to a company, and takes turns with the other work of `fair_key`.
    #[must_use]
    pub fn of(mut self, company_id: CompanyId, fair_key: Uuid) -> Self {
        self.company_id = Some(company_id);
        self.fair_key = fair_key;
        self
    }

    /// Works on this row; while it waits or runs, no second job of its kind does.
    #[must_use]
    pub fn on(mut self, subject_id: Uuid) -> Self {
        self.subject_id = Some(subject_id);
        self.dedupe_key = Some(subject_id.to_string());
        self
    }

    /// Not twice at once under this name.
    #[must_use]
    pub fn once(mut self, dedupe_key: impl Into<String>) -> Self {
        self.dedupe_key = Some(dedupe_key.into());
        self
    }

    /// Is not due before this time.
    #[must_use]
    pub fn at(mut self, time: DateTime<Utc>) -> Self {
        self.run_at = time;
        self
    }

    /// Its id.
    pub fn id(&self) -> JobId {
        self.id
    }

    /// Was caused by this request.
    #[must_use]
    pub fn caused_by(mut self, request_id: Option<String>) -> Self {
        self.request_id = request_id;
        self
    }
}

/// Inserts jobs; one whose dedupe key is taken by a living job is left out.
pub async fn enqueue(conn: &mut Connection, new: &[NewJob]) -> QueryResult<usize> {
    diesel::insert_into(jobs::table)
        .values(new)
        .on_conflict_do_nothing()
        .execute(conn)
        .await
}

#[derive(QueryableByName)]
struct ClaimRow {
    #[diesel(sql_type = sql_types::Text)]
    kind: JobKind,
    #[diesel(sql_type = sql_types::Jsonb)]
    args: serde_json::Value,
    #[diesel(sql_type = sql_types::Integer)]
    attempts: i32,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    request_id: Option<String>,
    #[diesel(sql_type = sql_types::Timestamptz)]
    created_at: DateTime<Utc>,
}

/// Takes a waiting job for `worker`; `None` when somebody else has it, it waits no longer, or its kind was
/// paused after it was handed out.
pub async fn claim(
    conn: &mut Connection,
    id: JobId,
    worker: &str,
    lease: Duration,
) -> QueryResult<Option<Claim>> {
    let token = Uuid::new_v4();
    let row: Option<ClaimRow> = diesel::sql_query(
        "UPDATE jobs SET state = 'running', attempts = attempts + 1, lease_token = $2, worker = $3,
                lease_until = clock_timestamp() + $4 * interval '1 second', wait_reason = NULL,
                wait_key = NULL, started_at = clock_timestamp()
         WHERE id = $1 AND state = 'queued' AND run_at <= clock_timestamp()
           AND NOT EXISTS (SELECT FROM job_pauses p WHERE p.kind = jobs.kind)
           AND NOT EXISTS (
               SELECT FROM company_job_pauses p
               WHERE p.company_id = jobs.company_id AND p.kind = jobs.kind)
         RETURNING kind, args, attempts, request_id, created_at",
    )
    .bind::<sql_types::Uuid, _>(id)
    .bind::<sql_types::Uuid, _>(token)
    .bind::<sql_types::Text, _>(worker)
    .bind::<sql_types::Double, _>(lease.as_secs_f64())
    .prepared()
    .get_result(conn)
    .await
    .optional()?;
    Ok(row.map(|row| Claim {
        lease: Lease { job_id: id, token },
        kind: row.kind,
        args: row.args,
        attempt: row.attempts,
        request_id: row.request_id,
        created_at: row.created_at,
    }))
}

/// Keeps the lease for a while longer; `false` when it is lost.
pub async fn extend(conn: &mut Connection, held: Lease, lease: Duration) -> QueryResult<bool> {
    let kept = diesel::sql_query(
        "UPDATE jobs SET lease_until = clock_timestamp() + $3 * interval '1 second'
         WHERE id = $1 AND lease_token = $2 AND state = 'running'",
    )
    .bind::<sql_types::Uuid, _>(held.job_id)
    .bind::<sql_types::Uuid, _>(held.token)
    .bind::<sql_types::Double, _>(lease.as_secs_f64())
    .prepared()
    .execute(conn)
    .await?;
    Ok(kept == 1)
}

/// Why an effect was not stored.
#[derive(Debug, thiserror::Error)]
pub enum FenceError {
    /// The lease ran out and somebody else may be at work: nothing was changed.
    #[error("the lease on the job is lost")]
    Lost,
    /// Postgres failed.
    #[error(transparent)]
    Database(#[from] Error),
}

/// Locks the job for the rest of the transaction, or fails when the lease is lost: the first act
/// of every transaction that stores an effect, so that a worker that outlived its lease changes
/// nothing.
pub async fn hold(conn: &mut Connection, held: Lease) -> Result<(), FenceError> {
    let holder: Option<JobId> = jobs::table
        .filter(
            jobs::id
                .eq(held.job_id)
                .and(jobs::lease_token.eq(held.token)),
        )
        .filter(jobs::state.eq("running"))
        .select(jobs::id)
        .for_update()
        .first(conn)
        .await
        .optional()?;
    holder.map(|_| ()).ok_or(FenceError::Lost)
}

/// Marks the job done inside a transaction that [`hold`]s it, together with its effect.
pub async fn finish(conn: &mut Connection, held: Lease) -> QueryResult<()> {
    diesel::sql_query(
        "UPDATE jobs SET state = 'done', finished_at = clock_timestamp(), lease_token = NULL,
                lease_until = NULL, error_class = NULL, error_message = NULL
         WHERE id = $1 AND lease_token = $2 AND state = 'running'",
    )
    .bind::<sql_types::Uuid, _>(held.job_id)
    .bind::<sql_types::Uuid, _>(held.token)
    .prepared()
    .execute(conn)
    .await
    .map(|_| ())
}

/// Ends the attempt; without effect when the lease is lost or the job is finished already.
/// `random` in 0..1 spreads the retries.
pub async fn settle(
    conn: &mut Connection,
    claim: &Claim,
    outcome: &Outcome,
    random: f64,
) -> QueryResult<()> {
    match outcome {
        Outcome::Done => finish(conn, claim.lease).await,
        Outcome::Retry(failure) => {
            let wait = backoff(claim.attempt, random);
            let at = Utc::now() + chrono::Duration::from_std(wait).unwrap_or_default();
            release(conn, claim.lease, at, Some(failure), None).await
        }
        Outcome::RetryAt(at, failure) => release(conn, claim.lease, *at, Some(failure), None).await,
        Outcome::Snooze(until, wait) => release(conn, claim.lease, *until, None, Some(wait)).await,
        Outcome::Discard(failure) => bury(conn, claim.lease, failure).await,
    }
}

/// Puts the job back to wait. A failure out of attempts makes it dead; a snooze spends none.
pub(crate) async fn release(
    conn: &mut Connection,
    held: Lease,
    at: DateTime<Utc>,
    failure: Option<&Failure>,
    wait: Option<&Wait>,
) -> QueryResult<()> {
    let reason = wait.map_or(NEXT_ATTEMPT, |wait| wait.reason.as_str());
    diesel::sql_query(include_str!("jobs/release.sql"))
        .bind::<sql_types::Uuid, _>(held.job_id)
        .bind::<sql_types::Uuid, _>(held.token)
        .bind::<sql_types::Timestamptz, _>(at)
        .bind::<sql_types::Nullable<sql_types::Text>, _>(failure.map(|f| f.class.as_str()))
        .bind::<sql_types::Nullable<sql_types::Text>, _>(failure.map(|f| f.message.as_str()))
        .bind::<sql_types::Text, _>(reason)
        .bind::<sql_types::Nullable<sql_types::Uuid>, _>(wait.and_then(|wait| wait.key))
        .execute(conn)
        .await
        .map(|_| ())
}

async fn bury(conn: &mut Connection, held: Lease, failure: &Failure) -> QueryResult<()> {
    diesel::sql_query(include_str!("jobs/bury.sql"))
        .bind::<sql_types::Uuid, _>(held.job_id)
        .bind::<sql_types::Uuid, _>(held.token)
        .bind::<sql_types::Text, _>(&failure.class)
        .bind::<sql_types::Text, _>(&failure.message)
        .execute(conn)
        .await
        .map(|_| ())
}

/// Calls off what waits or died for a row that is gone or done: nobody has to look at it any more.
pub async fn cancel_of(conn: &mut Connection, subject_id: Uuid) -> QueryResult<usize> {
    diesel::sql_query(
        "UPDATE jobs SET state = 'cancelled', finished_at = clock_timestamp(), dispatched_at = NULL
         WHERE subject_id = $1 AND state IN ('queued', 'dead')",
    )
    .bind::<sql_types::Uuid, _>(subject_id)
    .prepared()
    .execute(conn)
    .await
}

/// Removes settled jobs of the system older than `keep`, at most `limit` of them, and says how many.
pub async fn prune(conn: &mut Connection, keep: Duration, limit: i64) -> QueryResult<usize> {
    diesel::sql_query(
        "DELETE FROM jobs WHERE id IN (
             SELECT id FROM jobs
             WHERE company_id IS NULL AND state IN ('done', 'cancelled')
               AND finished_at < clock_timestamp() - $1 * interval '1 second'
             LIMIT $2 FOR UPDATE SKIP LOCKED)",
    )
    .bind::<sql_types::Double, _>(keep.as_secs_f64())
    .bind::<sql_types::BigInt, _>(limit)
    .execute(conn)
    .await
}

/// Renounces a promised job, within the transaction that makes it needless. One that has begun cannot
/// be renounced: then the transaction must not stand.
pub(crate) async fn renounce(conn: &mut Connection, promise: JobId) -> QueryResult<()> {
    let waiting = jobs::id.eq(promise).and(jobs::state.eq(JobState::Queued));
    let taken_back = diesel::delete(jobs::table.filter(waiting)).execute(conn);
    if taken_back.await? == 0 {
        return Err(diesel::result::Error::RollbackTransaction);
    }
    Ok(())
}
