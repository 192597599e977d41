//! Jobs in numbers: what waits, runs and died of each kind, and what died of what.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::{prelude::*, sql_types};
use diesel_async::RunQueryDsl;
use domain::{
    jobs::{JobId, JobKind},
    users::CompanyId,
};
use serde::Serialize;

use super::pauses::{Scope, pauses};
use crate::Connection;

/// How a kind of jobs stands.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct KindSummary {
    /// What they do.
    pub kind: JobKind,
    /// Jobs that wait.
    pub queued: i64,
    /// Jobs that are worked on.
    pub running: i64,
    /// Jobs that wait for a person.
    pub dead: i64,
    /// Since when the oldest of those that wait has been due.
    pub oldest_due: Option<DateTime<Utc>>,
    /// For whom the kind is paused, if it is.
    #[schema(inline)]
    pub paused: Option<Scope>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = sql_types::Text)]
    kind: JobKind,
    #[diesel(sql_type = sql_types::BigInt)]
    queued: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    running: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    dead: i64,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Timestamptz>)]
    oldest_due: Option<DateTime<Utc>>,
}

/// How each kind stands for a company; without one, for all, the installation's own chores included.
pub async fn summary(
    conn: &mut Connection,
    company: Option<CompanyId>,
) -> QueryResult<Vec<KindSummary>> {
    let rows: Vec<Row> = diesel::sql_query(include_str!("summary.sql"))
        .bind::<sql_types::Nullable<sql_types::Uuid>, _>(company)
        .load(conn)
        .await?;
    // A company's own pauses of many companies say nothing of all of them.
    let found = pauses(conn, company).await?.into_iter();
    let found = found.filter(|pause| company.is_some() || pause.scope == Scope::Installation);
    let mut scopes: HashMap<JobKind, Scope> = HashMap::new();
    for pause in found {
        scopes.entry(pause.kind).or_insert(pause.scope);
    }
    let mut rows: HashMap<JobKind, Row> = rows.into_iter().map(|row| (row.kind, row)).collect();
    let kinds = JobKind::ALL.iter();
    Ok(kinds
        .filter(|kind| company.is_none() || kind.is_for_companies())
        .map(|kind| {
            let row = rows.remove(kind);
            let count = |of: fn(&Row) -> i64| row.as_ref().map_or(0, of);
            KindSummary {
                kind: *kind,
                queued: count(|row| row.queued),
                running: count(|row| row.running),
                dead: count(|row| row.dead),
                oldest_due: row.as_ref().and_then(|row| row.oldest_due),
                paused: scopes.get(kind).copied(),
            }
        })
        .collect())
}

/// Dead letters that died of the same.
#[derive(Debug, Clone, QueryableByName, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetters {
    /// What they were to do.
    #[diesel(sql_type = sql_types::Text)]
    pub kind: JobKind,
    /// The class of their last failure.
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    pub error_class: Option<String>,
    /// How many.
    #[diesel(sql_type = sql_types::BigInt)]
    pub jobs: i64,
    /// When the first of them died.
    #[diesel(sql_type = sql_types::Nullable<sql_types::Timestamptz>)]
    pub oldest: Option<DateTime<Utc>>,
    /// When the last of them died.
    #[diesel(sql_type = sql_types::Nullable<sql_types::Timestamptz>)]
    pub newest: Option<DateTime<Utc>>,
    /// One of them.
    #[diesel(sql_type = sql_types::Uuid)]
    pub example_id: JobId,
    /// What it died of, in a sentence.
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    pub example: Option<String>,
}

/// Dead letters of a company, or of all, by kind and class of failure, the most first.
pub async fn dead(
    conn: &mut Connection,
    company: Option<CompanyId>,
) -> QueryResult<Vec<DeadLetters>> {
    diesel::sql_query(include_str!("dead.sql"))
        .bind::<sql_types::Nullable<sql_types::Uuid>, _>(company)
        .load(conn)
        .await
}
