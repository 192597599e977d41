//! Sign-ins to Jira Cloud that were begun: from the departure to the choice of a site. A row is good once at
//! each step, for whoever left, and not for long.

use chrono::{DateTime, Duration, Utc};
use diesel::{dsl, prelude::*};
use diesel_async::RunQueryDsl;
use domain::{
    trackers::TrackerGrantId,
    users::{CompanyId, UserId},
};

use crate::{Connection, schema::tracker_grants as grants};

/// A sign-in.
#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = grants)]
pub struct Grant {
    /// Which.
    pub id: TrackerGrantId,
    /// Whose company.
    pub company_id: CompanyId,
    /// Who signs in.
    pub user_id: UserId,
    /// Of the cookie of the browser that left.
    pub browser_hash: Vec<u8>,
    /// What is kept of it, sealed.
    pub sealed: Vec<u8>,
    /// Which sealing key opens it.
    pub sealing_key_id: String,
}

/// Keeps a sign-in that begins, for so many seconds, under the hash of its state.
pub async fn begin(
    conn: &mut Connection,
    grant: &Grant,
    state_hash: &[u8],
    seconds: i64,
) -> QueryResult<usize> {
    diesel::insert_into(grants::table)
        .values((
            grant,
            grants::state_hash.eq(state_hash),
            grants::expires_at.eq(within(seconds)),
        ))
        .execute(conn)
        .await
}

/// The sign-in of somebody who came back; its state is spent with that.
pub async fn come_back(conn: &mut Connection, state_hash: &[u8]) -> QueryResult<Option<Grant>> {
    let row = grants::table
        .filter(grants::state_hash.eq(state_hash))
        .filter(grants::expires_at.gt(dsl::now));
    diesel::update(row)
        .set(grants::state_hash.eq(None::<Vec<u8>>))
        .returning(Grant::as_returning())
        .get_result(conn)
        .await
        .optional()
}

/// Keeps what was granted until a site is chosen, for so many seconds.
pub async fn granted(
    conn: &mut Connection,
    id: TrackerGrantId,
    sealed: &[u8],
    sealing_key_id: &str,
    seconds: i64,
) -> QueryResult<usize> {
    diesel::update(grants::table.find(id))
        .set((
            grants::sealed.eq(sealed),
            grants::sealing_key_id.eq(sealing_key_id),
            grants::expires_at.eq(within(seconds)),
        ))
        .execute(conn)
        .await
}

/// What somebody was granted and has not used yet. It stays until [`spend`] takes it.
pub async fn find(
    conn: &mut Connection,
    user: UserId,
    id: TrackerGrantId,
) -> QueryResult<Option<Grant>> {
    grants::table
        .find(id)
        .filter(grants::user_id.eq(user))
        .filter(grants::state_hash.is_null())
        .filter(grants::expires_at.gt(dsl::now))
        .select(Grant::as_select())
        .first(conn)
        .await
        .optional()
}

/// Takes a grant away; `false` if somebody else did.
pub async fn spend(conn: &mut Connection, id: TrackerGrantId) -> QueryResult<bool> {
    Ok(diesel::delete(grants::table.find(id)).execute(conn).await? > 0)
}

/// Forgets what came to nothing.
pub async fn prune(conn: &mut Connection) -> QueryResult<usize> {
    diesel::delete(grants::table.filter(grants::expires_at.lt(dsl::now)))
        .execute(conn)
        .await
}

fn within(seconds: i64) -> DateTime<Utc> {
    Utc::now() + Duration::seconds(seconds)
}
