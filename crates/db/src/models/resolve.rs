//! From what a request names to what a call needs: the model, its prices and abilities, and the
//! sealed key that serves it, in one statement. And from what answered to what it costs.

use diesel::{prelude::*, sql_types};
use diesel_async::RunQueryDsl;
use domain::{
    models::{ModelId, ModelKind, ModelRef, Prices, ProviderKeyId, versions},
    users::CompanyId,
};

use super::Model;
use crate::{Connection, prepared::Prepare};

/// A key as it is stored.
#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = crate::schema::provider_keys)]
pub struct SealedKey {
    /// Which: the seal is bound to it and to the company.
    pub id: ProviderKeyId,
    /// The address it is for, if not the provider's own.
    pub base_url: Option<String>,
    /// Nonce and ciphertext.
    pub sealed: Vec<u8>,
    /// Which sealing key opens it.
    pub sealing_key_id: String,
}

/// A model to be called.
#[derive(Clone)]
pub struct ResolvedModel {
    /// The model, with prices and abilities.
    pub model: Model,
    /// The company's key for it; without one, the installation's.
    pub key: Option<SealedKey>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(embed)]
    model: Model,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Uuid>)]
    key_id: Option<ProviderKeyId>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    key_base_url: Option<String>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Bytea>)]
    key_sealed: Option<Vec<u8>>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    key_sealing_key_id: Option<String>,
}

impl From<Row> for ResolvedModel {
    fn from(row: Row) -> Self {
        let key = match (row.key_id, row.key_sealed, row.key_sealing_key_id) {
            (Some(id), Some(sealed), Some(sealing_key_id)) => Some(SealedKey {
                id,
                base_url: row.key_base_url,
                sealed,
                sealing_key_id,
            }),
            _ => None,
        };
        Self {
            model: row.model,
            key,
        }
    }
}

/// The active model that the reference names to this company: by id, by `provider/name`, by name,
/// by the provider's own name or by an alias. Where several fit, the company's own row comes
/// first, then the one of that very name.
pub async fn resolve(
    conn: &mut Connection,
    company: CompanyId,
    wanted: &ModelRef,
) -> QueryResult<Option<ResolvedModel>> {
    let id = wanted.id();
    let name = if id.is_none() {
        Some(wanted.as_str())
    } else {
        None
    };
    run(conn, company, id, name, None).await
}

/// The company's default model of this kind, else the seeded one; `None` if that is hidden.
pub async fn default_of(
    conn: &mut Connection,
    company: CompanyId,
    kind: ModelKind,
) -> QueryResult<Option<ResolvedModel>> {
    run(conn, company, None, None, Some(kind)).await
}

async fn run(
    conn: &mut Connection,
    company: CompanyId,
    id: Option<ModelId>,
    name: Option<&str>,
    kind: Option<ModelKind>,
) -> QueryResult<Option<ResolvedModel>> {
    let sql = concat!(include_str!("visible.sql"), include_str!("resolve.sql"));
    let row: Option<Row> = diesel::sql_query(sql)
        .bind::<sql_types::Uuid, _>(company)
        .bind::<sql_types::Nullable<sql_types::Uuid>, _>(id)
        .bind::<sql_types::Nullable<sql_types::Text>, _>(name)
        .bind::<sql_types::Nullable<sql_types::Text>, _>(kind)
        .prepared()
        .get_result(conn)
        .await
        .optional()?;
    Ok(row.map(Into::into))
}

/// By which model's prices an answer is paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PricedBy {
    /// Which model.
    pub model_id: ModelId,
    /// Its prices; empty if none are known.
    pub prices: Prices,
}

/// The prices for an answer of which the provider says that `version` made it. If that is the model
/// that was asked, or a dated form of it, its own prices hold. If the provider let another model
/// answer, they are the prices of that one, as far as the registry has it: the company's row before
/// the seeded one, the exact name or alias before the longest name of which `version` is a dated
/// form. Else the prices of the model that was asked. Asks Postgres in the second case only.
pub async fn prices_for(
    conn: &mut Connection,
    company: CompanyId,
    asked: &Model,
    version: &str,
) -> QueryResult<PricedBy> {
    let version = versions::bare(version);
    let is_asked = asked.aliases.iter().any(|alias| alias.as_str() == version)
        || versions::is_version_of(version, asked.model.as_str());
    let answered = if is_asked || version.is_empty() {
        None
    } else {
        of_version(conn, company, asked, version).await?
    };
    let priced = answered.as_ref().unwrap_or(asked);
    Ok(PricedBy {
        model_id: priced.id,
        prices: priced.prices.clone(),
    })
}

async fn of_version(
    conn: &mut Connection,
    company: CompanyId,
    asked: &Model,
    version: &str,
) -> QueryResult<Option<Model>> {
    let sql = concat!(include_str!("visible.sql"), include_str!("priced.sql"));
    let candidates: Vec<Model> = diesel::sql_query(sql)
        .bind::<sql_types::Uuid, _>(company)
        .bind::<sql_types::Text, _>(asked.provider)
        .bind::<sql_types::Text, _>(version)
        .prepared()
        .load(conn)
        .await?;
    Ok(candidates.into_iter().find(|model| {
        model.aliases.iter().any(|alias| alias.as_str() == version)
            || versions::is_version_of(version, model.model.as_str())
    }))
}
