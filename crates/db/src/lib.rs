//! Postgres: one function, one intention. A function takes a connection first and owns its
//! transaction; rows are made of domain values, so nothing is mapped. No HTTP here and no Redis.

pub mod api_keys;
pub mod archive;
pub mod audit;
pub mod auth;
pub mod datasets;
pub mod documents;
pub mod generation;
pub mod halfvec;
mod horizon;
pub mod idempotency;
pub mod invitations;
pub mod issues;
pub mod jobs;
mod like;
pub mod lineage;
pub mod migrations;
pub mod models;
pub mod outputs;
pub mod pool;
pub mod prepared;
pub mod prompts;
pub mod provider_keys;
pub mod requests;
pub mod retention;
pub mod runs;
#[expect(
    missing_docs,
    reason = "mirrors the migrations, which carry the comments"
)]
pub mod schema;
pub mod seeds;
pub mod stats;
pub mod templates;
pub mod trackers;
pub mod tsvector;
pub mod users;
pub mod workers;
pub mod workflows;

pub use pool::{Connection, Pool};
