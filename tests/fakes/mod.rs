//! Stand-ins for services outside, faithful enough that the vendors' own clients accept them.

pub mod anthropic;
pub mod clamd;
pub mod gemini;
pub mod issues;
pub mod jira;
pub mod jira_dc;
pub mod openai;
pub mod stage;
pub mod teamwork;
