//! Prompts, their versions and labels.

#[path = "prompts/archive.rs"]
mod archive;
#[path = "prompts/archive_abuse.rs"]
mod archive_abuse;
#[path = "prompts/archive_limits.rs"]
mod archive_limits;
#[path = "prompts/browser.rs"]
mod browser;
#[path = "prompts/change.rs"]
mod change;
#[path = "prompts/copies.rs"]
mod copies;
#[path = "prompts/killed.rs"]
mod killed;
#[path = "prompts/labels.rs"]
mod labels;
#[path = "prompts/large.rs"]
mod large;
#[path = "prompts/list.rs"]
mod list;
#[path = "prompts/plans.rs"]
mod plans;
#[path = "prompts/support.rs"]
mod support;
#[path = "prompts/versions.rs"]
mod versions;
