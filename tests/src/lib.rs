//! What the tests share: stand-ins for the services outside.

#[path = "../fakes/mod.rs"]
pub mod fakes;
