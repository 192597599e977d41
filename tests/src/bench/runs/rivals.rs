//! The rivals of runs: the same rows, put to the same models of the same fake provider by a worker
//! on `BullMQ` and by promptfoo, in turns with ours. What each of them does and leaves out is told
//! where it is started.

mod bullmq;
mod npm;
mod promptfoo;
mod sides;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::{Value, json};

use super::{Arguments, course::MODELS};
use crate::bench::{float, median, report::Report};
use sides::Sides;

/// Models that every row is put to.
const COLUMNS: [&str; 2] = [MODELS[0], MODELS[1]];

/// The sides, as they stand in a round, and how many times ours the CPU of a rival is to be.
const SIDES: [(&str, Option<f64>); 4] = [
    ("ours", None),
    ("a plain worker on BullMQ and pg", Some(4.0)),
    ("one that keeps attempts and sums", None),
    ("promptfoo", Some(12.0)),
];

/// A turn of each side.
pub type Round = [Turn; SIDES.len()];

/// What everybody is asked in a turn.
pub struct Work {
    /// How many rows there are.
    pub rows: usize,
    /// The rows.
    pub file: PathBuf,
    /// Calls under way at once.
    pub at_once: u16,
}

impl Work {
    /// How many answers that makes.
    pub fn cells(&self) -> usize {
        self.rows * COLUMNS.len()
    }
}

/// What a turn took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Turn {
    /// Cells that were stored.
    pub cells: f64,
    /// Seconds.
    pub wall: f64,
    /// CPU seconds of all its processes and of its stores, not of the provider.
    pub cpu: f64,
    /// The most resident MiB of its processes, without its stores.
    pub mib: f64,
}

impl Turn {
    /// CPU seconds for a thousand cells.
    pub fn cost(&self) -> f64 {
        self.cpu / self.cells * 1000.0
    }

    /// Cells a second.
    pub fn speed(&self) -> f64 {
        self.cells / self.wall
    }
}

/// Everybody takes part.
pub async fn compare(arguments: &Arguments, report: &mut Report) -> anyhow::Result<()> {
    let packages = match npm::folder() {
        Ok(packages) => packages,
        Err(why) => {
            report.line("the rivals", format!("not measured: {why:#}"));
            return Ok(());
        }
    };
    without_latency(arguments, &packages, report).await?;
    with_latency(arguments, &packages, report).await
}

async fn without_latency(
    arguments: &Arguments,
    packages: &Path,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut sides = Sides::start(arguments, packages, Duration::ZERO).await?;
    let mut rounds = Vec::new();
    for _ in 0..arguments.rounds {
        rounds.push(sides.round(arguments.concurrency).await?);
    }
    for (side, (name, goal)) in SIDES.into_iter().enumerate() {
        if side > 0 {
            ratio(report, &rounds, side, goal);
        }
        let of = |figure: fn(&Turn) -> f64| middle(&rounds, side, figure);
        report.line(
            format!("{name}, in the same turns"),
            format!(
                "{:.2} CPU s for 1 000 cells, {:.0} cells a second, at most {:.0} MiB",
                of(Turn::cost),
                of(Turn::speed),
                of(|turn| turn.mib)
            ),
        );
    }
    let starts = &sides.promptfoo.starts;
    let start = |figure: fn(&Turn) -> f64| median(&starts.iter().map(figure).collect::<Vec<_>>());
    report.line(
        "a start of promptfoo, taken off its turns",
        format!(
            "{:.1} CPU s, {:.1} s",
            start(|turn| turn.cpu),
            start(|turn| turn.wall)
        ),
    );
    report.detail("rivals", details(&rounds));
    Ok(())
}

fn ratio(report: &mut Report, rounds: &[Round], side: usize, goal: Option<f64>) {
    let of = |round: &Round| round[side].cost() / round[0].cost();
    let ratio = median(&rounds.iter().map(of).collect::<Vec<_>>());
    let what = format!("CPU of a cell of {}, times ours", SIDES[side].0);
    let figure = format!("{ratio:.1} ×");
    match goal {
        Some(goal) => report.goal(&what, figure, &format!("≥ {goal} ×"), ratio >= goal),
        None => report.line(what, figure),
    }
}

async fn with_latency(
    arguments: &Arguments,
    packages: &Path,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut sides = Sides::start(arguments, packages, arguments.latency()).await?;
    for at_once in [50_u16, 200] {
        let mut rounds = Vec::new();
        for _ in 0..arguments.rounds {
            rounds.push(sides.round(at_once).await?);
        }
        let calls = (arguments.rows * COLUMNS.len()).div_ceil(usize::from(at_once));
        let least = float(calls) * arguments.latency().as_secs_f64();
        let ratios = (0..SIDES.len())
            .map(|side| middle(&rounds, side, |turn| turn.wall) / least)
            .map(|ratio| format!("{ratio:.2}"));
        report.line(
            format!(
                "{} ms a call, {at_once} at once, times the least there can be: each side in this order",
                arguments.latency_ms
            ),
            format!("{} ×", ratios.collect::<Vec<_>>().join(", ")),
        );
        report.detail(&format!("rivalsAtOnce{at_once}"), details(&rounds));
    }
    Ok(())
}

fn middle(rounds: &[Round], side: usize, figure: fn(&Turn) -> f64) -> f64 {
    median(
        &rounds
            .iter()
            .map(|round| figure(&round[side]))
            .collect::<Vec<_>>(),
    )
}

fn details(rounds: &[Round]) -> Value {
    let one = |turn: &Turn| json!({ "wall": turn.wall, "cpu": turn.cpu, "mib": turn.mib });
    rounds
        .iter()
        .map(|round| round.iter().map(one).collect::<Value>())
        .collect()
}
