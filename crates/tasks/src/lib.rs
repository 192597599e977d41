//! Performing a task of a workflow: the same for the API, where somebody tries one, and for workers,
//! which perform whole workflows. It reads from Postgres, asks models through `gateway` and runs
//! functions in `sandbox`; it writes nothing. What happens with a result is its caller's business. Beside it
//! stands what calls a company's tracker, for the same two.

pub mod callee;
mod failure;
mod made;
mod models;
mod patience;
mod perform;
mod picture;
pub mod search;
pub mod trackers;
pub mod whole;

use std::sync::Arc;

use domain::{models::ModelRef, providers::Embedder};
use gateway::Gateway;
use sandbox::Sandbox;

pub use callee::Callee;
pub use failure::{Failure, INTERRUPTED};
pub use made::{Made, Spent};
pub use models::{Answer, Asks, Directly};
pub use patience::Ended;
pub use perform::Performer;

/// What tasks are performed with.
#[derive(Clone, Copy)]
pub struct Means<'a> {
    /// Postgres.
    pub pool: &'a db::Pool,
    /// What reaches models.
    pub gateway: &'a Gateway,
    /// What makes vectors of questions.
    pub embedder: &'a Arc<dyn Embedder>,
    /// Where functions run.
    pub sandbox: &'a Sandbox,
}

/// What answers where neither a model is named nor the default has a key.
fn mock() -> ModelRef {
    "mock/text-1".parse().expect("a name of a few letters")
}
