//! How far a tracker has been read, and what to ask for next.
//!
//! A round reads everything that changed since a little before what the last round reached, page by
//! page, and is gone on with where it stood. What is passed over is only what was stored: whoever
//! stores a page stores the cursor after it in the same transaction. Two things make rounds overlap. A
//! search shows changes late and in any order, so a round begins [`OVERLAP`] before the watermark, and
//! the watermark never comes nearer than [`SETTLING`] to the round's beginning, however new the changes
//! are that it saw. Together they bound how late a search may be: by less than both.

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

use super::{Page, TrackerError};

/// How far before the watermark a round begins.
pub const OVERLAP: Duration = Duration::minutes(15);

/// Changes younger than this, when a round begins, do not move the watermark.
pub const SETTLING: Duration = Duration::minutes(5);

/// The watermark is not further behind the beginning of a round that has ended, so that a tracker in
/// which nothing happens is not asked for its last changes for ever. It is also as much as its clock may be slow.
const QUIET: Duration = Duration::hours(1);

/// More pages than any tracker has: whoever sends more is going in circles.
const MOST_PAGES: u32 = 100_000;

/// How often a round may lose its page and ask anew.
const MOST_RESTARTS: u32 = 20;

/// Where a page begins, in the words of the client that made it; nobody else reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PageToken(pub String);

/// What a client is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Changes at or after this; `None` for all there ever were.
    pub since: Option<DateTime<Utc>>,
    /// The page; `None` for the first.
    pub page: Option<PageToken>,
}

/// How far a tracker has been read. `Default` has read nothing.
#[derive(
    Debug,
    Clone,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    diesel::expression::AsExpression,
    diesel::deserialize::FromSqlRow,
)]
#[diesel(sql_type = diesel::sql_types::Jsonb)]
#[serde(rename_all = "camelCase", default)]
pub struct Cursor {
    /// All changes up to a little before this are stored.
    pub watermark: Option<DateTime<Utc>>,
    /// The round under way.
    pub round: Option<Round>,
}

jsonb!(Cursor);

/// A round under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Round {
    /// When it began, by our clock.
    pub began_at: DateTime<Utc>,
    /// Changes at or after this are asked for.
    pub since: Option<DateTime<Utc>>,
    /// The newest change on the pages so far.
    pub reached: Option<DateTime<Utc>>,
    /// The newest of those that a search cannot have misplaced. One that changes while its page is read
    /// may be found by when it changed before, so that its new time says nothing of the pages' order.
    pub settled: Option<DateTime<Utc>>,
    /// The next page.
    pub next: Option<PageToken>,
    /// Pages read so far.
    pub pages: u32,
    /// How often its page was lost.
    pub restarts: u32,
}

/// Whether a round goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// There are more pages.
    More,
    /// That was the last page; the watermark is moved.
    Ended,
}

impl Cursor {
    /// What to ask for now: the next page of the round under way, or the first of a new one.
    pub fn ask(&mut self, now: DateTime<Utc>) -> Ask {
        let since = self.watermark.map(|watermark| watermark - OVERLAP);
        let round = self.round.get_or_insert(Round {
            began_at: now,
            since,
            reached: None,
            settled: None,
            next: None,
            pages: 0,
            restarts: 0,
        });
        Ask {
            since: round.since,
            page: round.next.clone(),
        }
    }

    /// Moves past a page, which is to be stored together with the cursor. Fails on a tracker that goes
    /// in circles; then nothing is to be stored.
    pub fn pass(&mut self, page: &Page) -> Result<Progress, TrackerError> {
        let Some(round) = &mut self.round else {
            return Ok(Progress::Ended);
        };
        if page.next.is_some() && page.next == round.next || round.pages >= MOST_PAGES {
            return Err(TrackerError::Malformed(
                "its pages go in circles, the same one comes again".into(),
            ));
        }
        let changes = page.issues.iter().map(|issue| issue.updated_at);
        let settled = changes.clone().filter(|at| is_settled(*at, round.began_at));
        round.settled = round.settled.max(settled.max());
        round.reached = round.reached.max(changes.max());
        round.pages += 1;
        round.next.clone_from(&page.next);
        if round.next.is_some() {
            return Ok(Progress::More);
        }
        self.end();
        Ok(Progress::Ended)
    }

    /// Gives up the page that was lost and goes on from what is stored for certain. `false` if
    /// that has been tried often enough.
    pub fn restart(&mut self) -> bool {
        let Some(round) = &mut self.round else {
            return true;
        };
        round.next = None;
        round.since = round.settled.max(round.since);
        round.restarts += 1;
        round.restarts <= MOST_RESTARTS
    }

    /// Forgets how far it got: the next round reads everything.
    pub fn rewind(&mut self) {
        *self = Self::default();
    }

    fn end(&mut self) {
        if let Some(round) = self.round.take() {
            let settled = round.began_at - SETTLING;
            let reached = round.reached.map(|reached| reached.min(settled));
            let quiet = Some(round.began_at - QUIET);
            self.watermark = self.watermark.max(reached).max(quiet);
        }
    }
}

/// Whether a search that is asked now knows of this change, so that it stands where it belongs.
pub fn is_settled(at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    at <= now - SETTLING - OVERLAP
}

#[cfg(test)]
mod tests;
