//! A file is brought in, and its rows are copied bare.

use std::time::Instant;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use super::{copy::Bare, table::Table};
use crate::bench::{
    corpus::File,
    float,
    stand::{Cpu, Person, Stand},
};

/// What both sides took.
pub struct Turn {
    /// Of the file.
    pub megabytes: f64,
    /// Of the file.
    pub rows: f64,
    /// From the request to its answer.
    pub seconds: f64,
    /// What the product took meanwhile.
    pub cpu: Cpu,
    /// Seconds of the bare copy.
    pub bare: f64,
    /// Postgres' CPU seconds of the bare copy.
    pub bare_cpu: f64,
}

impl Turn {
    /// All figures.
    pub fn all(&self) -> Value {
        json!({ "rows": self.rows, "seconds": self.seconds, "apiCpu": self.cpu.api,
                "postgresCpu": self.cpu.postgres, "copySeconds": self.bare, "copyCpu": self.bare_cpu })
    }
}

/// Both sides once; gives the id of the new dataset as well.
pub async fn turn(
    stand: &Stand,
    person: &Person,
    bare: &Bare,
    table: &Table,
) -> anyhow::Result<(Turn, String)> {
    let file = File {
        name: format!("table.{}", table.format.ending()),
        text: table.text.clone(),
    };
    let (before, started) = (stand.cpu(), Instant::now());
    let dataset = person.upload_to("/api/datasets", file).await?;
    let seconds = started.elapsed().as_secs_f64();
    let cpu = stand.cpu().since(&before);
    let id = dataset["id"].as_str().context("an id")?.to_owned();
    let rows = &dataset["rowCount"];
    ensure!(*rows == table.rows, "{rows} of {} rows", table.rows);
    let lines = table.lines(&id);
    let before = stand.cpu();
    let seconds_bare = bare.copy(lines, table.rows).await?;
    let turn = Turn {
        megabytes: float(table.text.len()) / 1e6,
        rows: float(table.rows),
        seconds,
        cpu,
        bare: seconds_bare,
        bare_cpu: stand.cpu().since(&before).postgres,
    };
    Ok((turn, id))
}
