//! Keys of model providers that companies brought along. Only sealed texts are stored and read here;
//! who opens them has the sealing keys.

mod known;
mod pauses;

pub use known::Pauses;
pub use pauses::{pause, resume};

use chrono::{DateTime, Utc};
use diesel::{
    prelude::*,
    result::{DatabaseErrorKind, Error as DieselError},
};
use diesel_async::{AsyncConnection, RunQueryDsl};
use domain::{
    audit::Actor,
    models::{Label, ProviderKeyId, ProviderName},
    users::{CompanyId, UserId},
};
use serde::Serialize;

use crate::{Connection, models::SealedKey, schema::provider_keys};

/// A key as admins see it.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, utoipa::ToSchema)]
#[diesel(table_name = provider_keys)]
#[serde(rename_all = "camelCase")]
pub struct ProviderKey {
    /// Which.
    pub id: ProviderKeyId,
    /// Whose interface it is for.
    pub provider: ProviderName,
    /// What admins call it.
    pub label: Label,
    /// Its last four characters.
    pub last_four: String,
    /// The address it is for, if not the provider's own.
    pub base_url: Option<String>,
    /// Whether it serves every model of its provider; the newest such key does.
    pub is_default: bool,
    /// When it was added.
    pub created_at: DateTime<Utc>,
    /// Since when no call is made with it; `null` while calls are.
    pub paused_at: Option<DateTime<Utc>>,
    /// Who paused it.
    pub paused_by: Option<UserId>,
    /// What they want others to know.
    pub pause_note: Option<String>,
}

/// A key to be stored.
pub struct NewProviderKey {
    /// Which: the seal is bound to it.
    pub id: ProviderKeyId,
    /// Whose interface it is for.
    pub provider: ProviderName,
    /// What admins call it.
    pub label: Label,
    /// The address it is for, if not the provider's own.
    pub base_url: Option<String>,
    /// Whether it serves every model of its provider.
    pub is_default: bool,
    /// Nonce and ciphertext.
    pub sealed: Vec<u8>,
    /// Which sealing key opens it.
    pub sealing_key_id: String,
    /// Its last four characters.
    pub last_four: String,
}

/// Why a key was not stored.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The company has a key of that provider and label.
    #[error("the label is taken")]
    Taken,
    /// Postgres.
    #[error(transparent)]
    Database(DieselError),
}

impl From<DieselError> for CreateError {
    fn from(cause: DieselError) -> Self {
        match &cause {
            DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, report)
                if report.constraint_name() == Some("provider_keys_label_key") =>
            {
                Self::Taken
            }
            _ => Self::Database(cause),
        }
    }
}

/// Why a key was not removed.
#[derive(Debug, thiserror::Error)]
pub enum DeleteError {
    /// None of that id in the company.
    #[error("there is no such key")]
    NotFound,
    /// Models name it.
    #[error("models use the key")]
    InUse,
    /// Postgres.
    #[error(transparent)]
    Database(DieselError),
}

impl From<DieselError> for DeleteError {
    fn from(cause: DieselError) -> Self {
        match &cause {
            DieselError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _) => Self::InUse,
            _ => Self::Database(cause),
        }
    }
}

/// Stores a key for the actor's company.
pub async fn create(
    conn: &mut Connection,
    new: NewProviderKey,
    actor: &Actor,
) -> Result<ProviderKey, CreateError> {
    Ok(diesel::insert_into(provider_keys::table)
        .values((
            provider_keys::id.eq(new.id),
            provider_keys::company_id.eq(actor.company_id),
            provider_keys::provider.eq(new.provider),
            provider_keys::label.eq(new.label),
            provider_keys::base_url.eq(new.base_url),
            provider_keys::is_default.eq(new.is_default),
            provider_keys::sealed.eq(new.sealed),
            provider_keys::sealing_key_id.eq(new.sealing_key_id),
            provider_keys::last_four.eq(new.last_four),
            provider_keys::created_by.eq(actor.user_id),
        ))
        .returning(ProviderKey::as_returning())
        .get_result(conn)
        .await?)
}

/// The keys of a company, newest first.
pub async fn list(conn: &mut Connection, company: CompanyId) -> QueryResult<Vec<ProviderKey>> {
    provider_keys::table
        .filter(provider_keys::company_id.eq(company))
        .order(provider_keys::id.desc())
        .select(ProviderKey::as_select())
        .load(conn)
        .await
}

/// The key of a company that serves each provider: the newest default one. Calls by a model that names
/// no key go by the same rule.
pub async fn serving(
    conn: &mut Connection,
    company: CompanyId,
) -> QueryResult<Vec<(ProviderName, SealedKey)>> {
    provider_keys::table
        .filter(provider_keys::company_id.eq(company))
        .filter(provider_keys::is_default)
        .distinct_on(provider_keys::provider)
        .order((provider_keys::provider, provider_keys::id.desc()))
        .select((provider_keys::provider, SealedKey::as_select()))
        .load(conn)
        .await
}

/// Removes a key of the actor's company, unless a model names it. What waited for it looks again.
pub async fn delete(
    conn: &mut Connection,
    id: ProviderKeyId,
    actor: &Actor,
) -> Result<(), DeleteError> {
    let mine = provider_keys::table
        .find(id)
        .filter(provider_keys::company_id.eq(actor.company_id));
    conn.transaction(
        async |conn| match diesel::delete(mine).execute(conn).await? {
            0 => Err(DeleteError::NotFound),
            _ => Ok(pauses::wake(conn, actor.company_id, id).await?),
        },
    )
    .await
}

/// A sealed text and where it belongs.
#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = provider_keys)]
pub struct SealedText {
    /// Which row.
    pub id: ProviderKeyId,
    /// Whose.
    pub company_id: CompanyId,
    /// Nonce and ciphertext.
    pub sealed: Vec<u8>,
    /// Which sealing key opens it.
    pub sealing_key_id: String,
}

/// Texts behind `after` that are sealed with another key than this, at most `limit`.
pub async fn sealed_otherwise(
    conn: &mut Connection,
    sealing_key_id: &str,
    after: Option<ProviderKeyId>,
    limit: i64,
) -> QueryResult<Vec<SealedText>> {
    let mut query = provider_keys::table
        .filter(provider_keys::sealing_key_id.ne(sealing_key_id))
        .order(provider_keys::id)
        .limit(limit)
        .select(SealedText::as_select())
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(provider_keys::id.gt(after));
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
    let unchanged = provider_keys::table
        .find(read.id)
        .filter(provider_keys::sealed.eq(&read.sealed));
    let replaced = diesel::update(unchanged)
        .set((
            provider_keys::sealed.eq(sealed),
            provider_keys::sealing_key_id.eq(sealing_key_id),
        ))
        .execute(conn)
        .await?;
    Ok(replaced > 0)
}
