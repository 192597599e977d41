//! Everything outside besides Postgres and Redis: model providers, file storage, the malware
//! scanner, text extraction, the keys that seal secrets, and what the processes tell about
//! themselves.

pub mod extract;
pub mod http;
pub mod llm;
pub mod scan;
pub mod sealing;
pub mod storage;
pub mod telemetry;
pub mod trackers;
