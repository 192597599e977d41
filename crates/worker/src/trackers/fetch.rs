//! What a webhook named: the issue is asked for, and believed as the tracker then has it.

use db::trackers::work::{self, Connected, Findings};
use domain::{
    jobs::{Claim, Outcome},
    trackers::{TrackerError, jobs::FetchIssue},
};

use super::{Line, Stop, connected, outcome};
use crate::Worker;

/// Reads an issue that a webhook named.
pub async fn fetch(worker: &Worker, claim: &Claim, job: &FetchIssue) -> anyhow::Result<Outcome> {
    let Some(tracker) = connected(worker, job.tracker_id).await? else {
        return Ok(Outcome::Done);
    };
    match one(worker, claim, tracker.clone(), &job.external_id).await {
        Ok(()) => Ok(Outcome::Done),
        Err(stop) => outcome(worker, claim, &tracker, stop).await,
    }
}

async fn one(worker: &Worker, claim: &Claim, tracker: Connected, id: &str) -> Result<(), Stop> {
    let line = Line::to(worker, claim, tracker).await?;
    let mut found = Findings::default();
    match line.client.fetch(id).await {
        // Of a project that is not read: it is none of ours, or no longer.
        Ok(issue) if !line.is_read(&issue.ext_key) => found.gone.push(issue.external_id),
        Ok(issue) => found.read.push(issue),
        Err(TrackerError::NotFound) => found.gone.push(id.to_owned()),
        Err(cause) => return Err(cause.into()),
    }
    let mut conn = worker.pool.get().await.map_err(anyhow::Error::from)?;
    Ok(work::store_findings(&mut conn, claim.lease, &line.tracker, &found, true).await?)
}
