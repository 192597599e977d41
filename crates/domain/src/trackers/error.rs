//! What can go wrong with a call to a tracker, classified once, so that nobody else reads status codes.

use chrono::{DateTime, Utc};

use crate::providers::Trouble;

/// What can go wrong with a call to a tracker. No text of it holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrackerError {
    /// Too many calls; not again before this time.
    #[error("the tracker asks to wait until {retry_at}")]
    RateLimited {
        /// The moment it named, or a usual wait.
        retry_at: DateTime<Utc>,
    },
    /// The token is wrong, spent or taken back: somebody has to connect the tracker again.
    #[error("the tracker does not accept the sign-in, connect it again: {0}")]
    Unauthorized(String),
    /// The account may not see this.
    #[error("the account may not do this in the tracker: {0}")]
    Forbidden(String),
    /// There is no such issue, or the account may not see it; trackers do not tell these apart.
    #[error("the tracker has no such issue, or does not show it to this account")]
    NotFound,
    /// The issue goes by another key now.
    #[error("the issue is called {key} now")]
    Moved {
        /// Its present key.
        key: String,
    },
    /// The page cannot be gone on from: ask anew from what was reached.
    #[error("the tracker no longer knows where this page begins")]
    PageExpired,
    /// The tracker no longer has the interface that was called.
    #[error("the tracker has removed what was called: {0}")]
    Removed(String),
    /// The tracker has trouble of its own; trying again may help.
    #[error("the tracker is overloaded or failing: {0}")]
    Overloaded(Trouble),
    /// No answer in time, or the connection broke.
    #[error("no answer from the tracker: {0}")]
    Timeout(String),
    /// The answer is not what the interface promises.
    #[error("the tracker's answer cannot be read: {0}")]
    Malformed(String),
    /// The tracker does not accept the request as it stands.
    #[error("the tracker rejects the request: {0}")]
    Invalid(String),
    /// This installation is not set up for it: the OAuth app, the address, the certificate.
    #[error("the connection to the tracker is not set up rightly: {0}")]
    Misconfigured(String),
    /// The pair of tokens could not be read or stored.
    #[error("the tokens of the tracker are out of reach: {0}")]
    Store(String),
}

/// What a job does about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Waits until then, which spends no attempt.
    Wait(DateTime<Utc>),
    /// Tries again later, not before [`TrackerError::retry_at`], which spends one.
    Again,
    /// Asks for the page anew, from what was reached.
    Restart,
    /// Stops until somebody connects the tracker again.
    Reconnect,
    /// Gives up: the next try would end the same way.
    GiveUp,
}

impl TrackerError {
    /// A stable name for logs, metrics and dead letters.
    pub const fn class(&self) -> &'static str {
        match self {
            Self::RateLimited { .. } => "tracker_rate_limited",
            Self::Unauthorized(_) => "tracker_unauthorized",
            Self::Forbidden(_) => "tracker_forbidden",
            Self::NotFound => "tracker_not_found",
            Self::Moved { .. } => "tracker_issue_moved",
            Self::PageExpired => "tracker_page_expired",
            Self::Removed(_) => "tracker_interface_removed",
            Self::Overloaded(_) => "tracker_overloaded",
            Self::Timeout(_) => "tracker_timeout",
            Self::Malformed(_) => "tracker_malformed_answer",
            Self::Invalid(_) => "tracker_invalid_request",
            Self::Misconfigured(_) => "tracker_misconfigured",
            Self::Store(_) => "tracker_tokens_out_of_reach",
        }
    }

    /// The time before which it is no use to call again, if the tracker named one.
    pub const fn retry_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::RateLimited { retry_at } => Some(*retry_at),
            Self::Overloaded(trouble) => trouble.retry_at,
            _ => None,
        }
    }

    /// What a job does about it.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::RateLimited { retry_at } => Verdict::Wait(*retry_at),
            Self::Unauthorized(_) => Verdict::Reconnect,
            Self::PageExpired => Verdict::Restart,
            Self::Overloaded(_) | Self::Timeout(_) | Self::Malformed(_) | Self::Store(_) => {
                Verdict::Again
            }
            Self::Forbidden(_)
            | Self::NotFound
            | Self::Moved { .. }
            | Self::Removed(_)
            | Self::Invalid(_)
            | Self::Misconfigured(_) => Verdict::GiveUp,
        }
    }
}
