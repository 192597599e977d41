//! How long somebody has to wait after guessing wrong.

use std::time::Duration;

/// A growing delay: nothing for the first failures, then a wait that doubles with each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lockout {
    /// The failure that is the first to cost time.
    pub threshold: u32,
    /// The wait after that failure.
    pub first: Duration,
    /// The longest wait.
    pub longest: Duration,
}

impl Lockout {
    /// The wait after so many failures in a row.
    pub fn delay(&self, failures: u32) -> Duration {
        let Some(doublings) = failures.checked_sub(self.threshold.max(1)) else {
            return Duration::ZERO;
        };
        let factor = 1u32.checked_shl(doublings).unwrap_or(u32::MAX);
        self.first.saturating_mul(factor).min(self.longest)
    }

    /// The waits after 1, 2, 3 … failures, up to the first that is the longest: what a store
    /// needs to look a wait up without knowing the rule.
    pub fn schedule(&self) -> Vec<Duration> {
        let mut waits = Vec::new();
        loop {
            let wait = self.delay(u32::try_from(waits.len() + 1).unwrap_or(u32::MAX));
            waits.push(wait);
            if wait >= self.longest || waits.len() >= 1000 {
                return waits;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Lockout = Lockout {
        threshold: 5,
        first: Duration::from_secs(30),
        longest: Duration::from_secs(3600),
    };

    #[test]
    fn four_failures_cost_nothing_and_then_the_wait_doubles_up_to_an_hour() {
        let waits: Vec<u64> = (0..14).map(|n| RULE.delay(n).as_secs()).collect();
        assert_eq!(
            waits,
            [0, 0, 0, 0, 0, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
        );
        assert_eq!(RULE.delay(u32::MAX), RULE.longest);
    }

    #[test]
    fn a_schedule_holds_the_same_waits_and_ends_at_the_longest() {
        let schedule = RULE.schedule();
        assert_eq!(schedule.len(), 12);
        assert_eq!(schedule.last(), Some(&RULE.longest));
        assert!(
            schedule
                .iter()
                .zip(1..)
                .all(|(wait, failures)| *wait == RULE.delay(failures))
        );
    }

    #[test]
    fn a_rule_without_a_wait_ends_as_well() {
        let rule = Lockout {
            first: Duration::ZERO,
            longest: Duration::ZERO,
            ..RULE
        };
        assert_eq!(rule.schedule(), [Duration::ZERO]);
    }
}
