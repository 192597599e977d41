//! What Postgres looked into: scans of each index, and of whole tables under their names.

use std::collections::BTreeMap;

use db::Connection;
use diesel::{QueryableByName, sql_types};
use diesel_async::{RunQueryDsl as _, SimpleAsyncConnection as _};

/// Scans so far, by index; those of a whole table under its own name.
pub type Scans = BTreeMap<String, i64>;

#[derive(QueryableByName)]
struct Scan {
    #[diesel(sql_type = sql_types::Text)]
    name: String,
    #[diesel(sql_type = sql_types::BigInt)]
    scans: i64,
}

/// The scans of tables whose names begin so.
async fn scans(conn: &mut Connection, tables: &str) -> anyhow::Result<Scans> {
    let rows: Vec<Scan> = diesel::sql_query(
        "SELECT indexrelname::text AS name, idx_scan AS scans FROM pg_stat_user_indexes WHERE starts_with(relname, $1)
         UNION ALL
         SELECT 'all of ' || relname, seq_scan FROM pg_stat_user_tables WHERE starts_with(relname, $1)",
    )
    .bind::<sql_types::Text, _>(tables)
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.name, row.scans)).collect())
}

/// The same once all connections of the server have reported theirs: those that rest do so within
/// ten seconds.
pub async fn settled(conn: &mut Connection, tables: &str) -> anyhow::Result<Scans> {
    conn.batch_execute("SELECT pg_sleep(11)").await?;
    scans(conn, tables).await
}

/// What was scanned in between.
pub fn used(before: &Scans, after: &Scans) -> Vec<String> {
    let more = after
        .iter()
        .filter(|(name, scans)| before.get(*name) != Some(scans));
    more.map(|(name, _)| name.clone()).collect()
}
