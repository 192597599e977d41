//! Kept responses: answers of models by the hash of everything they depend on, for one company. A key
//! that is being asked for is held by the lane that asks, as long as its lease lives; others wait.

use diesel::{prelude::*, sql_types};
use diesel_async::RunQueryDsl;
use domain::{documents::Sha256, jobs::Lease, models::Usd, users::CompanyId};

use crate::{Connection, prepared::Prepare};

/// What there is under a key.
#[derive(Debug, Clone, QueryableByName)]
pub struct Found {
    /// The key.
    #[diesel(sql_type = sql_types::Binary)]
    pub key: Sha256,
    /// Whether the caller is to ask: nobody else does.
    #[diesel(sql_type = sql_types::Bool)]
    pub mine: bool,
    /// The response.
    #[diesel(sql_type = sql_types::Nullable<sql_types::Jsonb>)]
    pub reply: Option<serde_json::Value>,
    /// How long the first call took.
    #[diesel(sql_type = sql_types::Nullable<sql_types::Integer>)]
    pub latency_ms: Option<i32>,
}

/// Looks keys up, and takes those that nobody has or asks for; one answer for each different key.
pub async fn take(
    conn: &mut Connection,
    company: CompanyId,
    held: Lease,
    keys: &[Sha256],
) -> QueryResult<Vec<Found>> {
    diesel::sql_query(include_str!("take_responses.sql"))
        .bind::<sql_types::Uuid, _>(company)
        .bind::<sql_types::Uuid, _>(held.job_id)
        .bind::<sql_types::Uuid, _>(held.token)
        .bind::<sql_types::Array<sql_types::Binary>, _>(keys)
        .prepared()
        .load(conn)
        .await
}

/// Looks keys up and takes none.
pub async fn look_up(
    conn: &mut Connection,
    company: CompanyId,
    keys: &[Sha256],
) -> QueryResult<Vec<Found>> {
    diesel::sql_query(
        "SELECT key, false AS mine, reply, latency_ms FROM responses
         WHERE company_id = $1 AND key = ANY ($2) AND reply IS NOT NULL",
    )
    .bind::<sql_types::Uuid, _>(company)
    .bind::<sql_types::Array<sql_types::Binary>, _>(keys)
    .prepared()
    .load(conn)
    .await
}

/// A response to be kept.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Under which key.
    pub key: Sha256,
    /// The response; none gives the key up to whoever waits for it.
    pub reply: Option<serde_json::Value>,
    /// How long the call took.
    pub latency_ms: i32,
    /// What it cost.
    pub cost: Usd,
}

impl Kept {
    /// About how many bytes its text has.
    pub fn weight(&self) -> usize {
        let text = self.reply.as_ref().and_then(|reply| reply["text"].as_str());
        text.map_or(0, str::len)
    }
}

/// Keeps responses, and gives up the keys of calls that brought none.
pub async fn keep(
    conn: &mut Connection,
    company: CompanyId,
    held: Lease,
    kept: &[Kept],
) -> QueryResult<()> {
    fn each<T>(kept: &[Kept], member: impl Fn(&Kept) -> T) -> Vec<T> {
        kept.iter().map(member).collect()
    }
    diesel::sql_query(include_str!("keep_responses.sql"))
        .bind::<sql_types::Uuid, _>(company)
        .bind::<sql_types::Uuid, _>(held.job_id)
        .bind::<sql_types::Uuid, _>(held.token)
        .bind::<sql_types::Array<sql_types::Binary>, _>(each(kept, |kept| kept.key))
        .bind::<sql_types::Array<sql_types::Nullable<sql_types::Jsonb>>, _>(each(kept, |kept| {
            kept.reply.clone()
        }))
        .bind::<sql_types::Array<sql_types::Integer>, _>(each(kept, |kept| kept.latency_ms))
        .bind::<sql_types::Array<sql_types::Numeric>, _>(each(kept, |kept| kept.cost))
        .prepared()
        .execute(conn)
        .await
        .map(|_| ())
}
