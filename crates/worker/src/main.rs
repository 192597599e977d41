//! The worker's command line.

use std::{process::ExitCode, sync::Arc};

use clap::{Parser, Subcommand};
use domain::jobs::{JobId, JobKind, JobState};
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
    /// Read one file's text and print it; the worker starts itself with this for every file.
    Extract(ExtractCommand),
    /// Serve calls of functions; the worker starts itself with this for people's JavaScript.
    #[command(hide = true)]
    Functions(FunctionsCommand),
}

#[derive(clap::Args)]
struct Jobs {
    #[command(flatten)]
    db: db::pool::Config,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List jobs, newest first.
    List {
        /// Only in this state.
        #[arg(long)]
        state: Option<JobState>,
        /// Only of this kind.
        #[arg(long)]
        kind: Option<JobKind>,
        /// At most so many.
        #[arg(long, default_value_t = 50)]
        limit: i64,
    },
    /// Give dead jobs another round of attempts: these, or all of a kind.
    Retry {
        /// Which ones.
        ids: Vec<JobId>,
        /// All dead ones of this kind.
        #[arg(long, required_unless_present = "ids")]
        kind: Option<JobKind>,
    },
    /// Give up jobs for good: these, or all dead ones of a kind.
    Discard {
        /// Which ones.
        ids: Vec<JobId>,
        /// All dead ones of this kind.
        #[arg(long, required_unless_present = "ids")]
        kind: Option<JobKind>,
    },
    /// Stop handing out jobs of a kind.
    Pause {
        /// Which kind.
        kind: JobKind,
    },
    /// Hand out jobs of a kind again.
    Resume {
        /// Which kind.
        kind: JobKind,
    },
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
            .block_on(lend_a_hand(jobs))
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

#[expect(clippy::print_stdout, reason = "a command line answers on its output")]
async fn lend_a_hand(jobs: Jobs) -> anyhow::Result<()> {
    let pool = db::pool::connect(&jobs.db)?;
    let mut conn = pool.get().await?;
    let of = |kind| db::jobs::Filter {
        kind,
        ..Default::default()
    };
    match jobs.action {
        Action::List { state, kind, limit } => {
            let filter = db::jobs::Filter { state, ..of(kind) };
            for job in db::jobs::list(&mut conn, &filter, limit.try_into()?)
                .await?
                .rows
            {
                println!("{}", line(&job));
            }
        }
        Action::Retry { ids, kind } => {
            println!(
                "{} jobs wait again",
                db::jobs::retry(&mut conn, &of(kind), &ids, i64::MAX).await?
            );
        }
        Action::Discard { ids, kind } => {
            println!(
                "{} jobs given up",
                db::jobs::discard(&mut conn, &of(kind), &ids, i64::MAX).await?
            );
        }
        Action::Pause { kind } => {
            db::jobs::pause(&mut conn, kind).await?;
            println!("{kind} is paused");
        }
        Action::Resume { kind } => {
            db::jobs::resume(&mut conn, kind).await?;
            println!("{kind} is handed out again");
        }
    }
    Ok(())
}

fn line(job: &db::jobs::JobRow) -> String {
    let note = job
        .wait_reason
        .as_deref()
        .or(job.error_message.as_deref())
        .unwrap_or_default();
    let (id, kind, state) = (job.id, job.kind, job.state);
    format!(
        "{id}  {kind:<24} {state:<9} attempt {}/{}  {note}",
        job.attempts, job.max_attempts
    )
}
