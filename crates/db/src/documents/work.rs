//! What workers do to documents. Every function that stores something names the lease it is done
//! under; done twice, it counts once.

use std::ops::RangeInclusive;

use diesel::{dsl, prelude::*, sql_types};
use diesel_async::{AsyncConnection, RunQueryDsl};
use domain::{
    documents::{
        CHUNKER_VERSION, Chunk, ChunkId, DocumentId, DocumentStatus, DocumentType, EmbedDocument,
        IndexPartition, Sha256, terms::Lexemes,
    },
    jobs::Lease,
    users::{CompanyId, UserId},
};

use super::index;
use crate::{
    Connection,
    halfvec::Embedding,
    jobs::{FenceError, NewJob, cancel_of, enqueue, finish, hold},
    prepared::Prepare,
    schema::{
        chunks, documents,
        sql_types::{Halfvec, Tsvector},
    },
    tsvector::Terms,
};

/// Rows inserted by one statement.
const BATCH: usize = 500;

/// A document to be worked on.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = documents)]
pub struct Task {
    /// Which one.
    pub id: DocumentId,
    /// Its company.
    pub company_id: CompanyId,
    /// Its owner.
    pub owner_id: UserId,
    /// What it is.
    pub content_type: DocumentType,
    /// Where its bytes are.
    pub storage_key: String,
    /// The set of passages being made.
    pub building_generation: i32,
    /// The passages that were counted last, of any set; 0 while none was ever stored.
    pub chunks_total: i32,
}

/// Reads what an extraction is about and marks it as under way; `None` when the document is gone.
/// The set that search sees is never built upon.
pub async fn begin_extraction(
    conn: &mut Connection,
    held: Lease,
    id: DocumentId,
) -> Result<Option<Task>, FenceError> {
    let apart =
        dsl::sql::<sql_types::Integer>("greatest(building_generation, live_generation + 1)");
    conn.transaction(async |conn| {
        hold(conn, held).await?;
        Ok(diesel::update(documents::table.find(id))
            .set((
                documents::status.eq(DocumentStatus::Processing),
                documents::building_generation.eq(apart),
            ))
            .returning(Task::as_returning())
            .get_result(conn)
            .await
            .optional()?)
    })
    .await
}

/// Reads what an embedding is about; `None` when the document is gone or made anew meanwhile.
pub async fn begin_embedding(
    conn: &mut Connection,
    held: Lease,
    id: DocumentId,
    generation: i32,
) -> Result<Option<Task>, FenceError> {
    // No transaction: nothing is stored.
    hold(conn, held).await?;
    Ok(documents::table
        .filter(
            documents::id
                .eq(id)
                .and(documents::building_generation.eq(generation)),
        )
        .select(Task::as_select())
        .first(conn)
        .await
        .optional()?)
}

/// Ends the job and the document with a sentence its owner can act on.
pub async fn fail(
    conn: &mut Connection,
    held: Lease,
    id: DocumentId,
    code: &str,
    sentence: &str,
) -> Result<(), FenceError> {
    conn.transaction(async |conn| {
        hold(conn, held).await?;
        diesel::update(documents::table.find(id))
            .set((
                documents::status.eq(DocumentStatus::Failed),
                documents::error_code.eq(code),
                documents::error.eq(sentence),
            ))
            .execute(conn)
            .await?;
        Ok(finish(conn, held).await?)
    })
    .await
}

/// Stores the passages in place of any earlier attempt's, and hands on to embedding.
pub async fn store_chunks(
    conn: &mut Connection,
    held: Lease,
    task: &Task,
    passages: &[Chunk],
    request_id: Option<String>,
) -> Result<(), FenceError> {
    conn.transaction(async |conn| {
        hold(conn, held).await?;
        let total = i32::try_from(passages.len()).unwrap_or(i32::MAX);
        let found = diesel::update(documents::table.find(task.id))
            .set((
                documents::chunks_total.eq(total),
                documents::chunks_embedded.eq(0),
            ))
            .execute(conn)
            .await?;
        if found == 1 {
            if task.chunks_total > 0 {
                remove(
                    conn,
                    task,
                    task.building_generation..=task.building_generation,
                )
                .await?;
            }
            for batch in passages.chunks(BATCH) {
                insert_chunks(conn, task, batch).await?;
            }
            let job = NewJob::new(&EmbedDocument {
                document_id: task.id,
                generation: task.building_generation,
            })
            .of(task.company_id, task.owner_id.0)
            .on(task.id.0)
            .once(format!("{}:{}", task.id, task.building_generation))
            .caused_by(request_id);
            enqueue(conn, &[job]).await?;
        }
        Ok(finish(conn, held).await?)
    })
    .await
}

