//! What a run came to: a table for people, JSON for comparing.

use std::{fmt::Write as _, path::Path};

use serde::Serialize;

use super::checks::Check;

/// A number with its name.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    /// What it is.
    pub what: String,
    /// How much.
    pub value: f64,
}

/// All there is to say about a run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// What was run.
    pub name: &'static str,
    /// What it was drawn from.
    pub seed: u64,
    /// What happened.
    pub figures: Vec<Figure>,
    /// What had to be true.
    pub checks: Vec<Check>,
    /// The first few requests that went wrong.
    pub complaints: Vec<String>,
}

impl Report {
    /// Adds a figure.
    pub fn figure(&mut self, what: &str, value: f64) {
        self.figures.push(Figure {
            what: what.to_owned(),
            value,
        });
    }

    /// Adds a count.
    pub fn count(&mut self, what: &str, count: usize) {
        self.figure(what, f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
    }

    /// Whether everything was as it has to be.
    pub fn holds(&self) -> bool {
        self.checks.iter().all(|check| check.holds)
    }

    /// For people.
    pub fn table(&self) -> String {
        let mut table = format!("{} with seed {}\n\n", self.name, self.seed);
        for figure in &self.figures {
            let _ = writeln!(table, "{:>10}  {}", rounded(figure.value), figure.what);
        }
        table.push('\n');
        for check in &self.checks {
            let verdict = if check.holds { "ok" } else { "FAILED" };
            let _ = writeln!(table, "{verdict:>10}  {}: {}", check.what, check.found);
        }
        for complaint in &self.complaints {
            let _ = writeln!(table, "{:>10}  {complaint}", "note");
        }
        table
    }

    /// Writes it to `folder`, under the name of the run.
    pub fn write(&self, folder: &Path) -> anyhow::Result<()> {
        std::fs::create_dir_all(folder)?;
        let json = serde_json::to_string_pretty(self)?;
        Ok(std::fs::write(
            folder.join(format!("{}.json", self.name)),
            json,
        )?)
    }
}

fn rounded(value: f64) -> String {
    if value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    }
}
