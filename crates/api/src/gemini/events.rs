//! An answer as it is made, as server-sent events (WHATWG HTML, section 9.2).

use std::convert::Infallible;

use actix_web::{
    HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_ENCODING},
    web::Bytes,
};
use domain::providers::{
    ProviderError,
    generate::{Event, Events},
};
use futures::{StreamExt, stream};
use serde::Serialize;
use serde_json::json;
use tasks::Callee;

use super::answer::{Begun, view};
use crate::{
    context::{Context, Runner},
    error::ApiResult,
};

/// Streams the answer. Whoever hangs up drops the stream, and with it the call.
pub(super) fn response(
    context: Context<Runner>,
    callee: Callee,
    begun: Begun,
    made: Events,
) -> HttpResponse {
    let written = stream::unfold(Some((context, callee, made)), move |open| async move {
        let (context, callee, mut made) = open?;
        let event = made.next().await;
        let ends = !matches!(event, Some(Ok(Event::Text(_))));
        let bytes = match written(&context, &callee, begun, event).await {
            Ok(bytes) => bytes,
            Err(cause) => framed("error", &cause.problem()),
        };
        Some((
            Ok::<_, Infallible>(bytes),
            (!ends).then_some((context, callee, made)),
        ))
    });
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((CACHE_CONTROL, "no-store"))
        // Compression, and some proxies, would hold events back until there are enough of them.
        .insert_header((CONTENT_ENCODING, "identity"))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(written)
}

async fn written(
    context: &Context<Runner>,
    callee: &Callee,
    begun: Begun,
    event: Option<Result<Event, ProviderError>>,
) -> ApiResult<Bytes> {
    match event {
        Some(Ok(Event::Text(text))) => Ok(framed("token", &json!({ "text": text }))),
        Some(Ok(Event::End(reply))) => {
            let whole = view(context.app(), callee, begun, *reply).await?;
            Ok(framed("done", &whole))
        }
        Some(Err(cause)) => Err(cause.into()),
        None => Err(ProviderError::Timeout("the answer broke off".into()).into()),
    }
}

/// One event. JSON has no line breaks of its own, so that it is one line of data.
fn framed(name: &str, data: &impl Serialize) -> Bytes {
    let data = serde_json::to_string(data).unwrap_or_default();
    format!("event: {name}\ndata: {data}\n\n").into()
}
