//! The test stand: the product's release programs on a database, Redis keys and files of their
//! own, and the fake provider beside them. Everything ends when the stand is dropped.

mod cpu;
mod person;

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use clap::Parser;
use db::{Connection, schema::users};
use diesel::{ExpressionMethods, QueryDsl, QueryableByName, sql_types};
use diesel_async::{AsyncConnection, RunQueryDsl};
use domain::{
    auth::{Via, Viewer},
    users::Role,
};
use reqwest::Client;
use secrecy::SecretString;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};

use super::meter;
use crate::support::{database::Database, make};
pub use cpu::Cpu;
pub use person::Person;

/// Settings that every process of the stand gets.
pub type Settings = BTreeMap<&'static str, String>;

/// Stores of its own and what runs on them.
pub struct Stand {
    /// The database.
    pub database: Database,
    /// Where the API is, once it runs.
    pub url: String,
    settings: Settings,
    files: TempDir,
    /// The processes of Postgres and Redis that all others of theirs come from.
    pub stores: [u32; 2],
    running: Vec<(&'static str, Child)>,
    watch: Mutex<Connection>,
}

#[derive(QueryableByName)]
struct Backend {
    #[diesel(sql_type = sql_types::Integer)]
    pid: i32,
}

impl Stand {
    /// A stand without any process yet.
    pub async fn new() -> anyhow::Result<Self> {
        let database = Database::create().await;
        let mut conn = database.connect().await;
        let backend: Backend = diesel::sql_query("SELECT pg_backend_pid() AS pid")
            .get_result(&mut conn)
            .await?;
        let postgres = meter::parent(u32::try_from(backend.pid)?)?;
        let redis_url = std::env::var("REDIS_URL").context("REDIS_URL names a Redis server")?;
        let redis = redis_pid(&redis_url).await?;
        let files = tempfile::tempdir()?;
        let settings = [
            ("DATABASE_URL", database.url().to_owned()),
            ("REDIS_URL", redis_url),
            (
                "REDIS_PREFIX",
                format!("bench:{:016x}", rand::random::<u64>()),
            ),
            (
                "STORAGE_URL",
                format!("file://{}", files.path().join("storage").display()),
            ),
            (
                "JWT_KEYS",
                "a key that only benchmarks know and nobody else".into(),
            ),
            ("API_BIND", "127.0.0.1:0".into()),
            ("RATE_LIMIT_USER", "1000000000".into()),
            ("RATE_LIMIT_ADDRESS", "1000000000".into()),
            ("RATE_LIMIT_SIGN_IN", "1000000000".into()),
        ];
        Ok(Self {
            database,
            url: String::new(),
            settings: settings.into(),
            files,
            stores: [postgres, redis],
            running: Vec::new(),
            watch: Mutex::new(conn),
        })
    }

    /// A kept connection, for looking on.
    pub async fn watch(&self) -> MutexGuard<'_, Connection> {
        self.watch.lock().await
    }

    /// A setting as processes get it.
    pub fn setting(&self, name: &str) -> &str {
        self.settings.get(name).map_or("", String::as_str)
    }

    /// Changes a setting for processes that are yet to start.
    pub fn set(&mut self, name: &'static str, value: &impl ToString) {
        self.settings.insert(name, value.to_string());
    }

    /// Starts the fake provider with this latency and points what follows to it.
    pub fn start_provider(&mut self, latency: Duration) -> anyhow::Result<String> {
        self.start_provider_with(&["--latency-ms", &latency.as_millis().to_string()])
    }

    /// The same with these arguments.
    pub fn start_provider_with(&mut self, arguments: &[&str]) -> anyhow::Result<String> {
        let mut child = Command::new(program("fake-gemini")?)
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()?;
        let url = first_line(&mut child)?;
        self.running.push(("provider", child));
        self.set("GEMINI_API_KEY", &"a-key");
        self.set("GEMINI_BASE_URL", &url);
        Ok(url)
    }

    /// Starts an API server and waits until it is ready; says how long that took.
    pub async fn start_api(&mut self) -> anyhow::Result<Duration> {
        let started = Instant::now();
        let port = free_port()?;
        self.set("API_BIND", &format!("127.0.0.1:{port}"));
        self.url = format!("http://127.0.0.1:{port}");
        self.start("api", &["serve"])?;
        self.answers("api", &format!("{}/readyz", self.url)).await?;
        Ok(started.elapsed())
    }

    /// Starts a server that does nothing but ask Redis for one key, and gives its address.
    pub async fn start_bare(&mut self, key: &str) -> anyhow::Result<String> {
        let address = format!("127.0.0.1:{}", free_port()?);
        self.start("bench", &["bare", "--bind", &address, "--key", key])?;
        let url = format!("http://{address}");
        self.answers("bench", &url).await?;
        Ok(url)
    }

