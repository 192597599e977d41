//! The worker's command line.

mod console;

use std::{process::ExitCode, sync::Arc};

use clap::{Parser, Subcommand};
use console::{Jobs, Workers};
use integrations::extract::{ExtractCommand, Extractor, child_main};
use sandbox::{FunctionsCommand, Sandbox};
use secrecy::ExposeSecret;
use tokio_util::sync::CancellationToken;

#[derive(Parser)]
#[command(name = "worker", version, about = "Prompt Architect's worker")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Perform jobs.
    Run(Box<worker::Config>),
    /// Look at jobs and lend them a hand.
    Jobs(Jobs),
    /// List the workers, with what each does now.
    Workers(Workers),
    /// Read one file's text and print it; the worker starts itself with this for every file.
    Extract(ExtractCommand),
    /// Serve calls of functions; the worker starts itself with this for people's JavaScript.
    #[command(hide = true)]
    Functions(FunctionsCommand),
}

fn main() -> anyhow::Result<ExitCode> {
    match Arguments::parse().command {
        // Without threads of ours: what the file is done with should be all that runs.
        Command::Extract(command) => Ok(child_main(&command)),
        Command::Functions(command) => Ok(sandbox::child_main(&command)),
        Command::Run(config) => runtime()?
            .block_on(run(*config))
            .map(|()| ExitCode::SUCCESS),
        Command::Jobs(jobs) => runtime()?
            .block_on(console::lend_a_hand(jobs))
            .map(|()| ExitCode::SUCCESS),
        Command::Workers(workers) => runtime()?
            .block_on(console::list_workers(&workers))
            .map(|()| ExitCode::SUCCESS),
    }
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
}

async fn run(config: worker::Config) -> anyhow::Result<()> {
    integrations::telemetry::start_serving("worker", config.worker_metrics_bind)?;
    db::migrations::require_exact(config.db.database_url.expose_secret()).await?;
    let extractor = Extractor::new(std::env::current_exe()?, &["extract"], &config.extractor);
    let sandbox = Sandbox::new(std::env::current_exe()?, &["functions"], &config.sandbox);
    let worker = Arc::new(worker::Worker::new(config, extractor, sandbox)?);
    tokio::spawn(stop_at_signal(worker.stop.clone()));
    worker::run(worker).await?;
    tracing::info!("stopped");
    Ok(())
}

async fn stop_at_signal(stop: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    tracing::info!("stopping: running jobs are finished first");
    stop.cancel();
}
