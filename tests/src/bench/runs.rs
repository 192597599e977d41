//! Runs: what a cell costs in all our processes, how near a run comes to the pace of its provider,
//! what a large one takes, whether a small one waits behind it, what more workers bring, and what
//! rivals take for the same.

mod bare;
mod course;
mod parts;
mod rivals;

use std::time::Duration;

use super::report::Report;

/// A part of the whole.
#[derive(Debug, Clone, Copy, PartialEq, clap::ValueEnum)]
enum Part {
    /// What a cell costs where the provider takes no time.
    Price,
    /// How near a run comes to what its provider's latency allows.
    Latency,
    /// What a large run takes.
    Large,
    /// How long a small run waits behind a large one.
    Behind,
    /// What more workers bring.
    Workers,
    /// What rivals take for the same cells.
    Rivals,
}

/// What is measured.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// Only these parts.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Part>,
    /// Rows of an ordinary run; it has two columns.
    #[arg(long, default_value_t = 2_000)]
    rows: usize,
    /// Rows of a large run; it has four columns.
    #[arg(long, default_value_t = 20_000)]
    many: usize,
    /// Milliseconds that the provider takes for a call, where it takes any.
    #[arg(long, default_value_t = 200)]
    latency_ms: u64,
    /// Calls under way at once where nothing else is said.
    #[arg(long, default_value_t = 100)]
    concurrency: u16,
    /// Turns of each part that has turns.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

impl Arguments {
    fn latency(&self) -> Duration {
        Duration::from_millis(self.latency_ms)
    }
}

/// Runs it.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut report = Report::new("runs");
    let wanted = |part| arguments.only.is_empty() || arguments.only.contains(&part);
    if wanted(Part::Price) {
        parts::price(arguments, &mut report).await?;
    }
    if wanted(Part::Latency) {
        parts::latency(arguments, &mut report).await?;
    }
    if wanted(Part::Large) {
        parts::large(arguments, &mut report).await?;
    }
    if wanted(Part::Behind) {
        parts::behind(arguments, &mut report).await?;
    }
    if wanted(Part::Workers) {
        parts::workers(arguments, &mut report).await?;
    }
    if wanted(Part::Rivals) {
        rivals::compare(arguments, &mut report).await?;
    }
    report.finish()
}
