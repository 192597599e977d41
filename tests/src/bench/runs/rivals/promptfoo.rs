//! `promptfoo eval` without its cache, through its own provider for Gemini. It keeps every result in
//! the database that it comes with, a file of `SQLite`. It renders, counts tokens and prices as ours
//! does; it reserves no budget before a call, keeps no attempts and no events, tells nobody how far
//! it is, and shares neither work nor pace with other processes.
//!
//! Each turn is a process, as with people who use it. What it takes to start and to end, which an
//! evaluation of a single row just before shows, is taken off its time and CPU: it is a price of the
//! turn, not of a cell.

use std::{
    fs::{self, File},
    path::Path,
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::ensure;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::{COLUMNS, Turn, Work, npm};
use crate::bench::{float, meter, runs::course};

/// What keeps it to itself.
const ALONE: [(&str, &str); 4] = [
    ("PROMPTFOO_DISABLE_TELEMETRY", "1"),
    ("PROMPTFOO_DISABLE_UPDATE", "1"),
    ("PROMPTFOO_DISABLE_REMOTE_GENERATION", "1"),
    ("NO_COLOR", "1"),
];

/// Between two looks at its memory.
const GLANCE: Duration = Duration::from_millis(100);

/// Everything it needs.
pub struct Promptfoo {
    packages: PathBuf,
    folder: TempDir,
    provider: String,
    latency: Duration,
    /// What evaluations of one row took, less the call.
    pub starts: Vec<Turn>,
}

impl Promptfoo {
    /// Evaluates a row, for it makes its database at the first time.
    pub async fn start(packages: &Path, provider: &str, latency: Duration) -> anyhow::Result<Self> {
        let promptfoo = Self {
            packages: packages.to_owned(),
            folder: tempfile::tempdir()?,
            provider: provider.to_owned(),
            latency,
            starts: Vec::new(),
        };
        promptfoo.begin().await?;
        Ok(promptfoo)
    }

    /// From its start to its end, less what a start takes.
    pub async fn turn(&mut self, work: &Work) -> anyhow::Result<Turn> {
        let start = self.begin().await?;
        self.starts.push(start);
        let taken = self.evaluate(work).await?;
        Ok(Turn {
            wall: taken.wall - start.wall,
            cpu: taken.cpu - start.cpu,
            ..taken
        })
    }

    /// Evaluates a row.
    async fn begin(&self) -> anyhow::Result<Turn> {
        let file = self.folder.path().join("row.csv");
        fs::write(&file, course::table(1))?;
        let work = Work {
            rows: 1,
            file,
            at_once: 2,
        };
        let taken = self.evaluate(&work).await?;
        Ok(Turn {
            wall: taken.wall - self.latency.as_secs_f64(),
            ..taken
        })
    }

    async fn evaluate(&self, work: &Work) -> anyhow::Result<Turn> {
        let config = self.folder.path().join("config.json");
        fs::write(&config, self.config(work).to_string())?;
        let at_once = work.at_once.to_string();
        let mut command =
            self.command(&["eval", "--no-cache", "--no-table", "--no-progress-bar"])?;
        command.args(["--max-concurrency", &at_once, "--config"]);
        let (cpu, started) = (meter::ended_cpu_seconds(), Instant::now());
        let mib = self.watched(command.arg(config).spawn()?).await?;
        let taken = Turn {
            cells: float(work.cells()),
            wall: started.elapsed().as_secs_f64(),
            cpu: meter::ended_cpu_seconds() - cpu,
            mib,
        };
        self.check(work).await?;
        Ok(taken)
    }

    fn config(&self, work: &Work) -> Value {
        let provider = |model: &&str| {
            json!({ "id": format!("google:{model}"),
                    "config": { "apiBaseUrl": self.provider, "apiKey": "a-key" } })
        };
        json!({
            "prompts": ["Answer in a word: {{words}}"],
            "providers": COLUMNS.iter().map(provider).collect::<Vec<_>>(),
            "tests": format!("file://{}", work.file.display()),
            "sharing": false,
        })
    }

    fn command(&self, arguments: &[&str]) -> anyhow::Result<Command> {
        let log = File::create(self.log())?;
        let mut command = Command::from(npm::command("promptfoo", &self.packages));
        command
            .args(arguments)
            .envs(ALONE)
            .env("PROMPTFOO_CONFIG_DIR", self.folder.path().join("state"))
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true);
        Ok(command)
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("promptfoo.log")
    }

    /// Waits until it ends, and gives the most memory that its processes were seen with.
    async fn watched(&self, mut child: Child) -> anyhow::Result<f64> {
        let mut most = 0.0_f64;
        let status = loop {
            if let Some(pid) = child.id() {
                most = most.max(meter::tree_mib(pid));
            }
            if let Ok(status) = tokio::time::timeout(GLANCE, child.wait()).await {
                break status?;
            }
        };
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        ensure!(status.success(), "promptfoo failed: {log}");
        Ok(most)
    }

    /// Whether what it stored last has an answer for each cell.
    async fn check(&self, work: &Work) -> anyhow::Result<()> {
        let file = self.folder.path().join("export.json");
        let mut command = self.command(&["export", "eval", "latest", "--output"])?;
        self.watched(command.arg(&file).spawn()?).await?;
        let export: Value = serde_json::from_slice(&fs::read(&file)?)?;
        let results = export["results"]["results"].as_array();
        let answered = |result: &&Value| result["response"]["output"].is_string();
        let stored = results.into_iter().flatten().filter(answered).count();
        let cells = work.cells();
        ensure!(
            stored == cells,
            "promptfoo stored {stored} of {cells} cells"
        );
        Ok(())
    }
}
