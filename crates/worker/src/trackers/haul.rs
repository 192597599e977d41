//! What a sweep found and has not stored yet. It is stored in batches, between which others may have their
//! turn.

use std::io;

use db::trackers::work::{self, Findings};
use domain::{
    jobs::Outcome,
    trackers::{Issue, IssueRef, TrackerError, Unreadable},
};
use tokio::time::Instant;

use super::{Line, Stop, one::Said, turn_is_over};
use crate::perform::stopped;

/// Issues that are asked for before what was found is stored.
const BATCH: usize = 50;

/// Bytes of issues that are held before they are stored; a single one may have as many.
const MOST_BYTES: usize = 16 << 20;

/// What was found.
pub(super) struct Haul<'a> {
    pub(super) line: &'a Line<'a>,
    begun: Instant,
    found: Findings,
    /// Bytes of the issues that were read.
    bytes: usize,
    /// Suspects that were refused, and the words of the first refusal.
    refused: Vec<String>,
    refusal: Option<TrackerError>,
    /// Whether this turn got further, and may end.
    got_further: bool,
}

impl<'a> Haul<'a> {
    pub(super) fn new(line: &'a Line<'a>) -> Self {
        Self {
            line,
            begun: Instant::now(),
            found: Findings::default(),
            bytes: 0,
            refused: Vec::new(),
            refusal: None,
            got_further: false,
        }
    }

    /// A page of so many keys came.
    pub(super) fn listed(&mut self, keys: usize) {
        self.found.listed += keys;
        self.found.requests += 1;
    }

    /// An issue goes by another key.
    pub(super) fn moved(&mut self, issue: IssueRef) {
        self.found.moved.push(issue);
    }

    /// Reads an issue on the list. One that is gone by now is left to the next sweep, one that is broken or
    /// refused is named.
    pub(super) async fn read(&mut self, external_id: &str) -> Result<(), Stop> {
        let why = match self.ask(external_id).await {
            Ok(Said::Read(issue)) => return self.keep(*issue).await,
            Ok(Said::Elsewhere | Said::NotFound) => return Ok(()),
            Ok(Said::Refused(cause)) => cause.to_string(),
            Err(Stop::Tracker(TrackerError::Malformed(why))) => why,
            Err(cause) => return Err(cause),
        };
        let key = external_id.to_owned();
        self.found.unreadable.push(Unreadable { key, why });
        Ok(())
    }

    /// Asks for an issue that is on no page.
    pub(super) async fn suspect(&mut self, external_id: &str) -> Result<(), Stop> {
        self.found.suspects.push(external_id.to_owned());
        match self.ask(external_id).await {
            Ok(Said::Read(issue)) => self.keep(*issue).await?,
            Ok(Said::Elsewhere | Said::NotFound) => self.found.gone.push(external_id.to_owned()),
            Ok(Said::Refused(cause)) => {
                self.refused.push(external_id.to_owned());
                self.refusal.get_or_insert(cause);
            }
            Err(Stop::Tracker(TrackerError::Malformed(_))) => {}
            Err(cause) => return Err(cause),
        }
        Ok(())
    }

    async fn ask(&mut self, external_id: &str) -> Result<Said, Stop> {
        if self.found.asked_at.is_none() {
            self.found.asked_at = Some(self.line.present().await?);
        }
        self.found.requests += 1;
        Ok(self.line.ask(external_id).await?)
    }

    /// Keeps an issue, before which what would be too much with it is stored.
    async fn keep(&mut self, issue: Issue) -> Result<(), Stop> {
        let bytes = size(&issue);
        if self.bytes > 0 && self.bytes + bytes > MOST_BYTES {
            let asked_at = self.found.asked_at;
            self.store(false).await?;
            self.found.asked_at = asked_at;
            self.got_further = true;
        }
        self.bytes += bytes;
        self.found.read.push(issue);
        Ok(())
    }

    /// Stores a batch that is full. How the sweep ends where it is to make room now.
    pub(super) async fn pause(&mut self) -> Result<Option<Outcome>, Stop> {
        if self.line.worker.stop.is_cancelled() {
            return Ok(Some(stopped()));
        }
        if self.found.read.len().max(self.found.suspects.len()) >= BATCH {
            self.store(false).await?;
            self.got_further = true;
        }
        if !self.got_further || self.begun.elapsed() <= self.line.worker.pace.turn {
            return Ok(None);
        }
        self.store(false).await?;
        Ok(Some(turn_is_over()))
    }

    /// Stores what was found. With `whole` the job is finished.
    pub(super) async fn store(&mut self, whole: bool) -> Result<(), Stop> {
        if let Some(refusal) = self.refusal.take() {
            self.found.requests += 1;
            // Else it says nothing about these issues.
            if !self.line.is_let_in().await? {
                return Err(refusal.into());
            }
            self.found.gone.append(&mut self.refused);
        }
        let (found, line) = (std::mem::take(&mut self.found), self.line);
        self.bytes = 0;
        let mut conn = line.worker.pool.get().await.map_err(anyhow::Error::from)?;
        let lease = line.claim.lease;
        Ok(work::store_findings(&mut conn, lease, &line.tracker, &found, whole).await?)
    }
}

/// About as many bytes as an issue takes on its way to the database.
fn size(issue: &Issue) -> usize {
    let mut counted = Counted(issue.description.len());
    // Nothing can fail that only counts.
    let _ = serde_json::to_writer(&mut counted, &issue.payload);
    counted.0
}

struct Counted(usize);

impl io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
