//! Trying a prompt on a model: the whole answer at once, or as it is made.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{ACCEPT, HeaderMap},
    post,
};

use super::{
    answer::{Begun, TestView, view},
    ask,
    body::TestBody,
    events,
};
use crate::{
    context::{Context, Runner},
    error::ApiResult,
    extract::Body,
};

/// Asks a model, waits for the whole answer, and says what it cost. With `Accept: text/event-stream`
/// the answer comes as it is made: events `token` `{text}`, and at the end `done` with the whole, or
/// `error` with the problem.
#[utoipa::path(tag = "Models", request_body = TestBody, responses(
    (status = 200, content((TestView = "application/json"), (String = "text/event-stream")))))]
#[post("/gemini/test-prompt")]
pub async fn test_prompt(
    context: Context<Runner>,
    request: HttpRequest,
    Body(body): Body<TestBody>,
) -> ApiResult<HttpResponse> {
    answer(context, request.headers(), body).await
}

/// The same as `/api/gemini/test-prompt`.
#[utoipa::path(tag = "Models", request_body = TestBody, responses(
    (status = 200, content((TestView = "application/json"), (String = "text/event-stream")))))]
#[post("/gemini/test")]
pub async fn test(
    context: Context<Runner>,
    request: HttpRequest,
    Body(body): Body<TestBody>,
) -> ApiResult<HttpResponse> {
    answer(context, request.headers(), body).await
}

async fn answer(
    context: Context<Runner>,
    headers: &HeaderMap,
    body: TestBody,
) -> ApiResult<HttpResponse> {
    let callee = ask::callee(&context, body.model()).await?;
    let request = body.request(&context, &callee).await?;
    let begun = Begun::now();
    if wants_stream(headers) {
        let made = callee.provider().stream(&request).await?;
        return Ok(events::response(context, callee, begun, made));
    }
    let reply = callee.provider().generate(&request).await?;
    Ok(HttpResponse::Ok().json(view(context.app(), &callee, begun, reply).await?))
}

fn wants_stream(headers: &HeaderMap) -> bool {
    headers
        .get_all(ACCEPT)
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains("text/event-stream"))
}
