//! Processes that call a fake under the governor, on keys of their own in Redis.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use redis::AsyncCommands as _;
use tests::fakes::gemini::FakeGemini;

/// What processes are started with.
pub(crate) struct Fleet {
    settings: BTreeMap<&'static str, String>,
    prefix: String,
}

impl Fleet {
    pub(crate) fn new(fake: &FakeGemini) -> Self {
        let prefix = format!("test:{:016x}", rand::random::<u64>());
        let settings = [
            ("GEMINI_API_KEY", "a-key".to_owned()),
            ("GEMINI_BASE_URL", fake.url.clone()),
            ("REDIS_URL", redis_url()),
            ("REDIS_PREFIX", prefix.clone()),
            ("RUST_LOG", "warn".into()),
        ];
        Self {
            settings: settings.into(),
            prefix,
        }
    }

    pub(crate) fn set(mut self, name: &'static str, value: &str) -> Self {
        self.settings.insert(name, value.to_owned());
        self
    }

    /// Starts a process with so many callers.
    pub(crate) fn start(&self, at_once: usize) -> Process {
        let test = std::env::current_exe().expect("a test has a program");
        let folder = test.parent().and_then(|deps| deps.parent());
        let program = folder.expect("a target folder").join("governed");
        let mut child = Command::new(program)
            .args(["--at-once", &at_once.to_string()])
            .env_clear()
            .envs(&self.settings)
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        let lines = Arc::<Mutex<Vec<String>>>::default();
        let written = lines.clone();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                written.lock().expect("no panic").push(line);
            }
        });
        Process { child, lines }
    }

    /// Removes all that Redis knows of these processes, and the scripts.
    pub(crate) async fn forget(&self) {
        let mut redis = connect().await;
        let keys = self.keys(&mut redis, "*").await;
        assert!(!keys.is_empty(), "there was something to forget");
        redis.del::<_, ()>(keys).await.expect("deleted");
        let mut flush = redis::cmd("SCRIPT");
        flush.arg("FLUSH");
        flush.exec_async(&mut redis).await.expect("flushed");
    }

    /// Waits until Redis knows of a time that was named.
    pub(crate) async fn until_parked(&self) {
        let mut redis = connect().await;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let states = self.keys(&mut redis, "*:state").await;
            for state in states {
                if redis.hexists(&state, "parked").await.expect("an answer") {
                    return;
                }
            }
            assert!(Instant::now() < deadline, "never parked");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn keys(&self, redis: &mut redis::aio::MultiplexedConnection, what: &str) -> Vec<String> {
        let pattern = format!("{}:governor:{what}", self.prefix);
        redis.keys(pattern).await.expect("keys")
    }
}

fn redis_url() -> String {
    std::env::var("REDIS_URL").expect("REDIS_URL names a Redis server for tests")
}

async fn connect() -> redis::aio::MultiplexedConnection {
    let client = redis::Client::open(redis_url()).expect("a Redis URL");
    let connection = client.get_multiplexed_async_connection().await;
    connection.expect("Redis answers")
}

impl Drop for Fleet {
    fn drop(&mut self) {
        let pattern = format!("{}:*", self.prefix);
        let remove = move || -> redis::RedisResult<()> {
            let mut redis = redis::Client::open(redis_url())?.get_connection()?;
            let keys: Vec<String> = redis::cmd("KEYS").arg(pattern).query(&mut redis)?;
            keys.iter()
                .try_for_each(|key| redis::cmd("DEL").arg(key).exec(&mut redis))
        };
        drop(std::thread::spawn(remove).join());
    }
}

/// A running process. It is killed when dropped.
pub(crate) struct Process {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Process {
    /// How many calls ended so.
    pub(crate) fn count(&self, outcome: &str) -> usize {
        let lines = self.lines.lock().expect("no panic");
        let ended = |line: &&String| line.split(' ').next() == Some(outcome);
        lines.iter().filter(ended).count()
    }

    /// The time that the latest of those calls was told.
    pub(crate) fn time_of(&self, outcome: &str) -> Option<DateTime<Utc>> {
        let lines = self.lines.lock().expect("no panic");
        let told = |line: &String| line.strip_prefix(outcome)?.trim().parse().ok();
        lines.iter().rev().find_map(told)
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it ran");
        self.child.wait().expect("it ended");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until what other processes do has come about.
pub(crate) async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
