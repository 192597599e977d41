//! Runs the fake Gemini API by itself, for benchmarks and for trying things by hand.

use std::{io::Write, net::TcpListener, time::Duration};

use clap::Parser;
use tests::fakes::gemini::{self, Options};

/// A Gemini API that answers from its input alone
#[derive(Debug, Parser)]
struct Arguments {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// The port; 0 takes a free one, and the first line printed says which
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// How long each call takes, in milliseconds
    #[arg(long, default_value_t = 0)]
    latency_ms: u64,
    /// How long a stream pauses between two events, in milliseconds
    #[arg(long, default_value_t = 0)]
    pause_ms: u64,
    /// Threads that answer
    #[arg(long, default_value_t = 1)]
    workers: usize,
    /// How many calls of a model are answered in any minute; without it, all
    #[arg(long)]
    requests_per_minute: Option<u32>,
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let arguments = Arguments::parse();
    let listener = TcpListener::bind((arguments.host.as_str(), arguments.port))?;
    writeln!(std::io::stdout(), "http://{}", listener.local_addr()?)?;
    let options = Options {
        latency: Duration::from_millis(arguments.latency_ms),
        pause: Duration::from_millis(arguments.pause_ms),
        workers: arguments.workers,
        requests_per_minute: arguments.requests_per_minute,
        ..Options::default()
    };
    gemini::serve(options, listener).await
}
