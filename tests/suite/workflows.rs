//! Workflows: kept, checked, performed, stopped, taken up again.

mod change;
mod course;
mod demo;
mod events;
mod generate;
mod import;
mod kinds;
mod list;
mod run_task;
mod start;
mod support;
