//! Datasets: what it takes to bring in a large file, beside a bare `COPY` of the same rows, and to
//! read it again, page by page from anywhere and as a whole.

mod copy;
mod imports;
mod reading;
mod table;

use serde_json::json;

use self::{imports::Turn, table::Table};
use super::{
    median, meter,
    report::Report,
    stand::{Person, Stand},
};

/// The most MiB of the API.
const MEMORY: f64 = 200.0;

/// What it may have with a large file, times what it has with a small one.
const FLAT: f64 = 1.5;

/// What is measured.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// Megabytes of a large file; the default settings take up to 104.
    #[arg(long, default_value_t = 100)]
    megabytes: usize,
    /// Megabytes of a small one, whose memory that of a large one is compared with.
    #[arg(long, default_value_t = 10)]
    few: usize,
    /// Turns of each side.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Pages that are read at random places.
    #[arg(long, default_value_t = 100)]
    pages: usize,
}

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    JsonLines,
}

impl Format {
    const fn name(self) -> &'static str {
        match self {
            Self::Csv => "CSV",
            Self::JsonLines => "JSON Lines",
        }
    }

    /// The ending of its files; also what the export calls it.
    const fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
        }
    }
}

/// Runs it.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut report = Report::new("datasets");
    let mut stand = Stand::new().await?;
    stand.start_api().await?;
    let person = stand.register().await?;
    for format in [Format::Csv, Format::JsonLines] {
        // Each format has a server of its own: the most it ever had is of this format then.
        stand.stop("api");
        stand.start_api().await?;
        let person = person.at(stand.url.clone());
        measure(arguments, format, &stand, &person, &mut report).await?;
    }
    report.finish()
}

async fn measure(
    arguments: &Arguments,
    format: Format,
    stand: &Stand,
    person: &Person,
    report: &mut Report,
) -> anyhow::Result<()> {
    let api = stand.pids("api")[0];
    let bare = copy::Bare::connect(stand).await?;
    // A small file first, which warms up both sides.
    let small = Table::new(0, format, arguments.few * 1_000_000);
    imports::turn(stand, person, &bare, &small).await?;
    let before = meter::peak_mib(api);
    let (mut turns, mut last) = (Vec::new(), None);
    for round in 1..=arguments.rounds.max(1) {
        let table = Table::new(round as u64, format, arguments.megabytes * 1_000_000);
        let (turn, id) = imports::turn(stand, person, &bare, &table).await?;
        turns.push(turn);
        last = Some((table, id));
    }
    tell_imports(format, &turns, report);
    tell_memory(format, [before, meter::peak_mib(api)], report);
    if let Some((table, id)) = last {
        reading::measure(arguments.pages, stand, person, &id, &table, report).await?;
    }
    let peak = format!("{:.0}", meter::peak_mib(api));
    report.line(
        format!("{}: the same after all reading", format.name()),
        peak,
    );
    Ok(())
}

fn tell_imports(format: Format, turns: &[Turn], report: &mut Report) {
    let middle = |of: fn(&Turn) -> f64| median(&turns.iter().map(of).collect::<Vec<_>>());
    let name = format.name();
    let (seconds, megabytes) = (middle(|turn| turn.seconds), middle(|turn| turn.megabytes));
    report.line(
        format!(
            "{name}, {megabytes:.0} MB in {:.0} rows: POST to 201",
            middle(|turn| turn.rows)
        ),
        format!("{seconds:.2} s, {:.1} MB a second", megabytes / seconds),
    );
    report.line(
        format!("{name}: CPU seconds of the API and of Postgres"),
        format!(
            "{:.2} and {:.2}",
            middle(|turn| turn.cpu.api),
            middle(|turn| turn.cpu.postgres)
        ),
    );
    report.line(
        format!("{name}: times a bare COPY of the same rows"),
        format!(
            "{:.2} × ({:.2} s, of Postgres' CPU {:.2} s)",
            middle(|turn| turn.seconds / turn.bare),
            middle(|turn| turn.bare),
            middle(|turn| turn.bare_cpu)
        ),
    );
    let all: Vec<_> = turns.iter().map(Turn::all).collect();
    report.detail(&format!("{}Turns", format.ending()), json!(all));
}

fn tell_memory(format: Format, [small, large]: [f64; 2], report: &mut Report) {
    report.goal(
        &format!(
            "{}: peak MiB of the API, small file and large",
            format.name()
        ),
        format!("{small:.0} and {large:.0}"),
        &format!("< {MEMORY:.0}, and flat"),
        large < MEMORY && large <= small * FLAT,
    );
}
