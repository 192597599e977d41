//! A database per test, copied from a template that is migrated once per schema. It is dropped
//! when the test ends; what a killed test leaves behind is swept after an hour.

use std::path::{Path, PathBuf};

use chrono::Utc;
use diesel::sql_types::Text;
use diesel_async::{
    AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _, SimpleAsyncConnection as _,
};
use sha2::{Digest as _, Sha256};
use tokio::sync::OnceCell;
use url::Url;

/// Held while the template is made or old databases are swept.
const LOCK: &str = "SELECT pg_advisory_lock(7233180013)";

const PREFIX: &str = "pa_test_";

const OLD_SECONDS: i64 = 60 * 60;

static TEMPLATE: OnceCell<String> = OnceCell::const_new();

/// A database that lives as long as this value.
pub struct Database {
    name: String,
    url: Url,
}

#[derive(diesel::QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    datname: String,
}

impl Database {
    /// A new one with the present schema.
    pub async fn create() -> Self {
        let template = TEMPLATE.get_or_init(prepare_template).await;
        let random: u64 = rand::random();
        let name = format!("{PREFIX}{}_{random:016x}", Utc::now().timestamp());
        let mut connection = connect(&server()).await;
        run(
            &mut connection,
            &format!("CREATE DATABASE {name} TEMPLATE {template}"),
        )
        .await;
        let mut url = server();
        url.set_path(&name);
        Self { name, url }
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// A connection of its own, for arranging and looking behind the scenes.
    pub async fn connect(&self) -> AsyncPgConnection {
        connect(&self.url).await
    }

    /// Runs SQL, for what no interface can arrange, such as moving a time into the past.
    pub async fn run(&self, sql: &str) {
        run(&mut self.connect().await, sql).await;
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // On a thread of its own: this may be the last thing a test's runtime does.
        let work = async move { connect(&server()).await.batch_execute(&sql).await };
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.expect("a runtime").block_on(work)
        });
        // A database that is still there is swept by a later run.
        drop(thread.join());
    }
}

/// The server that tests use: of `DATABASE_URL`, whose user may create databases.
fn server() -> Url {
    let url =
        std::env::var("DATABASE_URL").expect("DATABASE_URL names a Postgres server for tests");
    Url::parse(&url).expect("DATABASE_URL is a URL")
}

async fn connect(url: &Url) -> AsyncPgConnection {
    AsyncPgConnection::establish(url.as_str())
        .await
        .expect("Postgres answers")
}

async fn run(connection: &mut AsyncPgConnection, sql: &str) {
    connection
        .batch_execute(sql)
        .await
        .unwrap_or_else(|cause| panic!("{sql}: {cause}"));
}

async fn prepare_template() -> String {
    let mut connection = connect(&server()).await;
    run(&mut connection, LOCK).await;
    let name = format!("pa_template_{}", schema_hash());
    let names = databases(&mut connection).await;
    sweep(&mut connection, &names).await;
    if !names.contains(&name) {
        build(&mut connection, &name).await;
    }
    name
}

/// Migrates a database under another name and renames it: a template is complete or not there.
async fn build(connection: &mut AsyncPgConnection, name: &str) {
    let draft = format!("{name}_draft");
    run(
        connection,
        &format!("DROP DATABASE IF EXISTS {draft} WITH (FORCE)"),
    )
    .await;
    run(connection, &format!("CREATE DATABASE {draft}")).await;
    let mut url = server();
    url.set_path(&draft);
    db::migrations::apply(url.as_str())
        .await
        .expect("the migrations apply");
    run(
        connection,
        &format!("ALTER DATABASE {draft} RENAME TO {name}"),
    )
    .await;
}

async fn databases(connection: &mut AsyncPgConnection) -> Vec<String> {
    let names = diesel::sql_query("SELECT datname::text FROM pg_database");
    let names: Vec<Name> = names.load(connection).await.expect("a list of databases");
    names.into_iter().map(|name| name.datname).collect()
}

async fn sweep(connection: &mut AsyncPgConnection, names: &[String]) {
    let now = Utc::now().timestamp();
    for name in names {
        let made = name
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split('_').next()?.parse().ok());
        if made.is_some_and(|made: i64| now - made > OLD_SECONDS) {
            run(
                connection,
                &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
            )
            .await;
        }
    }
}

/// A name for the schema: the hash of every migration.
fn schema_hash() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
    let mut files: Vec<PathBuf> = folder
        .read_dir()
        .expect("migrations")
        .map(|entry| entry.expect("an entry").path().join("up.sql"))
        .filter(|path| path.exists())
        .collect();
    files.sort();
    let mut digest = Sha256::new();
    for file in files {
        digest.update(file.to_string_lossy().as_bytes());
        digest.update(std::fs::read(&file).expect("a migration"));
    }
    hex::encode(&digest.finalize()[..8])
}
