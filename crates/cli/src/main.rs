//! `prompt-architect`: runs for pipelines and shells. A client of the API like any other, which
//! knows nothing of the programs behind it: what it cannot learn over HTTP it does not know.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "results go to stdout, how things go to stderr"
)]

mod arguments;
mod datasets;
mod failure;
mod run;
mod runs;
mod server;
mod table;

use std::process::ExitCode;

use arguments::{Arguments, Command};
use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let ended = match &arguments.command {
        Command::Run(wanted) => run::run(&arguments.connection, wanted).await,
        Command::Runs(wanted) => runs::list(&arguments.connection, wanted).await,
        Command::Datasets(wanted) => datasets::perform(&arguments.connection, wanted).await,
    };
    ended.unwrap_or_else(|failure| {
        eprintln!("{failure}");
        failure.exit_code()
    })
}
