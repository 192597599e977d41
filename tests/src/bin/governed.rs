//! A process that embeds under the governor, over and over: what tests and benchmarks start several
//! of, and kill. It prints a line for each call: `ok`, or the class of what it met instead and the
//! time it was told.

use std::{io::Write, sync::Arc};

use chrono::{SecondsFormat, Utc};
use clap::Parser;
use domain::providers::{Embedder, EmbeddingTask, ProviderError};
use integrations::llm::gemini::GeminiConfig;
use queue::governor::{Governor, GovernorConfig};

/// Embeds under the governor until it is killed
#[derive(Parser)]
struct Arguments {
    /// Callers that take no pause between their calls.
    #[arg(long, default_value_t = 1)]
    at_once: usize,
    #[command(flatten)]
    gemini: GeminiConfig,
    #[command(flatten)]
    redis: queue::Config,
    #[command(flatten)]
    governor: GovernorConfig,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    let redis = queue::connect(&arguments.redis)?;
    let governor = Governor::new(redis, arguments.redis, arguments.governor, Arc::default());
    let embedder = integrations::llm::Embedders::new(&arguments.gemini)?.current();
    let embedder = governor.embedder(embedder, arguments.gemini.fingerprint());
    let callers = (0..arguments.at_once).map(|_| tokio::spawn(call_for_ever(embedder.clone())));
    futures::future::try_join_all(callers).await?;
    Ok(())
}

async fn call_for_ever(embedder: Arc<dyn Embedder>) {
    loop {
        let called = embedder.embed(&["a text"], EmbeddingTask::Document).await;
        let until = called.as_ref().err().and_then(ProviderError::retry_at);
        let outcome = called.as_ref().map_or_else(ProviderError::class, |_| "ok");
        say(outcome, until);
        // As a job would: it is put off until then.
        let wait = until.and_then(|until| (until - Utc::now()).to_std().ok());
        tokio::time::sleep(wait.unwrap_or_default()).await;
    }
}

fn say(outcome: &str, until: Option<chrono::DateTime<Utc>>) {
    let until = until.map(|until| until.to_rfc3339_opts(SecondsFormat::Millis, true));
    let line = format!("{outcome} {}\n", until.unwrap_or_default());
    // Whoever listened may be gone.
    std::io::stdout().lock().write_all(line.as_bytes()).ok();
}
