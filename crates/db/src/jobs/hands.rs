//! A person's hand on jobs: another round of attempts, or none. Each act is entered into the audit log
//! of every company whose jobs it was laid on, with the number; an act that changed nothing is none.

use diesel::{prelude::*, sql_types};
use diesel_async::{AsyncConnection, RunQueryDsl};
use domain::{
    audit::{Action, Entity},
    jobs::{ErrorClass, JobId, JobKind},
    users::CompanyId,
};
use serde_json::json;
use uuid::Uuid;

use crate::{Connection, audit};

/// So many ids of jobs are named in an entry of the audit log; of more, their number.
const NAMED: usize = 50;

/// Which jobs a hand is laid on. Each member that is given narrows it.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Of this company; without it, of all, the system's own included.
    pub company_id: Option<CompanyId>,
    /// These; if empty, all dead ones.
    pub ids: Vec<JobId>,
    /// Of this kind.
    pub kind: Option<JobKind>,
    /// Whose last failure was of this class.
    pub error_class: Option<ErrorClass>,
}

/// What a hand was laid on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Laid {
    /// How many jobs.
    pub jobs: usize,
    /// Whether there are more of them, since so many at once are the most.
    pub more: bool,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = sql_types::Nullable<sql_types::Uuid>)]
    company_id: Option<CompanyId>,
    #[diesel(sql_type = sql_types::Array<sql_types::Uuid>)]
    ids: Vec<JobId>,
    #[diesel(sql_type = sql_types::Bool)]
    more: bool,
}

/// Gives dead jobs another round of attempts, at most `limit`; with `per_second`, no more than so many of
/// them become due each second.
pub async fn retry(
    conn: &mut Connection,
    which: &Selection,
    per_second: Option<u16>,
    limit: i64,
) -> QueryResult<Laid> {
    conn.transaction(async |conn| {
        take_turns(conn, which.company_id).await?;
        let rows: Vec<Row> = diesel::sql_query(include_str!("retry.sql"))
            .bind::<sql_types::Array<sql_types::Uuid>, _>(&which.ids)
            .bind::<sql_types::Nullable<sql_types::Text>, _>(which.kind)
            .bind::<sql_types::Nullable<sql_types::Uuid>, _>(which.company_id)
            .bind::<sql_types::BigInt, _>(limit)
            .bind::<sql_types::Nullable<sql_types::Text>, _>(which.error_class.clone())
            .bind::<sql_types::Nullable<sql_types::Double>, _>(per_second.map(f64::from))
            .load(conn)
            .await?;
        enter(conn, "retry", which, per_second, &rows).await?;
        Ok(laid(&rows))
    })
    .await
}

/// Gives up dead jobs for good, and waiting ones that are named; at most `limit`.
pub async fn discard(conn: &mut Connection, which: &Selection, limit: i64) -> QueryResult<Laid> {
    conn.transaction(async |conn| {
        take_turns(conn, which.company_id).await?;
        let rows: Vec<Row> = diesel::sql_query(include_str!("discard.sql"))
            .bind::<sql_types::Array<sql_types::Uuid>, _>(&which.ids)
            .bind::<sql_types::Nullable<sql_types::Text>, _>(which.kind)
            .bind::<sql_types::Nullable<sql_types::Uuid>, _>(which.company_id)
            .bind::<sql_types::BigInt, _>(limit)
            .bind::<sql_types::Nullable<sql_types::Text>, _>(which.error_class.clone())
            .load(conn)
            .await?;
        enter(conn, "discard", which, None, &rows).await?;
        Ok(laid(&rows))
    })
    .await
}

/// Two who lay hands on the jobs of a company do so one after the other: else neither rate would hold.
async fn take_turns(conn: &mut Connection, company: Option<CompanyId>) -> QueryResult<()> {
    let name = format!("jobs.hands {}", company.map_or(Uuid::nil(), |id| id.0));
    diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
        .bind::<sql_types::Text, _>(name)
        .execute(conn)
        .await
        .map(drop)
}

async fn enter(
    conn: &mut Connection,
    act: &str,
    which: &Selection,
    per_second: Option<u16>,
    rows: &[Row],
) -> QueryResult<()> {
    for row in rows {
        let named = (row.ids.len() <= NAMED).then_some(&row.ids);
        let what = json!({
            "act": act, "jobs": row.ids.len(), "ids": named, "kind": which.kind,
            "errorClass": which.error_class, "perSecond": per_second,
        });
        let entity_id = match (row.ids.as_slice(), which.kind) {
            ([one], _) => one.to_string(),
            (_, Some(kind)) => kind.to_string(),
            _ => String::new(),
        };
        let company = row.company_id.unwrap_or(CompanyId(Uuid::nil()));
        audit::enter(
            conn,
            company,
            Action::Updated,
            (Entity::Job, &entity_id),
            &what,
        )
        .await?;
    }
    Ok(())
}

fn laid(rows: &[Row]) -> Laid {
    Laid {
        jobs: rows.iter().map(|row| row.ids.len()).sum(),
        more: rows.iter().any(|row| row.more),
    }
}
