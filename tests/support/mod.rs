//! What tests drive the product with: a database of its own for each test, the real server in this
//! process, clients that are signed in, and answers that are easy to check.

pub mod app;
pub mod client;
pub mod command_line;
pub mod database;
pub mod make;
pub mod redact;
pub mod routes;
pub mod secrets;
pub mod worker;

pub use app::{App, Options};
pub use client::{Client, Reply};
