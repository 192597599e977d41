//! The interval of the difference of two shares that were counted on the same rows, after Newcombe
//! (Statistics in Medicine 17, 1998, p. 2635, method 10): the two intervals of Wilson, put together
//! with regard to how far the two go along with one another. Unlike the normal approximation it stays
//! within −1 to 1 and does not shrink to nothing where the two never differ.

use super::{Interval, wilson};

/// Rows by which of two passed them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Passes {
    /// Both.
    pub both: u64,
    /// The first alone.
    pub only_a: u64,
    /// The second alone.
    pub only_b: u64,
    /// Neither.
    pub neither: u64,
}

impl Passes {
    /// All of them.
    pub fn rows(&self) -> u64 {
        self.both + self.only_a + self.only_b + self.neither
    }
}

/// Between which values the share of the second less that of the first truly lies. `None` without a
/// row.
pub fn newcombe(passes: Passes) -> Option<Interval> {
    let (rows, a, b) = (
        passes.rows(),
        passes.both + passes.only_a,
        passes.both + passes.only_b,
    );
    let (around_a, around_b) = (wilson(a, rows)?, wilson(b, rows)?);
    let (share_a, share_b) = (float(a) / float(rows), float(b) / float(rows));
    let phi = correlation(passes);
    let joined = |x: f64, y: f64| (x * x - 2.0 * phi * x * y + y * y).max(0.0).sqrt();
    let difference = (float(passes.only_b) - float(passes.only_a)) / float(rows);
    let down = joined(share_b - around_b.low, around_a.high - share_a);
    let up = joined(around_b.high - share_b, share_a - around_a.low);
    Some(Interval {
        low: (difference - down).max(-1.0),
        high: (difference + up).min(1.0),
    })
}

/// How far the two pass the same rows, as −1 to 1; drawn towards 0 where they do, as Newcombe asks,
/// so that few rows do not make it seem too sure.
fn correlation(passes: Passes) -> f64 {
    let Passes {
        both,
        only_a,
        only_b,
        neither,
    } = passes;
    let of_all = float(both + only_a)
        * float(only_b + neither)
        * float(both + only_b)
        * float(only_a + neither);
    if of_all == 0.0 {
        return 0.0;
    }
    let together = float(both) * float(neither) - float(only_a) * float(only_b);
    let half = float(passes.rows()) / 2.0;
    let drawn = if together > 0.0 {
        (together - half).max(0.0)
    } else {
        together
    };
    drawn / of_all.sqrt()
}

#[expect(clippy::cast_precision_loss, reason = "rows are far fewer than 2^53")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    // By Newcombe's formula from the intervals of statsmodels:
    // l1, u1 = proportion_confint(e + f, n, method="wilson"); l2, u2 likewise of e + g
    // x = e * h - f * g; x = max(x - n / 2, 0) if x > 0 else x; phi = x / sqrt(product of the margins)
    // d - sqrt((p1 - l1)**2 - 2 * phi * (p1 - l1) * (u2 - p2) + (u2 - p2)**2), and its mirror image.
    const INTERVALS: [([u64; 4], f64, f64); 10] = [
        ([20, 12, 2, 16], 0.056_156_425, 0.329_206_995),
        ([36, 12, 2, 0], 0.056_929_584, 0.340_427_603),
        ([0, 0, 0, 10], -0.277_532_800, 0.277_532_800),
        ([10, 0, 0, 0], -0.277_532_800, 0.277_532_800),
        ([0, 10, 0, 0], 0.607_509_350, 1.0),
        ([1, 0, 0, 1], -0.573_419_468, 0.573_419_468),
        ([54, 0, 0, 0], -0.066_413_588, 0.066_413_588),
        ([0, 30, 24, 0], -0.152_487_069, 0.359_950_717),
        ([53, 0, 1, 0], -0.097_714_375, 0.049_621_662),
        ([5000, 300, 200, 4500], 0.005_617_368, 0.014_380_994),
    ];

    #[test]
    fn it_is_what_newcombe_and_statsmodels_say() {
        for ([both, only_b, only_a, neither], low, high) in INTERVALS {
            let passes = Passes {
                both,
                only_a,
                only_b,
                neither,
            };
            let interval = newcombe(passes).expect("rows");
            assert!((interval.low - low).abs() < 1e-8, "{passes:?} {interval:?}");
            assert!(
                (interval.high - high).abs() < 1e-8,
                "{passes:?} {interval:?}"
            );
        }
        assert_eq!(newcombe(Passes::default()), None);
    }

    proptest! {
        #[test]
        fn it_holds_the_difference_and_turns_with_the_sides(
            both in 0..200_u64, only_a in 0..200_u64, only_b in 0..200_u64, neither in 1..200_u64,
        ) {
            let passes = Passes { both, only_a, only_b, neither };
            let difference = (float(only_b) - float(only_a)) / float(passes.rows());
            let interval = newcombe(passes).expect("rows");
            prop_assert!(-1.0 <= interval.low && interval.low <= difference);
            prop_assert!(difference <= interval.high && interval.high <= 1.0);
            let turned = newcombe(Passes { only_a: only_b, only_b: only_a, ..passes }).expect("rows");
            prop_assert!((turned.low + interval.high).abs() < 1e-12);
            prop_assert!((turned.high + interval.low).abs() < 1e-12);
        }
    }
}
