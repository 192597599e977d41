//! How long companies keep what only grows, and removing what is older. Everything is removed in small
//! transactions that begin behind where the last one ended: no writer waits long for any of them, and
//! none goes over what another has removed.

mod rows;
mod runs;

use chrono::{DateTime, Utc};
use diesel::{prelude::*, sql_types};
use diesel_async::{AsyncConnection as _, RunQueryDsl};
use domain::{retention::Kept, users::CompanyId};

use crate::{
    Connection,
    schema::{companies, retention_rules, retention_state},
};

pub use rows::{audit, jobs, responses, sign_ins};
pub use runs::{attempts, execution_events, run_events};

/// Rows that one transaction removes.
const BATCH: u16 = 1_000;

/// What a company says about one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Queryable)]
pub struct Rule {
    /// Of what.
    pub kept: Kept,
    /// For how many days.
    pub days: i32,
}

/// What a company says itself.
pub async fn rules(conn: &mut Connection, company: CompanyId) -> QueryResult<Vec<Rule>> {
    retention_rules::table
        .filter(retention_rules::company_id.eq(company))
        .select((retention_rules::kept, retention_rules::days))
        .load(conn)
        .await
}

/// Says it for a company; without days, the installation decides again.
pub async fn set(
    conn: &mut Connection,
    company: CompanyId,
    changes: &[(Kept, Option<i32>)],
) -> QueryResult<()> {
    conn.transaction(async |conn| {
        for (kept, days) in changes {
            match days {
                Some(days) => say(conn, company, *kept, *days).await?,
                None => unsay(conn, company, *kept).await?,
            }
        }
        Ok(())
    })
    .await
}

async fn say(conn: &mut Connection, company: CompanyId, kept: Kept, days: i32) -> QueryResult<()> {
    diesel::insert_into(retention_rules::table)
        .values((
            retention_rules::company_id.eq(company),
            retention_rules::kept.eq(kept),
            retention_rules::days.eq(days),
        ))
        .on_conflict((retention_rules::company_id, retention_rules::kept))
        .do_update()
        .set(retention_rules::days.eq(days))
        .execute(conn)
        .await
        .map(drop)
}

async fn unsay(conn: &mut Connection, company: CompanyId, kept: Kept) -> QueryResult<()> {
    diesel::delete(retention_rules::table.find((company, kept)))
        .execute(conn)
        .await
        .map(drop)
}

/// Every company, and what it says itself.
pub async fn companies(conn: &mut Connection) -> QueryResult<Vec<CompanyId>> {
    companies::table
        .select(companies::id)
        .order(companies::id)
        .load(conn)
        .await
}

/// Whether it was not applied yet on this day of UTC, which is that old at least.
pub async fn is_due(conn: &mut Connection, hour: i32) -> QueryResult<bool> {
    diesel::select(
        diesel::dsl::sql::<sql_types::Bool>("extract(hour FROM now() AT TIME ZONE 'UTC') >= ")
            .bind::<sql_types::Integer, _>(hour)
            .sql(
                " AND (SELECT applied_on FROM retention_state) < (now() AT TIME ZONE 'UTC')::date",
            ),
    )
    .get_result(conn)
    .await
}

/// It was applied today.
pub async fn applied(conn: &mut Connection) -> QueryResult<()> {
    let today = diesel::dsl::sql::<sql_types::Date>("(now() AT TIME ZONE 'UTC')::date");
    diesel::update(retention_state::table)
        .set(retention_state::applied_on.eq(today))
        .execute(conn)
        .await
        .map(drop)
}

/// Where something is removed: a company's, from before a moment.
#[derive(Debug, Clone, Copy)]
pub struct Old {
    /// Whose.
    pub company: CompanyId,
    /// Everything before.
    pub before: DateTime<Utc>,
}

/// What is asked between two transactions: it may wait, so that others get their turn.
pub trait Pace: Send {
    /// Whether there is time for another one.
    fn goes_on(&mut self) -> impl Future<Output = bool> + Send;
}
