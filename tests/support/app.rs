//! The product under test: the real API server on a port of its own, with its own database, its
//! own keys in Redis and its own folder of files.

use std::sync::{Arc, OnceLock};

use clap::Parser;
use metrics_exporter_prometheus::PrometheusHandle;
use redis::{AsyncCommands as _, aio::MultiplexedConnection};
use sandbox::Sandbox;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::{Client, command_line::parsed, database::Database, make, secrets, worker::program};

/// What every server under test signs its access tokens with.
pub const JWT_KEY: &str = "a key that only tests know, 32 characters and more";

/// What every server under test seals keys of providers with.
pub const SEALING_KEY: &str = "test:b25seSB0ZXN0cyBrbm93IHRoaXMga2V5IG9mIDMyIEI=";

/// The password of everybody in tests.
pub const PASSWORD: &str = "violet-otter-77";

/// A change to the settings of a server.
type Change = Box<dyn FnOnce(&mut api::Config) + Send>;

/// Changes to the settings of a server.
#[derive(Default)]
pub struct Options {
    changes: Vec<Change>,
}

impl Options {
    /// The settings of tests, with this change.
    pub fn with(change: impl FnOnce(&mut api::Config) + Send + 'static) -> Self {
        Self {
            changes: vec![Box::new(change)],
        }
    }

    /// With this change besides.
    #[must_use]
    pub fn and(mut self, change: impl FnOnce(&mut api::Config) + Send + 'static) -> Self {
        self.changes.push(Box::new(change));
        self
    }
}

/// A running server and what it runs on. Everything is gone when it is dropped.
pub struct App {
    /// Where the server listens: `http://127.0.0.1:…`.
    pub url: String,
    /// The settings it runs with.
    pub config: api::Config,
    /// What the server works with: its pool, its Redis, its storage.
    pub inner: Arc<api::App>,
    server: actix_web::dev::ServerHandle,
    stop: CancellationToken,
    shared: Arc<Shared>,
}

/// What several servers of one installation share.
struct Shared {
    database: Database,
    files: TempDir,
    redis_prefix: String,
}

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    config: api::Config,
}

impl App {
    /// Starts a server with the settings of tests.
    pub async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    /// Starts a server with changed settings.
    pub async fn start_with(options: Options) -> Self {
        let shared = Shared {
            database: Database::create().await,
            files: tempfile::tempdir().expect("a folder"),
            redis_prefix: format!("test:{:016x}", rand::random::<u64>()),
        };
        Self::serve(Arc::new(shared), options).await
    }

    /// Starts another server of the same installation, with changed settings.
    pub async fn replica(&self, options: Options) -> Self {
        Self::serve(self.shared.clone(), options).await
    }

    async fn serve(shared: Arc<Shared>, options: Options) -> Self {
        secrets::begin();
        let mut config = shared.config();
        for change in options.changes {
            change(&mut config);
        }
        let sandbox = Sandbox::new(program("functions"), &[], &config.sandbox);
        let app = api::app(config.clone(), sandbox, metrics());
        let inner = Arc::new(app.expect("settings without fault"));
        api::prepare(&inner).await.expect("a prepared database");
        let (server, address) = api::serve(inner.clone()).expect("a free port");
        let handle = server.handle();
        tokio::spawn(server);
        let stop = CancellationToken::new();
        let (dispatched, stopped) = (inner.clone(), stop.clone());
        tokio::spawn(async move { api::dispatch(&dispatched, stopped).await });
        Self {
            url: format!("http://{address}"),
            config,
            inner,
            server: handle,
            stop,
            shared,
        }
    }

    /// The database, for arranging and looking behind the scenes.
    pub fn database(&self) -> &Database {
        &self.shared.database
    }

    /// A client that is not signed in.
    pub fn anonymous(&self) -> Client {
        Client::new(&self.url)
    }

    /// A new company; the client is signed in as its admin.
    pub async fn register(&self) -> Client {
        let reply = self
            .anonymous()
            .post("/api/auth/register", &make::registration())
            .await;
        reply.expect(201);
        self.anonymous().signed_in(&reply.json())
    }

