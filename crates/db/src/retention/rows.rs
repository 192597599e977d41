//! What is old by a time of its own.

use diesel::{prelude::*, sql_types};
use diesel_async::RunQueryDsl;
use domain::users::CompanyId;
use uuid::Uuid;

use super::{BATCH, Old, Pace};
use crate::{
    Connection,
    prepared::Prepare as _,
    schema::{audit_entries, audit_heads},
};

diesel::define_sql_function! {
    /// Removes entries of the audit log up to a number, and enters that.
    fn audit_cut(company: sql_types::Uuid, last: sql_types::BigInt) -> sql_types::BigInt;
}

/// Where a batch ended, as text.
#[derive(QueryableByName)]
struct Place {
    #[diesel(sql_type = sql_types::Text)]
    place: String,
}

/// Removes settled jobs. Says how many.
pub async fn jobs(conn: &mut Connection, old: Old, pace: &mut impl Pace) -> QueryResult<usize> {
    let statement = "WITH gone AS (DELETE FROM jobs WHERE id IN (
             SELECT id FROM jobs WHERE company_id = $1 AND id > $2::uuid
                 AND state IN ('done', 'cancelled') AND finished_at < $3
             ORDER BY id LIMIT $4 FOR UPDATE SKIP LOCKED) RETURNING id)
         SELECT id::text AS place FROM gone ORDER BY id";
    pass(conn, statement, old, &Uuid::nil().to_string(), pace).await
}

/// Removes responses of models. Says how many.
pub async fn responses(
    conn: &mut Connection,
    old: Old,
    pace: &mut impl Pace,
) -> QueryResult<usize> {
    let statement = "WITH gone AS (DELETE FROM responses WHERE company_id = $1 AND key IN (
             SELECT key FROM responses
             WHERE company_id = $1 AND key > decode($2, 'hex') AND created_at < $3
             ORDER BY key LIMIT $4 FOR UPDATE SKIP LOCKED) RETURNING key)
         SELECT encode(key, 'hex') AS place FROM gone ORDER BY key";
    pass(conn, statement, old, "", pace).await
}

/// Removes what is known of sign-ins. Says how many.
pub async fn sign_ins(conn: &mut Connection, old: Old, pace: &mut impl Pace) -> QueryResult<usize> {
    let statement = "WITH gone AS (DELETE FROM sign_in_events WHERE id IN (
             SELECT id FROM sign_in_events
             WHERE company_id = $1 AND id > $2::bigint AND created_at < $3
             ORDER BY id LIMIT $4 FOR UPDATE SKIP LOCKED) RETURNING id)
         SELECT id::text AS place FROM gone ORDER BY id";
    pass(conn, statement, old, "0", pace).await
}

/// Removes batch by batch, each from behind the last one, until one is not full. Says how many rows.
async fn pass(
    conn: &mut Connection,
    statement: &'static str,
    old: Old,
    from: &str,
    pace: &mut impl Pace,
) -> QueryResult<usize> {
    let (mut after, mut removed) = (from.to_owned(), 0);
    loop {
        let mut batch: Vec<Place> = diesel::sql_query(statement)
            .bind::<sql_types::Uuid, _>(old.company)
            .bind::<sql_types::Text, _>(&after)
            .bind::<sql_types::Timestamptz, _>(old.before)
            .bind::<sql_types::BigInt, _>(i64::from(BATCH))
            .prepared()
            .load(conn)
            .await?;
        removed += batch.len();
        let is_full = batch.len() == usize::from(BATCH);
        match batch.pop() {
            Some(last) if is_full && pace.goes_on().await => after = last.place,
            _ => return Ok(removed),
        }
    }
}

/// Removes the oldest entries of the audit log, so that its chain goes on from where it was cut. Says
/// how many.
pub async fn audit(conn: &mut Connection, old: Old, pace: &mut impl Pace) -> QueryResult<usize> {
    let Some(last) = last_old_entry(conn, old).await? else {
        return Ok(0);
    };
    let cut: i64 = audit_heads::table
        .find(old.company)
        .select(audit_heads::cut_number)
        .first(conn)
        .await?;
    let (mut after, first) = (cut, cut);
    while after < last {
        let until = last.min(after + i64::from(BATCH));
        let _: i64 = diesel::select(audit_cut(old.company, until))
            .get_result(conn)
            .await?;
        after = until;
        if !pace.goes_on().await {
            break;
        }
    }
    Ok(usize::try_from(after - first).unwrap_or_default())
}

/// Entries are numbered as they were committed, so the first one that is not old ends the old ones.
async fn last_old_entry(conn: &mut Connection, old: Old) -> QueryResult<Option<i64>> {
    let of =
        |company: CompanyId| audit_entries::table.filter(audit_entries::company_id.eq(company));
    let first_kept: Option<i64> = of(old.company)
        .filter(audit_entries::at.ge(old.before))
        .order(audit_entries::number)
        .select(audit_entries::number)
        .first(conn)
        .await
        .optional()?;
    match first_kept {
        Some(number) => Ok(Some(number - 1)),
        None => {
            of(old.company)
                .select(diesel::dsl::max(audit_entries::number))
                .first(conn)
                .await
        }
    }
}
