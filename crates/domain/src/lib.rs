//! Values and rules of Prompt Architect, free of I/O: ids, enums, checked texts, state machines,
//! chunking, and the ports through which the outside is reached. No connection, no socket, no
//! clock of its own: times come in as arguments.

#[macro_use]
mod codec;

pub mod audit;
pub mod auth;
pub mod datasets;
pub mod documents;
pub mod generation;
pub mod jobs;
pub mod lineage;
pub mod models;
pub mod outputs;
pub mod page;
pub mod prompts;
pub mod providers;
pub mod requests;
pub mod retention;
pub mod revision;
pub mod runs;
pub mod stats;
pub mod templates;
pub mod trackers;
pub mod users;
pub mod workflows;

pub use codec::Fault;
pub use prompts::has_nul;
