//! Stand-ins for services outside, faithful enough that the vendors' own clients accept them.

pub mod gemini;
