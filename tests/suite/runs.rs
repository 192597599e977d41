//! Runs: a prompt on every row of a dataset.

mod anything;
mod cells;
mod command_line;
mod compare;
mod control;
mod datasets;
mod demo;
mod engine;
mod estimate;
mod events;
mod export;
mod grading;
mod kept;
mod lanes;
mod money;
mod start;
mod support;
mod workflows;
