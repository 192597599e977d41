//! Finding passages: by meaning, by words, or both, among the documents a viewer may see.
//!
//! Up to [`EXACT_LIMIT`] candidate passages are compared one by one, which finds the true nearest
//! at about a microsecond each. Beyond that an approximate index of the company's partition is
//! used once it is [built](super::index); passages that it does not cover yet are compared one by
//! one beside it. The planner is told which of the two is meant: it takes all distance functions
//! for equally cheap and would choose wrongly.

mod merge;

use diesel::{
    dsl,
    pg::Pg,
    prelude::*,
    query_builder::{BoxedSqlQuery, SqlQuery},
    sql_types,
};
use diesel_async::{AsyncConnection, RunQueryDsl, SimpleAsyncConnection};
use domain::{
    auth::Viewer,
    documents::{ChunkId, DocumentId, SearchMode, terms},
    users::CompanyId,
};
use serde::Serialize;

use super::index::Index;
use crate::{
    Connection,
    halfvec::Embedding,
    prepared::Prepare,
    schema::{documents, embedding_models, sql_types::Halfvec},
};

/// The most candidate passages that are compared one by one.
pub const EXACT_LIMIT: i64 = 20_000;

/// Candidates each list brings to a merged ranking.
const LIST: i64 = 50;

/// What is looked for, and where.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// How.
    pub mode: SearchMode,
    /// In which words.
    pub text: &'a str,
    /// The words' vector under each model whose documents are to be found by meaning; none if only
    /// words count.
    pub vectors: Vec<(Embedding, &'a str)>,
    /// Only in these documents; empty means all.
    pub document_ids: Vec<DocumentId>,
    /// The most passages to give.
    pub limit: i64,
    /// The least score to give.
    pub min_score: Option<f64>,
}

/// A passage that was found.
#[derive(Debug, Clone, QueryableByName, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Hit {
    /// The passage.
    #[diesel(sql_type = sql_types::Uuid)]
    pub chunk_id: ChunkId,
    /// Its document.
    #[diesel(sql_type = sql_types::Uuid)]
    pub document_id: DocumentId,
    /// Its document's name.
    #[diesel(sql_type = sql_types::Text)]
    pub file_name: String,
    /// Its words.
    #[diesel(sql_type = sql_types::Text)]
    pub text: String,
    /// How well it fits: cosine similarity, word rank, or the sum of reciprocal ranks, by mode.
    #[diesel(sql_type = sql_types::Double)]
    pub score: f64,
    /// The headings above it.
    #[diesel(sql_type = sql_types::Array<sql_types::Text>)]
    pub heading_path: Vec<String>,
    /// The page it starts on, where the format has pages.
    #[diesel(sql_type = sql_types::Nullable<sql_types::Integer>)]
    pub page: Option<i32>,
    /// Where it starts in the document's text, in characters.
    #[diesel(sql_type = sql_types::Integer)]
    pub char_start: i32,
    /// Where it ends, exclusive.
    #[diesel(sql_type = sql_types::Integer)]
    pub char_end: i32,
    /// Its place among the nearest by meaning.
    #[diesel(sql_type = sql_types::Nullable<sql_types::BigInt>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub semantic_rank: Option<i64>,
    /// Its place among the best by words.
    #[diesel(sql_type = sql_types::Nullable<sql_types::BigInt>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keyword_rank: Option<i64>,
}

