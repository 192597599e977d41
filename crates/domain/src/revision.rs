//! Revisions of a row: which one a caller expects to change. A row's revision is the time of its
//! last write, to the microsecond.

use chrono::{DateTime, Utc};

/// Which revisions of a row a change may be made to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Expected {
    /// Whatever stands.
    #[default]
    Any,
    /// One of these; nothing if there are none.
    OneOf(Vec<DateTime<Utc>>),
}

impl Expected {
    /// Whether a row last written at this time may be changed.
    pub fn accepts(&self, updated_at: DateTime<Utc>) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(revisions) => revisions.contains(&updated_at),
        }
    }
}
