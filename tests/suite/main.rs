//! The product, tested through the doors its users use.

mod api_keys;
mod archive;
mod audit;
mod auth;
mod cache;
mod gateway;
mod gemini;
mod generation;
mod idempotency;
mod invitations;
mod models;
mod provider_keys;
mod requests;
mod retention;
mod runs;
mod secrets;
mod seeds;
mod stats;
mod templates;
mod users;
mod wire;
mod workflows;
