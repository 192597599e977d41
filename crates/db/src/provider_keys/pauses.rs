//! Pauses of keys: while one lasts no call is made with the key, by no process. Whoever ends one wakes
//! what waited for it.

use std::collections::HashMap;

use chrono::Utc;
use diesel::prelude::*;
use diesel_async::{AsyncConnection, RunQueryDsl};
use domain::{
    jobs::PauseNote,
    models::ProviderKeyId,
    users::{CompanyId, UserId},
};
use uuid::Uuid;

use super::ProviderKey;
use crate::{Connection, schema::provider_keys};

/// Has no more calls made with this key, of this company or of any; those under way go on. A second
/// time changes the note alone. `None` if there is no such key.
pub async fn pause(
    conn: &mut Connection,
    id: ProviderKeyId,
    company: Option<CompanyId>,
    by: Option<UserId>,
    note: Option<&PauseNote>,
) -> QueryResult<Option<ProviderKey>> {
    conn.transaction(async |conn| {
        let Some(key) = locked(conn, id, company).await? else {
            return Ok(None);
        };
        let (since, by) = match key.paused_at {
            Some(since) => (since, key.paused_by),
            None => (Utc::now(), by),
        };
        diesel::update(provider_keys::table.find(id))
            .set((
                provider_keys::paused_at.eq(since),
                provider_keys::paused_by.eq(by),
                provider_keys::pause_note.eq(note),
            ))
            .returning(ProviderKey::as_returning())
            .get_result(conn)
            .await
            .optional()
    })
    .await
}

/// Has calls made with the key again, and wakes what waited for it. `None` if there is no such key.
pub async fn resume(
    conn: &mut Connection,
    id: ProviderKeyId,
    company: Option<CompanyId>,
) -> QueryResult<Option<ProviderKey>> {
    conn.transaction(async |conn| {
        if locked(conn, id, company).await?.is_none() {
            return Ok(None);
        }
        let (company, key) = diesel::update(provider_keys::table.find(id))
            .set((
                provider_keys::paused_at.eq(None::<chrono::DateTime<Utc>>),
                provider_keys::paused_by.eq(None::<UserId>),
                provider_keys::pause_note.eq(None::<String>),
            ))
            .returning((provider_keys::company_id, ProviderKey::as_returning()))
            .get_result::<(CompanyId, ProviderKey)>(conn)
            .await?;
        wake(conn, company, id).await?;
        Ok(Some(key))
    })
    .await
}

async fn locked(
    conn: &mut Connection,
    id: ProviderKeyId,
    company: Option<CompanyId>,
) -> QueryResult<Option<ProviderKey>> {
    let found: Option<(CompanyId, ProviderKey)> = provider_keys::table
        .find(id)
        .select((provider_keys::company_id, ProviderKey::as_select()))
        .for_update()
        .first(conn)
        .await
        .optional()?;
    let mine = found.filter(|(owner, _)| company.is_none_or(|company| company == *owner));
    Ok(mine.map(|(_, key)| key))
}

/// Has jobs that met the pause of this key tried again at once, and the cells of runs. A time that a
/// provider named besides is not lost: the governor keeps it.
pub(super) async fn wake(
    conn: &mut Connection,
    company: CompanyId,
    key: ProviderKeyId,
) -> QueryResult<()> {
    use diesel::sql_types::{Array, Uuid as SqlUuid};
    // Jobs before runs, as everybody does who locks both.
    let runs: Vec<Run> = diesel::sql_query(include_str!("wake.sql"))
        .bind::<SqlUuid, _>(company)
        .bind::<SqlUuid, _>(key)
        .load(conn)
        .await?;
    let runs: Vec<Uuid> = runs.into_iter().map(|run| run.id).collect();
    for statement in [
        "SELECT id FROM runs WHERE id = ANY ($1) ORDER BY id FOR UPDATE",
        "UPDATE cells SET not_before = NULL
         WHERE run_id = ANY ($1) AND status = 'queued' AND not_before IS NOT NULL",
        "UPDATE run_columns SET not_before = NULL WHERE run_id = ANY ($1) AND not_before IS NOT NULL",
    ] {
        diesel::sql_query(statement)
            .bind::<Array<SqlUuid>, _>(&runs)
            .execute(conn)
            .await?;
    }
    Ok(())
}

#[derive(QueryableByName)]
struct Run {
    #[diesel(sql_type = diesel::sql_types::Uuid)]
    id: Uuid,
}

/// The labels of all keys that are paused.
pub(super) async fn paused(conn: &mut Connection) -> QueryResult<HashMap<ProviderKeyId, String>> {
    let rows: Vec<(ProviderKeyId, String)> = provider_keys::table
        .filter(provider_keys::paused_at.is_not_null())
        .select((provider_keys::id, provider_keys::label))
        .load(conn)
        .await?;
    Ok(rows.into_iter().collect())
}
