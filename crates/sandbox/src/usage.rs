//! What this process has taken from the machine so far.

use std::time::Duration;

use nix::sys::{
    resource::{Usage, UsageWho, getrusage},
    time::TimeValLike,
};

/// Where it is not told in KiB, it is told in bytes.
const RSS_UNIT: u64 = if cfg!(target_vendor = "apple") {
    1
} else {
    1024
};

/// Processor time, user and system.
pub(crate) fn processor_time() -> Duration {
    let taken = usage().map_or(0, |usage| {
        (usage.user_time() + usage.system_time()).num_microseconds()
    });
    Duration::from_micros(taken.try_into().unwrap_or_default())
}

/// The most memory it held at any time, in bytes.
pub(crate) fn peak_memory() -> u64 {
    let peak = usage().map_or(0, |usage| usage.max_rss());
    u64::try_from(peak).unwrap_or_default() * RSS_UNIT
}

fn usage() -> Option<Usage> {
    getrusage(UsageWho::RUSAGE_SELF).ok()
}
