//! Making documents anew after the embedding model or the rules of cutting changed. Each keeps its
//! old passages in sight until its new ones are complete.

use diesel::{dsl, prelude::*, sql_types};
use diesel_async::{AsyncConnection, RunQueryDsl};
use domain::{
    documents::{CHUNKER_VERSION, DocumentId, DocumentStatus, ExtractDocument},
    users::CompanyId,
};
use uuid::Uuid;

use crate::{
    Connection,
    jobs::{NewJob, enqueue},
    schema::{documents, embedding_models},
};

/// Makes this embedding model the chosen one, unless it is already. Workers say so when they start.
pub async fn choose(conn: &mut Connection, model: &str) -> QueryResult<usize> {
    diesel::sql_query(include_str!("choose_model.sql"))
        .bind::<sql_types::Text, _>(model)
        .execute(conn)
        .await
}

/// Whether no other model was chosen since this one was; a model that nobody ever chose stands
/// back only behind a chosen one.
pub async fn is_latest(conn: &mut Connection, model: &str) -> QueryResult<bool> {
    let chosen: Option<String> = embedding_models::table
        .filter(embedding_models::chosen_at.is_not_null())
        .order(embedding_models::chosen_at.desc())
        .select(embedding_models::name)
        .first(conn)
        .await
        .optional()?;
    Ok(chosen.is_none_or(|chosen| chosen == model))
}

/// The id of a model's vectors, made on first sight.
pub async fn model_id(conn: &mut Connection, name: &str) -> QueryResult<i16> {
    let known = embedding_models::table
        .filter(embedding_models::name.eq(name))
        .select(embedding_models::id)
        .first(conn)
        .await
        .optional()?;
    if let Some(id) = known {
        return Ok(id);
    }
    diesel::insert_into(embedding_models::table)
        .values(embedding_models::name.eq(name))
        .on_conflict(embedding_models::name)
        .do_update()
        .set(embedding_models::name.eq(name))
        .returning(embedding_models::id)
        .get_result(conn)
        .await
}

#[derive(QueryableByName)]
struct Stale {
    #[diesel(sql_type = sql_types::Uuid)]
    id: DocumentId,
    #[diesel(sql_type = sql_types::Uuid)]
    company_id: CompanyId,
}

/// Takes up at most `limit` completed documents that were made with another model than `model` or cut
/// by older rules, and says how many; none if another model was chosen since.
pub async fn begin(conn: &mut Connection, model: &str, limit: i64) -> QueryResult<usize> {
    conn.transaction(async |conn| {
        let stale: Vec<Stale> = diesel::sql_query(include_str!("stale.sql"))
            .bind::<sql_types::Text, _>(model)
            .bind::<sql_types::Integer, _>(CHUNKER_VERSION)
            .bind::<sql_types::BigInt, _>(limit)
            .load(conn)
            .await?;
        let jobs: Vec<NewJob> = stale.iter().map(job).collect();
        enqueue(conn, &jobs).await?;
        let ids: Vec<DocumentId> = stale.iter().map(|document| document.id).collect();
        diesel::update(documents::table.filter(documents::id.eq_any(ids)))
            .set((
                documents::status.eq(DocumentStatus::Pending),
                documents::building_generation.eq(dsl::sql::<sql_types::Integer>(
                    "greatest(building_generation, live_generation) + 1",
                )),
            ))
            .execute(conn)
            .await
    })
    .await
}

/// All that is made anew is one owner to the dispatcher: it takes turns with what people wait for.
fn job(document: &Stale) -> NewJob {
    NewJob::new(&ExtractDocument {
        document_id: document.id,
    })
    .of(document.company_id, Uuid::nil())
    .on(document.id.0)
}
