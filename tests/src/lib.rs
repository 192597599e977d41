//! What the tests share: stand-ins for the services outside, and files to try the extraction with.

#[path = "../fakes/mod.rs"]
pub mod fakes;
pub mod samples;
