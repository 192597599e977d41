//! Runs: the rules that need neither a request nor a row. What is taken from an output, how it is
//! graded, and what the grades of many cells say together.

pub mod checks;
pub mod estimate;
pub mod grade;
pub mod latencies;
pub mod parsing;
pub mod statistics;
pub mod summary;