/// Removes these sets of the document's passages, and by a trigger their vectors.
async fn remove(
    conn: &mut Connection,
    task: &Task,
    sets: RangeInclusive<i32>,
) -> QueryResult<usize> {
    diesel::delete(chunks::table)
        .filter(
            chunks::company_id
                .eq(task.company_id)
                .and(chunks::document_id.eq(task.id)),
        )
        .filter(chunks::generation.between(*sets.start(), *sets.end()))
        .execute(conn)
        .await
}

/// Separates the headings of a path within one text: a control character no heading holds.
const HEADING_SEPARATOR: &str = "\u{1f}";

async fn insert_chunks(conn: &mut Connection, task: &Task, batch: &[Chunk]) -> QueryResult<usize> {
    let number = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
    diesel::sql_query(include_str!("insert_chunks.sql"))
        .bind::<sql_types::Uuid, _>(task.company_id)
        .bind::<sql_types::Uuid, _>(task.id)
        .bind::<sql_types::Integer, _>(task.building_generation)
        .bind::<sql_types::Array<sql_types::Uuid>, _>(
            batch.iter().map(|_| ChunkId::new()).collect::<Vec<_>>(),
        )
        .bind::<sql_types::Array<sql_types::Integer>, _>(
            batch.iter().map(|c| number(c.index)).collect::<Vec<_>>(),
        )
        .bind::<sql_types::Array<sql_types::Text>, _>(
            batch.iter().map(|c| c.text.as_str()).collect::<Vec<_>>(),
        )
        .bind::<sql_types::Array<sql_types::Text>, _>(
            batch
                .iter()
                .map(|c| c.heading_path.join(HEADING_SEPARATOR))
                .collect::<Vec<_>>(),
        )
        .bind::<sql_types::Array<sql_types::Nullable<sql_types::Integer>>, _>(
            batch
                .iter()
                .map(|c| c.page.and_then(|page| i32::try_from(page).ok()))
                .collect::<Vec<_>>(),
        )
        .bind::<sql_types::Array<sql_types::Integer>, _>(
            batch
                .iter()
                .map(|c| number(c.char_start))
                .collect::<Vec<_>>(),
        )
        .bind::<sql_types::Array<sql_types::Integer>, _>(
            batch.iter().map(|c| number(c.char_end)).collect::<Vec<_>>(),
        )
        .bind::<sql_types::Array<sql_types::Binary>, _>(
            batch
                .iter()
                .map(|c| Sha256::of(c.text.as_bytes()))
                .collect::<Vec<_>>(),
        )
        .bind::<sql_types::Array<Tsvector>, _>(
            batch
                .iter()
                .map(|c| Terms(Lexemes::of(&c.text)))
                .collect::<Vec<_>>(),
        )
        .prepared()
        .execute(conn)
        .await
}

/// A passage without a vector.
#[derive(Debug, Clone, QueryableByName)]
pub struct Pending {
    /// Which one.
    #[diesel(sql_type = sql_types::Uuid)]
    pub id: ChunkId,
    /// Its words.
    #[diesel(sql_type = sql_types::Text)]
    pub text: String,
    /// The SHA-256 of its words.
    #[diesel(sql_type = sql_types::Binary)]
    pub sha256: Sha256,
}

#[derive(QueryableByName)]
struct Bare {
    #[diesel(sql_type = sql_types::Nullable<sql_types::Uuid>)]
    id: Option<ChunkId>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    text: Option<String>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Binary>)]
    sha256: Option<Sha256>,
}

