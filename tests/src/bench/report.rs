//! What a benchmark says: a table for people, and the same with its parts as JSON in
//! `target/bench`.

use std::path::{Path, PathBuf};

use chrono::Utc;
use serde_json::{Value, json};

use super::meter;

/// A report under way.
pub struct Report {
    name: &'static str,
    began: String,
    rows: Vec<[String; 4]>,
    details: serde_json::Map<String, Value>,
}

impl Report {
    /// An empty one.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            began: meter::load(),
            rows: Vec::new(),
            details: serde_json::Map::new(),
        }
    }

    /// A line of the table: what, its figure, and the bound if there is one.
    pub fn line(&mut self, what: impl Into<String>, figure: impl Into<String>) {
        self.rows
            .push([what.into(), figure.into(), String::new(), String::new()]);
    }

    /// A line with a bound and whether it holds.
    pub fn goal(&mut self, what: &str, figure: impl Into<String>, goal: &str, holds: bool) {
        let verdict = if holds { "yes" } else { "NO" };
        self.rows
            .push([what.into(), figure.into(), goal.into(), verdict.into()]);
    }

    /// Something for the JSON alone.
    pub fn detail(&mut self, name: &str, value: Value) {
        self.details.insert(name.to_owned(), value);
    }

    /// Prints the table and writes the file.
    #[expect(clippy::print_stdout, reason = "it is what the program is for")]
    pub fn finish(self) -> anyhow::Result<()> {
        let heads = ["what", self.name, "goal", "reached"].map(str::to_owned);
        println!("| {} |\n| --- | --- | --- | --- |", heads.join(" | "));
        for row in &self.rows {
            println!("| {} |", row.join(" | "));
        }
        let machine = json!({
            "processors": std::thread::available_parallelism()?.get(),
            "loadBefore": self.began,
            "loadAfter": meter::load(),
        });
        let whole = json!({ "benchmark": self.name, "at": Utc::now(), "machine": machine,
                            "table": self.rows, "details": self.details });
        let path = folder()?.join(format!("{}.json", self.name));
        std::fs::write(&path, serde_json::to_vec_pretty(&whole)?)?;
        println!(
            "\n{} (load {} to {})",
            path.display(),
            self.began,
            meter::load()
        );
        Ok(())
    }
}

/// Where results are kept: `bench` in the build folder.
pub fn folder() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe()?;
    // target/<profile>/bench
    let target = program.parent().and_then(Path::parent);
    let folder = target.unwrap_or(Path::new("target")).join("bench");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}
