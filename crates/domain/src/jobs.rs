//! Jobs: what a worker is asked to do, and how an attempt may end. Postgres keeps the truth of a
//! job; Redis only carries its id to a worker.

pub mod waiting;

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::{Fault, codec::trimmed, models::ProviderKeyId};

id!(
    /// A job.
    JobId,
);

text_enum!(
    /// What a worker is asked to do. The text is stored: never rename one without a migration.
    JobKind {
        /// Extracts a document's text and cuts it into chunks.
        DocumentsExtract = "documents.extract",
        /// Embeds the chunks of a document that have no vector yet.
        DocumentsEmbed = "documents.embed",
        /// Removes a file from storage after its row is gone.
        DocumentsDiscardFile = "documents.discard_file",
        /// Builds the search index of a partition that has grown large.
        DocumentsIndex = "documents.index",
        /// Makes documents anew whose vectors or passages are of an earlier making.
        DocumentsRefresh = "documents.refresh",
        /// Works on cells of a run.
        RunsLane = "runs.lane",
        /// Performs the tasks of a workflow.
        WorkflowsExecute = "workflows.execute",
        /// Reads what changed in a tracker.
        TrackersSync = "trackers.sync",
        /// Goes through all that a tracker has.
        TrackersSweep = "trackers.sweep",
        /// Reads an issue that a webhook named.
        TrackersFetch = "trackers.fetch",
        /// Adds up what was generated, for statistics.
        StatsFold = "stats.fold",
        /// Removes what companies have kept for long enough.
        RetentionApply = "retention.apply",
        /// Removes settled jobs of the system and answers kept for idempotency.
        JobsPrune = "jobs.prune",
    }
);

text_enum!(
    /// Where a job stands.
    JobState {
        /// Waits for its time, a place, or a worker.
        Queued = "queued",
        /// A worker holds its lease.
        Running = "running",
        /// Done.
        Done = "done",
        /// Out of attempts or given up: waits for a person.
        Dead = "dead",
        /// Called off before it was done.
        Cancelled = "cancelled",
    }
);

checked_text!(
    /// A class of failures, as `errorClass` names it: up to 100 small letters, digits and underscores.
    ErrorClass,
    |text| error_class(text)
);

fn error_class(text: &str) -> Result<String, Fault> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if (1..=100).contains(&text.len()) && text.bytes().all(plain) {
        return Ok(text.to_owned());
    }
    Err(Fault(
        "must be 1 to 100 small letters, digits and underscores".into(),
    ))
}

checked_text!(
    /// What whoever pauses something wants others to know: up to 500 characters.
    PauseNote,
    |text| trimmed(text, 1, 500)
);

/// A job's arguments and rules. Arguments are ids: `perform` reads the rest afresh.
pub trait Job: serde::Serialize + serde::de::DeserializeOwned + Send + Sync {
    /// What it is called in the table, the logs and on the command line.
    const KIND: JobKind;
}

/// Removes what is no longer needed: settled jobs of the system, and answers kept for idempotency.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Prune {}

impl Job for Prune {
    const KIND: JobKind = JobKind::JobsPrune;
}

impl JobKind {
    /// Whether its jobs are done for a company; the others are the installation's own chores.
    pub const fn is_for_companies(self) -> bool {
        !matches!(
            self,
            Self::DocumentsIndex | Self::DocumentsRefresh | Self::StatsFold | Self::JobsPrune
        )
    }

    /// How many attempts it gets; a wait for somebody else's limit is none.
    pub const fn max_attempts(self) -> i32 {
        match self {
            // Most of what ends an attempt here is a worker that was stopped hard.
            Self::DocumentsExtract
            | Self::DocumentsEmbed
            | Self::DocumentsDiscardFile
            | Self::TrackersSync
            | Self::TrackersSweep
            | Self::TrackersFetch => 8,
            Self::DocumentsIndex
            | Self::DocumentsRefresh
            | Self::StatsFold
            | Self::RetentionApply
            | Self::JobsPrune => 3,
            // It has as many ends as workers are stopped hard during a long run; a cell that fails
            // counts its own.
            Self::RunsLane => 1000,
            // Likewise: what is completed stays so, and a task that fails counts its own tries.
            Self::WorkflowsExecute => 100,
        }
    }

