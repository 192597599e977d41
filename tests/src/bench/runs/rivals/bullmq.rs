//! The worker of `tests/bench/runs/bullmq.mjs`, with a database and Redis keys of its own on our
//! servers. It waits for work; its imports are over before the clock starts.

use std::{
    io::{BufRead, BufReader, Lines, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Stdio},
    time::Instant,
};

use anyhow::{Context, ensure};
use serde_json::json;

use super::{COLUMNS, Turn, Work, npm};
use crate::{
    bench::{float, meter, runs::course::Course},
    support::database::Database,
};

/// The worker.
pub struct BullMq {
    database: Database,
    child: Child,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
    stores: [u32; 2],
}

impl BullMq {
    /// Starts it beside a course, with one of the ways of `books.mjs` to write down what it did.
    pub async fn start(how: &str, folder: &Path, course: &Course) -> anyhow::Result<Self> {
        let stand = &course.stand;
        let database = Database::create().await;
        let prefix = format!("{}:{how}", stand.setting("REDIS_PREFIX"));
        let mut child = npm::command("node", folder)
            .args(["bullmq.mjs", how, database.url()])
            .args([stand.setting("REDIS_URL"), &prefix])
            .arg(&course.provider)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut worker = Self {
            database,
            input: child.stdin.take(),
            output: BufReader::new(child.stdout.take().context("its output")?).lines(),
            child,
            stores: stand.stores,
        };
        let ready = worker.answer()?;
        ensure!(ready == "ready", "BullMQ's worker did not start: {ready}");
        Ok(worker)
    }

    /// From the signal to the last cell that is stored. What the stores take for everybody else is
    /// `rest` CPU seconds a second, and is not its fault.
    pub fn turn(&mut self, work: &Work, rest: f64) -> anyhow::Result<Turn> {
        let [postgres, redis] = self.stores;
        let roots = [self.child.id(), postgres, redis];
        let (cpu, started) = (meter::cpu_seconds(&roots), Instant::now());
        let line = json!({ "file": work.file, "models": COLUMNS, "atOnce": work.at_once });
        writeln!(self.input.as_mut().context("its input")?, "{line}")?;
        let stored: usize = self.answer()?.parse()?;
        let wall = started.elapsed().as_secs_f64();
        let cells = work.cells();
        ensure!(stored == cells, "BullMQ stored {stored} of {cells} cells");
        Ok(Turn {
            cells: float(cells),
            wall,
            cpu: meter::cpu_seconds(&roots) - cpu - rest * wall,
            mib: meter::peak_mib(self.child.id()),
        })
    }

    fn answer(&mut self) -> anyhow::Result<String> {
        let line = self.output.next();
        Ok(line.context("BullMQ's worker ended; its complaint is above")??)
    }
}

impl Drop for BullMq {
    fn drop(&mut self) {
        // The end of its input tells it to clear its keys and to go.
        self.input = None;
        let _ = self.child.wait();
        // Only now may the database go: somebody would still be connected.
        let _ = &self.database;
    }
}
