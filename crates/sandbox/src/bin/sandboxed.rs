//! The child of the sandbox alone: how this crate's tests and benchmark start it.

use std::process::ExitCode;

use clap::Parser;
use sandbox::{FunctionsCommand, child_main};

/// Serves calls of functions
#[derive(Debug, Parser)]
struct Arguments {
    #[command(flatten)]
    command: FunctionsCommand,
    /// Nothing; by this a test knows its children among all others
    #[arg(long)]
    mark: Option<String>,
}

fn main() -> ExitCode {
    child_main(&Arguments::parse().command)
}
