//! Takes the figures of `docs/benchmarks.md`; `just bench-<name>` builds what it needs and runs it.

use clap::{Parser, Subcommand};
use tests::bench;

/// Measures the product
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Ingestion against its rivals
    Ingest(bench::ingest::Arguments),
    /// Search among 100 000 passages
    Search(bench::search::Arguments),
    /// Calls under the governor: its pace, its patience and its price
    Governor(bench::governor::Arguments),
    /// From a job's push to its start
    Queue(bench::queue::Arguments),
    /// Released prompts, again and again
    Prompts(bench::prompts::Hot),
    /// Lists of 100 000 prompts
    Lists(bench::prompts::Lists),
    /// Lists of 100 000 requests with their comments
    Requests(bench::requests::Arguments),
    /// The server that a released prompt is measured against
    #[command(hide = true)]
    Bare(bench::prompts::Bare),
    /// Runs: what a cell costs, how near they come to their provider's pace, how large they get
    Runs(bench::runs::Arguments),
    /// Workflows: the price of a task, many executions at once, the pace of models
    Workflows(bench::workflows::Arguments),
    /// Statistics over a million generations, and generating
    Stats(bench::stats::Arguments),
    /// Retention over millions of events, beside writers
    Retention(bench::retention::Arguments),
    /// What the audit log costs a change
    Audit(bench::audit::Arguments),
    /// Large files as datasets: bringing them in, reading them again
    Datasets(bench::datasets::Arguments),
    /// The API server with nothing to do
    Rest(bench::rest::Arguments),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Arguments::parse().what {
        What::Ingest(arguments) => bench::ingest::run(&arguments).await,
        What::Search(arguments) => bench::search::run(&arguments).await,
        What::Governor(arguments) => bench::governor::run(&arguments).await,
        What::Queue(arguments) => bench::queue::run(&arguments).await,
        What::Prompts(arguments) => bench::prompts::hot(&arguments).await,
        What::Lists(arguments) => bench::prompts::lists(&arguments).await,
        What::Requests(arguments) => bench::requests::run(&arguments).await,
        What::Bare(arguments) => bench::prompts::serve_bare(&arguments).await,
        What::Runs(arguments) => bench::runs::run(&arguments).await,
        What::Workflows(arguments) => bench::workflows::run(&arguments).await,
        What::Stats(arguments) => bench::stats::run(&arguments).await,
        What::Retention(arguments) => bench::retention::run(&arguments).await,
        What::Audit(arguments) => bench::audit::run(&arguments).await,
        What::Datasets(arguments) => bench::datasets::run(&arguments).await,
        What::Rest(arguments) => bench::rest::run(&arguments).await,
    }
}
