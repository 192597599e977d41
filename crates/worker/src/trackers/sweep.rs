//! Going through all that a tracker has: what is missing or stale here is read, what moved gets its key,
//! and what is on no page is gone once the tracker, asked for it alone, says so. How far the pages got is
//! not kept: what came of them is, so that the next turn or attempt finds less to do. Those on no page are
//! asked for in turn, whoever waited longest first, so that none is passed over for ever.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use db::{issues::Known, trackers::work::Connected};
use domain::{
    jobs::{Claim, Outcome},
    trackers::{
        IssueRef, TrackerError,
        jobs::SweepTracker,
        reconcile::{Finding, compare},
    },
};

use super::{Line, Stop, connected, haul::Haul, outcome};
use crate::Worker;

/// More pages than any tracker has.
const MOST_PAGES: usize = 10_000;

/// What is stored, by id.
type Stored = HashMap<String, Known>;

/// Goes through all that a tracker has.
pub async fn sweep(worker: &Worker, claim: &Claim, job: &SweepTracker) -> anyhow::Result<Outcome> {
    let Some(tracker) = connected(worker, job.tracker_id).await? else {
        return Ok(Outcome::Done);
    };
    match whole(worker, claim, tracker.clone()).await {
        Ok(outcome) => Ok(outcome),
        Err(stop) => outcome(worker, claim, &tracker, stop).await,
    }
}

async fn whole(worker: &Worker, claim: &Claim, tracker: Connected) -> Result<Outcome, Stop> {
    let line = Line::to(worker, claim, tracker).await?;
    // What comes to be stored from now on is not suspected.
    let known = known(&line).await?;
    let mut haul = Haul::new(&line);
    let (mut seen, mut page) = (HashSet::new(), None);
    for _ in 0..MOST_PAGES {
        let refs = line.client.keys(page.as_ref()).await?;
        haul.listed(refs.issues.len());
        for issue in refs.issues {
            seen.insert(issue.external_id.clone());
            look(&mut haul, &known, issue).await?;
            if let Some(end) = haul.pause().await? {
                return Ok(end);
            }
        }
        haul.store(false).await?;
        if refs.next.is_none() {
            return missing(haul, &known, &seen).await;
        }
        if refs.next == page {
            break;
        }
        page = refs.next;
    }
    Err(TrackerError::Malformed("its pages go in circles".into()).into())
}

async fn known(line: &Line<'_>) -> Result<Stored, Stop> {
    let mut conn = line.worker.pool.get().await.map_err(anyhow::Error::from)?;
    let known = db::issues::known(&mut conn, line.tracker.id).await;
    Ok(known.map_err(anyhow::Error::from)?)
}

/// What is to be done about an issue on the list.
async fn look(haul: &mut Haul<'_>, known: &Stored, issue: IssueRef) -> Result<(), Stop> {
    let stored = known.get(&issue.external_id).map(|known| &known.issue);
    match compare(&issue, stored) {
        Finding::Same => {}
        // The list may be late, and the key be the one that it had.
        Finding::Moved if stored.is_some_and(|stored| issue.updated_at < stored.updated_at) => {
            haul.read(&issue.external_id).await?;
        }
        Finding::Moved => haul.moved(issue),
        Finding::Unread => haul.read(&issue.external_id).await?,
    }
    Ok(())
}

/// Asks for issues that are on no page, as many as one sweep may, and ends it.
async fn missing(
    mut haul: Haul<'_>,
    known: &Stored,
    seen: &HashSet<String>,
) -> Result<Outcome, Stop> {
    let begun_at = haul.line.claim.created_at;
    let rest = rest(haul.line, begun_at).await?;
    let unseen = known.iter().filter(|(id, _)| !seen.contains(*id));
    // An earlier turn of this sweep has asked for the others.
    let unasked = unseen.filter(|(_, known)| known.asked_at < Some(begun_at));
    let mut suspects: Vec<_> = unasked.map(|(id, known)| (known.asked_at, id)).collect();
    suspects.sort();
    for (_, external_id) in suspects.into_iter().take(rest) {
        haul.suspect(external_id).await?;
        if let Some(end) = haul.pause().await? {
            return Ok(end);
        }
    }
    haul.store(true).await?;
    Ok(Outcome::Done)
}

/// How many this sweep, which began then, may still ask for.
async fn rest(line: &Line<'_>, begun_at: DateTime<Utc>) -> Result<usize, Stop> {
    let mut conn = line.worker.pool.get().await.map_err(anyhow::Error::from)?;
    let asked = db::issues::asked_since(&mut conn, line.tracker.id, begun_at).await;
    let asked = usize::try_from(asked.map_err(anyhow::Error::from)?).unwrap_or(usize::MAX);
    Ok(line.worker.pace.suspects.saturating_sub(asked))
}
