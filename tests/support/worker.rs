//! A worker beside the server under test: it performs what is due when a test says so.

use std::path::{Path, PathBuf};

use clap::Parser;
use diesel_async::RunQueryDsl as _;
use integrations::extract::Extractor;
use sandbox::Sandbox;
use secrecy::ExposeSecret as _;
use worker::Worker;

use super::{App, command_line::parsed};

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    config: worker::Config,
}

impl App {
    /// A worker of this installation, with changed settings.
    pub fn worker_with(&self, change: impl FnOnce(&mut worker::Config)) -> Worker {
        let given = |secret: &secrecy::SecretString| secret.expose_secret().to_owned();
        let mut config = parsed::<Arguments>([
            "worker",
            "--database-pool-size=6",
            &format!("--database-url={}", given(&self.config.db.database_url)),
            &format!("--redis-url={}", given(&self.config.queue.redis_url)),
            &format!("--redis-prefix={}", self.config.queue.redis_prefix),
            &format!("--storage-url={}", self.config.storage.storage_url),
        ])
        .config;
        config.gateway = self.config.gateway.clone();
        change(&mut config);
        let extractor = Extractor::new(program("extractor"), &[], &config.extractor);
        let sandbox = Sandbox::new(program("functions"), &[], &config.sandbox);
        Worker::new(config, extractor, sandbox).expect("settings without fault")
    }

    /// A worker of this installation.
    pub fn worker(&self) -> Worker {
        self.worker_with(|_| {})
    }

    /// Performs everything that is due.
    pub async fn drain(&self) {
        worker::drain(&self.worker())
            .await
            .expect("jobs can be performed");
    }
}

#[derive(diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    count: i64,
}

impl App {
    /// Rows of a table, or of whatever may follow `FROM`.
    pub async fn count(&self, from: &str) -> i64 {
        let query = diesel::sql_query(format!("SELECT count(*) FROM {from}"));
        let mut connection = self.database().connect().await;
        query
            .get_result::<Count>(&mut connection)
            .await
            .expect("a number")
            .count
    }

    /// The files in the storage.
    pub fn files(&self) -> Vec<PathBuf> {
        let folder = self
            .config
            .storage
            .storage_url
            .to_file_path()
            .expect("a folder");
        let mut files = Vec::new();
        collect(&folder, &mut files);
        files
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in folder.read_dir().into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}

/// A program that does something apart from server and worker: built beside the tests.
pub(super) fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test has a program");
    let folder = test.parent().and_then(|deps| deps.parent());
    folder.expect("a target folder").join(name)
}
