//! What trackers are signed in to with, and what proves their webhooks. Only sealed texts are stored and
//! read here. A pair of tokens is renewed by one at a time: whoever has the claim on the tracker's row.

use chrono::{DateTime, Utc};
use diesel::{prelude::*, sql_types};
use diesel_async::{AsyncConnection, RunQueryDsl};
use domain::{trackers::TrackerId, users::CompanyId};
use uuid::Uuid;

use crate::{
    Connection,
    schema::{tracker_secrets, trackers},
};

/// A sealed text and where it belongs.
#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = tracker_secrets)]
pub struct SealedText {
    /// Of which tracker.
    pub tracker_id: TrackerId,
    /// What it is for.
    pub purpose: String,
    /// Whose.
    pub company_id: CompanyId,
    /// Nonce and ciphertext.
    pub sealed: Vec<u8>,
    /// Which sealing key opens it.
    pub sealing_key_id: String,
}

/// What signs in to a tracker.
pub const AUTH: &str = "auth";

/// What proves its webhooks.
pub const HOOKS: &str = "hooks";

/// A secret of a tracker that is not deleted.
pub async fn find(
    conn: &mut Connection,
    tracker: TrackerId,
    purpose: &str,
) -> QueryResult<Option<SealedText>> {
    tracker_secrets::table
        .filter(tracker_secrets::tracker_id.eq(tracker))
        .filter(tracker_secrets::purpose.eq(purpose))
        .select(SealedText::as_select())
        .first(conn)
        .await
        .optional()
}

/// Stores a secret in the place of the one before.
pub async fn put(conn: &mut Connection, text: &SealedText) -> QueryResult<usize> {
    diesel::insert_into(tracker_secrets::table)
        .values((
            tracker_secrets::tracker_id.eq(text.tracker_id),
            tracker_secrets::purpose.eq(&text.purpose),
            tracker_secrets::company_id.eq(text.company_id),
            tracker_secrets::sealed.eq(&text.sealed),
            tracker_secrets::sealing_key_id.eq(&text.sealing_key_id),
        ))
        .on_conflict((tracker_secrets::tracker_id, tracker_secrets::purpose))
        .do_update()
        .set((
            tracker_secrets::sealed.eq(&text.sealed),
            tracker_secrets::sealing_key_id.eq(&text.sealing_key_id),
        ))
        .execute(conn)
        .await
}

/// Texts behind `after` that are sealed with another key than this, at most `limit`.
pub async fn sealed_otherwise(
    conn: &mut Connection,
    sealing_key_id: &str,
    after: Option<&(TrackerId, String)>,
    limit: i64,
) -> QueryResult<Vec<SealedText>> {
    let (tracker, purpose) = (tracker_secrets::tracker_id, tracker_secrets::purpose);
    let mut query = tracker_secrets::table
        .filter(tracker_secrets::sealing_key_id.ne(sealing_key_id))
        .order((tracker, purpose))
        .limit(limit)
        .select(SealedText::as_select())
        .into_boxed();
    if let Some((id, last)) = after {
        query = query.filter(tracker.gt(id).or(tracker.eq(id).and(purpose.gt(last))));
    }
    query.load(conn).await
}

/// Puts a new seal in the place of the one that was read. Whether it did: not if the row is gone or
/// somebody else was quicker.
pub async fn replace_seal(
    conn: &mut Connection,
    read: &SealedText,
    sealed: &[u8],
    sealing_key_id: &str,
) -> QueryResult<bool> {
    let unchanged = tracker_secrets::table
        .find((read.tracker_id, &read.purpose))
        .filter(tracker_secrets::sealed.eq(&read.sealed));
    let replaced = diesel::update(unchanged)
        .set((
            tracker_secrets::sealed.eq(sealed),
            tracker_secrets::sealing_key_id.eq(sealing_key_id),
        ))
        .execute(conn)
        .await?;
    Ok(replaced > 0)
}

/// Claims the right to renew a tracker's pair for so many seconds; `false` while somebody else has it.
pub async fn claim_renewal(
    conn: &mut Connection,
    tracker: TrackerId,
    claim: Uuid,
    seconds: f64,
) -> QueryResult<bool> {
    let claimed = diesel::sql_query(
        "UPDATE trackers SET renewing_by = $2, renewing_until = clock_timestamp() + $3 * interval '1 second'
         WHERE id = $1 AND deleted_at IS NULL
           AND (renewing_until IS NULL OR renewing_until < clock_timestamp())",
    )
    .bind::<sql_types::Uuid, _>(tracker)
    .bind::<sql_types::Uuid, _>(claim)
    .bind::<sql_types::Double, _>(seconds)
    .execute(conn)
    .await?;
    Ok(claimed > 0)
}

/// Stores the renewed pair and gives the claim back; `false` if the tracker is gone or was signed in to
/// anew meanwhile, which takes the claim away.
pub async fn store_renewed(
    conn: &mut Connection,
    claim: Uuid,
    text: &SealedText,
) -> QueryResult<bool> {
    conn.transaction(async |conn| {
        if !release_renewal(conn, text.tracker_id, claim).await? {
            return Ok(false);
        }
        put(conn, text).await?;
        Ok(true)
    })
    .await
}

/// Gives a claim back; `false` if it was somebody else's.
pub async fn release_renewal(
    conn: &mut Connection,
    tracker: TrackerId,
    claim: Uuid,
) -> QueryResult<bool> {
    let mine = trackers::table
        .find(tracker)
        .filter(trackers::renewing_by.eq(claim));
    let none: (Option<Uuid>, Option<DateTime<Utc>>) = (None, None);
    let released = diesel::update(mine)
        .set((
            trackers::renewing_by.eq(none.0),
            trackers::renewing_until.eq(none.1),
        ))
        .execute(conn)
        .await?;
    Ok(released > 0)
}

/// Removes all secrets of a tracker.
pub(super) async fn forget(conn: &mut Connection, tracker: TrackerId) -> QueryResult<usize> {
    diesel::delete(tracker_secrets::table.filter(tracker_secrets::tracker_id.eq(tracker)))
        .execute(conn)
        .await
}

/// Removes the secret of a purpose.
pub(super) async fn remove(
    conn: &mut Connection,
    tracker: TrackerId,
    purpose: &str,
) -> QueryResult<usize> {
    diesel::delete(tracker_secrets::table.find((tracker, purpose)))
        .execute(conn)
        .await
}
