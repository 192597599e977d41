//! Looking at jobs, and a person's hand on them: retry, discard, pause.

use chrono::{DateTime, Utc};
use diesel::{prelude::*, sql_types};
use diesel_async::RunQueryDsl;
use domain::{
    jobs::{JobId, JobKind, JobState},
    page::{Limit, Page},
    users::CompanyId,
};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    Connection,
    schema::{job_pauses, jobs},
};

/// A job as people see it.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, utoipa::ToSchema)]
#[diesel(table_name = jobs)]
#[serde(rename_all = "camelCase")]
pub struct JobRow {
    /// The job.
    pub id: JobId,
    /// What it does.
    pub kind: JobKind,
    /// Where it stands.
    pub state: JobState,
    /// The row it works on.
    pub subject_id: Option<Uuid>,
    /// Attempts so far.
    pub attempts: i32,
    /// Attempts it gets.
    pub max_attempts: i32,
    /// Waits for somebody else's limit; they spend no attempt.
    pub snoozes: i32,
    /// When it is due.
    pub run_at: DateTime<Utc>,
    /// Why it waits.
    pub wait_reason: Option<String>,
    /// When it was last handed to Redis.
    #[serde(skip)]
    pub dispatched_at: Option<DateTime<Utc>>,
    /// Which worker is at it.
    pub worker: Option<String>,
    /// The class of the last failure.
    pub error_class: Option<String>,
    /// The last failure in a sentence.
    pub error_message: Option<String>,
    /// The request that caused it.
    pub request_id: Option<String>,
    /// When it was enqueued.
    pub created_at: DateTime<Utc>,
    /// When the last attempt began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it was settled.
    pub finished_at: Option<DateTime<Utc>>,
}

/// Which jobs are listed.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this company; without it, all, the system's own included.
    pub company_id: Option<CompanyId>,
    /// In this state.
    pub state: Option<JobState>,
    /// Of this kind.
    pub kind: Option<JobKind>,
    /// Older than this one.
    pub before: Option<JobId>,
}

/// Lists jobs, newest first, each with the reason it waits.
pub async fn list(
    conn: &mut Connection,
    filter: &Filter,
    limit: Limit,
) -> QueryResult<Page<JobRow, JobId>> {
    let mut query = jobs::table.select(JobRow::as_select()).into_boxed();
    if let Some(company_id) = filter.company_id {
        query = query.filter(jobs::company_id.eq(company_id));
    }
    if let Some(state) = filter.state {
        query = query.filter(jobs::state.eq(state));
    }
    if let Some(kind) = filter.kind {
        query = query.filter(jobs::kind.eq(kind));
    }
    if let Some(before) = filter.before {
        query = query.filter(jobs::id.lt(before));
    }
    let mut rows: Vec<JobRow> = query
        .order(jobs::id.desc())
        .limit(limit.rows() + 1)
        .load(conn)
        .await?;
    let paused = paused(conn).await?;
    for row in &mut rows {
        row.wait_reason = reason(row, &paused);
    }
    Ok(Page::from_surplus(rows, limit, |row| row.id))
}

fn reason(row: &JobRow, paused: &[JobKind]) -> Option<String> {
    if row.state != JobState::Queued {
        return None;
    }
    let said = row.wait_reason.as_deref();
    Some(if row.dispatched_at.is_some() {
        "waits for a free worker".to_owned()
    } else if paused.contains(&row.kind) {
        format!("{} is paused", row.kind)
    } else if row.run_at > Utc::now() {
        said.unwrap_or("is scheduled for later").to_owned()
    } else {
        "waits for its turn".to_owned()
    })
}

/// Gives dead jobs another round of attempts; `ids` empty means all of the kind. Says how many.
pub async fn retry(
    conn: &mut Connection,
    filter: &Filter,
    ids: &[JobId],
    limit: i64,
) -> QueryResult<usize> {
    diesel::sql_query(include_str!("retry.sql"))
        .bind::<sql_types::Array<sql_types::Uuid>, _>(ids)
        .bind::<sql_types::Nullable<sql_types::Text>, _>(filter.kind)
        .bind::<sql_types::Nullable<sql_types::Uuid>, _>(filter.company_id)
        .bind::<sql_types::BigInt, _>(limit)
        .execute(conn)
        .await
}

/// Gives up dead or waiting jobs for good; `ids` empty means all dead ones of the kind.
pub async fn discard(
    conn: &mut Connection,
    filter: &Filter,
    ids: &[JobId],
    limit: i64,
) -> QueryResult<usize> {
    diesel::sql_query(include_str!("discard.sql"))
        .bind::<sql_types::Array<sql_types::Uuid>, _>(ids)
        .bind::<sql_types::Nullable<sql_types::Text>, _>(filter.kind)
        .bind::<sql_types::Nullable<sql_types::Uuid>, _>(filter.company_id)
        .bind::<sql_types::BigInt, _>(limit)
        .execute(conn)
        .await
}

/// Stops handing out jobs of this kind; those already handed out run on.
pub async fn pause(conn: &mut Connection, kind: JobKind) -> QueryResult<()> {
    diesel::insert_into(job_pauses::table)
        .values(job_pauses::kind.eq(kind))
        .on_conflict_do_nothing()
        .execute(conn)
        .await
        .map(|_| ())
}

/// Hands out jobs of this kind again.
pub async fn resume(conn: &mut Connection, kind: JobKind) -> QueryResult<()> {
    diesel::delete(job_pauses::table.find(kind))
        .execute(conn)
        .await
        .map(|_| ())
}

/// The kinds that are not handed out at present.
pub async fn paused(conn: &mut Connection) -> QueryResult<Vec<JobKind>> {
    job_pauses::table
        .select(job_pauses::kind)
        .order(job_pauses::kind)
        .load(conn)
        .await
}
