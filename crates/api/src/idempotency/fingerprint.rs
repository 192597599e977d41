//! What makes a request the same as another: its route, its query and its body.

use actix_web::{
    dev::{Payload, ServiceRequest},
    http::header,
    web,
};
use futures::stream;
use sha2::{Digest, Sha256};

use crate::{error::ApiResult, extract};

/// Whether the body is no JSON: such a one is not read into memory.
pub fn is_upload(request: &ServiceRequest) -> bool {
    !extract::is_json(request.request()) && has_body(request)
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
    let (request, payload) = request.parts_mut();
    let body = extract::read_all(request, payload).await?;
    digest.update(&body);
    *payload = again(body);
    Ok(digest.finalize().into())
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
