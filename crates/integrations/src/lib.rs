//! Everything outside besides Postgres and Redis: model providers, file storage, text extraction,
//! and what the processes tell about themselves.

pub mod extract;
pub mod http;
pub mod llm;
pub mod storage;
pub mod telemetry;
