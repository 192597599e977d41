//! Documents as their owners see them. What workers do to them is in [`work`], finding passages in
//! [`search`], and what makes that quick for large companies in [`index`].

pub mod archive;
mod change;
pub mod index;
pub mod refresh;
pub mod search;
pub mod work;

pub use change::{ChangeError, DocumentChanges, delete, reprocess, update};

use chrono::{DateTime, Utc};
use diesel::{dsl, prelude::*, sql_types};
use diesel_async::{AsyncConnection, RunQueryDsl};
use domain::{
    audit::Actor,
    auth::Viewer,
    documents::{
        ChunkId, DocumentId, DocumentStatus, DocumentType, ExtractDocument, FileName, Sha256,
    },
    page::{Limit, Page},
    users::{CompanyId, UserId, Visibility},
};
use serde::Serialize;

use crate::{
    Connection,
    horizon::horizon,
    jobs::{NewJob, enqueue},
    schema::{chunks, documents},
};

/// A document.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, utoipa::ToSchema)]
#[diesel(table_name = documents)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// Its id.
    pub id: DocumentId,
    /// Who uploaded it.
    pub owner_id: UserId,
    /// Who besides may see it.
    pub visibility: Visibility,
    /// The name it was uploaded under.
    pub file_name: FileName,
    /// What it is, by its content.
    pub content_type: DocumentType,
    /// Its size.
    pub size_bytes: i64,
    /// The SHA-256 of its bytes, hexadecimal.
    #[schema(value_type = String)]
    pub sha256: Sha256,
    /// How far it has come.
    pub status: DocumentStatus,
    /// The class of the failure, stable.
    pub error_code: Option<String>,
    /// Why it failed and what to do.
    pub error: Option<String>,
    /// Passages it was cut into.
    pub chunks_total: i32,
    /// Passages that have a vector.
    pub chunks_embedded: i32,
    /// When it was uploaded.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Where its bytes are.
    #[serde(skip)]
    pub storage_key: String,
}

/// A document to be created; its bytes are stored already.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = documents)]
pub struct NewDocument {
    /// Its id.
    pub id: DocumentId,
    /// Its company.
    pub company_id: CompanyId,
    /// Its owner.
    pub owner_id: UserId,
    /// Who besides may see it.
    pub visibility: Visibility,
    /// Its name.
    pub file_name: FileName,
    /// What it is.
    pub content_type: DocumentType,
    /// Its size.
    pub size_bytes: i64,
    /// The SHA-256 of its bytes.
    pub sha256: Sha256,
    /// Where its bytes are.
    pub storage_key: String,
}

/// A passage, as it is listed.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, utoipa::ToSchema)]
#[diesel(table_name = chunks)]
#[serde(rename_all = "camelCase")]
pub struct ChunkRow {
    /// Its id.
    pub id: ChunkId,
    /// Its place in the document, from 0.
    pub chunk_index: i32,
    /// Its words.
    pub text: String,
    /// The headings above it, outermost first.
    pub heading_path: Vec<String>,
    /// The page it starts on, from 1, where the format has pages.
    pub page: Option<i32>,
    /// Where it starts in the document's text, in characters.
    pub char_start: i32,
    /// Where it ends, exclusive.
    pub char_end: i32,
}

/// The rows a viewer may see: their own, and those their company shares.
#[dsl::auto_type(no_type_alias)]
fn visible_to(company_id: CompanyId, user_id: UserId) -> _ {
    let own: dsl::Eq<documents::owner_id, UserId> = documents::owner_id.eq(user_id);
    documents::company_id
        .eq(company_id)
        .and(own.or(documents::visibility.eq("company")))
}

/// Creates the document and the job that reads it; the second value is `false` when this owner
/// has the same bytes already, and the existing document is given.
pub async fn create(
    conn: &mut Connection,
    new: &NewDocument,
    actor: &Actor,
) -> QueryResult<(Document, bool)> {
    conn.transaction(async |conn| {
        let created = diesel::insert_into(documents::table)
            .values(new)
            .on_conflict((documents::owner_id, documents::sha256))
            .do_nothing()
            .returning(Document::as_returning())
            .get_result(conn)
            .await
            .optional()?;
        if let Some(document) = created {
            enqueue(conn, &[extract_job(&document, new.company_id, actor)]).await?;
            return Ok((document, true));
        }
        let existing = documents::table
            .filter(
                documents::owner_id
                    .eq(new.owner_id)
                    .and(documents::sha256.eq(new.sha256)),
            )
            .select(Document::as_select())
            .first(conn)
            .await?;
        Ok((existing, false))
    })
    .await
}

