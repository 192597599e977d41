//! Going through all that a tracker has: what is missing or stale here is read, what moved gets its key,
//! and what is on no page is gone once the tracker, asked for it alone, says so. How far this got is not
//! kept: what it stored is, so that the next attempt finds less to do.

use std::collections::{HashMap, HashSet};

use db::trackers::work::{self, Connected, Findings};
use domain::{
    jobs::{Claim, Outcome},
    trackers::{
        IssueRef, TrackerError, Unreadable,
        jobs::SweepTracker,
        reconcile::{Finding, compare},
    },
};

use super::{Line, Stop, connected, outcome};
use crate::{Worker, perform::stopped};

/// Issues that are asked for before what was found is stored.
const BATCH: usize = 50;

/// Issues on no page that one sweep asks for; the next one goes on.
const MOST_SUSPECTS: usize = 2000;

/// More pages than any tracker has.
const MOST_PAGES: usize = 10_000;

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
    let (mut seen, mut page) = (HashSet::new(), None);
    for _ in 0..MOST_PAGES {
        let refs = line.client.keys(page.as_ref()).await?;
        let mut found = Findings {
            listed: refs.issues.len(),
            requests: 1,
            ..Findings::default()
        };
        for issue in refs.issues {
            if worker.stop.is_cancelled() {
                return Ok(stopped());
            }
            seen.insert(issue.external_id.clone());
            look(&line, &known, issue, &mut found).await?;
        }
        store(&line, &found, false).await?;
        if refs.next.is_none() {
            return missing(&line, &known, &seen).await;
        }
        if refs.next == page {
            break;
        }
        page = refs.next;
    }
    Err(TrackerError::Malformed("its pages go in circles".into()).into())
}

async fn known(line: &Line<'_>) -> Result<HashMap<String, IssueRef>, Stop> {
    let mut conn = line.worker.pool.get().await.map_err(anyhow::Error::from)?;
    let known = db::issues::known(&mut conn, line.tracker.id).await;
    Ok(known.map_err(anyhow::Error::from)?)
}

/// What is to be done about an issue on the list.
async fn look(
    line: &Line<'_>,
    known: &HashMap<String, IssueRef>,
    issue: IssueRef,
    found: &mut Findings,
) -> Result<(), Stop> {
    let stored = known.get(&issue.external_id);
    match compare(&issue, stored) {
        Finding::Same => return Ok(()),
        // The list may be late, and the key be the one that it had.
        Finding::Moved if stored.is_some_and(|stored| issue.updated_at < stored.updated_at) => {
            read(line, &issue.external_id, found).await?;
        }
        Finding::Moved => found.moved.push(issue),
        Finding::Unread => read(line, &issue.external_id, found).await?,
    }
    if found.read.len() >= BATCH {
        store(line, found, false).await?;
        *found = Findings::default();
    }
    Ok(())
}

/// Reads one issue. One that is gone by now is left to the next sweep, one that is broken is named.
async fn read(line: &Line<'_>, external_id: &str, found: &mut Findings) -> Result<(), Stop> {
    found.requests += 1;
    match line.client.fetch(external_id).await {
        Ok(issue) => found.read.push(issue),
        Err(TrackerError::NotFound) => {}
        Err(TrackerError::Malformed(why)) => found.unreadable.push(Unreadable {
            key: external_id.to_owned(),
            why,
        }),
        Err(cause) => return Err(cause.into()),
    }
    Ok(())
}

/// Asks for each issue that is on no page, and ends the sweep.
async fn missing(
    line: &Line<'_>,
    known: &HashMap<String, IssueRef>,
    seen: &HashSet<String>,
) -> Result<Outcome, Stop> {
    let mut suspects: Vec<&String> = known.keys().filter(|id| !seen.contains(*id)).collect();
    suspects.sort();
    let mut found = Findings::default();
    for external_id in suspects.into_iter().take(MOST_SUSPECTS) {
        if line.worker.stop.is_cancelled() {
            return Ok(stopped());
        }
        found.requests += 1;
        match line.client.fetch(external_id).await {
            // It is there, but not where this tracker is read.
            Ok(issue) if !line.is_read(&issue.ext_key) => found.gone.push(external_id.clone()),
            Ok(issue) => found.read.push(issue),
            Err(TrackerError::NotFound) => found.gone.push(external_id.clone()),
            Err(TrackerError::Malformed(_)) => {}
            Err(cause) => return Err(cause.into()),
        }
        if found.read.len() + found.gone.len() >= BATCH {
            store(line, &found, false).await?;
            found = Findings::default();
        }
    }
    store(line, &found, true).await?;
    Ok(Outcome::Done)
}

async fn store(line: &Line<'_>, found: &Findings, whole: bool) -> Result<(), Stop> {
    let mut conn = line.worker.pool.get().await.map_err(anyhow::Error::from)?;
    let lease = line.claim.lease;
    Ok(work::store_findings(&mut conn, lease, &line.tracker, found, whole).await?)
}
