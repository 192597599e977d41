//! The product's processes, started and ended as a cluster would: the real binaries, each worker
//! with an API key of its own, so that the fake provider can tell whose calls it gets.

use std::{
    fs::File,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Command as Blocking, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use tokio::process::{Child, Command};

use super::services::{Services, send};

/// How long a process may take to end in order, or to become ready.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running process.
pub struct Process {
    child: Child,
    log: PathBuf,
    /// The key it calls the provider with.
    pub key: String,
    /// Where it listens, if it does.
    pub port: u16,
}

impl Process {
    fn pid(&self) -> String {
        self.id().map_or_else(String::new, |id| id.to_string())
    }

    /// Its number, while it has not been waited for.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// `kill -9`; returns once it is gone.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Asks it to end, and waits. Fails if it does not end well.
    pub async fn terminate(&mut self) -> anyhow::Result<Duration> {
        let asked = Instant::now();
        send("TERM", &self.pid())?;
        let ended = tokio::time::timeout(PATIENCE, self.child.wait())
            .await
            .with_context(|| format!("{} does not end", self.log.display()))??;
        ensure!(ended.success(), "{} ended with {ended}", self.log.display());
        Ok(asked.elapsed())
    }

    /// What a worker is called in the job table; it says so when it starts.
    pub fn worker_name(&self) -> Option<String> {
        let log = std::fs::read_to_string(&self.log).ok()?;
        let serving = log.lines().find(|line| line.contains("\"serving\""))?;
        let line: serde_json::Value = serde_json::from_str(serving).ok()?;
        line["worker.name"].as_str().map(str::to_owned)
    }
}

/// Starts processes of one installation.
pub struct Fleet {
    programs: PathBuf,
    logs: PathBuf,
    environment: Vec<(String, String)>,
    started: usize,
    /// The workers.
    pub workers: Vec<Process>,
    /// The servers.
    pub servers: Vec<Process>,
}

impl Fleet {
    /// Builds the programs and migrates the database; nothing runs yet.
    pub fn prepare(services: &Services, gemini_url: &str) -> anyhow::Result<Self> {
        let (logs, storage) = (
            services.folder().join("logs"),
            services.folder().join("files"),
        );
        std::fs::create_dir_all(&logs)?;
        let environment = [
            ("DATABASE_URL", services.database_url.clone()),
            ("REDIS_URL", services.redis_url.clone()),
            ("STORAGE_URL", format!("file://{}", storage.display())),
            ("JWT_KEYS", "0123456789abcdef0123456789abcdef".into()),
            ("GEMINI_BASE_URL", gemini_url.to_owned()),
            ("GEMINI_EMBEDDING_MODEL", "gemini-embedding-001".into()),
            ("RATE_LIMIT_USER", "1000000".into()),
            ("RATE_LIMIT_ADDRESS", "1000000".into()),
            ("RATE_LIMIT_SIGN_IN", "1000000".into()),
            ("TMPDIR", services.folder().display().to_string()),
        ];
        let fleet = Self {
            programs: programs()?,
            logs,
            environment: environment
                .map(|(name, value)| (name.to_owned(), value))
                .into(),
            started: 0,
            workers: Vec::new(),
            servers: Vec::new(),
        };
        fleet.migrate()?;
        Ok(fleet)
    }

    /// Where uploaded files are.
    pub fn storage(&self) -> PathBuf {
        self.logs.with_file_name("files")
    }

    /// Where the processes write what they have to say.
    pub fn logs(&self) -> &Path {
        &self.logs
    }

    fn migrate(&self) -> anyhow::Result<()> {
        let migrated = Blocking::new(self.programs.join("api"))
            .arg("migrate")
            .env_clear()
            .envs(self.environment.iter().cloned())
            .stdout(Stdio::null())
            .status()?;
        ensure!(migrated.success(), "the migrations failed");
        Ok(())
    }

    fn spawn(&mut self, program: &str, argument: &str, port: u16) -> anyhow::Result<Process> {
        self.started += 1;
        let key = format!("{program}-{}", self.started);
        let log = self.logs.join(format!("{key}.log"));
        let output = File::create(&log)?;
        let child = Command::new(self.programs.join(program))
            .arg(argument)
            .env_clear()
            .envs(self.environment.iter().cloned())
            .env("GEMINI_API_KEY", &key)
            .env("API_BIND", format!("127.0.0.1:{port}"))
            .stdout(output.try_clone()?)
            .stderr(output)
            .kill_on_drop(true)
            .spawn()?;
        Ok(Process {
            child,
            log,
            key,
            port,
        })
    }

    /// Starts another worker.
    pub fn start_worker(&mut self) -> anyhow::Result<()> {
        let worker = self.spawn("worker", "run", 0)?;
        self.workers.push(worker);
        Ok(())
    }

    /// Starts another server and waits until it is ready.
    pub async fn start_server(&mut self) -> anyhow::Result<()> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port();
        let mut server = self.spawn("api", "serve", port)?;
        let deadline = Instant::now() + PATIENCE;
        while !is_ready(port).await {
            if !server.runs() || Instant::now() > deadline {
                let log = std::fs::read_to_string(&server.log).unwrap_or_default();
                bail!("the server did not start: {log}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.servers.push(server);
        Ok(())
    }

    /// Starts again what ended by itself, as whoever runs the product has to; says how many.
    pub fn replace_the_fallen(&mut self) -> anyhow::Result<usize> {
        let before = self.workers.len();
        self.workers.retain_mut(Process::runs);
        let fallen = before - self.workers.len();
        for _ in 0..fallen {
            self.start_worker()?;
        }
        Ok(fallen)
    }
}

async fn is_ready(port: u16) -> bool {
    let answer = reqwest::get(format!("http://127.0.0.1:{port}/readyz")).await;
    answer.is_ok_and(|answer| answer.status().is_success())
}

/// Where the programs are: beside this one. `just chaos-ingest` builds all of them.
fn programs() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe()?;
    let folder = program.parent().context("a program is in a folder")?;
    Ok(folder.to_owned())
}
