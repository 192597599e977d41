//! A tracker as a company connected it, and what is told of how it is read.

use crate::{Fault, codec::trimmed, users::UserId};

id!(
    /// A round of reading a tracker; also the id of its job.
    TrackerSyncId,
    /// A sign-in to Jira Cloud that was begun.
    TrackerGrantId,
);

checked_text!(
    /// What a tracker is called, 1 to 100 characters.
    TrackerName,
    |text| trimmed(text, 1, 100)
);

text_enum!(
    /// Whether a tracker is read.
    TrackerState {
        /// It is read by the clock.
        Active = "active",
        /// Somebody stopped that.
        Paused = "paused",
        /// It does not accept the sign-in any more: somebody has to give another.
        ReconnectNeeded = "reconnect_needed",
    }
);

text_enum!(
    /// How a tracker is signed in to.
    AuthKind {
        /// By OAuth.
        Grant = "grant",
        /// By an address and an API token.
        Basic = "basic",
        /// By a token.
        Token = "token",
    }
);

text_enum!(
    /// Why a tracker is read.
    SyncKind {
        /// It was time.
        Delta = "delta",
        /// Somebody asked for it.
        Manual = "manual",
        /// It sent a webhook that names no issue to fetch.
        Webhook = "webhook",
        /// To find what is missing, moved or gone.
        Sweep = "sweep",
    }
);

text_enum!(
    /// Where a round of reading stands.
    SyncState {
        /// It waits for its turn, for its next attempt, or as long as the tracker asked to.
        Queued = "queued",
        /// A worker is at it.
        Running = "running",
        /// All was read.
        Done = "done",
        /// It was given up.
        Failed = "failed",
        /// It was called off.
        Cancelled = "cancelled",
    }
);

/// Who works on issues that are looked for: `me`, `none`, or the id of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssigneeQuery {
    /// Whoever asks.
    Me,
    /// Nobody.
    Nobody,
    /// This user, who is known by their address.
    User(UserId),
}

impl std::str::FromStr for AssigneeQuery {
    type Err = Fault;
    fn from_str(text: &str) -> Result<Self, Fault> {
        match text {
            "me" => Ok(Self::Me),
            "none" => Ok(Self::Nobody),
            id => id
                .parse()
                .map(Self::User)
                .map_err(|_| Fault("must be me, none or the id of a user".into())),
        }
    }
}

impl<E: deserr::DeserializeError> deserr::Deserr<E> for AssigneeQuery {
    fn deserialize_from_value<V: deserr::IntoValue>(
        value: deserr::Value<V>,
        location: deserr::ValuePointerRef<'_>,
    ) -> Result<Self, E> {
        crate::codec::parse_at(value, location)
    }
}
