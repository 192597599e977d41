//! Workers, as they say themselves that they are there. A worker that was killed is silent first, and
//! after a while forgotten. Whether a job counts as lost is decided by its lease, never by this.

use chrono::{DateTime, Utc};
use diesel::{prelude::*, sql_types};
use diesel_async::RunQueryDsl;
use domain::{
    jobs::{JobId, JobKind},
    users::CompanyId,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::{Connection, prepared::Prepare};

/// How a worker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum WorkerState {
    /// It takes jobs.
    Up,
    /// It begins no more jobs and is about to end.
    Draining,
    /// It was not heard of for a while: killed, or cut off.
    Silent,
}

/// A kind that a worker performs. The kind is a text, since a newer worker may know more of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServedKind {
    /// What it performs.
    pub kind: String,
    /// How many at once.
    pub concurrency: i64,
    /// How many are handed out for one owner of work, if that is limited.
    #[serde(default)]
    pub each: Option<i64>,
}

/// What a worker says of itself.
#[derive(Debug, Clone)]
pub struct Hello<'a> {
    /// As in the jobs that it holds.
    pub name: &'a str,
    /// The machine.
    pub host: &'a str,
    /// The program's.
    pub version: &'a str,
    /// What it performs.
    pub kinds: &'a [ServedKind],
    /// Whether it is about to end.
    pub is_draining: bool,
}

/// Says that a worker is there, and forgets those that were silent for long. One statement.
pub async fn beat(conn: &mut Connection, hello: &Hello<'_>) -> QueryResult<()> {
    let kinds = serde_json::to_value(hello.kinds).unwrap_or_default();
    diesel::sql_query(include_str!("workers/beat.sql"))
        .bind::<sql_types::Text, _>(hello.name)
        .bind::<sql_types::Text, _>(hello.host)
        .bind::<sql_types::Text, _>(hello.version)
        .bind::<sql_types::Jsonb, _>(kinds)
        .bind::<sql_types::Bool, _>(hello.is_draining)
        .prepared()
        .execute(conn)
        .await
        .map(drop)
}

/// Says that a worker has ended.
pub async fn sign_off(conn: &mut Connection, name: &str) -> QueryResult<()> {
    diesel::sql_query("DELETE FROM workers WHERE name = $1")
        .bind::<sql_types::Text, _>(name)
        .execute(conn)
        .await
        .map(drop)
}

/// A worker, and what it does now.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkerRow {
    /// As in the jobs that it holds.
    pub name: String,
    /// The machine.
    pub host: String,
    /// The program's.
    pub version: String,
    /// How it stands.
    pub state: WorkerState,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// When it was last heard of.
    pub heard_at: DateTime<Utc>,
    /// Since when it begins no more jobs.
    pub draining_since: Option<DateTime<Utc>>,
    /// What it performs, and how much of it at once.
    pub kinds: Vec<ServedKind>,
    /// What it does now.
    pub jobs: Vec<Running>,
    /// How many jobs of others it does besides.
    pub other_jobs: i64,
}

/// A job that a worker is at.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = RunningJob)]
#[serde(rename_all = "camelCase")]
pub struct Running {
    /// Which.
    pub id: JobId,
    /// What it does.
    pub kind: JobKind,
    /// The row it works on.
    pub subject_id: Option<Uuid>,
    /// Since when.
    pub since: Option<DateTime<Utc>>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = sql_types::Text)]
    name: String,
    #[diesel(sql_type = sql_types::Text)]
    host: String,
    #[diesel(sql_type = sql_types::Text)]
    version: String,
    #[diesel(sql_type = sql_types::Jsonb)]
    kinds: Value,
    #[diesel(sql_type = sql_types::Timestamptz)]
    started_at: DateTime<Utc>,
    #[diesel(sql_type = sql_types::Timestamptz)]
    heard_at: DateTime<Utc>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Timestamptz>)]
    draining_since: Option<DateTime<Utc>>,
    #[diesel(sql_type = sql_types::Bool)]
    is_silent: bool,
}

impl From<Row> for WorkerRow {
    fn from(row: Row) -> Self {
        Self {
            state: match (row.is_silent, row.draining_since) {
                (true, _) => WorkerState::Silent,
                (false, Some(_)) => WorkerState::Draining,
                (false, None) => WorkerState::Up,
            },
            name: row.name,
            host: row.host,
            version: row.version,
            started_at: row.started_at,
            heard_at: row.heard_at,
            draining_since: row.draining_since,
            kinds: serde_json::from_value(row.kinds).unwrap_or_default(),
            jobs: Vec::new(),
            other_jobs: 0,
        }
    }
}

#[derive(QueryableByName)]
struct RunningRow {
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    worker: Option<String>,
    #[diesel(sql_type = sql_types::Bool)]
    is_shown: bool,
    #[diesel(sql_type = sql_types::Uuid)]
    id: JobId,
    #[diesel(sql_type = sql_types::Text)]
    kind: JobKind,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Uuid>)]
    subject_id: Option<Uuid>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Timestamptz>)]
    started_at: Option<DateTime<Utc>>,
}

/// The workers that were heard of lately, oldest first, with the jobs of this company that they are at, and
/// only the number of others; without a company, with all.
pub async fn list(
    conn: &mut Connection,
    company: Option<CompanyId>,
) -> QueryResult<Vec<WorkerRow>> {
    let rows: Vec<Row> = diesel::sql_query(include_str!("workers/list.sql"))
        .load(conn)
        .await?;
    let mut workers: Vec<WorkerRow> = rows.into_iter().map(WorkerRow::from).collect();
    let running: Vec<RunningRow> = diesel::sql_query(
        "SELECT worker, $1 IS NULL OR company_id IS NOT DISTINCT FROM $1 AS is_shown, id, kind,
                subject_id, started_at
         FROM jobs WHERE state = 'running' ORDER BY started_at, id",
    )
    .bind::<sql_types::Nullable<sql_types::Uuid>, _>(company)
    .load(conn)
    .await?;
    for job in running {
        let at_it = workers
            .iter_mut()
            .find(|worker| Some(&worker.name) == job.worker.as_ref());
        match at_it {
            Some(worker) if job.is_shown => worker.jobs.push(Running {
                id: job.id,
                kind: job.kind,
                subject_id: job.subject_id,
                since: job.started_at,
            }),
            Some(worker) => worker.other_jobs += 1,
            None => {}
        }
    }
    Ok(workers)
}

/// What each worker performs that takes jobs at present.
pub(crate) async fn serving(conn: &mut Connection) -> QueryResult<Vec<Vec<ServedKind>>> {
    let rows: Vec<Row> = diesel::sql_query(include_str!("workers/list.sql"))
        .load(conn)
        .await?;
    let up = rows.into_iter().map(WorkerRow::from);
    Ok(up
        .filter(|worker| worker.state == WorkerState::Up)
        .map(|worker| worker.kinds)
        .collect())
}
