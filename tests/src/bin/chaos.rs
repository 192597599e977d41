//! Puts the product under fire and says whether it held. Everything runs on services of its own.
#![expect(clippy::print_stdout, reason = "it talks to whoever watches")]

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use tests::chaos::{ingest, listeners, run, workflows};

/// Kills processes and stores in the middle of work, and checks that nothing was lost
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    story: Story,
}

#[derive(Debug, Subcommand)]
enum Story {
    /// While documents become searchable
    Ingest(ingest::Options),
    /// While a run goes on
    Run(run::Options),
    /// While many people follow a run
    Listeners(listeners::Options),
    /// While workflows are performed
    Workflows(workflows::Options),
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let report = match Arguments::parse().story {
        Story::Ingest(options) => ingest::run(options).await?,
        Story::Run(options) => run::run(options).await?,
        Story::Listeners(options) => listeners::run(options).await?,
        Story::Workflows(options) => workflows::run(options).await?,
    };
    println!("{}", report.table());
    report.write(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/bench"))?;
    Ok(if report.holds() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
