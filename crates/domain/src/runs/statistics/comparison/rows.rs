//! The rows of a comparison: pairs of one row taken together, and what is measured of them.

use super::{Basis, Measure, Pair};
use crate::runs::{
    Grade,
    statistics::{Interval, Passes, Seed, bootstrap, newcombe},
};

/// The grades of rows, each the mean of its pairs in ten-thousandths of a millionth: whole numbers, so that
/// their sums are exact in any order.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) pairs: u64,
    pub(super) left_out: u64,
    a: Vec<i64>,
    b: Vec<i64>,
}

/// The grade 1.
const ONE: i64 = 10_000_000_000;

impl Rows {
    pub(super) fn of(pairs: &[Pair]) -> Self {
        let graded = |pair: &Pair| Some((pair.row, millionths(pair.a?), millionths(pair.b?)));
        let mut graded: Vec<_> = pairs.iter().filter_map(graded).collect();
        graded.sort_unstable();
        let mut rows = Self {
            pairs: count(graded.len()),
            left_out: count(pairs.len() - graded.len()),
            ..Self::default()
        };
        for of_row in graded.chunk_by(|(one, ..), (other, ..)| one == other) {
            let mean = |sum: i64| sum * 10_000 / i64::try_from(of_row.len()).unwrap_or(i64::MAX);
            rows.a.push(mean(of_row.iter().map(|(_, a, _)| a).sum()));
            rows.b.push(mean(of_row.iter().map(|(.., b)| b).sum()));
        }
        rows
    }

    fn both(&self) -> impl Iterator<Item = (i64, i64)> {
        self.a.iter().copied().zip(self.b.iter().copied())
    }

    pub(super) fn differing(&self) -> usize {
        self.both().filter(|(a, b)| a != b).count()
    }

    pub(super) fn basis(&self) -> Basis {
        let plain = |grade: i64| grade == 0 || grade == ONE;
        if self.both().all(|(a, b)| plain(a) && plain(b)) {
            Basis::Passes
        } else {
            Basis::Grades
        }
    }

    pub(super) fn passes(&self) -> Passes {
        let mut passes = Passes::default();
        for (a, b) in self.both() {
            *match (a >= ONE / 2, b >= ONE / 2) {
                (true, true) => &mut passes.both,
                (true, false) => &mut passes.only_a,
                (false, true) => &mut passes.only_b,
                (false, false) => &mut passes.neither,
            } += 1;
        }
        passes
    }

    pub(super) fn grades(&self, seed: Seed) -> Option<Measure> {
        let differences: Vec<i64> = self.both().map(|(a, b)| b - a).collect();
        Some(Measure {
            a: mean(&self.a)?,
            b: mean(&self.b)?,
            difference: mean(&differences)?,
            interval: bootstrap::interval(&differences, seed).map(|interval| Interval {
                low: interval.low / share(ONE),
                high: interval.high / share(ONE),
            }),
        })
    }
}

/// The share of rows that pass.
pub(super) fn pass_rates(passes: Passes) -> Option<Measure> {
    let (a, b) = (passes.both + passes.only_a, passes.both + passes.only_b);
    let rows = i64::try_from(passes.rows()).ok().filter(|rows| *rows > 0)?;
    let of = |part: i64| share(part) / share(rows);
    let (a, b) = (i64::try_from(a).ok()?, i64::try_from(b).ok()?);
    Some(Measure {
        a: of(a),
        b: of(b),
        difference: of(b - a),
        interval: newcombe(passes).filter(|_| rows > 1),
    })
}

fn millionths(grade: Grade) -> i64 {
    i64::from(grade.millionths())
}

fn mean(values: &[i64]) -> Option<f64> {
    let all = i64::try_from(values.len()).ok().filter(|all| *all > 0)?;
    Some(share(values.iter().sum()) / share(all) / share(ONE))
}

#[expect(clippy::cast_precision_loss, reason = "not told to 16 places")]
fn share(number: i64) -> f64 {
    number as f64
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