    /// How long one attempt may take before it is stopped and tried again.
    pub const fn time_limit(self) -> Duration {
        match self {
            Self::DocumentsExtract => Duration::from_secs(10 * 60),
            Self::DocumentsEmbed
            | Self::DocumentsIndex
            | Self::DocumentsRefresh
            | Self::RunsLane
            | Self::TrackersSync
            | Self::TrackersSweep
            | Self::RetentionApply => Duration::from_secs(30 * 60),
            Self::TrackersFetch => Duration::from_secs(5 * 60),
            Self::DocumentsDiscardFile | Self::StatsFold | Self::JobsPrune => {
                Duration::from_secs(2 * 60)
            }
            // An execution has a limit of its own, which is shorter.
            Self::WorkflowsExecute => Duration::from_secs(25 * 3600),
        }
    }
}

/// The right to work on a job: names one attempt, and every effect of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The job.
    pub job_id: JobId,
    /// The attempt; a later one has another token.
    pub token: uuid::Uuid,
}

/// A job that a worker has claimed.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The right to it.
    pub lease: Lease,
    /// What is to be done.
    pub kind: JobKind,
    /// On what: the arguments of that kind.
    pub args: serde_json::Value,
    /// Which attempt this is, from 1.
    pub attempt: i32,
    /// The request that caused it.
    pub request_id: Option<String>,
    /// When the job was enqueued.
    pub created_at: DateTime<Utc>,
}

/// A job on its way to Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dispatch {
    /// The job.
    pub id: JobId,
    /// Its kind, which names the queue.
    pub kind: JobKind,
    /// Counts its dispatches, so that none is taken for a duplicate of the last.
    pub epoch: i32,
}

/// Where dispatch finds due jobs: implemented on Postgres, read by the loop that fills Redis.
pub trait Outbox: Send + Sync {
    /// What can go wrong.
    type Error: std::fmt::Display + Send;

    /// Marks due jobs as dispatched, as many as there is room for, taking turns between owners.
    fn pick(&self) -> impl Future<Output = Result<Vec<Dispatch>, Self::Error>> + Send;

    /// Jobs that were handed out a while ago and that no worker has claimed since.
    fn handed_out(&self) -> impl Future<Output = Result<Vec<Dispatch>, Self::Error>> + Send;

    /// These did not reach Redis, or are there no longer. Says how many still waited.
    fn take_back(
        &self,
        lost: &[Dispatch],
    ) -> impl Future<Output = Result<usize, Self::Error>> + Send;

    /// Redis has lost everything.
    fn take_back_all(&self) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Brings back jobs whose worker died, buries the hopeless, and says how many there were.
    fn sweep(&self) -> impl Future<Output = Result<i64, Self::Error>> + Send;
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The effect is stored.
    Done,
    /// It failed and may be tried again after a growing wait.
    Retry(Failure),
    /// It failed and may be tried again, but not before this time.
    RetryAt(DateTime<Utc>, Failure),
    /// It has to wait for somebody else; no attempt is spent.
    Snooze(DateTime<Utc>, Wait),
    /// Trying again is useless.
    Discard(Failure),
}

/// What a job waits for that is put off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// For people.
    pub reason: String,
    /// The paused key of a provider that it met.
    pub key: Option<ProviderKeyId>,
}

impl<T: Into<String>> From<T> for Wait {
    fn from(reason: T) -> Self {
        Self {
            reason: reason.into(),
            key: None,
        }
    }
}

/// Why an attempt failed: a class to group by and a sentence to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// A stable name such as `provider_unauthorized`.
    pub class: String,
    /// What happened, for a person; holds no content of documents or prompts.
    pub message: String,
}

impl Failure {
    /// A failure of this class, with a sentence for people.
    pub fn new(class: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            class: class.into(),
            message: message.into(),
        }
    }
}

/// How long to wait before attempt `attempt + 1`: doubling from one second up to ten minutes,
/// with full jitter (`random` in 0..1), so that jobs which failed together do not return together.
pub fn backoff(attempt: i32, random: f64) -> Duration {
    let ceiling = 2f64.powi(attempt.clamp(0, 20)).min(600.0);
    Duration::from_secs_f64((ceiling * random).max(0.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_with_each_attempt_and_end_at_ten_minutes() {
        assert_eq!(backoff(1, 1.0), Duration::from_secs(2));
        assert_eq!(backoff(5, 1.0), Duration::from_secs(32));
        assert_eq!(backoff(30, 1.0), Duration::from_secs(600));
        assert_eq!(backoff(3, 0.0), Duration::from_millis(200));
    }
}
