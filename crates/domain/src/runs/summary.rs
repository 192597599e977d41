//! What the cells of a column say together, from counters that add up.
//!
//! **Which cells count.** A completed cell that has an effective grade counts with it; one that has
//! none, since nothing grades it or its grader failed, does not count. A malformed cell counts as
//! 0 in one mean, as no pass in the pass rate, and not at all in the other mean. Failed and
//! cancelled cells are not the model's answers and count nowhere.
//!
//! **A pass** is an effective grade of 0.5 or more ([`Grade::passes`]); what a person called a pass or
//! a fail is 1 or 0.

use serde::Serialize;
use utoipa::ToSchema;

use super::{grade::Grade, latencies, statistics};
use crate::models::Usd;

/// How many cells are in each state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct Counts {
    /// Not begun.
    pub queued: u64,
    /// Under way.
    pub running: u64,
    /// Answered as expected.
    pub completed: u64,
    /// Answered, but not as expected.
    pub malformed: u64,
    /// Not answered.
    pub failed: u64,
    /// Given up by a person.
    pub cancelled: u64,
}

/// What is counted of a column's cells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counters {
    /// Cells in each state.
    pub counts: Counts,
    /// Whether the run has checks or a grader: only then is a malformed cell a bad grade.
    pub grading: bool,
    /// Cells with an effective grade: completed ones, and malformed ones that a person graded.
    pub graded: u64,
    /// Malformed cells without one.
    pub malformed_ungraded: u64,
    /// Those of them whose grade passes.
    pub passed: u64,
    /// The sum of their grades, in millionths.
    pub grade_millionths: u64,
    /// Tokens of all inputs.
    pub tokens_in: u64,
    /// Tokens of all outputs, thoughts included.
    pub tokens_out: u64,
    /// What it cost.
    pub cost: Usd,
    /// Answers by [`latencies::bucket`].
    pub latencies: Vec<(i16, u64)>,
}

/// What the cells of a column say together.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Cells in each state.
    pub counts: Counts,
    /// The mean grade of completed cells, malformed ones counted as 0.
    #[schema(minimum = 0, maximum = 1)]
    pub mean_grade: Option<f64>,
    /// The mean grade of completed cells alone.
    #[schema(minimum = 0, maximum = 1)]
    pub mean_grade_without_malformed: Option<f64>,
    /// How many of the cells that count have a grade of 0.5 or more.
    pub pass_rate: Option<PassRate>,
    /// How long answers took.
    pub latency_ms: Latency,
    /// Tokens of all inputs.
    pub tokens_in: u64,
    /// Tokens of all outputs, thoughts included.
    pub tokens_out: u64,
    /// What it cost.
    pub cost: Usd,
}

/// A share of passes, with its 95 % interval after Wilson.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct PassRate {
    /// The share itself.
    pub value: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// Times within which half of the answers came, and 19 of 20: off by 1/32 at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Latency {
    /// The median, in milliseconds.
    pub p50: Option<u32>,
    /// The 95th percentile, in milliseconds.
    pub p95: Option<u32>,
}

impl Counters {
    /// What these counters say.
    pub fn summary(&self) -> Summary {
        let malformed = if self.grading || self.graded > 0 {
            self.malformed_ungraded
        } else {
            0
        };
        Summary {
            counts: self.counts,
            mean_grade: self.mean(self.graded + malformed),
            mean_grade_without_malformed: self.mean(self.graded),
            pass_rate: pass_rate(self.passed, self.graded + malformed),
            latency_ms: Latency {
                p50: latencies::percentile(&self.latencies, 50),
                p95: latencies::percentile(&self.latencies, 95),
            },
            tokens_in: self.tokens_in,
            tokens_out: self.tokens_out,
            cost: self.cost,
        }
    }

    fn mean(&self, cells: u64) -> Option<f64> {
        let all = cells.checked_mul(u64::from(Grade::ONE.millionths()))?;
        share(self.grade_millionths, all)
    }
}

fn pass_rate(passed: u64, trials: u64) -> Option<PassRate> {
    let interval = statistics::wilson(passed, trials)?;
    Some(PassRate {
        value: share(passed, trials)?,
        low: interval.low,
        high: interval.high,
    })
}

#[expect(clippy::cast_precision_loss, reason = "nothing is counted to 2^53")]
fn share(part: u64, all: u64) -> Option<f64> {
    (all > 0).then(|| part as f64 / all as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graded() -> Counters {
        Counters {
            counts: Counts {
                completed: 4,
                malformed: 1,
                failed: 2,
                ..Counts::default()
            },
            grading: true,
            graded: 3,
            malformed_ungraded: 1,
            passed: 2,
            grade_millionths: 1_750_000,
            latencies: vec![(20, 3), (10, 4)],
            ..Counters::default()
        }
    }

    #[test]
    fn malformed_counts_as_nothing_in_one_mean_and_not_in_the_other() {
        let summary = graded().summary();
        assert_eq!(summary.mean_grade, Some(1.75 / 4.0));
        assert_eq!(summary.mean_grade_without_malformed, Some(1.75 / 3.0));
        let rate = summary.pass_rate.expect("trials");
        assert_eq!(rate.value.to_bits(), 0.5_f64.to_bits());
        assert!(rate.low < 0.5 && rate.high > 0.5);
        assert_eq!(
            summary.latency_ms,
            Latency {
                p50: Some(10),
                p95: Some(20)
            }
        );
    }

    #[test]
    fn where_nothing_grades_nothing_is_said() {
        let counts = Counts {
            completed: 4,
            malformed: 1,
            ..Counts::default()
        };
        let ungraded = Counters {
            counts,
            ..Counters::default()
        }
        .summary();
        assert_eq!((ungraded.mean_grade, ungraded.pass_rate), (None, None));
        assert_eq!(ungraded.latency_ms.p50, None);
        // With a grader, answers that are all malformed are all bad.
        let counts = Counts {
            malformed: 2,
            ..Counts::default()
        };
        let bad = Counters {
            counts,
            grading: true,
            malformed_ungraded: 2,
            ..Counters::default()
        }
        .summary();
        assert_eq!(
            (bad.mean_grade, bad.mean_grade_without_malformed),
            (Some(0.0), None)
        );
        assert_eq!(bad.pass_rate.map(|rate| rate.low), Some(0.0));
    }

    #[test]
    fn it_is_answered_in_the_words_of_the_contract() {
        let json = serde_json::to_value(graded().summary()).expect("JSON");
        let object = json.as_object().expect("an object");
        let members: Vec<_> = object.keys().map(String::as_str).collect();
        assert_eq!(
            members,
            [
                "cost",
                "counts",
                "latencyMs",
                "meanGrade",
                "meanGradeWithoutMalformed",
                "passRate",
                "tokensIn",
                "tokensOut"
            ]
        );
    }
}
