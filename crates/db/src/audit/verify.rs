//! Following a company's chain from its first kept entry to its head, in one view of the database:
//! what is added meanwhile does not disturb.

use diesel::{
    dsl::sql,
    prelude::*,
    sql_types::{Nullable, Text},
};
use diesel_async::RunQueryDsl;
use domain::{
    audit::chain::{Broken, Chain, Entry, Link},
    users::CompanyId,
};
use serde::Serialize;
use uuid::Uuid;

use super::hexadecimal;
use crate::{
    Connection,
    schema::{audit_entries, audit_heads},
};

/// Entries that are held at once.
const BATCH: i64 = 500;

/// The end of a chain. Noted elsewhere, it proves later that nothing before it was changed or cut off.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = AuditHead)]
pub struct Head {
    /// The number of the last entry; 0 without any.
    pub number: i64,
    /// Its hash; zeros without any.
    #[serde(serialize_with = "hexadecimal")]
    #[schema(value_type = String)]
    pub hash: Vec<u8>,
}

/// What following a chain has shown.
#[derive(Debug)]
pub struct Verdict {
    /// How many entries were right.
    pub entries: i64,
    /// The end of the chain.
    pub head: Head,
    /// Where the chain breaks first.
    pub broken: Option<Broken>,
}

/// The companies that have a chain; zeros for what belongs to none.
pub async fn companies(conn: &mut Connection) -> QueryResult<Vec<CompanyId>> {
    audit_heads::table
        .select(audit_heads::company_id)
        .order(audit_heads::company_id)
        .load(conn)
        .await
}

/// Follows a company's chain, which should pass through `noted`.
pub async fn verify(
    conn: &mut Connection,
    company: CompanyId,
    noted: Option<Link>,
) -> QueryResult<Verdict> {
    conn.build_transaction()
        .repeatable_read()
        .read_only()
        .run(async |conn| follow(conn, company, noted).await)
        .await
}

async fn follow(
    conn: &mut Connection,
    company: CompanyId,
    noted: Option<Link>,
) -> QueryResult<Verdict> {
    let ends = audit_heads::table.find(company).select((
        audit_heads::number,
        audit_heads::hash,
        audit_heads::cut_number,
        audit_heads::cut_hash,
    ));
    let ends: Option<(i64, Vec<u8>, i64, Vec<u8>)> = ends.first(conn).await.optional()?;
    let none = || (0, vec![0; 32], 0, vec![0; 32]);
    let (number, hash, cut, seam) = ends.unwrap_or_else(none);
    let (head, start) = (link(number, &hash), link(cut, &seam));
    let mut entries = 0;
    let broken = walk(conn, company, (start, head, noted), &mut entries).await?;
    Ok(Verdict {
        entries,
        head: Head { number, hash },
        broken,
    })
}

async fn walk(
    conn: &mut Connection,
    company: CompanyId,
    (start, head, noted): (Link, Link, Option<Link>),
    entries: &mut i64,
) -> QueryResult<Option<Broken>> {
    let mut chain = match Chain::from(start, noted) {
        Ok(chain) => chain,
        Err(broken) => return Ok(Some(broken)),
    };
    let mut after = start.number;
    loop {
        let batch = batch(conn, company, after).await?;
        let Some(last) = batch.last() else {
            return Ok(chain.end(&head).err());
        };
        after = last.number;
        for entry in &batch {
            if let Err(broken) = chain.follow(entry) {
                return Ok(Some(broken));
            }
            *entries += 1;
        }
    }
}

/// A hash that is none, since somebody has cut it, is unlike any.
fn link(number: i64, hash: &[u8]) -> Link {
    Link {
        number,
        hash: hash.try_into().unwrap_or([0xff; 32]),
    }
}

async fn batch(conn: &mut Connection, company: CompanyId, after: i64) -> QueryResult<Vec<Entry>> {
    use audit_entries as e;
    let key: Uuid = company.0;
    e::table
        .filter(e::company_id.eq(key).and(e::number.gt(after)))
        .order(e::number)
        .limit(BATCH)
        .select(((
            e::company_id,
            e::number,
            e::at,
            e::actor_kind,
            e::actor_id,
            e::actor_name,
            e::api_key_id,
            e::ip,
            e::user_agent,
            e::request_id,
            e::action,
            e::entity,
            e::entity_id,
            sql::<Nullable<Text>>("before::text"),
            sql::<Nullable<Text>>("after::text"),
            e::previous,
            e::hash,
        ),))
        .load::<(Entry,)>(conn)
        .await
        .map(|rows| rows.into_iter().map(|(entry,)| entry).collect())
}
