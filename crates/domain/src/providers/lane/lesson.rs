//! What the end of a call teaches about its lane, and what a lane answers that is closed.

use chrono::{DateTime, Utc};

use super::ATTENTION;
use crate::providers::ProviderError;

/// What the end of a call teaches.
#[derive(Debug, Clone, PartialEq)]
pub enum Lesson {
    /// Nothing: it was given up half-way, or its answer made no sense.
    None,
    /// The provider is there and takes the key.
    Answered,
    /// It went well, and there may be room for more.
    Good,
    /// The provider named a time.
    Wait {
        /// How long it is until then.
        wait: f64,
        /// The moment in milliseconds of Unix time.
        named: f64,
        /// Whether the quota of the day is spent.
        quota: bool,
    },
    /// The provider failed, or did not answer.
    Failed,
    /// The provider failed and named a time.
    FailedUntil {
        /// How long it is until then.
        wait: f64,
        /// The moment in milliseconds of Unix time.
        named: f64,
    },
    /// The provider refuses the key or finds no money.
    Complaint(Refusal),
}

/// Why nobody calls at the moment.
#[derive(Debug, Clone, PartialEq)]
pub enum Refusal {
    /// A provider named a time.
    Parked {
        /// The moment in milliseconds of Unix time.
        named: f64,
        /// Whether the quota of the day is spent.
        quota: bool,
    },
    /// Call after call failed.
    Failing,
    /// The provider refuses the key, in these words.
    Unauthorized(String),
    /// The account has no money left, in these words.
    OutOfCredit(String),
    /// The next moment at an even pace, or the next free place, is too far away.
    Paced,
}

impl Lesson {
    /// What a failure teaches at this moment.
    pub fn of(error: &ProviderError, now: DateTime<Utc>) -> Self {
        let until = |moment: &DateTime<Utc>, quota| Self::Wait {
            wait: milliseconds_between(now, *moment),
            named: unix_milliseconds(*moment),
            quota,
        };
        match error {
            ProviderError::RateLimited { retry_at } => until(retry_at, false),
            ProviderError::QuotaSpent { until: moment } => until(moment, true),
            ProviderError::Overloaded(trouble) => match &trouble.retry_at {
                Some(moment) => Self::FailedUntil {
                    wait: milliseconds_between(now, *moment),
                    named: unix_milliseconds(*moment),
                },
                None => Self::Failed,
            },
            ProviderError::Timeout(_) => Self::Failed,
            ProviderError::Unauthorized(says) => {
                Self::Complaint(Refusal::Unauthorized(says.clone()))
            }
            ProviderError::OutOfCredit(says) => Self::Complaint(Refusal::OutOfCredit(says.clone())),
            ProviderError::Refused(_) | ProviderError::TooLong(_) | ProviderError::Invalid(_) => {
                Self::Answered
            }
            ProviderError::Malformed(_)
            | ProviderError::Held { .. }
            | ProviderError::Paused(_)
            | ProviderError::Unasked(_) => Self::None,
        }
    }
}

impl Lesson {
    /// What there is still to say `passed` milliseconds later to somebody who may not have heard it: the
    /// rest of a time that was named, and a complaint as long as it is believed. A failure that counts
    /// twice would be worse than one that does not.
    pub fn repeated(&self, passed: f64) -> Option<Self> {
        let rest = |wait: &f64, named: &f64, quota| Self::Wait {
            wait: wait - passed,
            named: *named,
            quota,
        };
        match self {
            Self::Wait { wait, named, quota } if passed < *wait => Some(rest(wait, named, *quota)),
            Self::FailedUntil { wait, named } if passed < *wait => Some(rest(wait, named, false)),
            Self::Complaint(_) if passed < ATTENTION => Some(self.clone()),
            _ => None,
        }
    }
}

impl Refusal {
    /// What a caller is told at this moment, `wait` milliseconds before the lane opens.
    pub fn told(&self, now: DateTime<Utc>, wait: f64) -> ProviderError {
        let opens = after(now, wait);
        match self {
            Self::Parked { named, quota } => {
                // In the provider's own words, unless our clock says that this is over.
                let named = moment(*named).filter(|named| *named > now).unwrap_or(opens);
                if *quota {
                    ProviderError::QuotaSpent { until: named }
                } else {
                    ProviderError::RateLimited { retry_at: named }
                }
            }
            Self::Failing => ProviderError::Held {
                until: opens,
                why: "the provider failed several times in a row",
            },
            Self::Paced => ProviderError::Held {
                until: opens,
                why: "the calls that the provider allows are spoken for",
            },
            Self::Unauthorized(says) => ProviderError::Unauthorized(says.clone()),
            Self::OutOfCredit(says) => ProviderError::OutOfCredit(says.clone()),
        }
    }
}

/// Never rounded down: a moment too early is too early.
fn milliseconds_between(from: DateTime<Utc>, to: DateTime<Utc>) -> f64 {
    let micros = (to - from).num_microseconds().unwrap_or(i64::MAX).max(0);
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let micros = micros as f64;
    (micros / 1000.0).ceil() + 1.0
}

fn unix_milliseconds(moment: DateTime<Utc>) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let micros = moment.timestamp_micros() as f64;
    micros / 1000.0
}

fn moment(unix: f64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_micros(whole(unix * 1000.0))
}

fn after(now: DateTime<Utc>, wait: f64) -> DateTime<Utc> {
    now + chrono::TimeDelta::milliseconds(whole(wait.ceil()))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "far below 2^52, and saturating beyond"
)]
fn whole(number: f64) -> i64 {
    number.round() as i64
}
