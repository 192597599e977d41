//! The sandbox's child process as tests start it: as server and worker do.

use std::process::ExitCode;

use clap::Parser;
use sandbox::{FunctionsCommand, child_main};

/// Serves calls of functions
#[derive(Debug, Parser)]
struct Arguments {
    #[command(flatten)]
    command: FunctionsCommand,
}

fn main() -> ExitCode {
    child_main(&Arguments::parse().command)
}
