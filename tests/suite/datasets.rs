//! Datasets, from a file to a file.

#[path = "datasets/change.rs"]
mod change;
#[path = "datasets/check.rs"]
mod check;
#[path = "datasets/list.rs"]
mod list;
#[path = "datasets/rows.rs"]
mod rows;
#[path = "datasets/support.rs"]
mod support;
#[path = "datasets/upload.rs"]
mod upload;
