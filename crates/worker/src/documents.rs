//! Documents become searchable: text is read from the file in a process apart, cut into passages,
//! and each passage gets its vector. Whatever stops a worker in between, the next attempt goes on
//! at the first passage without one.

use std::collections::HashMap;

use db::{
    documents::work::{self, Completion, Pending, Task},
    halfvec::Embedding,
};
use domain::{
    documents::{
        ChunkId, DiscardFile, EmbedDocument, ExtractDocument, ExtractFault, IndexPartition, Sha256,
        chunk,
    },
    jobs::{Claim, Failure, Lease, Outcome},
    providers::{EmbeddingTask, ProviderError},
};
use futures::{TryStreamExt, stream};
use integrations::{extract::ExtractError, storage::StorageError};

use crate::Worker;

/// What stops an embedding.
#[derive(Debug, thiserror::Error)]
enum EmbedError {
    #[error(transparent)]
    Provider(#[from] ProviderError),
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

/// Reads the file, cuts its text and stores the passages.
pub async fn extract(
    worker: &Worker,
    claim: &Claim,
    job: &ExtractDocument,
) -> anyhow::Result<Outcome> {
    let task = {
        let mut conn = worker.pool.get().await?;
        work::begin_extraction(&mut conn, claim.lease, job.document_id).await?
    };
    let Some(task) = task else {
        return Ok(Outcome::Done);
    };
    let passages = match read_file(worker, &task).await? {
        Ok(extracted) => tokio::task::spawn_blocking(move || chunk(&extracted)).await?,
        Err(fault) => return fail(worker, claim.lease, &task, &fault).await,
    };
    if passages.is_empty() {
        return fail(worker, claim.lease, &task, &ExtractFault::NoText).await;
    }
    let mut conn = worker.pool.get().await?;
    work::store_chunks(
        &mut conn,
        claim.lease,
        &task,
        &passages,
        claim.request_id.clone(),
    )
    .await?;
    Ok(Outcome::Done)
}

async fn read_file(
    worker: &Worker,
    task: &Task,
) -> anyhow::Result<Result<domain::documents::Extracted, ExtractFault>> {
    let copy = tempfile::NamedTempFile::new()?;
    match worker.storage.fetch(&task.storage_key, copy.path()).await {
        Ok(()) => {}
        Err(StorageError::Missing) => {
            return Ok(Err(ExtractFault::Broken(
                "its bytes are no longer in the storage".into(),
            )));
        }
        Err(cause) => return Err(cause.into()),
    }
    match worker.extractor.run(copy.path(), task.content_type).await {
        Ok(extracted) => Ok(Ok(extracted)),
        Err(ExtractError::Fault(fault)) => Ok(Err(fault)),
        Err(cause) => Err(cause.into()),
    }
}

async fn fail(
    worker: &Worker,
    held: Lease,
    task: &Task,
    fault: &ExtractFault,
) -> anyhow::Result<Outcome> {
    let code = match fault {
        ExtractFault::Empty => "empty",
        ExtractFault::Encrypted => "encrypted",
        ExtractFault::NoText => "no_text",
        ExtractFault::Broken(_) => "broken",
        ExtractFault::TooLarge(_) => "too_large",
    };
    let mut conn = worker.pool.get().await?;
    work::fail(&mut conn, held, task.id, code, &fault.to_string()).await?;
    Ok(Outcome::Done)
}

/// Gives every passage of a document its vector and shows the document to search.
pub async fn embed(worker: &Worker, claim: &Claim, job: &EmbedDocument) -> anyhow::Result<Outcome> {
    let mut conn = worker.pool.get().await?;
    let Some(task) = work::begin_embedding(&mut conn, claim.lease, job.document_id).await? else {
        return Ok(Outcome::Done);
    };
    let model_id = work::model_id(&mut conn, worker.embedder.name()).await?;
    let pending = work::pending(&mut conn, claim.lease, &task, model_id).await?;
    drop(conn);
    match embed_all(worker, claim.lease, &task, model_id, pending).await {
        Ok(()) => {}
        Err(EmbedError::Provider(cause)) => return Ok(outcome_of(&cause)),
        Err(EmbedError::Other(cause)) => return Err(cause),
    }
    let mut conn = worker.pool.get().await?;
    match work::complete(&mut conn, claim.lease, &task, model_id).await? {
        Completion::Complete | Completion::Gone => Ok(Outcome::Done),
        Completion::Incomplete => Ok(Outcome::Retry(Failure::new(
            "incomplete",
            "Some passages were left without a vector; they are embedded again.",
        ))),
    }
}

/// Embeds the passages in batches, several calls at once; equal text is sent once.
async fn embed_all(
    worker: &Worker,
    held: Lease,
    task: &Task,
    model_id: i16,
    pending: Vec<Pending>,
) -> Result<(), EmbedError> {
    let mut order: Vec<(Sha256, String)> = Vec::new();
    let mut places: HashMap<Sha256, Vec<ChunkId>> = HashMap::new();
    for passage in pending {
        let ids = places.entry(passage.sha256).or_default();
        if ids.is_empty() {
            order.push((passage.sha256, passage.text));
        }
        ids.push(passage.id);
    }
    let places = &places;
    stream::iter(order.chunks(worker.embedder.batch_size()).map(Ok))
        .try_for_each_concurrent(
            usize::from(worker.config.embed_concurrency),
            |batch| async move { embed_batch(worker, held, task, model_id, batch, places).await },
        )
        .await
}

async fn embed_batch(
    worker: &Worker,
    held: Lease,
    task: &Task,
    model_id: i16,
    batch: &[(Sha256, String)],
    places: &HashMap<Sha256, Vec<ChunkId>>,
) -> Result<(), EmbedError> {
    let texts: Vec<&str> = batch.iter().map(|(_, text)| text.as_str()).collect();
    let made = worker
        .embedder
        .embed(&texts, EmbeddingTask::Document)
        .await?;
    let rows = batch
        .iter()
        .zip(&made.vectors)
        .flat_map(|((sha256, _), vector)| {
            let vector = Embedding::from(vector.as_slice());
            places[sha256].iter().map(move |id| (*id, vector.clone()))
        });
    let rows: Vec<_> = rows.collect();
    let mut conn = worker.pool.get().await.map_err(anyhow::Error::from)?;
    work::store_embeddings(&mut conn, held, task, model_id, rows)
        .await
        .map_err(anyhow::Error::from)?;
    metrics::counter!("embedded_tokens_total", "model" => worker.embedder.name().to_owned())
        .increment(made.tokens);
    Ok(())
}

/// What a provider's refusal means for the job.
fn outcome_of(cause: &ProviderError) -> Outcome {
    let failure = Failure::new(cause.class(), cause.to_string());
    match cause {
        ProviderError::RateLimited { retry_at: until } | ProviderError::QuotaSpent { until } => {
            Outcome::Snooze(*until, cause.to_string())
        }
        ProviderError::Overloaded(_) | ProviderError::Timeout(_) | ProviderError::Malformed(_) => {
            Outcome::Retry(failure)
        }
        ProviderError::Unauthorized(_)
        | ProviderError::OutOfCredit(_)
        | ProviderError::Refused(_)
        | ProviderError::TooLong(_)
        | ProviderError::Invalid(_) => Outcome::Discard(failure),
    }
}

/// Removes the file of a deleted document.
pub async fn discard_file(worker: &Worker, job: &DiscardFile) -> anyhow::Result<Outcome> {
    worker.storage.remove(&job.storage_key).await?;
    Ok(Outcome::Done)
}

/// Builds the approximate index of a company's partition.
pub async fn index_partition(worker: &Worker, job: &IndexPartition) -> anyhow::Result<Outcome> {
    db::documents::search::build_index(&worker.config.db, job.company_id).await?;
    Ok(Outcome::Done)
}
