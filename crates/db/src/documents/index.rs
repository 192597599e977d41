//! The approximate index of a partition: which passages it covers, and when it is built anew.
//!
//! Putting a vector into a standing HNSW index costs thirty times as much as storing it. So an
//! index covers the passages up to the latest one of its day (their ids grow with time, and the
//! last one is part of the index's name and of its predicate); later ones cost nothing extra and
//! are compared one by one, until there are so many that the whole is built anew. Where a slow
//! worker stores an older passage, Postgres adds it to the index: nothing is ever missed.

use chrono::{DateTime, Utc};
use diesel::{dsl, prelude::*, sql_types};
use diesel_async::{AsyncConnection, RunQueryDsl, SimpleAsyncConnection};
use domain::users::CompanyId;
use secrecy::ExposeSecret;
use uuid::Uuid;

use super::search::EXACT_LIMIT;
use crate::{Connection, pool, schema::documents};

/// Stands between the partition's name and the latest passage in an index's name.
const MARK: &str = "_hnsw_";

/// A finished index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Index {
    /// The partition it is on.
    pub partition: String,
    /// The latest passage it covers.
    pub latest: Uuid,
}

impl Index {
    /// The index of this name.
    pub fn named(name: &str) -> Option<Self> {
        let (partition, latest) = name.rsplit_once(MARK)?;
        Some(Self {
            partition: partition.to_owned(),
            latest: latest.parse().ok()?,
        })
    }

    fn name(&self) -> String {
        format!("{}{MARK}{}", self.partition, self.latest.simple())
    }

    /// When its latest passage was cut.
    fn made(&self) -> Option<DateTime<Utc>> {
        let (seconds, nanoseconds) = self.latest.get_timestamp()?.to_unix();
        DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanoseconds)
    }
}

/// Whether the company has so many passages outside any index that one should be built.
pub async fn is_wanted(conn: &mut Connection, company_id: CompanyId) -> QueryResult<bool> {
    if passages(conn, company_id, None).await? <= EXACT_LIMIT {
        return Ok(false);
    }
    let Some(partition) = partition_of(conn, company_id).await? else {
        return Ok(false);
    };
    match newest(conn, &partition)
        .await?
        .and_then(|index| index.made())
    {
        Some(made) => Ok(passages(conn, company_id, Some(made)).await? > EXACT_LIMIT),
        None => Ok(true),
    }
}

/// Passages that search sees, of documents that changed after `since`: renamed ones count as well,
/// which the builder finds out.
async fn passages(
    conn: &mut Connection,
    company_id: CompanyId,
    since: Option<DateTime<Utc>>,
) -> QueryResult<i64> {
    let since = since.unwrap_or(DateTime::UNIX_EPOCH);
    documents::table
        .filter(documents::company_id.eq(company_id))
        .filter(documents::updated_at.gt(since))
        .select(dsl::sum(documents::live_chunks))
        .first::<Option<i64>>(conn)
        .await
        .map(Option::unwrap_or_default)
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = sql_types::Text)]
    name: String,
}

async fn partition_of(conn: &mut Connection, company_id: CompanyId) -> QueryResult<Option<String>> {
    let found: Option<Name> = diesel::sql_query(
        "SELECT tableoid::regclass::text AS name FROM chunk_embeddings WHERE company_id = $1 LIMIT 1",
    )
    .bind::<sql_types::Uuid, _>(company_id)
    .get_result(conn)
    .await
    .optional()?;
    Ok(found.map(|found| found.name))
}

/// Names of the partition's indexes, newest first: the finished, or those that a killed build left.
async fn indexes(conn: &mut Connection, partition: &str, finished: bool) -> QueryResult<Vec<Name>> {
    diesel::sql_query(
        "SELECT c.relname::text AS name FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
         WHERE i.indrelid = $1::regclass AND i.indisvalid = $2 AND c.relname LIKE '%\\_hnsw\\_%'
         ORDER BY c.relname DESC",
    )
    .bind::<sql_types::Text, _>(partition)
    .bind::<sql_types::Bool, _>(finished)
    .load(conn)
    .await
}

async fn newest(conn: &mut Connection, partition: &str) -> QueryResult<Option<Index>> {
    let finished = indexes(conn, partition, true).await?;
    Ok(finished
        .as_slice()
        .first()
        .and_then(|found| Index::named(&found.name)))
}

/// Builds the index of the partition that holds the company's vectors anew, unless what stands
/// covers nearly all. Readers and writers go on meanwhile; it may take minutes.
pub async fn build(config: &pool::Config, company_id: CompanyId) -> anyhow::Result<()> {
    let mut conn = Connection::establish(config.database_url.expose_secret()).await?;
    // Two builders would wait for each other for ever; the second finds the work done.
    conn.batch_execute("SET statement_timeout = 0; SET maintenance_work_mem = '512MB'; SELECT pg_advisory_lock(7233180013)")
        .await?;
    let Some(partition) = partition_of(&mut conn, company_id).await? else {
        return Ok(());
    };
    // What a killed build left behind is invalid and would be kept up for nothing.
    let broken = indexes(&mut conn, &partition, false).await?;
    drop_all(&mut conn, &broken).await?;
    let old = indexes(&mut conn, &partition, true).await?;
    let standing = old
        .as_slice()
        .first()
        .and_then(|old| Index::named(&old.name));
    if let Some(index) = build_after(&mut conn, partition, standing).await? {
        let (name, partition, latest) = (index.name(), &index.partition, index.latest);
        conn.batch_execute(&format!(
            "CREATE INDEX CONCURRENTLY {name} ON {partition}
             USING hnsw (embedding halfvec_cosine_ops) WITH (m = 16, ef_construction = 200)
             WHERE chunk_id <= '{latest}'"
        ))
        .await?;
        drop_all(&mut conn, &old).await?;
    }
    Ok(())
}

async fn drop_all(conn: &mut Connection, indexes: &[Name]) -> QueryResult<()> {
    for Name { name } in indexes {
        conn.batch_execute(&format!("DROP INDEX CONCURRENTLY IF EXISTS {name}"))
            .await?;
    }
    Ok(())
}

/// The index to build, if there is enough that the standing one does not cover.
async fn build_after(
    conn: &mut Connection,
    partition: String,
    standing: Option<Index>,
) -> QueryResult<Option<Index>> {
    let since = standing.as_ref().map_or(Uuid::nil(), |index| index.latest);
    let uncovered: Uncovered = diesel::sql_query(format!(
        "SELECT count(*) AS passages, (array_agg(chunk_id ORDER BY chunk_id DESC))[1] AS latest
         FROM {partition} WHERE chunk_id > $1"
    ))
    .bind::<sql_types::Uuid, _>(since)
    .get_result(conn)
    .await?;
    let enough = standing.is_none() || uncovered.passages > EXACT_LIMIT;
    Ok(uncovered
        .latest
        .filter(|_| enough)
        .map(|latest| Index { partition, latest }))
}

#[derive(QueryableByName)]
struct Uncovered {
    #[diesel(sql_type = sql_types::BigInt)]
    passages: i64,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Uuid>)]
    latest: Option<Uuid>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_known_by_its_name() {
        let index = Index {
            partition: "chunk_embeddings_p15".into(),
            latest: Uuid::now_v7(),
        };
        assert!(index.name().len() < 64, "Postgres cuts longer names");
        assert_eq!(Index::named(&index.name()), Some(index.clone()));
        assert!(index.made().is_some());
        assert_eq!(Index::named("chunk_embeddings_p15_pkey"), None);
    }
}
