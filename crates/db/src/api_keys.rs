//! Personal API keys, of which only hashes are kept. Expired ones stay listed until their owner
//! revokes them.

use chrono::{DateTime, Utc};
use diesel::{
    dsl::{IntervalDsl, now},
    prelude::*,
    sql_types::{Nullable, Timestamptz},
};
use diesel_async::RunQueryDsl;
use domain::{
    auth::{ApiKeyId, KeyName, Scope, Viewer},
    users::UserId,
};
use serde::{Deserialize, Serialize};

use crate::{Connection, schema::api_keys};

/// A key as its owner sees it.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, utoipa::ToSchema)]
#[diesel(table_name = api_keys)]
#[serde(rename_all = "camelCase")]
pub struct ApiKey {
    /// Which.
    pub id: ApiKeyId,
    /// What its owner calls it.
    pub name: KeyName,
    /// Its last four characters.
    pub last_four: String,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// When it stops being good; never, if absent.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was used last, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// A key to be made.
#[derive(Debug)]
pub struct NewApiKey {
    /// What its owner calls it.
    pub name: KeyName,
    /// The hash of the key.
    pub key_hash: [u8; 32],
    /// Its last four characters.
    pub last_four: String,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// When it stops being good.
    pub expires_at: Option<DateTime<Utc>>,
}

/// What a key is good for, small enough to be cached.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, Deserialize)]
#[diesel(table_name = api_keys)]
pub struct Grant {
    /// Which key.
    pub id: ApiKeyId,
    /// Whose.
    pub user_id: UserId,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// When it stops being good.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Makes a key for the viewer.
pub async fn create(
    connection: &mut Connection,
    new: NewApiKey,
    viewer: &Viewer,
) -> QueryResult<ApiKey> {
    diesel::insert_into(api_keys::table)
        .values((
            api_keys::id.eq(ApiKeyId::new()),
            api_keys::company_id.eq(viewer.company_id),
            api_keys::user_id.eq(viewer.user_id),
            api_keys::name.eq(new.name),
            api_keys::key_hash.eq(new.key_hash.to_vec()),
            api_keys::last_four.eq(new.last_four),
            api_keys::scopes.eq(new.scopes),
            api_keys::expires_at.eq(new.expires_at),
        ))
        .returning(ApiKey::as_returning())
        .get_result(connection)
        .await
}

/// The viewer's keys that are not revoked, newest first.
pub async fn list(connection: &mut Connection, viewer: &Viewer) -> QueryResult<Vec<ApiKey>> {
    api_keys::table
        .filter(api_keys::company_id.eq(viewer.company_id))
        .filter(api_keys::user_id.eq(viewer.user_id))
        .filter(api_keys::revoked_at.is_null())
        .order(api_keys::id.desc())
        .select(ApiKey::as_select())
        .load(connection)
        .await
}

/// Revokes a key of the viewer's and gives its hash; `None` if there is no such key.
pub async fn revoke(
    connection: &mut Connection,
    id: ApiKeyId,
    viewer: &Viewer,
) -> QueryResult<Option<Vec<u8>>> {
    let mine = api_keys::table
        .find(id)
        .filter(api_keys::company_id.eq(viewer.company_id))
        .filter(api_keys::user_id.eq(viewer.user_id))
        .filter(api_keys::revoked_at.is_null());
    diesel::update(mine)
        .set(api_keys::revoked_at.eq(now))
        .returning(api_keys::key_hash)
        .get_result(connection)
        .await
        .optional()
}

/// What the key of this hash is good for, if it is neither revoked nor expired. Notes that it was
/// used, at most once a minute.
pub async fn use_by_hash(
    connection: &mut Connection,
    hash: &[u8; 32],
) -> QueryResult<Option<Grant>> {
    let grant: Option<Grant> = api_keys::table
        .filter(api_keys::key_hash.eq(hash.as_slice()))
        .filter(api_keys::revoked_at.is_null())
        .filter(
            api_keys::expires_at
                .is_null()
                .or(api_keys::expires_at.gt(now.into_sql::<Nullable<Timestamptz>>())),
        )
        .select(Grant::as_select())
        .first(connection)
        .await
        .optional()?;
    if let Some(grant) = &grant {
        let unused = api_keys::last_used_at.is_null();
        let used_before =
            api_keys::last_used_at.lt(now.into_sql::<Nullable<Timestamptz>>() - 1.minute());
        diesel::update(
            api_keys::table
                .find(grant.id)
                .filter(unused.or(used_before)),
        )
        .set(api_keys::last_used_at.eq(now))
        .execute(connection)
        .await?;
    }
    Ok(grant)
}
