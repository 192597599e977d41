//! Trackers are read: what changed, page by page; now and then everything; and what a webhook names. Each
//! page is stored together with how far it reaches, so that whoever takes over goes on with the next.

mod fetch;
mod haul;
mod one;
mod sweep;
mod sync;

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use db::{
    jobs::FenceError,
    trackers::work::{self, Connected, StoreError},
};
use domain::{
    jobs::{Claim, Failure, Outcome},
    trackers::{TrackerClient, TrackerError, TrackerId, TrackerState, Verdict},
};
use gateway::trackers::TrackerConnectError;
use tasks::trackers::ConnectError;

use crate::Worker;
pub use fetch::fetch;
pub use sweep::sweep;
pub use sync::sync;

/// How much of a tracker is read before others have their turn.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// After so long a job makes room for others and goes on behind them, which spends no attempt.
    pub turn: Duration,
    /// Issues on no page that one sweep asks for; the next one goes on.
    pub suspects: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            turn: Duration::from_secs(10 * 60),
            suspects: 2000,
        }
    }
}

/// How long what a tracker sent is offered to Postgres.
const PERSEVERANCE: Duration = Duration::from_secs(10);

/// What stops the reading of a tracker.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// The tracker.
    #[error(transparent)]
    Tracker(#[from] TrackerError),
    /// It was changed, stopped or deleted meanwhile.
    #[error("the tracker was changed meanwhile")]
    Superseded,
    /// Its settings do not let it be called.
    #[error(transparent)]
    Connect(ConnectError),
    /// Something of ours.
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

impl From<StoreError> for Stop {
    fn from(cause: StoreError) -> Self {
        match cause {
            StoreError::Superseded => Self::Superseded,
            StoreError::Fence(cause) => Self::Other(cause.into()),
        }
    }
}

impl From<ConnectError> for Stop {
    fn from(cause: ConnectError) -> Self {
        match cause {
            ConnectError::Gate(_) => Self::Connect(cause),
            other => Self::Other(other.into()),
        }
    }
}

/// A tracker that may be read, and what calls it.
struct Line<'a> {
    worker: &'a Worker,
    claim: &'a Claim,
    tracker: Connected,
    client: Arc<dyn TrackerClient>,
}

/// The tracker if it is read at present.
async fn connected(worker: &Worker, id: TrackerId) -> anyhow::Result<Option<Connected>> {
    let tracker = work::find(&mut *worker.pool.get().await?, id).await?;
    Ok(tracker.filter(|tracker| tracker.state == TrackerState::Active))
}

impl<'a> Line<'a> {
    /// Connects. What is found out at the first check of a connection is kept before anything is read.
    async fn to(worker: &'a Worker, claim: &'a Claim, tracker: Connected) -> Result<Self, Stop> {
        let gate = &worker.gateway.trackers;
        let client = tasks::trackers::connect(&worker.pool, gate, &tracker).await?;
        if tracker.checked_at.is_some() {
            return Ok(Self {
                worker,
                claim,
                tracker,
                client,
            });
        }
        let account = client.check().await?;
        let mut conn = worker.pool.get().await.map_err(anyhow::Error::from)?;
        let kept = db::trackers::checked(&mut conn, tracker.id, tracker.version, &account).await;
        kept.map_err(anyhow::Error::from)?;
        drop(conn);
        let tracker = Connected {
            criteria_field: account.criteria_field,
            ..tracker
        };
        let client = tasks::trackers::connect(&worker.pool, gate, &tracker).await?;
        Ok(Self {
            worker,
            claim,
            tracker,
            client,
        })
    }

    /// The moment before a question, by which it is told whether its answer came too late.
    async fn present(&self) -> Result<DateTime<Utc>, Stop> {
        let mut conn = self.worker.pool.get().await.map_err(anyhow::Error::from)?;
        let present = work::present(&mut conn).await;
        Ok(present.map_err(anyhow::Error::from)?)
    }
}

/// How a job ends whose turn is over.
fn turn_is_over() -> Outcome {
    Outcome::Snooze(Utc::now(), "others had their turn".into())
}

/// How a job ends that was stopped.
async fn outcome(
    worker: &Worker,
    claim: &Claim,
    tracker: &Connected,
    stop: Stop,
) -> anyhow::Result<Outcome> {
    let cause = match stop {
        Stop::Tracker(cause) => cause,
        // What changed is read afresh; a tracker that is no longer read lets the job end by that.
        Stop::Superseded => {
            return Ok(Outcome::Snooze(
                Utc::now(),
                "the tracker was changed".into(),
            ));
        }
        Stop::Connect(cause) => return Ok(unconnected(&cause)),
        Stop::Other(cause) => return Err(cause),
    };
    let failure = Failure::new(cause.class(), cause.to_string());
    Ok(match cause.verdict() {
        Verdict::Wait(until) => Outcome::Snooze(until, cause.to_string().into()),
        Verdict::Again | Verdict::Restart => match cause.retry_at() {
            Some(time) => Outcome::RetryAt(time, failure),
            None => Outcome::Retry(failure),
        },
        Verdict::Reconnect => {
            let mut conn = worker.pool.get().await?;
            match work::needs_reconnect(&mut conn, claim.lease, tracker, &cause).await {
                Ok(true) => Outcome::Discard(failure),
                Ok(false) => Outcome::Snooze(Utc::now(), "the tracker was changed".into()),
                Err(FenceError::Lost) => Outcome::Retry(failure),
                Err(cause) => return Err(cause.into()),
            }
        }
        Verdict::GiveUp => Outcome::Discard(failure),
    })
}

fn unconnected(cause: &ConnectError) -> Outcome {
    let class = match cause {
        ConnectError::Gate(TrackerConnectError::Closed(_)) => "tracker_secret_closed",
        _ => "tracker_misconfigured",
    };
    Outcome::Discard(Failure::new(class, cause.to_string()))
}
