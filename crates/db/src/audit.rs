//! The audit log: reading it, and checking its chain. Its entries are made by triggers, so no change of
//! a watched table goes without; who acts is what the connection was signed with.

mod verify;

pub use verify::{Head, Verdict, companies, verify};

use chrono::{DateTime, Utc};
use diesel::{
    prelude::*,
    sql_types::{Jsonb, Nullable, Text, Uuid as SqlUuid},
};
use diesel_async::RunQueryDsl;
use domain::{
    audit::{Action, ActorKind, Entity, EntityKey},
    auth::ApiKeyId,
    page::{Limit, Page},
    users::{CompanyId, UserId},
};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::{Connection, schema::audit_entries};

diesel::define_sql_function! {
    /// Adds an entry to a company's chain.
    fn audit_append(company: SqlUuid, action: Text, entity: Text, entity_id: Text, before: Nullable<Jsonb>, after: Nullable<Jsonb>) -> diesel::sql_types::BigInt;
}

/// An entry of the audit log.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, utoipa::ToSchema)]
#[diesel(table_name = audit_entries)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    /// From 1 and without gaps, in the order in which changes were committed.
    pub number: i64,
    /// When it was committed.
    pub at: DateTime<Utc>,
    /// What kind of actor did it.
    pub actor_kind: ActorKind,
    /// The person who did it.
    pub actor_id: Option<UserId>,
    /// What they were called then; or the program.
    pub actor_name: String,
    /// The API key they did it with.
    pub api_key_id: Option<ApiKeyId>,
    /// From which address.
    pub ip: Option<String>,
    /// With which program.
    pub user_agent: Option<String>,
    /// In which request.
    pub request_id: Option<String>,
    /// What was done.
    pub action: Action,
    /// To what kind of row.
    pub entity: Entity,
    /// To which row; empty for the audit log itself.
    pub entity_id: String,
    /// What it was, by column; of an update what changed. Long texts are a digest, and what a private
    /// row says is withheld.
    pub before: Option<Value>,
    /// What it became.
    pub after: Option<Value>,
    /// The hash of the entry before.
    #[serde(serialize_with = "hexadecimal")]
    #[schema(value_type = String)]
    pub previous: Vec<u8>,
    /// The hash of this entry.
    #[serde(serialize_with = "hexadecimal")]
    #[schema(value_type = String)]
    pub hash: Vec<u8>,
}

/// A hash as people write it.
pub(crate) fn hexadecimal<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&hex::encode(bytes))
}

/// Which entries are listed.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Filter {
    /// Of this kind of row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity: Option<Entity>,
    /// Of this row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity_id: Option<EntityKey>,
    /// Of this person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<UserId>,
    /// Of this action.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// From this time on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    /// Before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<DateTime<Utc>>,
    /// Older than this entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<i64>,
}

/// Lists a company's entries, newest first.
pub async fn list(
    conn: &mut Connection,
    company: CompanyId,
    filter: &Filter,
    limit: Limit,
) -> QueryResult<Page<AuditEntry, i64>> {
    use audit_entries::{action, actor_id, at, company_id, entity, entity_id, number};
    let mut query = audit_entries::table
        .filter(company_id.eq(company))
        .select(AuditEntry::as_select())
        .into_boxed();
    if let Some(kind) = filter.entity {
        query = query.filter(entity.eq(kind));
    }
    if let Some(key) = &filter.entity_id {
        query = query.filter(entity_id.eq(key));
    }
    if let Some(person) = filter.actor {
        query = query.filter(actor_id.eq(person));
    }
    if let Some(done) = filter.action {
        query = query.filter(action.eq(done));
    }
    if let Some(time) = filter.from {
        query = query.filter(at.ge(time));
    }
    if let Some(time) = filter.to {
        query = query.filter(at.lt(time));
    }
    if let Some(place) = filter.before {
        query = query.filter(number.lt(place));
    }
    let rows = query
        .order(number.desc())
        .limit(limit.rows() + 1)
        .load(conn)
        .await?;
    Ok(Page::from_surplus(rows, limit, |entry| entry.number))
}

/// Enters that a company's log was read, and how. The connection has to be signed.
pub async fn enter_reading(
    conn: &mut Connection,
    company: CompanyId,
    how: &Value,
) -> QueryResult<()> {
    enter(conn, company, Action::Read, (Entity::Audit, ""), how).await
}

/// Enters an act that no row of its own tells of.
pub(crate) async fn enter(
    conn: &mut Connection,
    company: CompanyId,
    action: Action,
    (entity, id): (Entity, &str),
    what: &Value,
) -> QueryResult<()> {
    let entry = audit_append(company, action, entity, id, None::<Value>, Some(what));
    diesel::select(entry).execute(conn).await.map(drop)
}
