//! What a request leaves behind: an id that follows it through every log, one line when it is
//! answered, and its time in the metrics.

use std::time::Instant;

use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderName, HeaderValue},
    middleware::Next,
};
use tracing::Instrument;
use uuid::Uuid;

tokio::task_local! {
    static REQUEST_ID: String;
}

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The id of the request being answered; empty outside of one.
pub fn request_id() -> String {
    REQUEST_ID.try_with(Clone::clone).unwrap_or_default()
}

/// Lets work that goes on apart from the request keep the request's id.
pub fn continued<F: Future>(work: F) -> impl Future<Output = F::Output> {
    REQUEST_ID.scope(request_id(), work)
}

/// A caller's own id is kept when it is short and plain, so that it can be followed from outside.
fn id_of(request: &ServiceRequest) -> String {
    let plain = |id: &&str| {
        (8..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    request
        .headers()
        .get(HEADER)
        .and_then(|value| value.to_str().ok())
        .filter(plain)
        .map_or_else(|| Uuid::now_v7().to_string(), ToOwned::to_owned)
}

/// Gives the request its id, and logs and counts its answer.
pub async fn observe<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let started = Instant::now();
    let id = id_of(&request);
    let method = request.method().to_string();
    let path = request.path().to_owned();
    let span = tracing::info_span!("request", request.id = %id);
    let mut answer = REQUEST_ID
        .scope(id.clone(), next.call(request).instrument(span))
        .await?;
    let route = answer
        .request()
        .match_pattern()
        .unwrap_or_else(|| "unmatched".into());
    record(
        &id,
        &method,
        &path,
        &route,
        answer.status().as_u16(),
        started,
    );
    if let Ok(value) = HeaderValue::from_str(&id) {
        answer.headers_mut().insert(HEADER, value);
    }
    Ok(answer)
}

fn record(id: &str, method: &str, path: &str, route: &str, status: u16, started: Instant) {
    let seconds = started.elapsed().as_secs_f64();
    metrics::histogram!(
        "http_request_duration_seconds",
        "route" => route.to_owned(), "method" => method.to_owned(), "status" => status.to_string()
    )
    .record(seconds);
    tracing::info!(
        request.id = id,
        http.method = method,
        http.path = path,
        http.route = route,
        http.status = status,
        duration_ms = seconds * 1000.0,
        "request"
    );
}
