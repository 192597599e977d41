//! Whether this process lives, whether it can serve, and its numbers.

use actix_web::{HttpRequest, HttpResponse, get, web};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    App,
    error::{ApiError, ApiResult, Code, Problem},
    gate,
};

/// The routes of this area.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(healthz).service(readyz).service(metrics);
}

/// How a process is.
#[derive(Serialize, ToSchema)]
struct Health {
    /// `ok`.
    status: &'static str,
}

/// How a process and what it needs are.
#[derive(Serialize, ToSchema)]
struct Readiness {
    /// `ok` or `unavailable`.
    status: &'static str,
    /// Postgres: `ok` or what is wrong.
    postgres: &'static str,
    /// Redis: `ok` or what is wrong. Without it pages are slower and sign-in is closed.
    redis: &'static str,
    /// The malware scanner: `ok` or what is wrong; missing if none is configured. Without it no
    /// outputs are taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    scanner: Option<&'static str>,
}

/// Whether the process answers at all.
#[utoipa::path(tag = "Health", security(()), responses((status = 200, body = Health)))]
#[get("/healthz")]
async fn healthz() -> web::Json<Health> {
    web::Json(Health { status: "ok" })
}

/// Whether the process can serve: each dependency by name.
#[utoipa::path(tag = "Health", security(()),
    responses((status = 200, body = Readiness), (status = 503, body = Readiness)))]
#[get("/readyz")]
async fn readyz(app: web::Data<App>) -> HttpResponse {
    let (postgres, redis, scanner) = tokio::join!(
        async { word(db::pool::answers(&app.pool).await) },
        async { word(queue::answers(&app.redis).await) },
        scanner(&app),
    );
    // Without Redis nearly everything is still answered: taking all replicas out would be worse.
    let ready = postgres == "ok";
    let status = if ready { "ok" } else { "unavailable" };
    let mut answer = if ready {
        HttpResponse::Ok()
    } else {
        HttpResponse::ServiceUnavailable()
    };
    answer.json(Readiness {
        status,
        postgres,
        redis,
        scanner,
    })
}

async fn scanner(app: &App) -> Option<&'static str> {
    let clamd = app.scanner.as_ref()?;
    Some(word(clamd.answers().await))
}

fn word(answers: bool) -> &'static str {
    if answers { "ok" } else { "does not answer" }
}

/// Prometheus metrics of this process. Where a service key is configured, it has to be sent.
#[utoipa::path(tag = "Health", security((), ("service" = [])),
    responses((status = 200, body = String, content_type = "text/plain"),
        (status = 401, body = Problem, content_type = "application/problem+json")))]
#[get("/metrics")]
async fn metrics(app: web::Data<App>, request: HttpRequest) -> ApiResult<HttpResponse> {
    if app.config.accounts.service_key.is_some() && !gate::carries_service_key(&app, &request) {
        return Err(ApiError::new(
            Code::Unauthenticated,
            "Send the service key as X-Service-Key.",
        ));
    }
    Ok(HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4")
        .body(app.metrics.render()))
}
