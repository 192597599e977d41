//! The ids of rows that are taken in. They are kept where they are free; a row that somebody else has
//! under the same id, on an installation shared by several companies, gets an id derived from it, the
//! same at every import, so that importing twice adds once.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use diesel::{
    QueryableByName,
    sql_types::{Array, Uuid as SqlUuid},
};
use diesel_async::RunQueryDsl;
use domain::{auth::Viewer, documents::Sha256};
use uuid::Uuid;

use super::At;
use crate::Connection;

/// Ids by those that rows come with: what they are called here.
#[derive(Debug, Clone, Default)]
pub struct Held(HashMap<Uuid, Uuid>);

impl Held {
    pub(crate) fn hold(&mut self, there: Uuid, here: Uuid) {
        self.0.insert(there, here);
    }

    pub(crate) fn here(&self, there: Uuid) -> Option<Uuid> {
        self.0.get(&there).copied()
    }
}

/// An id for a row whose own is taken: the same whenever the same person imports the same row.
pub fn derived(viewer: &Viewer, id: Uuid) -> Uuid {
    let mut bytes = Vec::with_capacity(48);
    for part in [viewer.company_id.0, viewer.user_id.0, id] {
        bytes.extend_from_slice(part.as_bytes());
    }
    let Sha256(hash) = Sha256::of(&bytes);
    let mut start = [0; 16];
    start.copy_from_slice(&hash[..16]);
    uuid::Builder::from_custom_bytes(start).into_uuid()
}

#[derive(QueryableByName)]
struct Taken {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// For rows of a table that are new here, the ids they get: their own, else the derived one, else one
/// that nobody can foresee.
pub(crate) async fn free_ids(
    conn: &mut Connection,
    viewer: &Viewer,
    table: &'static str,
    wanted: &[Uuid],
) -> diesel::QueryResult<HashMap<Uuid, Uuid>> {
    let both: Vec<Uuid> = wanted
        .iter()
        .flat_map(|id| [*id, derived(viewer, *id)])
        .collect();
    let found: Vec<Taken> = diesel::sql_query(format!("SELECT id FROM {table} WHERE id = ANY($1)"))
        .bind::<Array<SqlUuid>, _>(both)
        .load(conn)
        .await?;
    let mut taken: HashSet<Uuid> = found.into_iter().map(|row| row.id).collect();
    let mut free = HashMap::new();
    for id in wanted {
        let chosen = [*id, derived(viewer, *id)]
            .into_iter()
            .find(|id| !taken.contains(id))
            .unwrap_or_else(Uuid::now_v7);
        taken.insert(chosen);
        free.insert(*id, chosen);
    }
    Ok(free)
}

/// A time that does not lie ahead.
pub(crate) fn now_at_most(at: At) -> DateTime<Utc> {
    at.0.min(Utc::now())
}
