//! What makes a request the same as another: its route, its query and its body.

use actix_web::{
    dev::{Payload, ServiceRequest},
    http::header,
    web,
};
use futures::stream;
use sha2::{Digest, Sha256};

use crate::{error::ApiResult, extract};

/// Takes files, be they JSON; importing one twice adds nothing.
const IMPORT: &str = "/api/import";

/// Whether the body is a file: such a one is not read into memory.
pub fn is_upload(request: &ServiceRequest) -> bool {
    let is_file = !extract::is_json(request.request()) || request.path() == IMPORT;
    is_file && has_body(request)
}

/// Hashes a request. A JSON body is read for that and put back.
pub async fn take(request: &mut ServiceRequest) -> ApiResult<[u8; 32]> {
    let mut digest = Sha256::new();
    for part in [
        request.method().as_str(),
        request.path(),
        request.query_string(),
    ] {
        digest.update(part);
        digest.update([0]);
    }
    // The answer has another form then.
    digest.update([u8::from(wants_events(request.headers()))]);
    let (request, payload) = request.parts_mut();
    let body = extract::read_all(request, payload).await?;
    digest.update(&body);
    *payload = again(body);
    Ok(digest.finalize().into())
}

fn wants_events(headers: &header::HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains("text/event-stream"))
}

fn has_body(request: &ServiceRequest) -> bool {
    request.headers().contains_key(header::CONTENT_TYPE)
}

/// The body as if it had not been read.
fn again(body: web::Bytes) -> Payload {
    Payload::Stream {
        payload: Box::pin(stream::once(std::future::ready(Ok(body)))),
    }
}
