//! Stand-ins for services outside, faithful enough that the vendors' own clients accept them.

pub mod anthropic;
pub mod gemini;
pub mod openai;
pub mod stage;
