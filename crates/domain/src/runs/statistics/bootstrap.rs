//! The interval of a mean, drawn from the rows themselves: as often as [`RESAMPLES`] says, as many
//! rows as there are, each time with some twice and some not at all. It asks nothing of how grades are
//! spread, and they are spread oddly: most lie at the ends.
//!
//! **Percentiles, widened for few rows** (Hesterberg, *What Teachers Should Know about the Bootstrap*,
//! 2015). The plain percentiles of few rows lie too close together: what is drawn spreads by the
//! deviation over n where n−1 would be fair, and as the normal distribution does where Student's would
//! be. Taking percentiles that are further out by just that much makes up for both. `BCa`, the
//! corrected and accelerated one, was not taken: it mends skewness, which differences of grades between
//! −1 and 1 have little of, and does nothing for few rows, where the harm is.

use super::{
    Interval, Z,
    random::{Random, Seed, unfair},
};

/// The most means that are drawn, and the fewest.
const RESAMPLES: (usize, usize) = (2_000, 200);

/// The most rows that are drawn for all means together. Of many rows fewer means are drawn, whose
/// percentiles vary by some hundredths of an interval that is narrow then; and where even the fewest
/// are too many, none: the percentiles are the normal distribution's then as far as can be seen.
const DRAWS: usize = 10_000_000;

/// Between which values the mean of these lies. `None` for fewer than two, which say nothing of how
/// far they spread.
pub(super) fn interval(values: &[i64], seed: Seed) -> Option<Interval> {
    let length = u32::try_from(values.len()).ok()?;
    if length < 2 {
        return None;
    }
    let resamples = (DRAWS / values.len()).min(RESAMPLES.0);
    if resamples < RESAMPLES.1 {
        return Some(limit(values, f64::from(length)));
    }
    let (mut random, unfair) = (Random::new(seed), unfair(length));
    let mut sums: Vec<i64> = (0..resamples)
        .map(|_| values.iter().map(|_| random.one_of(values, unfair)).sum())
        .collect();
    sums.sort_unstable();
    let beyond = beyond(level(length), resamples);
    let mean = values.iter().sum();
    let low = sums.get(beyond).copied()?.min(mean);
    let high = sums.get(resamples - 1 - beyond).copied()?.max(mean);
    Some(Interval {
        low: float(low) / f64::from(length),
        high: float(high) / f64::from(length),
    })
}

/// What the interval comes to as rows become many.
fn limit(values: &[i64], length: f64) -> Interval {
    let mean = float(values.iter().sum()) / length;
    let squares: f64 = values.iter().map(|v| (float(*v) - mean).powi(2)).sum();
    let half = Z * (squares / (length - 1.0) / length).sqrt();
    Interval {
        low: mean - half,
        high: mean + half,
    }
}

#[expect(clippy::cast_precision_loss, reason = "not told to 16 places")]
fn float(number: i64) -> f64 {
    number as f64
}

/// How many of the means lie beyond an end of the interval: as many at one end as at the other.
fn beyond(level: f64, resamples: usize) -> usize {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a level is below a half and there are at most thousands of resamples"
    )]
    let beyond = (level * resamples as f64) as usize;
    beyond
}

/// The share of means to leave out at each end, for this many rows: Φ(−√(n/(n−1))·t), with Student's
/// t at 97.5 % and n−1 degrees of freedom.
fn level(rows: u32) -> f64 {
    let freedom = f64::from(rows - 1);
    let x = (f64::from(rows) / freedom).sqrt() * student(freedom);
    // The continued fraction of Laplace, which holds well for an x of 2 or so and better beyond.
    let fraction = (1..=60).rev().fold(x, |rest, k| x + f64::from(k) / rest);
    (-x * x / 2.0).exp() / ((2.0 * std::f64::consts::PI).sqrt() * fraction)
}

/// Student's t at 97.5 %, by the expansion of Fisher and Cornish: right to three places from five
/// degrees of freedom on. Below, every mean is within the interval anyway.
fn student(freedom: f64) -> f64 {
    let odd = |coefficients: [f64; 5]| {
        let z2 = Z * Z;
        Z * coefficients.iter().rev().fold(0.0, |sum, c| sum * z2 + c)
    };
    Z + odd([1.0, 1.0, 0.0, 0.0, 0.0]) / (4.0 * freedom)
        + odd([3.0, 16.0, 5.0, 0.0, 0.0]) / (96.0 * freedom.powi(2))
        + odd([-15.0, 17.0, 19.0, 3.0, 0.0]) / (384.0 * freedom.powi(3))
        + odd([-945.0, -1920.0, 1482.0, 776.0, 79.0]) / (92_160.0 * freedom.powi(4))
}

#[cfg(test)]
mod tests;
