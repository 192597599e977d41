//! Which function performs which kind of job.

use domain::{
    documents::{DiscardFile, EmbedDocument, ExtractDocument, IndexPartition, RefreshDocuments},
    jobs::{Claim, Failure, JobKind, Outcome, Prune},
    retention::ApplyRetention,
    runs::WorkLane,
    stats::FoldStats,
    trackers::jobs::{FetchIssue, SweepTracker, SyncTracker},
    workflows::ExecuteWorkflow,
};
use serde::de::DeserializeOwned;

use crate::{Worker, documents, retention, run, runs, stats, trackers, workflows};

/// Performs the job.
pub async fn perform(worker: &Worker, claim: &Claim) -> Outcome {
    let done = match claim.kind {
        JobKind::DocumentsExtract => match read::<ExtractDocument>(claim) {
            Ok(job) => documents::extract(worker, claim, &job).await,
            Err(unreadable) => return unreadable,
        },
        JobKind::DocumentsEmbed => match read::<EmbedDocument>(claim) {
            Ok(job) => documents::embed(worker, claim, &job).await,
            Err(unreadable) => return unreadable,
        },
        JobKind::DocumentsDiscardFile => match read::<DiscardFile>(claim) {
            Ok(job) => documents::discard_file(worker, &job).await,
            Err(unreadable) => return unreadable,
        },
        JobKind::DocumentsIndex => match read::<IndexPartition>(claim) {
            Ok(job) => documents::index_partition(worker, &job).await,
            Err(unreadable) => return unreadable,
        },
        JobKind::DocumentsRefresh => match read::<RefreshDocuments>(claim) {
            Ok(_) => documents::refresh(worker).await,
            Err(unreadable) => return unreadable,
        },
        JobKind::RunsLane => match read::<WorkLane>(claim) {
            Ok(job) => runs::lane(worker, claim, &job).await,
            Err(unreadable) => return unreadable,
        },
        JobKind::WorkflowsExecute => match read::<ExecuteWorkflow>(claim) {
            Ok(job) => workflows::execute(worker, claim, &job).await,
            Err(unreadable) => return unreadable,
        },
        JobKind::StatsFold => match read::<FoldStats>(claim) {
            Ok(_) => stats::fold(worker).await,
            Err(unreadable) => return unreadable,
        },
        JobKind::TrackersSync => match read::<SyncTracker>(claim) {
            Ok(job) => trackers::sync(worker, claim, &job).await,
            Err(unreadable) => return unreadable,
        },
        JobKind::TrackersSweep => match read::<SweepTracker>(claim) {
            Ok(job) => trackers::sweep(worker, claim, &job).await,
            Err(unreadable) => return unreadable,
        },
        JobKind::TrackersFetch => match read::<FetchIssue>(claim) {
            Ok(job) => trackers::fetch(worker, claim, &job).await,
            Err(unreadable) => return unreadable,
        },
        JobKind::RetentionApply => match read::<ApplyRetention>(claim) {
            Ok(_) => retention::apply(worker).await,
            Err(unreadable) => return unreadable,
        },
        JobKind::JobsPrune => match read::<Prune>(claim) {
            Ok(_) => run::prune(worker).await,
            Err(unreadable) => return unreadable,
        },
    };
    done.unwrap_or_else(|cause| {
        tracing::warn!(error = format!("{cause:#}"), "attempt failed");
        Outcome::Retry(Failure::new(
            "internal",
            "Something on the server failed. Try again; if it stays, ask an admin to look at the logs.",
        ))
    })
}

fn read<T: DeserializeOwned>(claim: &Claim) -> Result<T, Outcome> {
    serde_json::from_value(claim.args.clone()).map_err(|cause| {
        Outcome::Discard(Failure::new(
            "arguments",
            format!("The job's arguments cannot be read: {cause}"),
        ))
    })
}
