//! What the tests share: stand-ins for the services outside, files to try the extraction with, and
//! a server with clients.

#[path = "../fakes/mod.rs"]
pub mod fakes;
pub mod samples;
#[path = "../support/mod.rs"]
pub mod support;
