//! What the tests share, and what the demo is made of: stand-ins for the services outside, files to try the extraction with, a
//! server with clients, storms to put the product through, and what measures it.

pub mod bench;
pub mod chaos;
pub mod demo;
#[path = "../fakes/mod.rs"]
pub mod fakes;
pub mod samples;
#[path = "../support/mod.rs"]
pub mod support;
