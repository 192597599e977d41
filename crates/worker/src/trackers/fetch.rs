//! What a webhook named: the issue is asked for, and believed as the tracker then has it.

use db::trackers::work::{self, Connected, Findings};
use domain::{
    jobs::{Claim, Outcome},
    trackers::jobs::FetchIssue,
};

use super::{Line, Stop, connected, one::Said, outcome};
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
    let mut found = Findings {
        asked_at: Some(line.present().await?),
        ..Findings::default()
    };
    match line.ask(id).await? {
        Said::Read(issue) => found.read.push(*issue),
        // Of a project that is not read: it is none of ours, or no longer.
        Said::Elsewhere | Said::NotFound => found.gone.push(id.to_owned()),
        Said::Refused(_) if line.is_let_in().await? => found.gone.push(id.to_owned()),
        Said::Refused(cause) => return Err(cause.into()),
    }
    let mut conn = worker.pool.get().await.map_err(anyhow::Error::from)?;
    Ok(work::store_findings(&mut conn, claim.lease, &line.tracker, &found, true).await?)
}