/// Gives passages the vectors that equal text of this company has already, and lists those that
/// are left without.
pub async fn pending(
    conn: &mut Connection,
    held: Lease,
    task: &Task,
    model_id: i16,
) -> Result<Vec<Pending>, FenceError> {
    let rows: Vec<Bare> = diesel::sql_query(include_str!("reuse_embeddings.sql"))
        .bind::<sql_types::Uuid, _>(task.company_id)
        .bind::<sql_types::Uuid, _>(task.id)
        .bind::<sql_types::Integer, _>(task.building_generation)
        .bind::<sql_types::SmallInt, _>(model_id)
        .bind::<sql_types::Uuid, _>(held.job_id)
        .bind::<sql_types::Uuid, _>(held.token)
        .prepared()
        .load(conn)
        .await?;
    if rows.is_empty() {
        return Err(FenceError::Lost);
    }
    let pending = |row: Bare| {
        Some(Pending {
            id: row.id?,
            text: row.text?,
            sha256: row.sha256?,
        })
    };
    Ok(rows.into_iter().filter_map(pending).collect())
}

#[derive(QueryableByName)]
struct Stored {
    #[diesel(sql_type = sql_types::Bool)]
    held: bool,
    #[diesel(sql_type = sql_types::Bool)]
    counted: bool,
}

/// Stores `vectors[n]` of passage `ids[n]` and counts them; a second time changes nothing. `false` when
/// the document is gone.
pub async fn store_embeddings(
    conn: &mut Connection,
    held: Lease,
    task: &Task,
    model_id: i16,
    ids: &[ChunkId],
    vectors: &[Embedding],
) -> Result<bool, FenceError> {
    let stored: Stored = diesel::sql_query(include_str!("insert_embeddings.sql"))
        .bind::<sql_types::Uuid, _>(task.company_id)
        .bind::<sql_types::Uuid, _>(task.id)
        .bind::<sql_types::Integer, _>(task.building_generation)
        .bind::<sql_types::SmallInt, _>(model_id)
        .bind::<sql_types::Array<sql_types::Uuid>, _>(ids)
        .bind::<sql_types::Array<Halfvec>, _>(vectors)
        .bind::<sql_types::Uuid, _>(held.job_id)
        .bind::<sql_types::Uuid, _>(held.token)
        .prepared()
        .get_result(conn)
        .await?;
    if stored.held {
        Ok(stored.counted)
    } else {
        Err(FenceError::Lost)
    }
}

/// What completing a document found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completion {
    /// Every passage has its vector: the new set is what search sees now.
    Complete,
    /// Some passages still lack one.
    Incomplete,
    /// The document is gone.
    Gone,
}

/// Switches search to the new set of passages if every one has its vector, removes older sets and
/// ends the job.
pub async fn complete(
    conn: &mut Connection,
    held: Lease,
    task: &Task,
    model_id: i16,
) -> Result<Completion, FenceError> {
    conn.transaction(async |conn| {
        hold(conn, held).await?;
        let found: Option<DocumentId> = documents::table
            .find(task.id)
            .select(documents::id)
            .for_update()
            .first(conn)
            .await
            .optional()?;
        if found.is_none() {
            finish(conn, held).await?;
            return Ok(Completion::Gone);
        }
        let switched = diesel::sql_query(include_str!("complete.sql"))
            .bind::<sql_types::Uuid, _>(task.company_id)
            .bind::<sql_types::Uuid, _>(task.id)
            .bind::<sql_types::Integer, _>(task.building_generation)
            .bind::<sql_types::SmallInt, _>(model_id)
            .bind::<sql_types::Integer, _>(CHUNKER_VERSION)
            .prepared()
            .execute(conn)
            .await?;
        if switched == 0 {
            return Ok(Completion::Incomplete);
        }
        if task.building_generation > 1 {
            remove(conn, task, 0..=task.building_generation - 1).await?;
        }
        if index::is_wanted(conn, task.company_id).await? {
            let job = NewJob::new(&IndexPartition {
                company_id: task.company_id,
            })
            .once(task.company_id.to_string());
            enqueue(conn, &[job]).await?;
        }
        finish(conn, held).await?;
        cancel_of(conn, task.id.0).await?;
        Ok(Completion::Complete)
    })
    .await
}
