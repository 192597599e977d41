//! Documents become searchable: text is read from the file in a process apart, cut into passages,
//! and each passage gets its vector. Whatever stops a worker in between, the next attempt goes on
//! at the first passage without one.

use std::{
    collections::HashMap,
    future::ready,
    sync::atomic::{AtomicBool, Ordering},
};

use db::{
    documents::refresh,
    documents::work::{self, Completion, Pending, Task},
    halfvec::Embedding,
};
use domain::{
    documents::{
        ChunkId, DiscardFile, EmbedDocument, ExtractDocument, ExtractFault, IndexPartition, Sha256,
        chunk,
    },
    jobs::{Claim, Failure, Lease, Outcome, Wait, waiting::NEWER_WORKER},
    providers::{EmbeddingTask, ProviderError},
};
use futures::{StreamExt, stream};
use integrations::{extract::ExtractError, storage::StorageError};

use crate::{Worker, patience::insist, perform::stopped};

/// Documents taken up by one statement when all are made anew.
const REFRESH_BATCH: i64 = 200;

/// What stops an embedding.
#[derive(Debug, thiserror::Error)]
enum EmbedError {
    #[error(transparent)]
    Provider(#[from] ProviderError),
    #[error("the document is gone or made anew")]
    Superseded,
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
    let Some(task) =
        work::begin_embedding(&mut conn, claim.lease, job.document_id, job.generation).await?
    else {
        return Ok(Outcome::Done);
    };
    if !refresh::is_latest(&mut conn, worker.embedder.name()).await? {
        return Ok(left_to_newer());
    }
    let model_id = refresh::model_id(&mut conn, worker.embedder.name()).await?;
    let pending = work::pending(&mut conn, claim.lease, &task, model_id).await?;
    drop(conn);
    match embed_all(worker, claim.lease, &task, model_id, pending).await {
        Ok(()) => {}
        Err(EmbedError::Superseded) => return Ok(Outcome::Done),
        Err(EmbedError::Provider(cause)) => return Ok(outcome_of(&cause)),
        Err(EmbedError::Other(cause)) => return Err(cause),
    }
    let completion = insist(worker.config.lease(), || async {
        let mut conn = worker.pool.get().await?;
        Ok(work::complete(&mut conn, claim.lease, &task, model_id).await?)
    });
    match completion.await? {
        Completion::Complete | Completion::Gone => Ok(Outcome::Done),
        Completion::Incomplete if worker.stop.is_cancelled() => Ok(stopped()),
        Completion::Incomplete => Ok(Outcome::Retry(Failure::new(
            "incomplete",
            "Some passages were left without a vector; they are embedded again.",
        ))),
    }
}

/// A worker of an earlier embedding model would make a document that is to be made anew at once.
fn left_to_newer() -> Outcome {
    let later = chrono::Utc::now() + chrono::TimeDelta::seconds(15);
    Outcome::Snooze(later, NEWER_WORKER.into())
}

/// Embeds the passages in batches, several calls at once; equal text is sent once. After a failure,
/// or when the worker is to stop, no further call is made, but those under way are paid for: they
/// are waited for and their vectors stored.
async fn embed_all(
    worker: &Worker,
    held: Lease,
    task: &Task,
    model_id: i16,
    pending: Vec<Pending>,
) -> Result<(), EmbedError> {
    let (order, places) = distinct(pending);
    let failed = AtomicBool::new(false);
    let (order, places, failed) = (&order, &places, &failed);
    let size = worker.embedder.batch_size();
    let calls = stream::iter((0..order.len()).step_by(size))
        .take_while(|_| ready(!failed.load(Ordering::Relaxed) && !worker.stop.is_cancelled()))
        .map(|start| async move {
            let batch = &order[start..order.len().min(start + size)];
            let ended = embed_batch(worker, held, task, model_id, batch, places).await;
            failed.fetch_or(ended.is_err(), Ordering::Relaxed);
            ended
        })
        .buffer_unordered(usize::from(worker.config.embed_concurrency));
    let failures: Vec<_> = calls.filter_map(|ended| ready(ended.err())).collect().await;
    failures.into_iter().next().map_or(Ok(()), Err)
}

/// Which passages have a text.
type Places = HashMap<Sha256, Vec<ChunkId>>;

/// The texts in their order, each once, and where each belongs.
fn distinct(pending: Vec<Pending>) -> (Vec<(Sha256, String)>, Places) {
    let mut order = Vec::new();
    let mut places = Places::new();
    for passage in pending {
        let ids = places.entry(passage.sha256).or_default();
        if ids.is_empty() {
            order.push((passage.sha256, passage.text));
        }
        ids.push(passage.id);
    }
    (order, places)
}

async fn embed_batch(
    worker: &Worker,
    held: Lease,
    task: &Task,
    model_id: i16,
    batch: &[(Sha256, String)],
    places: &Places,
) -> Result<(), EmbedError> {
    let texts: Vec<&str> = batch.iter().map(|(_, text)| text.as_str()).collect();
    let made = worker
        .embedder
        .embed(&texts, EmbeddingTask::Document)
        .await?;
    metrics::counter!("embedded_tokens_total", "model" => worker.embedder.name().to_owned())
        .increment(made.tokens);
    let rows = batch
        .iter()
        .zip(&made.vectors)
        .flat_map(|((sha256, _), vector)| {
            let vector = Embedding::from(vector.as_slice());
            places[sha256].iter().map(move |id| (*id, vector.clone()))
        });
    let (ids, vectors): (Vec<_>, Vec<_>) = rows.unzip();
    // Paid for: not thrown away because Postgres starts anew at this moment.
    let stored = insist(worker.config.lease(), || async {
        let mut conn = worker.pool.get().await?;
        Ok(work::store_embeddings(&mut conn, held, task, model_id, &ids, &vectors).await?)
    });
    if stored.await? {
        Ok(())
    } else {
        Err(EmbedError::Superseded)
    }
}

/// What a provider's refusal means for the job.
fn outcome_of(cause: &ProviderError) -> Outcome {
    let failure = Failure::new(cause.class(), cause.to_string());
    match cause.said() {
        ProviderError::RateLimited { retry_at: until }
        | ProviderError::QuotaSpent { until }
        | ProviderError::Held { until, .. } => Outcome::Snooze(*until, cause.to_string().into()),
        ProviderError::Paused(key) => Outcome::Snooze(
            key.look_again,
            Wait {
                reason: cause.to_string(),
                key: Some(key.id),
            },
        ),
        ProviderError::Overloaded(_) | ProviderError::Timeout(_) | ProviderError::Malformed(_) => {
            match cause.retry_at() {
                // It spends an attempt: a provider that is down for good may say so for ever.
                Some(time) => Outcome::RetryAt(time, failure),
                None => Outcome::Retry(failure),
            }
        }
        ProviderError::Unauthorized(_)
        | ProviderError::OutOfCredit(_)
        | ProviderError::Refused(_)
        | ProviderError::TooLong(_)
        | ProviderError::Invalid(_)
        | ProviderError::Unasked(_) => Outcome::Discard(failure),
    }
}

/// Removes the file of a deleted document.
pub async fn discard_file(worker: &Worker, job: &DiscardFile) -> anyhow::Result<Outcome> {
    worker.storage.remove(&job.storage_key).await?;
    Ok(Outcome::Done)
}

/// Builds the approximate index of a company's partition.
pub async fn index_partition(worker: &Worker, job: &IndexPartition) -> anyhow::Result<Outcome> {
    db::documents::index::build(&worker.config.db, job.company_id).await?;
    Ok(Outcome::Done)
}

/// Makes documents anew that this worker would make differently. They are found by what they are
/// until their new passages are complete.
pub async fn refresh(worker: &Worker) -> anyhow::Result<Outcome> {
    let mut conn = worker.pool.get().await?;
    let model = worker.embedder.name();
    if !refresh::is_latest(&mut conn, model).await? {
        return Ok(left_to_newer());
    }
    while !worker.stop.is_cancelled() {
        let begun = refresh::begin(&mut conn, model, REFRESH_BATCH).await?;
        if begun == 0 {
            return Ok(Outcome::Done);
        }
        tracing::info!(documents = begun, embedder = model, "making documents anew");
    }
    Ok(stopped())
}
