//! How long a company keeps what only grows.

use crate::{
    Fault,
    jobs::{Job, JobKind},
};

text_enum!(
    /// What is removed once it is old enough.
    Kept {
        /// Events of runs and executions that are over, and of sign-ins.
        Events = "events",
        /// Single calls of runs that are over; what they cost stays on cells and runs.
        Attempts = "attempts",
        /// Responses of models that runs may take again.
        Responses = "responses",
        /// Entries of the audit log.
        Audit = "audit",
        /// Jobs that are done or were cancelled.
        Jobs = "jobs",
    }
);

/// The most days: a hundred years.
const MOST_DAYS: i32 = 36_525;

impl Kept {
    /// The fewest days it may be kept. The audit log has more, or whoever did something could have it
    /// forgotten before anybody looks.
    pub const fn least_days(self) -> i32 {
        match self {
            Self::Audit => 90,
            Self::Events | Self::Attempts | Self::Responses | Self::Jobs => 1,
        }
    }

    /// Whether it may be kept for so long.
    pub fn check(self, days: i32) -> Result<(), Fault> {
        let least = self.least_days();
        if (least..=MOST_DAYS).contains(&days) {
            return Ok(());
        }
        Err(Fault(format!("must be from {least} to {MOST_DAYS} days")))
    }
}

/// Removes what every company has kept for long enough.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct ApplyRetention {}

impl Job for ApplyRetention {
    const KIND: JobKind = JobKind::RetentionApply;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_bounds_and_the_audit_log_is_kept_longest() {
        for kept in Kept::ALL {
            let least = kept.least_days();
            assert!(kept.check(least).is_ok() && kept.check(MOST_DAYS).is_ok());
            assert!(kept.check(least - 1).is_err() && kept.check(MOST_DAYS + 1).is_err());
            assert!(least <= Kept::Audit.least_days());
        }
    }
}
