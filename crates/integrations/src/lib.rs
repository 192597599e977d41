//! Everything outside besides Postgres and Redis: model providers, file storage, text extraction,
//! the keys that seal secrets, and what the processes tell about themselves.

pub mod extract;
pub mod http;
pub mod llm;
pub mod sealing;
pub mod storage;
pub mod telemetry;
pub mod trackers;
