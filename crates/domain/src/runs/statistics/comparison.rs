//! Two runs held against one another, row by row. What is said speaks of `b` against `a`.
//!
//! **What is compared.** Pairs of cells of one row and repetition, of which both have a grade. The rest
//! is left out and counted. The repetitions of a row are no evidence of their own, since they share the
//! row's difficulty: a row counts once, with the mean of its pairs, and passes with a mean of a half.
//!
//! **What decides** is the exact test of `McNemar` where every row's grade is 0 or 1, and otherwise the
//! interval of the mean difference of grades: one that does not hold 0. Neither decides before the two
//! differ on [`ENOUGH`] rows, since five tosses of a coin fall alike too often.
//!
//! **Tied is not the same as not comparable.** Tied are runs whose difference may be chance, so that
//! more rows could still tell them apart; not comparable those without a single pair. One row is
//! compared and has no interval.

mod rows;

use serde::Serialize;
use utoipa::ToSchema;

use rows::Rows;

use super::{Interval, Seed, mcnemar};
use crate::runs::Grade;

/// The fewest rows on which runs differ that can tell them apart: the exact test is below 5 % from six
/// on (2 in 64).
const ENOUGH: usize = 6;

/// How unlikely by chance is unlikely enough.
const UNLIKELY: f64 = 0.05;

text_enum!(
    /// How a run did against another.
    Verdict {
        /// Better, beyond what chance explains.
        Better = "better",
        /// Worse, beyond what chance explains.
        Worse = "worse",
        /// No difference that chance does not explain.
        Tied = "tied",
        /// There is no row on which both have a grade.
        NotComparable = "not_comparable",
    }
);

text_enum!(
    /// What a verdict rests on.
    Basis {
        /// Which rows passed.
        Passes = "passes",
        /// The rows' grades.
        Grades = "grades",
    }
);

/// Two cells of one row and repetition, one of each run. A malformed cell without a grade is graded 0
/// by whoever makes the pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// The row of both.
    pub row: i32,
    /// The grade in the run that is compared with.
    pub a: Option<Grade>,
    /// The grade in the run that is judged.
    pub b: Option<Grade>,
}

/// What the cells of two runs say of `b` against `a`.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// How `b` did.
    pub verdict: Verdict,
    /// What the verdict rests on; absent where nothing can be compared.
    pub basis: Option<Basis>,
    /// Rows that are compared.
    pub rows: u64,
    /// Pairs of cells that are compared: more than rows where these are repeated.
    pub pairs: u64,
    /// Pairs that are left out, since one cell or both have no grade.
    pub left_out: u64,
    /// The mean grade of the rows.
    pub grades: Option<Measure>,
    /// The share of rows that pass.
    pub pass_rates: Option<Measure>,
    /// Rows that pass in `a` alone.
    pub only_a: u64,
    /// Rows that pass in `b` alone.
    pub only_b: u64,
    /// How likely so uneven a split of those is by chance: `McNemar`'s exact test, two-sided.
    #[schema(minimum = 0, maximum = 1)]
    pub p_value: Option<f64>,
}

/// A measure of both runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Measure {
    /// In `a`.
    pub a: f64,
    /// In `b`.
    pub b: f64,
    /// `b` less `a`.
    pub difference: f64,
    /// Between which values the difference truly lies, in 95 of 100 cases; absent for a single row.
    pub interval: Option<Interval>,
}

impl Comparison {
    /// Compares pairs, in whatever order they come.
    pub fn of(pairs: &[Pair], seed: Seed) -> Self {
        let rows = Rows::of(pairs);
        let passes = rows.passes();
        let grades = rows.grades(seed);
        let pass_rates = rows::pass_rates(passes);
        let p_value = pass_rates.map(|_| mcnemar(passes.only_a, passes.only_b));
        let basis = pass_rates.map(|_| rows.basis());
        let apart = match basis {
            Some(Basis::Passes) => p_value.is_some_and(|p| p < UNLIKELY),
            Some(Basis::Grades) => rows.differing() >= ENOUGH && excludes_0(grades),
            None => false,
        };
        Self {
            verdict: verdict(grades, apart),
            basis,
            rows: passes.rows(),
            pairs: rows.pairs,
            left_out: rows.left_out,
            grades,
            pass_rates,
            only_a: passes.only_a,
            only_b: passes.only_b,
            p_value,
        }
    }
}

fn verdict(grades: Option<Measure>, apart: bool) -> Verdict {
    match grades {
        None => Verdict::NotComparable,
        Some(grades) if apart && grades.difference > 0.0 => Verdict::Better,
        Some(grades) if apart && grades.difference < 0.0 => Verdict::Worse,
        Some(_) => Verdict::Tied,
    }
}

fn excludes_0(grades: Option<Measure>) -> bool {
    let interval = grades.and_then(|grades| grades.interval);
    interval.is_some_and(|interval| interval.low > 0.0 || interval.high < 0.0)
}

#[cfg(test)]
mod tests;
