//! The rivals of ingestion: scripts under `tests/bench` that wait for the name of a folder, ingest
//! its files and say how many chunks that made. Their imports are over before the clock starts.

use std::{
    io::{BufRead, BufReader, Lines, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Instant,
};

use anyhow::{Context, ensure};

use super::{meter, stand::Stand};
use crate::support::database::Database;

/// The name, the script and its further arguments of every rival.
pub const ALL: [(&str, &str, &[&str]); 3] = [
    ("script", "script.py", &[]),
    ("fast script", "script.py", &["fast"]),
    ("LangChain", "langchain_store.py", &[]),
];

/// A rival that waits for work.
pub struct Rival {
    /// What it is called in the tables.
    pub name: &'static str,
    database: Database,
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    postgres: u32,
}

/// What one turn took.
#[derive(Debug, Clone, Copy)]
pub struct Turn {
    /// Chunks that were stored.
    pub chunks: f64,
    /// From the signal to the last row, in seconds.
    pub wall: f64,
    /// CPU seconds of all processes but the provider.
    pub cpu: f64,
}

impl Turn {
    /// CPU seconds per thousand chunks.
    pub fn cost(&self) -> f64 {
        self.cpu / self.chunks * 1000.0
    }

    /// Chunks per second.
    pub fn speed(&self) -> f64 {
        self.chunks / self.wall
    }
}

impl Rival {
    /// Starts one of [`ALL`] with a database of its own on the same servers.
    pub async fn start(
        (name, script, how): (&'static str, &str, &[&str]),
        stand: &Stand,
        provider: &str,
    ) -> anyhow::Result<Self> {
        let database = Database::create().await;
        database.run("CREATE EXTENSION IF NOT EXISTS vector").await;
        let mut child = Command::new(python()?)
            .arg(folder().join(script))
            .args([database.url(), provider])
            .args(how)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut rival = Self {
            name,
            database,
            input: child.stdin.take().context("its input")?,
            output: BufReader::new(child.stdout.take().context("its output")?).lines(),
            child,
            postgres: stand.stores[0],
        };
        let ready = rival.answer()?;
        ensure!(ready == "ready", "{name} did not start: {ready}");
        Ok(rival)
    }

    /// Ingests the files of a folder.
    pub fn ingest(&mut self, files: &Path) -> anyhow::Result<Turn> {
        let roots = [self.child.id(), self.postgres];
        let (cpu, started) = (meter::cpu_seconds(&roots), Instant::now());
        writeln!(self.input, "{}", files.display())?;
        let chunks = self.answer()?.parse()?;
        Ok(Turn {
            chunks,
            wall: started.elapsed().as_secs_f64(),
            cpu: meter::cpu_seconds(&roots) - cpu,
        })
    }

    fn answer(&mut self) -> anyhow::Result<String> {
        let line = self.output.next();
        Ok(line.with_context(|| format!("{} ended; its complaint is above", self.name))??)
    }
}

impl Drop for Rival {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Only now may the database go: somebody would still be connected.
        let _ = &self.database;
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("bench")
}

/// The Python of a virtual environment with the pinned rivals, made at the first call.
fn python() -> anyhow::Result<PathBuf> {
    let place = super::report::folder()?.join("venv");
    let python = place.join("bin/python");
    let (installed, wanted) = (
        place.join("requirements.txt"),
        folder().join("requirements.txt"),
    );
    let wanted = std::fs::read(wanted)?;
    if std::fs::read(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    run(Command::new("python3").args(["-m", "venv"]).arg(&place))?;
    let install = ["-m", "pip", "install", "--quiet", "--requirement"];
    run(Command::new(&python)
        .args(install)
        .arg(folder().join("requirements.txt")))?;
    std::fs::write(installed, wanted)?;
    Ok(python)
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command
        .status()
        .context("the rivals need python3 with venv and pip")?;
    ensure!(
        status.success(),
        "the rivals could not be installed: {command:?}"
    );
    Ok(())
}