fn extract_job(document: &Document, company_id: CompanyId, actor: &Actor) -> NewJob {
    NewJob::new(&ExtractDocument {
        document_id: document.id,
    })
    .of(company_id, document.owner_id.0)
    .on(document.id.0)
    .caused_by(actor.request_id.clone())
}

/// Which of these documents the viewer may see and search.
pub async fn searchable(
    conn: &mut Connection,
    viewer: &Viewer,
    ids: &[DocumentId],
) -> QueryResult<Vec<DocumentId>> {
    documents::table
        .filter(visible_to(viewer.company_id, viewer.user_id))
        .filter(
            documents::id
                .eq_any(ids)
                .and(documents::live_generation.gt(0)),
        )
        .select(documents::id)
        .load(conn)
        .await
}

/// The document with these bytes, if this owner has it.
pub async fn find_by_content(
    conn: &mut Connection,
    owner_id: UserId,
    sha256: Sha256,
) -> QueryResult<Option<Document>> {
    documents::table
        .filter(
            documents::owner_id
                .eq(owner_id)
                .and(documents::sha256.eq(sha256)),
        )
        .select(Document::as_select())
        .first(conn)
        .await
        .optional()
}

/// One document.
pub async fn find(conn: &mut Connection, viewer: &Viewer, id: DocumentId) -> QueryResult<Document> {
    documents::table
        .filter(documents::id.eq(id))
        .filter(visible_to(viewer.company_id, viewer.user_id))
        .select(Document::as_select())
        .first(conn)
        .await
}

/// Which documents are listed.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// In this state.
    pub status: Option<DocumentStatus>,
    /// Changed at or after this moment; then the list is in the order of changes.
    pub updated_since: Option<DateTime<Utc>>,
    /// Older than this one (or, in the order of changes, changed after it).
    pub after: Option<(DateTime<Utc>, DocumentId)>,
}

/// Lists documents: newest first, or, when asked for changes, in the order of the changes, up to
/// the moment before which no commit can still appear.
pub async fn list(
    conn: &mut Connection,
    viewer: &Viewer,
    filter: &Filter,
    limit: Limit,
) -> QueryResult<Page<Document, (DateTime<Utc>, DocumentId)>> {
    let mut query = documents::table
        .filter(visible_to(viewer.company_id, viewer.user_id))
        .select(Document::as_select())
        .limit(limit.rows() + 1)
        .into_boxed();
    if let Some(status) = filter.status {
        query = query.filter(documents::status.eq(status));
    }
    let key = (documents::updated_at, documents::id);
    if let Some(since) = filter.updated_since {
        let horizon = horizon(conn).await?;
        query = query
            .filter(documents::updated_at.ge(since))
            .filter(documents::updated_at.lt(horizon))
            .order(key);
        if let Some((at, id)) = filter.after {
            query = query.filter(
                documents::updated_at
                    .gt(at)
                    .or(documents::updated_at.eq(at).and(documents::id.gt(id))),
            );
        }
    } else {
        query = query.order(documents::id.desc());
        if let Some((_, id)) = filter.after {
            query = query.filter(documents::id.lt(id));
        }
    }
    let rows = query.load(conn).await?;
    Ok(Page::from_surplus(rows, limit, |row: &Document| {
        (row.updated_at, row.id)
    }))
}

/// The passages of a document from `after` on, in their order.
pub async fn chunks(
    conn: &mut Connection,
    viewer: &Viewer,
    id: DocumentId,
    after: Option<i32>,
    limit: Limit,
) -> QueryResult<Page<ChunkRow, i32>> {
    let generation: i32 = documents::table
        .filter(documents::id.eq(id))
        .filter(visible_to(viewer.company_id, viewer.user_id))
        .select(dsl::sql::<sql_types::Integer>(
            "CASE WHEN live_generation > 0 THEN live_generation ELSE building_generation END",
        ))
        .first(conn)
        .await?;
    let rows = chunks::table
        .filter(
            chunks::company_id
                .eq(viewer.company_id)
                .and(chunks::document_id.eq(id)),
        )
        .filter(
            chunks::generation
                .eq(generation)
                .and(chunks::chunk_index.gt(after.unwrap_or(-1))),
        )
        .order(chunks::chunk_index)
        .limit(limit.rows() + 1)
        .select(ChunkRow::as_select())
        .load(conn)
        .await?;
    Ok(Page::from_surplus(rows, limit, |row: &ChunkRow| {
        row.chunk_index
    }))
}
