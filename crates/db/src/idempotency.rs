//! First answers by `Idempotency-Key`: a request that is sent again is answered again, not done
//! again. Keys and answers arrive here hashed and sealed.

use chrono::{DateTime, Utc};
use diesel::{
    dsl::{IntervalDsl, now},
    prelude::*,
    sql_query,
    sql_types::{self, Bytea, Text, Timestamptz},
};
use diesel_async::RunQueryDsl;
use domain::users::UserId;

use crate::{Connection, schema::idempotency_keys as keys};

/// Hours an answer is kept; `claim.sql` says the same.
const KEPT_HOURS: i32 = 24;

/// A request that carries a key.
#[derive(Debug, Clone)]
pub struct Keyed {
    /// Whose.
    pub user_id: UserId,
    /// The hash of the key.
    pub key: String,
    /// The hash of everything else that makes it this request.
    pub request_hash: [u8; 32],
}

/// What is known of a key.
#[derive(Debug)]
pub enum Begin {
    /// Nothing: go ahead, and name this moment when done.
    First(DateTime<Utc>),
    /// It was answered.
    Answered {
        /// The status.
        status: i16,
        /// The sealed rest.
        answer: Vec<u8>,
    },
    /// It was used for another request.
    Mismatch,
    /// The first request is not done yet.
    UnderWay,
}

/// Claims the key for this request, or says what became of it. A key whose first request never
/// answered may be claimed again by the same request after a minute, any key after a day.
pub async fn begin(connection: &mut Connection, keyed: &Keyed) -> QueryResult<Begin> {
    if let Some(started) = claim(connection, keyed).await? {
        return Ok(Begin::First(started));
    }
    let (hash, status, answer): (Vec<u8>, Option<i16>, Option<Vec<u8>>) = keys::table
        .find((keyed.user_id, &keyed.key))
        .select((keys::request_hash, keys::status, keys::answer))
        .first(connection)
        .await?;
    Ok(match (status, answer) {
        _ if hash != keyed.request_hash => Begin::Mismatch,
        (Some(status), Some(answer)) => Begin::Answered { status, answer },
        _ => Begin::UnderWay,
    })
}

async fn claim(connection: &mut Connection, keyed: &Keyed) -> QueryResult<Option<DateTime<Utc>>> {
    let claimed: Option<Claimed> = sql_query(include_str!("idempotency/claim.sql"))
        .bind::<sql_types::Uuid, _>(keyed.user_id)
        .bind::<Text, _>(&keyed.key)
        .bind::<Bytea, _>(keyed.request_hash.as_slice())
        .get_result(connection)
        .await
        .optional()?;
    Ok(claimed.map(|claimed| claimed.created_at))
}

#[derive(QueryableByName)]
struct Claimed {
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
}

/// Keeps the answer, unless somebody else has claimed the key since.
pub async fn finish(
    connection: &mut Connection,
    keyed: &Keyed,
    started: DateTime<Utc>,
    status: i16,
    answer: &[u8],
) -> QueryResult<()> {
    let mine = keys::table
        .find((keyed.user_id, &keyed.key))
        .filter(keys::created_at.eq(started));
    diesel::update(mine)
        .set((keys::status.eq(Some(status)), keys::answer.eq(Some(answer))))
        .execute(connection)
        .await?;
    Ok(())
}

/// Gives the key back: what was answered is not worth keeping.
pub async fn release(
    connection: &mut Connection,
    keyed: &Keyed,
    started: DateTime<Utc>,
) -> QueryResult<()> {
    let mine = keys::table
        .find((keyed.user_id, &keyed.key))
        .filter(keys::created_at.eq(started));
    diesel::delete(mine).execute(connection).await?;
    Ok(())
}

/// Removes answers that are too old to be given again; says how many.
pub async fn prune(connection: &mut Connection) -> QueryResult<usize> {
    let outdated =
        keys::table.filter(keys::created_at.lt(now.into_sql::<Timestamptz>() - KEPT_HOURS.hours()));
    diesel::delete(outdated).execute(connection).await
}
