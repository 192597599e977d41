//! The API server: who may, what is asked, what is answered. No SQL here: a handler makes one call
//! into `db`, `queue` or `integrations` and shapes the answer.

mod api_keys;
mod archive;
pub mod audit;
pub mod auth;
pub mod config;
pub mod context;
mod datasets;
mod disposition;
mod documents;
pub mod error;
mod etag;
pub mod extract;
pub mod feed;
mod form;
mod gate;
mod gemini;
mod health;
mod idempotency;
mod invitations;
mod issues;
mod jobs;
mod joint;
mod lineage;
mod models;
pub mod openapi;
mod outputs;
mod page;
mod prompts;
mod provider_keys;
pub mod providers;
pub mod re_seal;
pub mod requests;
mod retention;
pub mod routes;
pub mod runs;
mod search;
pub mod seed;
mod stats;
mod telemetry;
pub mod templates;
mod trackers;
pub mod users;
mod webhooks;
mod workflows;

use std::{sync::Arc, time::Duration};

use actix_cors::Cors;
use actix_web::{
    HttpServer,
    dev::Server,
    middleware::{Compress, DefaultHeaders, from_fn},
    web,
};
use db::jobs::Window;
use domain::{jobs::JobKind, providers::Embedder};
use gateway::Gateway;
use integrations::{scan::Clamd, storage::Storage};
use metrics_exporter_prometheus::PrometheusHandle;
use queue::delivery::{Pace, Sender, dispatch_forever};
use queue::{cache::Cache, circuit::Circuit, governor::Governor, limits::Limits, news::News};
use sandbox::Sandbox;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use utoipa::openapi::OpenApi;
use utoipa_actix_web::{AppExt, scope};
use utoipa_swagger_ui::SwaggerUi;

pub use config::Config;

/// Jobs of a kind that wait in Redis at once.
const WINDOW: i64 = 64;

/// After so long an unclaimed job is looked for in Redis.
const LOST_AFTER_SECONDS: f64 = 3.0;

/// How often the API looks for due jobs that none of its requests has made.
const PACE: Pace = Pace {
    look: Duration::from_secs(1),
    sweep: Duration::from_secs(5),
};

/// The longest that a request waits for its turn at a provider: somebody looks at a blank page.
const PATIENCE: Duration = Duration::from_secs(2);

/// What outlives a request.
pub struct App {
    /// The settings.
    pub config: Config,
    /// Postgres.
    pub pool: db::Pool,
    /// Redis.
    pub redis: queue::Redis,
    /// Where files are.
    pub storage: Storage,
    /// What looks for malware, if that is done.
    pub scanner: Option<Clamd>,
    /// What makes vectors of questions, under the governor.
    pub embedder: Arc<dyn Embedder>,
    /// What reaches models, under the governor.
    pub gateway: Gateway,
    /// What runs people's functions, apart from this process.
    pub sandbox: Sandbox,
    /// Templates that were read.
    pub templates: templates::Shelf,
    /// Statistics that are being made.
    pub stats: stats::Answers,
    /// What providers last said of themselves.
    pub checks: providers::health::Checks,
    /// Rung when a request has enqueued jobs, so that they are handed out at once.
    pub wake: Arc<Notify>,
    /// Tells other processes what happened in runs and executions.
    pub news: queue::news::News,
    /// Runs and executions that somebody follows here.
    pub feeds: Arc<feed::Feeds>,
    /// Copies of rows.
    pub cache: queue::cache::Cache,
    /// How often somebody may ask.
    pub limits: queue::limits::Limits,
    /// What getting in takes.
    pub auth: auth::Auth,
    /// This process's numbers.
    pub metrics: PrometheusHandle,
}

impl App {
    /// What tasks of workflows are performed with.
    pub fn means(&self) -> tasks::Means<'_> {
        tasks::Means {
            pool: &self.pool,
            gateway: &self.gateway,
            embedder: &self.embedder,
            sandbox: &self.sandbox,
        }
    }
}

/// Puts together what outlives a request; `sandbox` runs functions. Nothing is connected yet.
pub fn app(config: Config, sandbox: Sandbox, metrics: PrometheusHandle) -> anyhow::Result<App> {
    let config = config.without_blanks();
    let faults = config.faults();
    anyhow::ensure!(
        faults.is_empty(),
        "the configuration has to be corrected:\n- {}",
        faults.join("\n- ")
    );
    let redis = queue::connect(&config.queue)?;
    let circuit = Arc::<Circuit>::default();
    let governor = Governor::new(
        redis.clone(),
        config.queue.clone(),
        config.governor.clone(),
        circuit.clone(),
    )
    .within(PATIENCE);
    let pool = db::pool::connect(&config.db)?;
    let pauses = Arc::new(db::provider_keys::Pauses::new(pool.clone()));
    let gateway = Gateway::new(&config.gateway, governor, pauses)?;
    Ok(App {
        pool,
        storage: Storage::open(&config.storage)?,
        scanner: config.scan.scanner(),
        embedder: gateway.embedder(),
        gateway,
        sandbox,
        templates: templates::Shelf::default(),
        stats: stats::Answers::default(),
        checks: providers::health::Checks::default(),
        wake: Arc::default(),
        news: News::new(redis.clone(), config.queue.clone(), circuit.clone()),
        feeds: Arc::default(),
        cache: Cache::new(redis.clone(), config.queue.clone(), circuit.clone()),
        limits: Limits::new(redis.clone(), config.queue.clone(), circuit.clone()),
        auth: auth::Auth::new(&config, &redis, circuit),
        redis,
        metrics,
        config,
    })
}

