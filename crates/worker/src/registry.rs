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
    macro_rules! read_as {
        ($arguments:ty, |$job:pat_param| $work:expr) => {
            match read::<$arguments>(claim) {
                Ok($job) => $work.await,
                Err(unreadable) => return unreadable,
            }
        };
    }
    let done = match claim.kind {
        JobKind::DocumentsExtract => read_as!(ExtractDocument, |job| documents::extract(
            worker, claim, &job
        )),
        JobKind::DocumentsEmbed => {
            read_as!(EmbedDocument, |job| documents::embed(worker, claim, &job))
        }
        JobKind::DocumentsDiscardFile => {
            read_as!(DiscardFile, |job| documents::discard_file(worker, &job))
        }
        JobKind::DocumentsIndex => read_as!(IndexPartition, |job| documents::index_partition(
            worker, &job
        )),
        JobKind::DocumentsRefresh => read_as!(RefreshDocuments, |_| documents::refresh(worker)),
        JobKind::RunsLane => read_as!(WorkLane, |job| runs::lane(worker, claim, &job)),
        JobKind::WorkflowsExecute => read_as!(ExecuteWorkflow, |job| workflows::execute(
            worker, claim, &job
        )),
        JobKind::StatsFold => read_as!(FoldStats, |_| stats::fold(worker)),
        JobKind::TrackersSync => read_as!(SyncTracker, |job| trackers::sync(worker, claim, &job)),
        JobKind::TrackersSweep => {
            read_as!(SweepTracker, |job| trackers::sweep(worker, claim, &job))
        }
        JobKind::TrackersFetch => read_as!(FetchIssue, |job| trackers::fetch(worker, claim, &job)),
        JobKind::RetentionApply => read_as!(ApplyRetention, |_| retention::apply(worker)),
        JobKind::JobsPrune => read_as!(Prune, |_| run::prune(worker)),
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
