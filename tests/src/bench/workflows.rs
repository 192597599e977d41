//! Workflows: what a task costs that takes no time itself, what a thousand executions at once take and
//! what more workers bring, and how near executions come to the pace of their models.

mod course;
mod parts;

use super::report::Report;

/// A part of the whole.
#[derive(Debug, Clone, Copy, PartialEq, clap::ValueEnum)]
enum Part {
    /// Light tasks, one after another.
    Sequence,
    /// Many small executions at once, on one worker and on three.
    Crowd,
    /// Many executions that wait for models.
    Models,
}

/// What is measured.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// Only these parts.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Part>,
    /// Tasks of a sequence, at most 50.
    #[arg(long, default_value_t = 40)]
    tasks: usize,
    /// Sequences of each kind.
    #[arg(long, default_value_t = 20)]
    sequences: usize,
    /// Executions at once.
    #[arg(long, default_value_t = 1_000)]
    executions: usize,
    /// Milliseconds that the provider takes for a call, where it takes any.
    #[arg(long, default_value_t = 200)]
    latency_ms: u64,
    /// Executions that a worker performs at once where they wait for models.
    #[arg(long, default_value_t = 200)]
    concurrency: u16,
    /// Turns of each part that has turns.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// Runs it.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut report = Report::new("workflows");
    let wanted = |part| arguments.only.is_empty() || arguments.only.contains(&part);
    if wanted(Part::Sequence) {
        parts::sequence(arguments, &mut report).await?;
    }
    if wanted(Part::Crowd) {
        parts::crowd(arguments, &mut report).await?;
    }
    if wanted(Part::Models) {
        parts::models(arguments, &mut report).await?;
    }
    report.finish()
}
