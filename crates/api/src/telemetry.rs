//! What a request leaves behind: an id that follows it through every log, one line when it is
//! answered, and its time in the metrics.

use std::time::Instant;

use actix_web::{
    Error, HttpMessage,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderName, HeaderValue},
    middleware::Next,
};
use tracing::Instrument;
use uuid::Uuid;

use crate::context::Identity;

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

/// A request as it came in.
struct Asked {
    id: String,
    method: String,
    path: String,
    at: Instant,
}

/// Gives the request its id, and logs and counts its answer.
pub async fn observe<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let asked = Asked {
        id: id_of(&request),
        method: request.method().to_string(),
        path: request.path().to_owned(),
        at: Instant::now(),
    };
    let span = tracing::info_span!("request", request.id = %asked.id);
    let mut answer = REQUEST_ID
        .scope(asked.id.clone(), next.call(request).instrument(span))
        .await?;
    record(&asked, &answer);
    if let Ok(value) = HeaderValue::from_str(&asked.id) {
        answer.headers_mut().insert(HEADER, value);
    }
    Ok(answer)
}

/// Who asked, where that is known: found out by the gate on the way in.
fn user_of<B>(answer: &ServiceResponse<B>) -> Option<String> {
    let extensions = answer.request().extensions();
    let viewer = extensions.get::<Identity>()?.0.as_ref().ok()?;
    Some(viewer.user_id.to_string())
}

/// The method as a label: anybody may invent one, and each would be kept for ever.
fn known(method: &str) -> &'static str {
    ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
        .into_iter()
        .find(|known| *known == method)
        .unwrap_or("OTHER")
}

fn record<B>(asked: &Asked, answer: &ServiceResponse<B>) {
    let seconds = asked.at.elapsed().as_secs_f64();
    let route = answer.request().match_pattern();
    let route = route.unwrap_or_else(|| "unmatched".into());
    let status = answer.status().as_u16();
    metrics::histogram!(
        "http_request_duration_seconds",
        "route" => route.clone(), "method" => known(&asked.method), "status" => status.to_string()
    )
    .record(seconds);
    tracing::info!(
        request.id = asked.id,
        user.id = user_of(answer),
        http.method = asked.method,
        http.path = asked.path,
        http.route = route,
        http.status = status,
        duration_ms = seconds * 1000.0,
        "request"
    );
}
