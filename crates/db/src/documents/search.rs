//! Finding passages: by meaning, by words, or both, among the documents a viewer may see.
//!
//! Up to [`EXACT_LIMIT`] candidate passages are compared one by one, which finds the true nearest
//! at about a microsecond each. Beyond that an approximate index of the company's partition is
//! used once it is built. The planner is told which of the two is meant: it takes all distance
//! functions for equally cheap and would choose wrongly.

use diesel::{prelude::*, sql_types};
use diesel_async::{AsyncConnection, RunQueryDsl, SimpleAsyncConnection};
use domain::{
    auth::Viewer,
    documents::{ChunkId, DocumentId, SearchMode, terms},
    users::CompanyId,
};
use secrecy::ExposeSecret;
use serde::Serialize;
use uuid::Uuid;

use crate::{
    Connection, halfvec::Embedding, pool, prepared::Prepare, schema::sql_types::Halfvec,
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
    /// The words' vector and the name of the model that made it; needed unless only words count.
    pub vector: Option<(Embedding, &'a str)>,
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

/// Finds passages, best first.
pub async fn search(
    conn: &mut Connection,
    viewer: &Viewer,
    question: &Question<'_>,
) -> QueryResult<Vec<Hit>> {
    let Some((_, model)) = &question.vector else {
        return run(conn, viewer, question, 0, Nearest::Exact).await;
    };
    let scope = scope(conn, viewer, question, model).await?;
    match scope.partition {
        Some(partition) if scope.candidates > EXACT_LIMIT => {
            approximate(conn, viewer, question, scope.model_id, partition).await
        }
        _ => run(conn, viewer, question, scope.model_id, Nearest::Exact).await,
    }
}

/// How the nearest are found.
enum Nearest {
    /// By comparing all candidates.
    Exact,
    /// Through the index of this partition.
    Index(String),
}

#[derive(QueryableByName)]
struct Scope {
    #[diesel(sql_type = sql_types::SmallInt)]
    model_id: i16,
    #[diesel(sql_type = sql_types::BigInt)]
    candidates: i64,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    partition: Option<String>,
}

/// How much there is to compare, and the partition's name when it has a finished index.
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

async fn approximate(
    conn: &mut Connection,
    viewer: &Viewer,
    question: &Question<'_>,
    model_id: i16,
    partition: String,
) -> QueryResult<Vec<Hit>> {
    conn.transaction(async |conn| {
        // The index is the only path left that gives the wanted order.
        conn.batch_execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off")
            .await?;
        run(conn, viewer, question, model_id, Nearest::Index(partition)).await
    })
    .await
}

async fn run(
    conn: &mut Connection,
    viewer: &Viewer,
    question: &Question<'_>,
    model_id: i16,
    nearest: Nearest,
) -> QueryResult<Vec<Hit>> {
    let words = terms::query_terms(question.text);
    let words = words
        .iter()
        .map(|word| format!("'{word}'"))
        .collect::<Vec<_>>()
        .join(" | ");
    let vector = question.vector.as_ref().map(|(vector, _)| vector);
    let list = if question.mode == SearchMode::Hybrid {
        LIST.max(question.limit)
    } else {
        question.limit
    };
    diesel::sql_query(statement(question.mode, &nearest))
        .bind::<sql_types::Uuid, _>(viewer.company_id)
        .bind::<sql_types::Uuid, _>(viewer.user_id)
        .bind::<sql_types::Array<sql_types::Uuid>, _>(&question.document_ids)
        .bind::<sql_types::Text, _>(words)
        .bind::<sql_types::Nullable<Halfvec>, _>(vector)
        .bind::<sql_types::SmallInt, _>(model_id)
        .bind::<sql_types::BigInt, _>(list)
        .bind::<sql_types::Double, _>(question.min_score.unwrap_or(f64::NEG_INFINITY))
        .bind::<sql_types::BigInt, _>(question.limit)
        .prepared()
        .load(conn)
        .await
}

/// Puts the statement together: who may see what, the lists wanted, their merger, the passages.
fn statement(mode: SearchMode, nearest: &Nearest) -> String {
    let by_meaning = match nearest {
        Nearest::Exact => include_str!("search_exact.sql").to_owned(),
        Nearest::Index(partition) => {
            include_str!("search_index.sql").replace("PARTITION", partition)
        }
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

/// Builds the approximate index of the partition that holds the company's vectors, unless it
/// stands. Readers and writers go on meanwhile; it may take minutes.
pub async fn build_index(config: &pool::Config, company_id: CompanyId) -> anyhow::Result<()> {
    let mut conn = Connection::establish(config.database_url.expose_secret()).await?;
    // Two builders would wait for each other for ever; the second finds the work done.
    conn.batch_execute("SET statement_timeout = 0; SET maintenance_work_mem = '512MB'; SELECT pg_advisory_lock(7233180013)")
        .await?;
    let partition: Option<Partition> = diesel::sql_query(
        "SELECT tableoid::regclass::text AS name FROM chunk_embeddings WHERE company_id = $1 LIMIT 1",
    )
    .bind::<sql_types::Uuid, _>(company_id.0)
    .get_result(&mut conn)
    .await
    .optional()?;
    let Some(Partition { name }) = partition else {
        return Ok(());
    };
    // What a killed build left behind is invalid and would be kept up for nothing.
    let broken: Vec<Partition> = diesel::sql_query(
        "SELECT indexrelid::regclass::text AS name FROM pg_index
         WHERE NOT indisvalid AND indexrelid = to_regclass($1)",
    )
    .bind::<sql_types::Text, _>(format!("{name}_hnsw"))
    .load(&mut conn)
    .await?;
    if !broken.is_empty() {
        conn.batch_execute(&format!("DROP INDEX CONCURRENTLY {name}_hnsw"))
            .await?;
    }
    conn.batch_execute(&format!(
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS {name}_hnsw ON {name}
         USING hnsw (embedding halfvec_cosine_ops) WITH (m = 16, ef_construction = 200)"
    ))
    .await?;
    Ok(())
}

#[derive(QueryableByName)]
struct Partition {
    #[diesel(sql_type = sql_types::Text)]
    name: String,
}

/// The company's passages, for deciding whether its partition deserves an index.
pub async fn passages_of(conn: &mut Connection, company_id: Uuid) -> QueryResult<i64> {
    use crate::schema::documents;
    documents::table
        .filter(documents::company_id.eq(company_id))
        .select(diesel::dsl::sum(documents::live_chunks))
        .first::<Option<i64>>(conn)
        .await
        .map(Option::unwrap_or_default)
}
