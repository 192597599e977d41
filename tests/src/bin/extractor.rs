//! The extraction's child process as tests start it: as the worker does, or with a reader that
//! does what parsers must not.

use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use domain::documents::Extracted;
use integrations::extract::{ExtractCommand, child_main, confined};

/// Extracts one file
#[derive(Debug, Parser)]
struct Arguments {
    #[command(flatten)]
    command: ExtractCommand,
    /// Do this instead of reading
    #[arg(long)]
    misbehave: Option<Misbehaviour>,
}

/// What a parser of foreign files may do.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Misbehaviour {
    Panic,
    Hang,
    Allocate,
    Descend,
    Flood,
    OpenNetwork,
    OpenFile,
    WriteFile,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.misbehave {
        None => child_main(&arguments.command),
        Some(how) => confined(&arguments.command, move |_| Ok(misbehave(how))),
    }
}

/// Misbehaves; what could be done in spite of everything is told as the text.
fn misbehave(how: Misbehaviour) -> Extracted {
    let done = match how {
        Misbehaviour::Panic => panic!("a parser gave up"),
        Misbehaviour::Hang => loop {
            std::hint::spin_loop();
        },
        Misbehaviour::Allocate => vec![1_u8; 1 << 40].len().to_string(),
        Misbehaviour::Descend => descend().to_string(),
        Misbehaviour::Flood => "x".repeat(200 << 20),
        Misbehaviour::OpenNetwork => told(std::net::TcpListener::bind("127.0.0.1:0").map(drop)),
        Misbehaviour::OpenFile => told(std::fs::read("/etc/passwd").map(drop)),
        Misbehaviour::WriteFile => told(std::fs::write(
            std::env::temp_dir().join("extractor-was-here"),
            "x",
        )),
    };
    Extracted {
        text: done,
        ..Extracted::default()
    }
}

/// Calls itself until the stack ends.
#[expect(unconditional_recursion, reason = "this is what overflows")]
fn descend() -> u64 {
    std::hint::black_box(descend()) + 1
}

/// Whether something could be done.
fn told(result: std::io::Result<()>) -> String {
    result.map_or_else(|_| "refused".to_owned(), |()| "done".to_owned())
}
