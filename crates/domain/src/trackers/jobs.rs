//! What workers are asked to do with trackers.

use serde::{Deserialize, Serialize};

use super::TrackerId;
use crate::jobs::{Job, JobKind};

/// Reads what changed in a tracker since it was last read. The job's id is the sync's.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SyncTracker {
    /// Which.
    pub tracker_id: TrackerId,
}

impl Job for SyncTracker {
    const KIND: JobKind = JobKind::TrackersSync;
}

/// Goes through all that a tracker has. The job's id is the sync's.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SweepTracker {
    /// Which.
    pub tracker_id: TrackerId,
}

impl Job for SweepTracker {
    const KIND: JobKind = JobKind::TrackersSweep;
}

/// Reads an issue that a webhook named.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FetchIssue {
    /// Of which tracker.
    pub tracker_id: TrackerId,
    /// Its id there.
    pub external_id: String,
}

impl Job for FetchIssue {
    const KIND: JobKind = JobKind::TrackersFetch;
}
