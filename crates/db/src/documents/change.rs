//! Changing documents: what their owners do to them after they are there.

use diesel::prelude::*;
use diesel_async::{AsyncConnection, RunQueryDsl};
use domain::{
    audit::Actor,
    auth::Viewer,
    documents::{DiscardFile, DocumentId, DocumentStatus, FileName},
    revision::Expected,
    users::{Role, Visibility},
};

use super::{Document, extract_job, visible_to};
use crate::{
    Connection,
    jobs::{NewJob, cancel_of, enqueue},
    schema::documents,
};

/// Members of a document that its owner may change.
#[derive(Debug, Clone, Default, AsChangeset)]
#[diesel(table_name = documents)]
pub struct DocumentChanges {
    /// Another name.
    pub file_name: Option<FileName>,
    /// Another circle of readers.
    pub visibility: Option<Visibility>,
}

/// Why a document was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// There is none that the viewer may see.
    #[error("not found")]
    NotFound,
    /// The viewer may see but not change it.
    #[error("only its owner or an admin may change it")]
    Forbidden,
    /// It changed since the viewer read it.
    #[error("it changed in the meantime")]
    Stale,
    /// Postgres failed.
    #[error(transparent)]
    Database(#[from] diesel::result::Error),
}

/// Locks a document that the viewer may change, as it was when they read it.
async fn lock_own(
    conn: &mut Connection,
    viewer: &Viewer,
    id: DocumentId,
    expected: &Expected,
) -> Result<Document, ChangeError> {
    let document = documents::table
        .filter(documents::id.eq(id))
        .filter(visible_to(viewer.company_id, viewer.user_id))
        .select(Document::as_select())
        .for_update()
        .first(conn)
        .await
        .optional()?
        .ok_or(ChangeError::NotFound)?;
    if document.owner_id != viewer.user_id && viewer.role != Role::Admin {
        return Err(ChangeError::Forbidden);
    }
    if !expected.accepts(document.updated_at) {
        return Err(ChangeError::Stale);
    }
    Ok(document)
}

/// Changes a document's name or readers.
pub async fn update(
    conn: &mut Connection,
    viewer: &Viewer,
    id: DocumentId,
    changes: &DocumentChanges,
    expected: &Expected,
) -> Result<Document, ChangeError> {
    conn.transaction(async |conn| {
        let document = lock_own(conn, viewer, id, expected).await?;
        if changes.file_name.is_none() && changes.visibility.is_none() {
            return Ok(document);
        }
        Ok(diesel::update(documents::table.find(id))
            .set(changes)
            .returning(Document::as_returning())
            .get_result(conn)
            .await?)
    })
    .await
}

/// Deletes a document with its passages and vectors; its file follows by a job.
pub async fn delete(
    conn: &mut Connection,
    viewer: &Viewer,
    id: DocumentId,
    expected: &Expected,
) -> Result<(), ChangeError> {
    conn.transaction(async |conn| {
        let document = lock_own(conn, viewer, id, expected).await?;
        diesel::delete(documents::table.find(id))
            .execute(conn)
            .await?;
        cancel_of(conn, id.0).await?;
        let job = NewJob::new(&DiscardFile {
            storage_key: document.storage_key.clone(),
        })
        .of(viewer.company_id, document.owner_id.0)
        .once(document.storage_key);
        enqueue(conn, &[job]).await?;
        Ok(())
    })
    .await
}

/// Reads the file again into a new set of passages; until that is complete, search keeps to the
/// old one.
pub async fn reprocess(
    conn: &mut Connection,
    viewer: &Viewer,
    id: DocumentId,
    expected: &Expected,
    actor: &Actor,
) -> Result<Document, ChangeError> {
    conn.transaction(async |conn| {
        let document = lock_own(conn, viewer, id, expected).await?;
        let job = extract_job(&document, viewer.company_id, actor);
        if enqueue(conn, &[job]).await? == 0 {
            return Ok(document);
        }
        Ok(diesel::update(documents::table.find(id))
            .set((
                documents::status.eq(DocumentStatus::Pending),
                documents::error_code.eq(None::<String>),
                documents::error.eq(None::<String>),
                documents::building_generation.eq(documents::building_generation + 1),
            ))
            .returning(Document::as_returning())
            .get_result(conn)
            .await?)
    })
    .await
}
