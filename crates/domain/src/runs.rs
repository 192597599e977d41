//! Runs: a version of a prompt tried on every row of a dataset with up to four models. Each answer
//! is a *cell*, known by its run, column, row and repetition; each call for it is an *attempt*.

pub mod checks;
pub mod estimate;
pub mod export;
pub mod grade;
pub mod latencies;
pub mod parsing;
mod plan;
mod preflight;
pub mod statistics;
pub mod summary;

pub use checks::Checks;
pub use grade::Grade;
pub use plan::{CacheUse, Params, Plan};
pub use preflight::{Columns, preflight};

use crate::jobs::{Job, JobKind};

id!(
    /// A run.
    RunId,
    /// A cell of a run.
    CellId,
    /// One call for a cell.
    AttemptId,
    /// One judgement on a cell.
    GradeId,
);

text_enum!(
    /// Where a run stands.
    RunStatus {
        /// No cell has been begun.
        Queued = "queued",
        /// Its cells are worked on.
        Running = "running",
        /// Every cell has its end.
        Completed = "completed",
        /// A person called it off.
        Cancelled = "cancelled",
        /// The next call could have cost more than its budget has left.
        BudgetExceeded = "budget_exceeded",
        /// It cannot be worked on.
        Failed = "failed",
    }
);

text_enum!(
    /// Where a cell stands.
    CellStatus {
        /// Waits for its turn.
        Queued = "queued",
        /// A worker has it.
        Running = "running",
        /// Its output stands.
        Completed = "completed",
        /// Its output is not of the form that its prompt asks for.
        Malformed = "malformed",
        /// No output was to be had.
        Failed = "failed",
        /// The run ended before its turn.
        Cancelled = "cancelled",
    }
);

text_enum!(
    /// What a call is for.
    Stage {
        /// The output.
        Generate = "generate",
        /// A judgement on it.
        Grade = "grade",
    }
);

text_enum!(
    /// Who judged.
    GradeSource {
        /// A person.
        Manual = "manual",
        /// A model, told by a grader prompt.
        Grader = "grader",
        /// Rules.
        Checks = "checks",
    }
);

text_enum!(
    /// What a person says of a cell.
    ManualGrade {
        /// It will do.
        Pass = "pass",
        /// It will not.
        Fail = "fail",
        /// Nothing.
        Unset = "unset",
    }
);

/// Works on the cells of a run, several at once, until none waits. A run has as many lanes as its
/// concurrency asks for, so that several workers may share it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct WorkLane {
    /// Which run.
    pub run_id: RunId,
    /// Calls under way at once in this lane.
    pub width: u16,
}

impl Job for WorkLane {
    const KIND: JobKind = JobKind::RunsLane;
}

/// The most calls under way at once in one lane.
pub const LANE_WIDTH: u16 = 50;

/// The lanes of a run with this concurrency, each by its width: as few as possible, as even as
/// possible.
pub fn lanes(concurrency: u16) -> Vec<u16> {
    let lanes = concurrency.div_ceil(LANE_WIDTH).max(1);
    let (width, wider) = (concurrency / lanes, concurrency % lanes);
    (0..lanes)
        .map(|lane| width + u16::from(lane < wider))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_share_the_concurrency_evenly() {
        assert_eq!(lanes(1), [1]);
        assert_eq!(lanes(50), [50]);
        assert_eq!(lanes(51), [26, 25]);
        for concurrency in 1..500 {
            assert_eq!(lanes(concurrency).iter().sum::<u16>(), concurrency);
            assert!(lanes(concurrency).iter().all(|width| *width <= LANE_WIDTH));
        }
    }
}
