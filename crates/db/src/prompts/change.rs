//! Changing prompts: each change locks the row first and writes it.

use diesel::prelude::*;
use diesel_async::{AsyncConnection, RunQueryDsl};
use domain::{auth::Viewer, prompts::PromptId, revision::Expected};

use super::{ChangeError, PromptChanges, Stored, lock, lock_own, stored};
use crate::{Connection, outputs, schema::prompts};

/// Changes the members of a prompt that are given.
pub async fn update(
    conn: &mut Connection,
    viewer: &Viewer,
    id: PromptId,
    changes: &PromptChanges,
    expected: &Expected,
) -> Result<Stored, ChangeError> {
    conn.transaction(async |conn| {
        let stored = lock_own(conn, viewer, id, expected).await?;
        write(conn, stored, changes).await
    })
    .await
}

/// Changes the members of a prompt that are given, or creates it with this id; the second value
/// says that it was created.
pub async fn put(
    conn: &mut Connection,
    viewer: &Viewer,
    id: PromptId,
    changes: &PromptChanges,
    expected: &Expected,
) -> Result<(Stored, bool), ChangeError> {
    conn.transaction(async |conn| {
        if lock(conn, id).await?.is_none() {
            if *expected != Expected::Any {
                return Err(ChangeError::Stale);
            }
            let new = changes.clone().into_new(viewer, id)?;
            let created = diesel::insert_into(prompts::table)
                .values(&new)
                .on_conflict_do_nothing()
                .execute(conn)
                .await?;
            if created > 0 {
                return Ok((stored(conn, id).await?, true));
            }
        }
        let stored = lock_own(conn, viewer, id, expected).await?;
        Ok((write(conn, stored, changes).await?, false))
    })
    .await
}

/// Writes changes to a locked prompt.
pub(super) async fn write(
    conn: &mut Connection,
    stored_before: Stored,
    changes: &PromptChanges,
) -> Result<Stored, ChangeError> {
    let id = stored_before.prompt.id;
    let search = changes.search_after(&stored_before);
    let restarts = changes
        .title
        .as_ref()
        .is_some_and(|title| *title != stored_before.prompt.title)
        && stored_before.prompt.current_version.is_some();
    let numbering = restarts.then(|| {
        (
            prompts::lineage.eq(prompts::lineage + 1),
            prompts::current_version.eq(None::<i32>),
        )
    });
    diesel::update(prompts::table.find(id))
        .set((changes, search, numbering))
        .execute(conn)
        .await?;
    Ok(stored(conn, id).await?)
}

/// Deletes a prompt with its versions, labels and outputs.
pub async fn delete(
    conn: &mut Connection,
    viewer: &Viewer,
    id: PromptId,
    expected: &Expected,
) -> Result<Stored, ChangeError> {
    conn.transaction(async |conn| {
        let stored = lock_own(conn, viewer, id, expected).await?;
        outputs::forget_of(conn, id).await?;
        diesel::delete(prompts::table.find(id))
            .execute(conn)
            .await?;
        Ok(stored)
    })
    .await
}
