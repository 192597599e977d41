//! Routes: the API in its two versions, and the script beside it.

use std::{collections::BTreeMap, time::Duration};

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, rt::time::sleep, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    calls::{Answer, Call},
    catalog,
    counters::Received,
    refusals::Refusal,
    script::{Break, Cue},
    state::{State, UnderWay},
    transport,
};

/// The largest request, pictures included.
const MAX_BODY: usize = 20 * 1024 * 1024;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .app_data(web::PayloadConfig::new(MAX_BODY))
        .route("/_fake/script", web::post().to(script))
        .route("/_fake/counters", web::get().to(counters))
        .route("/_fake/requests", web::get().to(requests))
        .route("/_fake/reset", web::post().to(reset))
        .route("/{version:v1|v1beta}/models", web::get().to(list))
        .route("/{version:v1|v1beta}/models/{name}", web::get().to(get))
        .route(
            "/{version:v1|v1beta}/models/{name}:{method}",
            web::post().to(call),
        )
        .default_service(web::to(nothing));
}

async fn script(state: web::Data<State>, body: web::Bytes) -> HttpResponse {
    match cues(&body) {
        Ok(cues) => state.script(cues),
        Err(error) => return HttpResponse::BadRequest().body(format!("{error}\n")),
    }
    HttpResponse::NoContent().finish()
}

/// One cue, or a list of them; what is wrong with them is said by name.
fn cues(body: &[u8]) -> serde_json::Result<Vec<Cue>> {
    match serde_json::from_slice(body)? {
        list @ Value::Array(_) => serde_json::from_value(list),
        one => Ok(vec![serde_json::from_value(one)?]),
    }
}

async fn counters(state: web::Data<State>) -> HttpResponse {
    HttpResponse::Ok().json(state.counters())
}

async fn requests(state: web::Data<State>) -> HttpResponse {
    let view = |call: &Received| json!({ "method": call.method, "model": call.model, "headers": call.headers, "body": call.json() });
    HttpResponse::Ok().json(state.requests().iter().map(view).collect::<Vec<Value>>())
}

async fn reset(state: web::Data<State>) -> HttpResponse {
    state.reset();
    HttpResponse::NoContent().finish()
}

async fn nothing() -> HttpResponse {
    HttpResponse::NotFound()
        .content_type("text/html")
        .body("<!DOCTYPE html><title>Error 404 (Not Found)</title>\n")
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Page {
    #[serde(alias = "page_size")]
    page_size: usize,
    #[serde(alias = "page_token")]
    page_token: String,
}

async fn list(request: HttpRequest, page: web::Query<Page>) -> HttpResponse {
    if let Err(refusal) = identified(&request) {
        return refusal.response();
    }
    match catalog::page(page.page_size, &page.page_token) {
        Some(page) => HttpResponse::Ok().json(page),
        None => Refusal::invalid("The page token is not one of this list.").response(),
    }
}

async fn get(request: HttpRequest, path: web::Path<(String, String)>) -> HttpResponse {
    let (version, name) = path.into_inner();
    match (identified(&request), catalog::find(&name)) {
        (Err(refusal), _) => refusal.response(),
        (_, Some(model)) => HttpResponse::Ok().json(model.card()),
        (_, None) => Refusal::no_model(&name, &version, "get").response(),
    }
}

async fn call(
    state: web::Data<State>,
    request: HttpRequest,
    path: web::Path<(String, String, String)>,
    body: web::Bytes,
) -> HttpResponse {
    let (version, model, method) = path.into_inner();
    let query = request.query_string();
    let call = Call {
        version,
        model,
        method,
        as_events: query.split('&').any(|pair| pair == "alt=sse"),
    };
    let key_in_url = query.split('&').any(|pair| pair.starts_with("key="));
    let under_way = state
        .clone()
        .into_inner()
        .begin(received(&call, &request, &body), key_in_url);
    let cue = match identified(&request) {
        Ok(()) => state.cue(&call.method, &call.model, &body),
        Err(refusal) => return answered(&state, refusal.response()),
    };
    sleep_for(state.options.latency + Duration::from_millis(cue.delay_ms)).await;
    if cue.breaks == Some(Break::Reset) {
        transport::reset(&request);
        return HttpResponse::Ok().finish();
    }
    answered(&state, respond(&state, &call, &body, &cue, under_way))
}

fn respond(
    state: &State,
    call: &Call,
    body: &[u8],
    cue: &Cue,
    under_way: UnderWay,
) -> HttpResponse {
    let streams = call.method == "streamGenerateContent";
    if let Some(text) = &cue.body {
        let status = cue
            .status
            .and_then(|status| StatusCode::from_u16(status).ok())
            .unwrap_or(StatusCode::OK);
        return transport::whole(status, text.clone().into(), cue, under_way);
    }
    let refused_at_once = cue.status.is_some() && !(streams && cue.after_events.is_some());
    let answer = if refused_at_once {
        state.refused(&call.model, cue);
        Err(Refusal::from(cue))
    } else {
        call.answer(state, body, cue)
    };
    match answer {
        Ok(Answer::Whole(body)) => transport::whole(StatusCode::OK, body, cue, under_way),
        Ok(Answer::Events(events)) => {
            transport::events(&events, call.as_events, state.options.pause, cue, under_way)
        }
        Err(refusal) if streams && !call.as_events => refusal.wrapped().response(),
        Err(refusal) => refusal.response(),
    }
}

fn answered(state: &State, response: HttpResponse) -> HttpResponse {
    state.answered(response.status().as_u16());
    response
}

async fn sleep_for(time: Duration) {
    if !time.is_zero() {
        sleep(time).await;
    }
}

fn received(call: &Call, request: &HttpRequest, body: &web::Bytes) -> Received {
    let headers = request.headers().iter();
    let text = |value: &actix_web::http::header::HeaderValue| {
        value.to_str().unwrap_or_default().to_owned()
    };
    Received {
        method: call.method.clone(),
        model: call.model.clone(),
        headers: headers
            .map(|(name, value)| (name.to_string(), text(value)))
            .collect::<BTreeMap<_, _>>(),
        body: body.clone(),
    }
}

/// Whether the caller shows a key that is good.
fn identified(request: &HttpRequest) -> Result<(), Refusal> {
    let header = request
        .headers()
        .get("x-goog-api-key")
        .and_then(|key| key.to_str().ok());
    let in_url = || {
        request
            .query_string()
            .split('&')
            .find_map(|pair| pair.strip_prefix("key="))
    };
    match header.or_else(in_url).unwrap_or_default() {
        "" => Err(Refusal::without_key()),
        key if key.starts_with("bad") => Err(Refusal::bad_key()),
        _ => Ok(()),
    }
}