    /// Somebody of this role in the admin's company, signed in.
    pub async fn member(&self, admin: &Client, role: &str) -> Client {
        let body = make::member(role);
        admin.post("/api/users", &body).await.expect(201);
        self.sign_in(body["email"].as_str().expect("an address"))
            .await
    }

    /// Signs somebody in who has the password of tests.
    pub async fn sign_in(&self, email: &str) -> Client {
        let reply = self
            .anonymous()
            .post("/api/auth/login", &login(email, PASSWORD))
            .await;
        reply.expect(200);
        self.anonymous().signed_in(&reply.json())
    }

    /// A connection to the Redis behind the server.
    pub async fn redis(&self) -> MultiplexedConnection {
        let url = self.config.queue.redis_url.expose_secret();
        let client = redis::Client::open(url).expect("a Redis URL");
        client
            .get_multiplexed_async_connection()
            .await
            .expect("Redis answers")
    }

    /// Removes keys of this installation, as if they had expired. `pattern` as in `KEYS`.
    pub async fn expire(&self, pattern: &str) {
        let mut redis = self.redis().await;
        let pattern = format!("{}:{pattern}", self.shared.redis_prefix);
        let keys: Vec<String> = redis.keys(pattern).await.expect("keys");
        if !keys.is_empty() {
            redis.del::<_, ()>(keys).await.expect("deleted");
        }
    }

    /// What was recorded at the door, oldest first: pairs of kind and address.
    pub async fn sign_in_events(&self) -> Vec<(String, String)> {
        use db::schema::sign_in_events::dsl::{email, id, kind, sign_in_events};
        use diesel::{ExpressionMethods as _, QueryDsl as _};
        use diesel_async::RunQueryDsl as _;
        let rows = sign_in_events.order(id.asc()).select((kind, email));
        rows.load(&mut self.database().connect().await)
            .await
            .expect("events")
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.stop.cancel();
        drop(self.server.stop(false));
        secrets::check();
    }
}

impl Shared {
    /// The settings of tests: everything as in production, on ports and keys of its own, and with
    /// limits that no test meets by accident.
    fn config(&self) -> api::Config {
        let redis_url =
            std::env::var("REDIS_URL").expect("REDIS_URL names a Redis server for tests");
        // Where there is no scanner, the tests that need one say so themselves.
        let clamd_url = std::env::var("CLAMD_URL").unwrap_or_default();
        let mut config = parsed::<Arguments>([
            "api",
            "--api-bind=127.0.0.1:0",
            "--api-threads=1",
            "--shutdown-seconds=0",
            "--public-url=https://prompts.example.com",
            "--rate-limit-user=100000",
            "--rate-limit-address=100000",
            "--rate-limit-sign-in=100000",
            "--database-pool-size=4",
            &format!("--jwt-keys={JWT_KEY}"),
            &format!("--sealing-keys={SEALING_KEY}"),
            &format!("--database-url={}", self.database.url()),
            &format!("--redis-url={redis_url}"),
            &format!("--redis-prefix={}", self.redis_prefix),
            &format!("--clamd-url={clamd_url}"),
            &format!("--storage-url=file://{}", self.files.path().display()),
        ])
        .config;
        config.accounts.jwt_keys = vec![SecretString::from(JWT_KEY)];
        config
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let Ok(url) = std::env::var("REDIS_URL") else {
            return;
        };
        let pattern = format!("{}:*", self.redis_prefix);
        let thread = std::thread::spawn(move || remove_keys(&url, &pattern));
        drop(thread.join());
    }
}

fn remove_keys(url: &str, pattern: &str) -> redis::RedisResult<()> {
    let mut connection = redis::Client::open(url)?.get_connection()?;
    let keys: Vec<String> = redis::cmd("KEYS").arg(pattern).query(&mut connection)?;
    if keys.is_empty() {
        Ok(())
    } else {
        redis::cmd("DEL").arg(keys).exec(&mut connection)
    }
}

/// One recorder for the process: the first server under test installs it.
fn metrics() -> PrometheusHandle {
    static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();
    let install = || {
        let recorder = integrations::telemetry::recorder().expect("bounds");
        recorder.install_recorder().expect("the only recorder")
    };
    METRICS.get_or_init(install).clone()
}

/// The body of a sign-in.
pub fn login(email: &str, password: &str) -> Value {
    json!({ "email": email, "password": password })
}
