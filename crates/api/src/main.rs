//! The API server's command line.

use std::{process::ExitCode, sync::Arc};

use clap::{Parser, Subcommand};
use integrations::scan::Scanning;
use sandbox::{FunctionsCommand, Sandbox};
use secrecy::ExposeSecret;
use tokio_util::sync::CancellationToken;

#[derive(Parser)]
#[command(name = "api", version, about = "Prompt Architect's API server")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API.
    Serve(Box<api::Config>),
    /// Apply the migrations that the database lacks.
    Migrate(db::pool::Config),
    /// Take the newest migration back.
    MigrateRevert(db::pool::Config),
    /// Add example data for development.
    Seed(api::seed::Seed),
    /// Seal stored keys of providers anew, with the first sealing key.
    ReSeal(api::re_seal::ReSeal),
    /// Check the audit log.
    Audit(api::audit::AuditCommand),
    /// Print the OpenAPI document.
    Openapi,
    /// Serve calls of functions; the server starts itself with this for people's JavaScript.
    #[command(hide = true)]
    Functions(FunctionsCommand),
}

fn main() -> anyhow::Result<ExitCode> {
    let command = Arguments::parse().command;
    // Without threads of ours: foreign code should be all that runs.
    if let Command::Functions(command) = command {
        return Ok(sandbox::child_main(&command));
    }
    perform(command).map(|()| ExitCode::SUCCESS)
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "a command line answers on its output")]
async fn perform(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Serve(config) => serve(*config).await,
        Command::Migrate(config) => {
            for name in db::migrations::apply(config.database_url.expose_secret()).await? {
                println!("applied {name}");
            }
            println!("the schema is up to date");
            Ok(())
        }
        Command::MigrateRevert(config) => {
            let undone = db::migrations::revert(config.database_url.expose_secret()).await?;
            println!(
                "{}",
                undone.map_or_else(
                    || "nothing left to revert".into(),
                    |name| format!("reverted {name}")
                )
            );
            Ok(())
        }
        Command::Seed(seed) => {
            for name in api::seed::run(&seed).await? {
                println!("added {name}");
            }
            println!("the example data is complete");
            Ok(())
        }
        Command::ReSeal(command) => {
            let sealed = api::re_seal::run(command).await?;
            println!("sealed anew: {sealed}");
            Ok(())
        }
        Command::Audit(command) => {
            for line in api::audit::run(command).await? {
                println!("{line}");
            }
            Ok(())
        }
        Command::Openapi => {
            println!("{}", api::document().to_pretty_json()?);
            Ok(())
        }
        Command::Functions(_) => unreachable!("served before there is a runtime"),
    }
}

async fn serve(config: api::Config) -> anyhow::Result<()> {
    let metrics = integrations::telemetry::start("api")?;
    let sandbox = Sandbox::new(std::env::current_exe()?, &["functions"], &config.sandbox);
    let app = Arc::new(api::app(config, sandbox, metrics)?);
    db::migrations::require_exact(app.config.db.database_url.expose_secret()).await?;
    api::prepare(&app).await?;
    let (serving, address) = api::serve(app.clone())?;
    if app.config.scan.clamd_url == Scanning::Off {
        tracing::warn!("CLAMD_URL is off: outputs are kept without a scan for malware");
    }
    tracing::info!(%address, embedder = app.embedder.name(), "listening");
    let stop = CancellationToken::new();
    let (served, dispatched) = tokio::join!(
        async {
            let ended = serving.await;
            stop.cancel();
            ended
        },
        api::dispatch(&app, stop.clone())
    );
    dispatched?;
    Ok(served?)
}
