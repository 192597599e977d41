//! Documents on the move, with their bytes. Passages and vectors are made anew where they arrive, by
//! the same job as after an upload.

use deserr::Deserr;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    audit::Actor,
    auth::Viewer,
    documents::{DocumentId, DocumentType, FileName, Sha256},
    jobs::JobId,
    users::{Role, Visibility},
};
use serde::Serialize;
use uuid::Uuid;

use super::{Document, extract_job, find, find_by_content, visible_to};
use crate::{
    Connection,
    archive::{At, Import, Out, Outcome, ROWS, StoredFile, derived, now_at_most},
    jobs::{enqueue, renounce},
    schema::documents,
};

const AREA: &str = "documents";

/// A line of `documents.jsonl`.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Serialize, Deserr)]
#[diesel(table_name = documents)]
#[serde(rename_all = "camelCase")]
#[deserr(rename_all = camelCase)]
pub struct ArchivedDocument {
    /// Its id.
    pub id: DocumentId,
    /// Its name.
    pub file_name: FileName,
    /// What it is.
    pub content_type: DocumentType,
    /// Its size.
    pub size_bytes: i64,
    /// The SHA-256 of its bytes, which are in `files/` under it.
    pub sha256: Sha256,
    /// Who besides its owner may see it.
    pub visibility: Visibility,
    /// When it was uploaded.
    pub created_at: At,
    /// When it last changed.
    pub updated_at: At,
}

/// A document to be taken in.
#[derive(Debug, Clone)]
pub struct Imported {
    /// Its place in its file.
    pub index: usize,
    /// The document.
    pub row: ArchivedDocument,
    /// Where its bytes are stored, and the promise that they are removed; none if it is only tried, or
    /// was here.
    pub stored: Option<(String, JobId)>,
}

/// Sends the documents that the viewer may see.
pub(crate) async fn export(
    conn: &mut Connection,
    viewer: &Viewer,
    out: &mut Out,
) -> QueryResult<()> {
    let mut after = DocumentId(Uuid::nil());
    loop {
        let page: Vec<(ArchivedDocument, String)> = documents::table
            .filter(visible_to(viewer.company_id, viewer.user_id))
            .filter(documents::id.gt(after))
            .order(documents::id)
            .limit(ROWS)
            .select((ArchivedDocument::as_select(), documents::storage_key))
            .load(conn)
            .await?;
        let Some((last, _)) = page.last() else {
            return Ok(());
        };
        after = last.id;
        let (rows, keys): (Vec<_>, Vec<_>) = page.into_iter().unzip();
        let files = rows.iter().zip(keys).map(|(row, storage_key)| StoredFile {
            sha256: row.sha256,
            storage_key,
        });
        out.files(files.collect()).await?;
        out.rows("documents.jsonl", &rows).await?;
    }
}

/// Whether this document is here, by one of the ids that it may have or by its bytes.
pub async fn is_here(
    conn: &mut Connection,
    viewer: &Viewer,
    row: &ArchivedDocument,
) -> QueryResult<bool> {
    Ok(same(conn, viewer, row).await?.is_some())
}

async fn same(
    conn: &mut Connection,
    viewer: &Viewer,
    row: &ArchivedDocument,
) -> QueryResult<Option<Document>> {
    for id in [row.id, DocumentId(derived(viewer, row.id.0))] {
        let found = find(conn, viewer, id).await.optional()?;
        if let Some(found) = found.filter(|found| found.sha256 == row.sha256) {
            return Ok(Some(found));
        }
    }
    find_by_content(conn, viewer.user_id, row.sha256).await
}

/// Takes a document in.
pub(crate) async fn take_in(
    conn: &mut Connection,
    import: &mut Import<'_>,
    imported: Imported,
) -> QueryResult<()> {
    match same(conn, import.viewer, &imported.row).await? {
        Some(found) => merge(conn, import, imported, found).await,
        None => create(conn, import, imported).await,
    }
}

async fn merge(
    conn: &mut Connection,
    import: &mut Import<'_>,
    Imported { index, row, .. }: Imported,
    found: Document,
) -> QueryResult<()> {
    import.documents.hold(row.id.0, found.id.0);
    let is_same = found.file_name == row.file_name && found.visibility == row.visibility;
    let viewer = import.viewer;
    if is_same {
        let outcome = Outcome::Unchanged;
        import.report.row(AREA, index, found.id.0, outcome);
        return Ok(());
    }
    if found.owner_id != viewer.user_id && viewer.role != Role::Admin {
        let message = "is somebody else's here, differs, and is not yours to change";
        import.report.fault(AREA, index, message);
        return Ok(());
    }
    diesel::update(documents::table.find(found.id))
        .set((
            documents::file_name.eq(row.file_name),
            documents::visibility.eq(row.visibility),
        ))
        .execute(conn)
        .await?;
    let outcome = Outcome::Updated;
    import.report.row(AREA, index, found.id.0, outcome);
    Ok(())
}

async fn create(
    conn: &mut Connection,
    import: &mut Import<'_>,
    imported: Imported,
) -> QueryResult<()> {
    if !import.has_bytes(AREA, imported.index, imported.stored.is_some()) {
        return Ok(());
    }
    let (index, row, viewer) = (imported.index, imported.row, import.viewer);
    let ids = [row.id.0, derived(viewer, row.id.0)];
    let taken: Vec<DocumentId> = documents::table
        .filter(documents::id.eq_any(ids))
        .select(documents::id)
        .load(conn)
        .await?;
    let free = ids
        .into_iter()
        .map(DocumentId)
        .find(|id| !taken.contains(id));
    let id = free.unwrap_or_else(DocumentId::new);
    let (storage_key, promise) = imported.stored.unzip();
    let document: Document = diesel::insert_into(documents::table)
        .values((
            documents::id.eq(id),
            documents::company_id.eq(viewer.company_id),
            documents::owner_id.eq(viewer.user_id),
            documents::visibility.eq(row.visibility),
            documents::file_name.eq(row.file_name),
            documents::content_type.eq(row.content_type),
            documents::size_bytes.eq(row.size_bytes),
            documents::sha256.eq(row.sha256),
            documents::storage_key.eq(storage_key.unwrap_or_default()),
            documents::created_at.eq(now_at_most(row.created_at)),
        ))
        .returning(Document::as_returning())
        .get_result(conn)
        .await?;
    if let Some(promise) = promise {
        renounce(conn, promise).await?;
    }
    let actor = Actor {
        company_id: viewer.company_id,
        user_id: Some(viewer.user_id),
        request_id: None,
    };
    enqueue(conn, &[extract_job(&document, viewer.company_id, &actor)]).await?;
    import.documents.hold(row.id.0, id.0);
    import.report.row(AREA, index, id.0, Outcome::Created);
    Ok(())
}