    /// Waits until a server answers at this address.
    async fn answers(&self, name: &str, url: &str) -> anyhow::Result<()> {
        let (started, client) = (Instant::now(), Client::new());
        while started.elapsed() < Duration::from_secs(20) {
            let answer = client.get(url).send().await;
            if answer.is_ok_and(|answer| answer.status() == 200) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let log = std::fs::read_to_string(self.log(name)).unwrap_or_default();
        bail!("{name} was not ready within 20 s: {log}")
    }

    /// Starts a worker.
    pub fn start_worker(&mut self) -> anyhow::Result<()> {
        self.start("worker", &["run"])
    }

    /// Starts a process that calls the provider under the governor without pause.
    pub fn start_caller(&mut self, at_once: usize) -> anyhow::Result<()> {
        self.start("governed", &["--at-once", &at_once.to_string()])
    }

    fn start(&mut self, name: &'static str, arguments: &[&str]) -> anyhow::Result<()> {
        let log = File::create(self.log(name))?;
        let child = Command::new(program(name)?)
            .args(arguments)
            .envs(&self.settings)
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        self.running.push((name, child));
        Ok(())
    }

    fn log(&self, name: &str) -> PathBuf {
        self.files.path().join(format!("{name}.log"))
    }

    /// Ends the processes of this name.
    pub fn stop(&mut self, name: &str) {
        for (_, child) in self.running.iter_mut().filter(|(is, _)| *is == name) {
            let _ = child.kill();
            let _ = child.wait();
        }
        self.running.retain(|(is, _)| *is != name);
    }

    /// The processes of this name.
    pub fn pids(&self, name: &str) -> Vec<u32> {
        let named = self.running.iter().filter(|(is, _)| *is == name);
        named.map(|(_, child)| child.id()).collect()
    }

    /// CPU seconds of the whole product so far: API, workers, Postgres and Redis.
    pub fn cpu(&self) -> Cpu {
        Cpu {
            api: meter::cpu_seconds(&self.pids("api")),
            worker: meter::cpu_seconds(&self.pids("worker")),
            postgres: meter::cpu_seconds(&self.stores[..1]),
            redis: meter::cpu_seconds(&self.stores[1..]),
            provider: meter::cpu_seconds(&self.pids("provider")),
        }
    }

    /// The API's settings as its own process reads them, for calling the product's functions.
    pub fn pool(&self) -> anyhow::Result<db::Pool> {
        db::pool::connect(&self.pool_config())
    }

    /// How the product would connect to the database.
    pub fn pool_config(&self) -> db::pool::Config {
        #[derive(Parser)]
        struct Arguments {
            #[command(flatten)]
            config: db::pool::Config,
        }
        let mut config = Arguments::parse_from(["bench", "--database-url", ""]).config;
        config.database_url = SecretString::from(self.database.url());
        config
    }

    /// A connection with default settings.
    pub async fn connect(&self) -> anyhow::Result<Connection> {
        Ok(Connection::establish(self.database.url()).await?)
    }

    /// A new company's first person, signed in.
    pub async fn register(&self) -> anyhow::Result<Person> {
        self.enter("register", &make::registration()).await
    }

    /// Somebody who has an account, signed in with address and password.
    pub async fn sign_in(&self, login: &Value) -> anyhow::Result<Person> {
        self.enter("login", login).await
    }

    async fn enter(&self, door: &str, body: &Value) -> anyhow::Result<Person> {
        let client = Client::new();
        let entered: Value = client
            .post(format!("{}/api/auth/{door}", self.url))
            .json(body)
            .send()
            .await?
            .error_for_status()?
            .json()
            .await?;
        let token = entered["accessToken"].as_str().context("a token")?;
        Ok(Person {
            client,
            url: self.url.clone(),
            token: token.to_owned(),
            email: body["email"].as_str().unwrap_or_default().to_owned(),
        })
    }

    /// Somebody as the product's functions know them.
    pub async fn viewer(&self, person: &Person) -> anyhow::Result<Viewer> {
        let (user_id, company_id) = users::table
            .filter(users::email.eq(&person.email))
            .select((users::id, users::company_id))
            .first(&mut *self.watch().await)
            .await?;
        let (role, via) = (Role::Admin, Via::SingleUser);
        Ok(Viewer {
            user_id,
            company_id,
            role,
            via,
        })
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        for (_, child) in &mut self.running {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A program built together with this one.
fn program(name: &str) -> anyhow::Result<PathBuf> {
    let here = std::env::current_exe()?;
    let path = here.parent().unwrap_or(Path::new(".")).join(name);
    if path.exists() {
        return Ok(path);
    }
    bail!(
        "{} is not built: cargo build --release --bins",
        path.display()
    )
}

fn first_line(child: &mut Child) -> anyhow::Result<String> {
    let mut line = String::new();
    BufReader::new(child.stdout.take().context("its output")?).read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

fn free_port() -> anyhow::Result<u16> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
    Ok(listener.local_addr()?.port())
}

async fn redis_pid(url: &str) -> anyhow::Result<u32> {
    let mut redis = redis::Client::open(url)?
        .get_multiplexed_async_connection()
        .await?;
    let about: String = redis::cmd("INFO")
        .arg("server")
        .query_async(&mut redis)
        .await?;
    let pid = about
        .lines()
        .find_map(|line| line.strip_prefix("process_id:"));
    Ok(pid
        .context("Redis does not name its process")?
        .trim()
        .parse()?)
}