/// A vector and the name of the model that made it.
type Placed<'a> = Option<&'a (Embedding, &'a str)>;

/// Finds passages, best first.
pub async fn search(
    conn: &mut Connection,
    viewer: &Viewer,
    question: &Question<'_>,
) -> QueryResult<Vec<Hit>> {
    let mut lists = Vec::new();
    if question.vectors.is_empty() {
        lists.push(under(conn, viewer, question, None).await?);
    }
    for placed in &question.vectors {
        lists.push(under(conn, viewer, question, Some(placed)).await?);
    }
    Ok(merge::merged(lists, question.mode, question.limit))
}

/// The models that documents of this company are found under.
pub async fn models(conn: &mut Connection, company_id: CompanyId) -> QueryResult<Vec<String>> {
    let in_use = documents::table.filter(
        documents::company_id
            .eq(company_id)
            .and(documents::live_model_id.eq(embedding_models::id.nullable())),
    );
    embedding_models::table
        .filter(dsl::exists(in_use))
        .select(embedding_models::name)
        .order(embedding_models::id)
        .load(conn)
        .await
}

/// Finds passages by words, and by meaning under one model.
async fn under(
    conn: &mut Connection,
    viewer: &Viewer,
    question: &Question<'_>,
    placed: Placed<'_>,
) -> QueryResult<Vec<Hit>> {
    let (model_id, nearest) = way(conn, viewer, question, placed).await?;
    let vector = placed.map(|(vector, _)| vector);
    if matches!(nearest, Nearest::Exact) {
        return run(conn, viewer, question, vector, model_id, nearest).await;
    }
    conn.transaction(async |conn| {
        conn.batch_execute(ONLY_INDEXES).await?;
        run(conn, viewer, question, vector, model_id, nearest).await
    })
    .await
}

/// Leaves the index as the only path that gives the wanted order of what it covers.
const ONLY_INDEXES: &str = "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off";

/// Under which model to compare, and how.
async fn way(
    conn: &mut Connection,
    viewer: &Viewer,
    question: &Question<'_>,
    placed: Placed<'_>,
) -> QueryResult<(i16, Nearest)> {
    let Some((_, model)) = placed else {
        return Ok((0, Nearest::Exact));
    };
    let scope = scope(conn, viewer, question, model).await?;
    let index = scope.index.as_deref().and_then(Index::named);
    Ok((scope.model_id, index.map_or(Nearest::Exact, Nearest::Index)))
}

/// How the nearest are found.
enum Nearest {
    /// By comparing all candidates.
    Exact,
    /// Through this index, and beside it.
    Index(Index),
}

#[derive(QueryableByName)]
struct Scope {
    #[diesel(sql_type = sql_types::SmallInt)]
    model_id: i16,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    index: Option<String>,
}

/// Under which model to compare, and the index to use if there is too much to compare and one
/// stands.
async fn scope(
    conn: &mut Connection,
    viewer: &Viewer,
    question: &Question<'_>,
    model: &str,
) -> QueryResult<Scope> {
    diesel::sql_query(include_str!("search_scope.sql"))
        .bind::<sql_types::Uuid, _>(viewer.company_id)
        .bind::<sql_types::Uuid, _>(viewer.user_id)
        .bind::<sql_types::Array<sql_types::Uuid>, _>(&question.document_ids)
        .bind::<sql_types::Text, _>(model)
        .bind::<sql_types::BigInt, _>(EXACT_LIMIT)
        .prepared()
        .get_result(conn)
        .await
}

async fn run(
    conn: &mut Connection,
    viewer: &Viewer,
    question: &Question<'_>,
    vector: Option<&Embedding>,
    model_id: i16,
    nearest: Nearest,
) -> QueryResult<Vec<Hit>> {
    bound(
        statement(question.mode, &nearest),
        viewer,
        question,
        vector,
        model_id,
    )
    .prepared()
    .load(conn)
    .await
}

/// The statement with the values it is about.
fn bound<'a>(
    statement: String,
    viewer: &Viewer,
    question: &'a Question<'_>,
    vector: Option<&'a Embedding>,
    model_id: i16,
) -> BoxedSqlQuery<'a, Pg, SqlQuery> {
    let words = terms::query_terms(question.text);
    let words = words
        .iter()
        .map(|word| format!("'{word}'"))
        .collect::<Vec<_>>()
        .join(" | ");
    let list = if question.mode == SearchMode::Hybrid {
        LIST.max(question.limit)
    } else {
        question.limit
    };
    diesel::sql_query(statement)
        .into_boxed()
        .bind::<sql_types::Uuid, _>(viewer.company_id)
        .bind::<sql_types::Uuid, _>(viewer.user_id)
        .bind::<sql_types::Array<sql_types::Uuid>, _>(&question.document_ids)
        .bind::<sql_types::Text, _>(words)
        .bind::<sql_types::Nullable<Halfvec>, _>(vector)
        .bind::<sql_types::SmallInt, _>(model_id)
        .bind::<sql_types::BigInt, _>(list)
        .bind::<sql_types::Double, _>(question.min_score.unwrap_or(f64::NEG_INFINITY))
        .bind::<sql_types::BigInt, _>(question.limit)
}

#[derive(QueryableByName)]
struct PlanLine {
    #[diesel(sql_type = sql_types::Text)]
    #[diesel(column_name = "QUERY PLAN")]
    line: String,
}

/// How Postgres goes about a search under the first model, line by line: for benchmarks, and for whoever wonders.
pub async fn explain(
    conn: &mut Connection,
    viewer: &Viewer,
    question: &Question<'_>,
) -> QueryResult<Vec<String>> {
    let placed = question.vectors.as_slice().first();
    let (model_id, nearest) = way(conn, viewer, question, placed).await?;
    let vector = placed.map(|(vector, _)| vector);
    let lines: Vec<PlanLine> = conn
        .transaction(async |conn| {
            if let Nearest::Index(_) = nearest {
                conn.batch_execute(ONLY_INDEXES).await?;
            }
            let statement = statement(question.mode, &nearest);
            let explained = format!("EXPLAIN (ANALYZE, BUFFERS) {statement}");
            bound(explained, viewer, question, vector, model_id)
                .load(conn)
                .await
        })
        .await?;
    Ok(lines.into_iter().map(|line| line.line).collect())
}

/// Puts the statement together: who may see what, the lists wanted, their merger, the passages.
fn statement(mode: SearchMode, nearest: &Nearest) -> String {
    let by_meaning = match nearest {
        Nearest::Exact => include_str!("search_exact.sql").to_owned(),
        // Written into the statement, or the planner could not tell what the index covers.
        Nearest::Index(index) => include_str!("search_index.sql")
            .replace("PARTITION", &index.partition)
            .replace("LATEST", &index.latest.to_string()),
    };
    let (lists, found) = match mode {
        SearchMode::Semantic => (
            by_meaning,
            "SELECT chunk_id, score, place AS semantic_rank, NULL::bigint AS keyword_rank FROM by_meaning",
        ),
        SearchMode::Keyword => (
            include_str!("search_words.sql").to_owned(),
            "SELECT chunk_id, score, NULL::bigint AS semantic_rank, place AS keyword_rank FROM by_words",
        ),
        SearchMode::Hybrid => (
            format!("{by_meaning}, {}", include_str!("search_words.sql")),
            include_str!("search_merge.sql"),
        ),
    };
    include_str!("search.sql")
        .replace("LISTS", &lists)
        .replace("FOUND", found)
}
