//! What the grades of two runs say about which is better, and how sure that is. Arithmetic only: the
//! same numbers in give the same numbers out, on every machine.

mod bootstrap;
mod comparison;
mod mcnemar;
mod newcombe;
mod random;
mod wilson;

use serde::Serialize;
use utoipa::ToSchema;

pub use comparison::{Basis, Comparison, Measure, Pair, Verdict};
pub use mcnemar::mcnemar;
pub use newcombe::{Passes, newcombe};
pub use random::Seed;
pub use wilson::wilson;

/// The 97.5th percentile of the normal distribution: all intervals here are of 95 %.
const Z: f64 = 1.959_963_984_540_054;

/// Between which values something lies, in 95 of 100 cases.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}
