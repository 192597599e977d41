//! Looking at jobs, each with why it waits.

use chrono::{DateTime, Utc};
use diesel::{expression::SqlLiteral, prelude::*, sql_types};
use diesel_async::RunQueryDsl;
use domain::{
    jobs::{ErrorClass, JobId, JobKind, JobState, waiting::WaitCode},
    models::ProviderKeyId,
    page::{Limit, Page},
    users::CompanyId,
};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::why::Circumstances;
use crate::{Connection, schema::jobs};

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
    /// Why it waits, for people.
    pub wait_reason: Option<String>,
    /// Why it waits, for programs.
    #[diesel(select_expression = diesel::dsl::sql::<sql_types::Nullable<sql_types::Text>>("NULL"))]
    #[diesel(select_expression_type = SqlLiteral<sql_types::Nullable<sql_types::Text>>)]
    #[schema(inline)]
    pub wait_code: Option<WaitCode>,
    /// Until when it waits, where that is known.
    #[diesel(select_expression = diesel::dsl::sql::<sql_types::Nullable<sql_types::Timestamptz>>("NULL"))]
    #[diesel(select_expression_type = SqlLiteral<sql_types::Nullable<sql_types::Timestamptz>>)]
    pub wait_until: Option<DateTime<Utc>>,
    /// Whose it is.
    #[serde(skip)]
    pub company_id: Option<CompanyId>,
    /// Whose turn it is when it is its own.
    #[serde(skip)]
    pub fair_key: Uuid,
    /// The paused key that it met.
    #[serde(skip)]
    pub wait_key: Option<ProviderKeyId>,
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
    /// Whose last failure was of this class.
    pub error_class: Option<ErrorClass>,
    /// That work on this row.
    pub subject_id: Option<Uuid>,
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
    if let Some(class) = &filter.error_class {
        query = query.filter(jobs::error_class.eq(class));
    }
    if let Some(subject) = filter.subject_id {
        query = query.filter(jobs::subject_id.eq(subject));
    }
    if let Some(before) = filter.before {
        query = query.filter(jobs::id.lt(before));
    }
    let mut rows: Vec<JobRow> = query
        .order(jobs::id.desc())
        .limit(limit.rows() + 1)
        .load(conn)
        .await?;
    explain(conn, &mut rows).await?;
    Ok(Page::from_surplus(rows, limit, |row| row.id))
}

/// A job with everything that is known of it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobDetail {
    /// What the list shows of it.
    #[serde(flatten)]
    pub job: JobRow,
    /// Its arguments: ids of what it works on.
    #[schema(value_type = Object)]
    pub args: Value,
    /// While one job of its kind of this name lives, there is no second.
    pub dedupe_key: Option<String>,
    /// When its id was last handed out to the workers.
    pub dispatched_at: Option<DateTime<Utc>>,
    /// Until when it is its worker's, unless that goes on extending it.
    pub lease_until: Option<DateTime<Utc>>,
    /// Seconds that an attempt may take.
    pub time_limit_seconds: u64,
}

/// A job of this company; without one, of any or of none.
pub async fn find(
    conn: &mut Connection,
    id: JobId,
    company: Option<CompanyId>,
) -> QueryResult<Option<JobDetail>> {
    type Rest = (Value, Option<String>, Option<DateTime<Utc>>);
    let mut query = jobs::table
        .filter(jobs::id.eq(id))
        .select((
            JobRow::as_select(),
            (jobs::args, jobs::dedupe_key, jobs::lease_until),
        ))
        .into_boxed();
    if let Some(company) = company {
        query = query.filter(jobs::company_id.eq(company));
    }
    let found: Option<(JobRow, Rest)> = query.first(conn).await.optional()?;
    let Some((mut job, (args, dedupe_key, lease_until))) = found else {
        return Ok(None);
    };
    explain(conn, std::slice::from_mut(&mut job)).await?;
    Ok(Some(JobDetail {
        args,
        dedupe_key,
        dispatched_at: job.dispatched_at,
        lease_until,
        time_limit_seconds: job.kind.time_limit().as_secs(),
        job,
    }))
}

/// Says of each job why it waits, if it does.
async fn explain(conn: &mut Connection, rows: &mut [JobRow]) -> QueryResult<()> {
    if rows.iter().all(|row| row.state != JobState::Queued) {
        for row in rows {
            row.wait_reason = None;
        }
        return Ok(());
    }
    let circumstances = Circumstances::now(conn).await?;
    for row in rows {
        let why = circumstances.why(row);
        row.wait_code = why.as_ref().map(|why| why.code);
        row.wait_until = why.as_ref().and_then(|why| why.until);
        row.wait_reason = why.map(|why| why.sentence);
    }
    Ok(())
}
