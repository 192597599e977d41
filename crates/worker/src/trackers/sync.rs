//! A round: everything that changed since a little before the last one, oldest change first.

use chrono::{DateTime, Utc};
use db::trackers::work::{self, Connected, Sent};
use domain::{
    jobs::{Claim, Outcome},
    trackers::{Ask, Cursor, Page, TrackerError, Verdict, jobs::SyncTracker},
};
use tokio::time::Instant;

use super::{Line, PERSEVERANCE, Stop, connected, outcome, turn_is_over};
use crate::{Worker, patience::insist, perform::stopped};

/// Calls that the check of a connection makes.
const CHECK: usize = 3;

/// Reads what changed in a tracker.
pub async fn sync(worker: &Worker, claim: &Claim, job: &SyncTracker) -> anyhow::Result<Outcome> {
    let Some(tracker) = connected(worker, job.tracker_id).await? else {
        return Ok(Outcome::Done);
    };
    match round(worker, claim, tracker.clone()).await {
        Ok(outcome) => Ok(outcome),
        Err(stop) => outcome(worker, claim, &tracker, stop).await,
    }
}

async fn round(worker: &Worker, claim: &Claim, tracker: Connected) -> Result<Outcome, Stop> {
    let begun = Instant::now();
    let mut calls = if tracker.checked_at.is_none() {
        CHECK
    } else {
        0
    };
    let mut cursor = tracker.cursor.clone();
    let line = Line::to(worker, claim, tracker).await?;
    loop {
        if worker.stop.is_cancelled() {
            return Ok(stopped());
        }
        if begun.elapsed() > worker.pace.turn {
            return Ok(turn_is_over());
        }
        let ask = cursor.ask(Utc::now());
        let asked_at = line.present().await?;
        calls += 1;
        let Some(page) = read(&line, &mut cursor, &ask).await? else {
            continue;
        };
        cursor.pass(&page)?;
        store(&line, &page, asked_at, &cursor, calls).await?;
        calls = 0;
        if cursor.round.is_none() {
            return Ok(Outcome::Done);
        }
    }
}

/// A page; `None` where it was lost and is to be asked for anew, from what is stored.
async fn read(line: &Line<'_>, cursor: &mut Cursor, ask: &Ask) -> Result<Option<Page>, Stop> {
    let cause = match line.client.fetch_since(ask).await {
        Ok(page) => return Ok(Some(page)),
        Err(cause) => cause,
    };
    if cause.verdict() != Verdict::Restart {
        return Err(cause.into());
    }
    if !cursor.restart() {
        // The next round begins where this one did.
        cursor.round = None;
        store_cursor(line, cursor).await?;
        return Err(TrackerError::Malformed("it loses its pages again and again".into()).into());
    }
    store_cursor(line, cursor).await?;
    Ok(None)
}

async fn store_cursor(line: &Line<'_>, cursor: &Cursor) -> Result<(), Stop> {
    let mut conn = line.worker.pool.get().await.map_err(anyhow::Error::from)?;
    Ok(work::store_cursor(&mut conn, line.claim.lease, &line.tracker, cursor).await?)
}

async fn store(
    line: &Line<'_>,
    page: &Page,
    asked_at: DateTime<Utc>,
    cursor: &Cursor,
    calls: usize,
) -> Result<(), Stop> {
    let sent = Sent {
        issues: &page.issues,
        unreadable: &page.unreadable,
        asked_at,
    };
    let stored = insist(PERSEVERANCE, || async {
        let mut conn = line.worker.pool.get().await?;
        let (lease, tracker) = (line.claim.lease, &line.tracker);
        match work::store_page(&mut conn, lease, tracker, sent, cursor, calls).await {
            Ok(_) => Ok(Ok(())),
            Err(work::StoreError::Superseded) => Ok(Err(Stop::Superseded)),
            Err(work::StoreError::Fence(cause)) => Err(cause.into()),
        }
    });
    stored.await?
}
