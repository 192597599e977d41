//! The API server's command line.

use std::sync::Arc;

use clap::{Parser, Subcommand};
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
    /// Print the OpenAPI document.
    Openapi,
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "a command line answers on its output")]
async fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
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
        Command::Openapi => {
            println!("{}", api::document().to_pretty_json()?);
            Ok(())
        }
    }
}

async fn serve(config: api::Config) -> anyhow::Result<()> {
    let metrics = integrations::telemetry::start("api")?;
    let app = Arc::new(api::app(config, metrics)?);
    db::migrations::require_exact(app.config.db.database_url.expose_secret()).await?;
    api::prepare(&app).await?;
    let (serving, address) = api::serve(app.clone())?;
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
