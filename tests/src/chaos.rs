//! The product under fire: real processes and stores of its own, killed and restarted by lot while
//! documents are taken in, a run goes on or workflows are performed, and then asked whether anything was
//! lost, doubled or wasted.

mod account;
pub mod caller;
pub mod checks;
pub mod corpus;
pub mod fleet;
pub mod ingest;
pub mod listeners;
pub mod report;
pub mod run;
pub mod services;
pub mod storm;
pub mod waste;
pub mod workflows;
