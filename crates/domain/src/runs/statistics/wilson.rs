//! The interval of a share of successes, after Wilson: unlike the normal approximation it stays
//! within 0 to 1 and holds for few trials and for shares near the ends.

use super::{Interval, Z};

/// Between which values the true share lies, if so many of so many trials passed. `None` without a
/// trial.
pub fn wilson(passed: u64, trials: u64) -> Option<Interval> {
    if trials == 0 {
        return None;
    }
    let all = passed >= trials;
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    let (share, trials) = (passed.min(trials) as f64 / trials as f64, trials as f64);
    let z2 = Z * Z;
    let middle = (share + z2 / (2.0 * trials)) / (1.0 + z2 / trials);
    let spread = share * (1.0 - share) / trials + z2 / (4.0 * trials * trials);
    let half = Z * spread.sqrt() / (1.0 + z2 / trials);
    // At the ends the bound is the end itself, which rounding misses by a hair.
    let low = if passed == 0 { 0.0 } else { middle - half };
    let high = if all { 1.0 } else { middle + half };
    Some(Interval { low, high })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_is_what_statsmodels_says() {
        // from statsmodels.stats.proportion import proportion_confint as p; p(k, n, method="wilson")
        for (passed, trials, low, high) in WILSON {
            let interval = wilson(passed, trials).expect("trials");
            assert!(
                (interval.low - low).abs() < 1e-9,
                "{passed}/{trials}: {interval:?}"
            );
            assert!(
                (interval.high - high).abs() < 1e-9,
                "{passed}/{trials}: {interval:?}"
            );
        }
        assert_eq!(wilson(0, 0), None);
    }

    const WILSON: [(u64, u64, f64, f64); 9] = [
        (0, 1, 0.0, 0.793_450_686),
        (1, 1, 0.206_549_314, 1.0),
        (0, 20, 0.0, 0.161_125_158),
        (20, 20, 0.838_874_842, 1.000_000_000),
        (1, 2, 0.094_531_206, 0.905_468_794),
        (7, 10, 0.396_778_147, 0.892_208_733),
        (81, 263, 0.255_288_520, 0.366_209_577),
        (999, 1000, 0.994_357_441, 0.999_823_454),
        (5000, 10000, 0.490_202_062, 0.509_797_938),
    ];

    proptest! {
        #[test]
        fn it_holds_the_share_and_lies_within_0_and_1(
            (passed, trials) in (1..10_000_u32).prop_flat_map(|trials| (0..=trials, Just(trials))),
        ) {
            let share = f64::from(passed) / f64::from(trials);
            let (passed, trials) = (u64::from(passed), u64::from(trials));
            let interval = wilson(passed, trials).expect("trials");
            prop_assert!(0.0 <= interval.low && interval.low <= share);
            prop_assert!(share <= interval.high && interval.high <= 1.0);
            let failures = wilson(trials - passed, trials).expect("trials");
            prop_assert!((interval.low - (1.0 - failures.high)).abs() < 1e-12);
        }
    }
}
