//! How long events were on their way, by milliseconds: counted, not kept.

use std::sync::atomic::{AtomicU64, Ordering};

use chrono::TimeDelta;

/// The longest that is told apart, in milliseconds.
const MOST: usize = 30_000;

/// Counts of milliseconds.
pub struct Lags(Vec<AtomicU64>);

impl Default for Lags {
    fn default() -> Self {
        Self((0..=MOST).map(|_| AtomicU64::new(0)).collect())
    }
}

impl Lags {
    /// Counts one.
    pub fn add(&self, lag: TimeDelta) {
        let place = usize::try_from(lag.num_milliseconds()).unwrap_or(0);
        self.0[place.min(MOST)].fetch_add(1, Ordering::Relaxed);
    }

    /// The milliseconds within which this share in hundred arrived.
    pub fn within(&self, percent: u64) -> u32 {
        let counts: Vec<u64> = self
            .0
            .iter()
            .map(|count| count.load(Ordering::Relaxed))
            .collect();
        let wanted = (counts.iter().sum::<u64>() * percent).div_ceil(100);
        let mut reached = 0;
        let place = counts.iter().position(|count| {
            reached += count;
            reached >= wanted
        });
        place
            .and_then(|place| u32::try_from(place).ok())
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_in_a_hundred_arrive_within_the_time_given() {
        let lags = Lags::default();
        for milliseconds in 1..=100 {
            lags.add(TimeDelta::milliseconds(milliseconds));
        }
        assert_eq!(
            [50, 95, 100].map(|percent| lags.within(percent)),
            [50, 95, 100]
        );
        lags.add(TimeDelta::hours(1));
        assert_eq!(lags.within(100), 30_000);
    }
}