/// Brings about what has to be in the database before the first request.
pub async fn prepare(app: &App) -> anyhow::Result<()> {
    db::seeds::models::apply(&mut *app.pool.get().await?).await?;
    if app.config.accounts.auth_mode == auth::settings::Mode::SingleUser {
        db::seeds::apply_local(&mut *app.pool.get().await?).await?;
    }
    db::workflows::builtin::give_all(&mut *app.pool.get().await?).await?;
    Ok(())
}

/// Hands out jobs until `stop`: at once when a request has made some, and now and then besides. Until
/// then it also hears what happens in runs and executions.
pub async fn dispatch(app: &App, stop: CancellationToken) -> anyhow::Result<()> {
    let rows = db::jobs::Rows {
        pool: app.pool.clone(),
        windows: JobKind::ALL
            .iter()
            .map(|kind| Window {
                kind: *kind,
                places: WINDOW,
                each: app.config.queue.each(*kind),
            })
            .collect(),
        lost_after_seconds: LOST_AFTER_SECONDS,
    };
    let sender = Sender::new(queue::connect(&app.config.queue)?, app.config.queue.clone());
    tokio::select! {
        () = dispatch_forever(&rows, &sender, app.wake.clone(), PACE, stop) => {}
        () = queue::news::listen(&app.config.queue, |id| app.feeds.ring(id)) => {}
        () = stop_listening(&app.feeds) => {}
    }
    Ok(())
}

/// Ends all following of runs when the server is told to stop: it waits for answers under way, and
/// these would have no end. Never returns.
async fn stop_listening(feeds: &feed::Feeds) {
    use tokio::signal::unix::{SignalKind, signal};
    let told = async |kind| match signal(kind) {
        Ok(mut signal) => drop(signal.recv().await),
        Err(_) => std::future::pending().await,
    };
    tokio::select! {
        () = told(SignalKind::terminate()) => {}
        () = told(SignalKind::interrupt()) => {}
    }
    feeds.stop.cancel();
    std::future::pending::<()>().await;
}

/// The OpenAPI document of this server.
pub fn document() -> OpenApi {
    let (_, document) = actix_web::App::new()
        .into_utoipa_app()
        .openapi(openapi::skeleton())
        .service(scope::scope("/api").configure(routes::api))
        .configure(routes::open)
        .split_for_parts();
    openapi::complete(document)
}

/// Headers that keep a browser from guessing and from framing.
fn security_headers() -> DefaultHeaders {
    DefaultHeaders::new()
        .add(("X-Content-Type-Options", "nosniff"))
        .add(("X-Frame-Options", "DENY"))
        .add(("Cache-Control", "private, no-cache"))
        .add(("Referrer-Policy", "no-referrer"))
        .add(("Cross-Origin-Resource-Policy", "same-site"))
        .add((
            "Strict-Transport-Security",
            "max-age=31536000; includeSubDomains",
        ))
}

fn cors(config: &Config) -> Cors {
    config
        .cors_origins
        .iter()
        .fold(Cors::default(), |cors, origin| cors.allowed_origin(origin))
        .allow_any_method()
        .allow_any_header()
        .supports_credentials()
        .expose_headers([
            "etag",
            "idempotency-replayed",
            "link",
            "location",
            "retry-after",
            "x-request-id",
        ])
        .max_age(3600)
}

fn swagger(document: &OpenApi) -> SwaggerUi {
    SwaggerUi::new("/docs/{_:.*}").url("/api/openapi.json", document.clone())
}

/// Starts to listen; the server runs when it is awaited, and ends gracefully at SIGTERM.
pub fn serve(app: Arc<App>) -> anyhow::Result<(Server, std::net::SocketAddr)> {
    let config = app.config.clone();
    let app = web::Data::from(app);
    let document = web::Data::new(document());
    let factory = {
        let config = config.clone();
        move || {
            let (service, _) = actix_web::App::new()
                .into_utoipa_app()
                .app_data(app.clone())
                .app_data(document.clone())
                // Before the scope `/api`, which would answer for everything below it.
                .map(|service| {
                    service
                        .service(web::redirect("/docs", "/docs/"))
                        .service(swagger(&document))
                })
                .service(
                    scope::scope("/api")
                        .wrap(from_fn(gate::pass))
                        .configure(routes::api)
                        .default_service(web::route().to(routes::unmatched)),
                )
                .configure(routes::open)
                .split_for_parts();
            service
                .default_service(web::route().to(routes::unmatched))
                .wrap(cors(&config))
                .wrap(Compress::default())
                .wrap(security_headers())
                .wrap(from_fn(telemetry::observe))
        }
    };
    let mut server = HttpServer::new(factory).shutdown_timeout(config.shutdown_seconds);
    if config.api_threads > 0 {
        server = server.workers(config.api_threads);
    }
    let server = server.bind(config.api_bind)?;
    let address = *server
        .addrs()
        .first()
        .ok_or_else(|| anyhow::anyhow!("nothing to listen on"))?;
    Ok((server.run(), address))
}
