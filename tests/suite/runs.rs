//! Runs: a prompt on every row of a dataset.

mod engine;
mod support;
