//! Fills the product's tables with documents, passages and vectors as ingestion would leave them,
//! without going through it.

use db::{
    Connection,
    halfvec::Embedding,
    schema::sql_types::{Halfvec, Tsvector},
    tsvector::Terms,
};
use diesel::sql_types;
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use domain::{
    auth::{Via, Viewer},
    documents::{ChunkId, DocumentId, terms::Lexemes},
    users::{CompanyId, Role, UserId},
};
use uuid::Uuid;

use super::{corpus::Writer, vectors::Space};

/// Passages of a document.
const DOCUMENT: usize = 50;

/// One document of so many is shared with the whole company.
const SHARED: usize = 40;

/// Bytes of a passage's text; a third of a usual one, since only words are looked for in it.
const TEXT: usize = 500;

/// A passage, its vector as it was before it was stored.
pub struct Passage {
    /// Which.
    pub id: ChunkId,
    /// The place of its owner among the owners.
    pub owner: usize,
    /// Whether all of the company may see it.
    pub shared: bool,
    /// Its vector.
    pub vector: Vec<f32>,
}

/// A company with its passages in memory, to compare with.
pub struct Company {
    /// Which.
    pub id: CompanyId,
    /// Its people.
    pub owners: Vec<Viewer>,
    /// What they have.
    pub passages: Vec<Passage>,
}

impl Company {
    /// A company of its own with an owner of no passages yet.
    pub async fn found(conn: &mut Connection) -> anyhow::Result<Self> {
        let company_id = CompanyId::new();
        conn.batch_execute(&format!(
            "INSERT INTO companies (id, name) VALUES ('{company_id}', 'Bench')"
        ))
        .await?;
        Ok(Self {
            id: company_id,
            owners: Vec::new(),
            passages: Vec::new(),
        })
    }

    /// The company of somebody who is there already, and who is its first owner.
    pub fn of(viewer: Viewer) -> Self {
        Self {
            id: viewer.company_id,
            owners: vec![viewer],
            passages: Vec::new(),
        }
    }

    /// Gives so many passages to each owner; who is missing is added. Some documents are shared.
    pub async fn fill(
        &mut self,
        conn: &mut Connection,
        space: &mut Space,
        model: &str,
        sizes: &[usize],
    ) -> anyhow::Result<()> {
        let model_id = db::documents::refresh::model_id(conn, model).await?;
        let mut writer = Writer::new(5 + self.passages.len() as u64);
        for (place, size) in sizes.iter().enumerate() {
            if place == self.owners.len() {
                let viewer = self.employ(conn).await?;
                self.owners.push(viewer);
            }
            for number in 0..size.div_ceil(DOCUMENT) {
                let shared = number % SHARED == SHARED / 2;
                let made = document(space, size - number * DOCUMENT, place, shared);
                store(conn, &self.owners[place], model_id, &made, &mut writer).await?;
                self.passages.extend(made);
            }
        }
        conn.batch_execute("VACUUM ANALYZE documents, chunks, chunk_embeddings")
            .await?;
        Ok(())
    }

    async fn employ(&self, conn: &mut Connection) -> anyhow::Result<Viewer> {
        let (user_id, company_id) = (UserId::new(), self.id);
        conn.batch_execute(&format!(
            "INSERT INTO users (id, company_id, email, name, role)
             VALUES ('{user_id}', '{company_id}', '{user_id}@example.com', 'Bench', 'developer')"
        ))
        .await?;
        Ok(Viewer {
            user_id,
            company_id,
            role: Role::Developer,
            via: Via::SingleUser,
        })
    }

    /// Whether this owner may see this passage.
    pub fn sees(owner: usize, passage: &Passage) -> bool {
        passage.shared || passage.owner == owner
    }
}

/// Passages of one document, about a few topics.
fn document(space: &mut Space, left: usize, owner: usize, shared: bool) -> Vec<Passage> {
    let topics: Vec<usize> = (0..3 + space.choose(4))
        .map(|_| space.choose(super::vectors::TOPICS))
        .collect();
    let mut passages = Vec::with_capacity(DOCUMENT);
    for _ in 0..left.min(DOCUMENT) {
        let topic = topics[space.choose(topics.len())];
        let vector = space.passage(topic);
        passages.push(Passage {
            id: ChunkId::new(),
            owner,
            shared,
            vector,
        });
    }
    passages
}

async fn store(
    conn: &mut Connection,
    viewer: &Viewer,
    model_id: i16,
    passages: &[Passage],
    writer: &mut Writer,
) -> anyhow::Result<()> {
    let id = DocumentId::new();
    let (count, visibility) = (
        passages.len(),
        if passages[0].shared {
            "company"
        } else {
            "private"
        },
    );
    let (owner, company) = (viewer.user_id, viewer.company_id);
    conn.batch_execute(&format!(
        "INSERT INTO documents (id, company_id, owner_id, visibility, file_name, content_type, size_bytes,
             sha256, storage_key, status, live_generation, live_model_id, live_chunks, chunks_total, chunks_embedded)
         VALUES ('{id}', '{company}', '{owner}', '{visibility}', 'bench.txt', 'text/plain', 1,
             decode(replace('{id}', '-', ''), 'hex'), 'bench', 'completed', 1, {model_id}, {count}, {count}, {count})"
    ))
    .await?;
    let ids: Vec<Uuid> = passages.iter().map(|passage| passage.id.0).collect();
    let places: Vec<i32> = (0..i32::try_from(count)?).collect();
    let texts: Vec<String> = passages.iter().map(|_| writer.text(TEXT, false)).collect();
    diesel::sql_query(
        "INSERT INTO chunks (company_id, id, document_id, generation, chunk_index, text, heading_path,
                             char_start, char_end, sha256, terms)
         SELECT $1, made.id, $2, 1, made.place, made.text, '{}', 0, 1, decode(replace(made.id::text, '-', ''), 'hex'), made.terms
         FROM unnest($3, $4, $5, $6) AS made (id, place, text, terms)",
    )
    .bind::<sql_types::Uuid, _>(company)
    .bind::<sql_types::Uuid, _>(id)
    .bind::<sql_types::Array<sql_types::Uuid>, _>(&ids)
    .bind::<sql_types::Array<sql_types::Integer>, _>(places)
    .bind::<sql_types::Array<sql_types::Text>, _>(&texts)
    .bind::<sql_types::Array<Tsvector>, _>(texts.iter().map(|text| Terms(Lexemes::of(text))).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    diesel::sql_query(
        "INSERT INTO chunk_embeddings (company_id, chunk_id, document_id, generation, model_id, embedding)
         SELECT $1, made.id, $2, 1, $3, made.embedding FROM unnest($4, $5) AS made (id, embedding)",
    )
    .bind::<sql_types::Uuid, _>(company)
    .bind::<sql_types::Uuid, _>(id)
    .bind::<sql_types::SmallInt, _>(model_id)
    .bind::<sql_types::Array<sql_types::Uuid>, _>(&ids)
    .bind::<sql_types::Array<Halfvec>, _>(
        passages.iter().map(|passage| Embedding::from(&passage.vector[..])).collect::<Vec<_>>(),
    )
    .execute(conn)
    .await?;
    Ok(())
}
