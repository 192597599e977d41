//! Runs people's JavaScript where it can reach nothing: in QuickJS without a host, in a process of its own without
//! files, network or environment, within limits of memory and time.
//!
//! [`Sandbox`] is the parent's side: a small pool of children, each serving one call at a time. [`child_main`] is the
//! child's. What crosses the wall is text: a function's body and its inputs one way, JSON or a [`CallError`] the other.
//! This crate knows nothing of workflows, companies or jobs; it is told a tenant so that tenants never share a child.

mod child;
mod config;
mod confine;
mod engine;
mod error;
mod frame;
mod pool;
mod process;
mod sandbox;
mod usage;

pub use child::{FunctionsCommand, child_main};
pub use config::SandboxConfig;
pub use error::CallError;
pub use frame::{MAX_BODY_BYTES, MAX_INPUTS_BYTES, MAX_RESULT_BYTES};
pub use sandbox::{Call, Sandbox};
