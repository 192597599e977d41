//! A Postgres and a Redis of the run's own, which may be killed: made and started by `./dev` in a
//! folder of their own, stopped and removed when dropped.

use std::{
    collections::HashMap,
    fs,
    net::TcpStream,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use diesel_async::{AsyncConnection as _, SimpleAsyncConnection as _};
use tempfile::TempDir;
use url::Url;

/// The services of one run.
pub struct Services {
    folder: TempDir,
    /// Where Postgres is.
    pub database_url: String,
    /// Where Redis is.
    pub redis_url: String,
}

/// How a service ends.
#[derive(Debug, Clone, Copy)]
pub enum End {
    /// In order, though nobody is waited for.
    Fast,
    /// `kill -9`.
    Kill,
}

impl Services {
    /// Makes and starts both; the folder is kept at the end if so wished.
    pub async fn start(keep: bool) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("chaos-")
            .disable_cleanup(keep)
            .tempdir()?;
        borrow_tools(folder.path())?;
        let found = up(folder.path())?;
        let url = |name: &str| {
            found
                .get(name)
                .cloned()
                .with_context(|| format!("no {name}"))
        };
        let services = Self {
            database_url: url("DATABASE_URL")?,
            redis_url: url("REDIS_URL")?,
            folder,
        };
        services.keep_promises().await?;
        Ok(services)
    }

    /// A folder that goes with the services.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// As in production: what was committed survives the server's death. Development does without.
    async fn keep_promises(&self) -> anyhow::Result<()> {
        let mut connection = db::Connection::establish(&self.database_url).await?;
        connection
            .batch_execute("ALTER SYSTEM SET synchronous_commit = on")
            .await?;
        connection.batch_execute("SELECT pg_reload_conf()").await?;
        Ok(())
    }

    /// Ends Postgres and starts it again. Blocks.
    pub fn restart_postgres(&self, end: End) -> anyhow::Result<()> {
        // A fast shutdown of Postgres is asked for by an interrupt.
        let signal = match end {
            End::Fast => "INT",
            End::Kill => "KILL",
        };
        self.restart("postgres", signal, &self.database_url)
    }

    /// Ends Redis and starts it again. Blocks.
    pub fn restart_redis(&self, end: End) -> anyhow::Result<()> {
        let signal = match end {
            End::Fast => "TERM",
            End::Kill => "KILL",
        };
        self.restart("redis", signal, &self.redis_url)
    }

    fn restart(&self, name: &str, signal: &str, url: &str) -> anyhow::Result<()> {
        let pid = fs::read_to_string(self.folder().join(format!("{name}.pid")))?;
        send(signal, pid.trim())?;
        await_silence(url)?;
        up(self.folder())?;
        Ok(())
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        let stopped = dev(self.folder.path()).arg("down").status();
        drop(stopped);
    }
}

/// Sends a signal to a process.
pub fn send(signal: &str, pid: &str) -> anyhow::Result<()> {
    let sent = Command::new("kill").args(["-s", signal, pid]).status()?;
    ensure!(sent.success(), "kill -s {signal} {pid} failed");
    Ok(())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What `./dev` has unpacked already need not be fetched again.
fn borrow_tools(folder: &Path) -> anyhow::Result<()> {
    let tools = root().join(".dev");
    fs::create_dir(folder.join("postgres"))?;
    for name in ["postgres/wheel", "valkey", "bin"] {
        if let Ok(unpacked) = tools.join(name).canonicalize() {
            symlink(unpacked, folder.join(name))?;
        }
    }
    Ok(())
}

fn dev(folder: &Path) -> Command {
    let mut command = Command::new(root().join("dev"));
    command
        .env("DEV_DIR", folder)
        .env("DEV_SERVICES", "local")
        .env_remove("DATABASE_URL")
        .env_remove("REDIS_URL")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Starts what does not run, and reads where everything is.
fn up(folder: &Path) -> anyhow::Result<HashMap<String, String>> {
    let started = dev(folder).arg("services").status()?;
    if !started.success() {
        let log = fs::read_to_string(folder.join("postgres.log")).unwrap_or_default();
        bail!("./dev services failed; the end of Postgres' log: {log}");
    }
    let environment = fs::read_to_string(folder.join("env"))?;
    let pairs = environment.lines().filter_map(|line| {
        let (name, value) = line.strip_prefix("export ")?.split_once('=')?;
        Some((name.to_owned(), value.to_owned()))
    });
    Ok(pairs.collect())
}

/// Waits until nobody listens there: a server's port outlives it for a moment.
fn await_silence(url: &str) -> anyhow::Result<()> {
    let url = Url::parse(url)?;
    let address = format!(
        "{}:{}",
        url.host_str().unwrap_or_default(),
        url.port().unwrap_or_default()
    );
    let deadline = Instant::now() + Duration::from_secs(30);
    while TcpStream::connect(&address).is_ok() {
        ensure!(Instant::now() < deadline, "{address} does not go away");
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
