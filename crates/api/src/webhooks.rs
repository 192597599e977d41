//! Webhooks of trackers. Nobody is signed in here: what proves a hook is its signature, over the body as it
//! arrived. All that is wrong with one is answered in the same way, so that nobody learns which trackers
//! there are. A hook that is believed names an issue to fetch, and nothing more.

use actix_web::{HttpRequest, HttpResponse, post, web};
use chrono::Utc;
use db::trackers::{
    hooks::{self, Hooked},
    secrets::{self, HOOKS},
};
use deserr::Deserr;
use domain::{
    auth::secrets::Secret,
    trackers::{
        TrackerId, TrackerKind,
        hooks::{self as rules, HookFault, Notice},
    },
};
use futures::StreamExt;
use secrecy::{ExposeSecret, SecretString};
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    context::{Context, Public},
    error::{ApiError, ApiResult, Code},
    extract::{Faults, Path, Paths, Query},
    telemetry,
};

/// The longest body: hooks carry an issue and what changed of it.
const MOST_BYTES: usize = 1 << 20;

/// The routes of this area.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(jira).service(teamwork);
}

/// The answer to every hook that is not believed, whyever.
fn unbelieved() -> ApiError {
    ApiError::new(
        Code::NotFound,
        "There is no such tracker, or the webhook does not prove that it comes from it.",
    )
}

/// What a Jira that signs nothing is known by.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults)]
#[into_params(parameter_in = Query)]
struct WordQuery {
    /// The secret of the tracker's webhooks, for a Jira that cannot sign.
    #[deserr(default)]
    word: Option<String>,
}

/// Takes a webhook of Jira: signed (`X-Hub-Signature`), with the token of an OAuth app, or with the secret
/// in its address.
#[utoipa::path(tag = "Webhooks", security(()), request_body(content = Object, content_type = "application/json"),
    params(("tracker_id" = TrackerId, Path, description = "The tracker"), WordQuery),
    responses((status = 200, description = "Nothing to do: it was taken before, or is about no issue"),
        (status = 202, description = "Taken")))]
#[post("/webhooks/jira/{tracker_id}")]
async fn jira(
    context: Context<Public>,
    request: HttpRequest,
    Path(id): Path<TrackerId>,
    Query(query): Query<WordQuery>,
    payload: web::Payload,
) -> ApiResult<HttpResponse> {
    let body = read(payload).await?;
    let (hooked, secret) = find(&context, id, |kind| kind != TrackerKind::Teamwork).await?;
    let signature = header(&request, "x-hub-signature");
    let proof = match (signature, query.word) {
        (Some(signature), _) => rules::verify_jira(secret.expose_secret(), Some(signature), &body),
        (None, Some(word)) => rules::verify_word(secret.expose_secret(), &word),
        (None, None) => by_app(&context, hooked.as_ref(), &request),
    };
    let hooked = believed(hooked, proof)?;
    let notice = rules::jira(header(&request, "x-atlassian-webhook-identifier"), &body);
    take(&context, &hooked, notice).await
}

/// The token of an OAuth app, under which only those trackers stand that were granted to it.
fn by_app(
    context: &Context<Public>,
    hooked: Option<&Hooked>,
    request: &HttpRequest,
) -> Result<(), HookFault> {
    let is_granted = hooked.is_some_and(|hooked| hooked.is_granted);
    match context.app().gateway.trackers.app_secret() {
        Some(secret) if is_granted => {
            rules::verify_jira_app(secret, header(request, "authorization"), Utc::now())
        }
        _ => Err(HookFault::Unsigned),
    }
}

/// Takes a webhook of Teamwork, signed (`X-Projects-Signature`). Its body does not name the event, so its
/// address does.
#[utoipa::path(tag = "Webhooks", security(()), request_body(content = Object, content_type = "application/json"),
    params(("tracker_id" = TrackerId, Path, description = "The tracker"),
        ("event" = String, Path, description = "Such as `TASK.UPDATED`")),
    responses((status = 200, description = "Nothing to do: it was taken before, or is about no task"),
        (status = 202, description = "Taken")))]
#[post("/webhooks/teamwork/{tracker_id}/{event}")]
async fn teamwork(
    context: Context<Public>,
    request: HttpRequest,
    Paths(id, Event(event)): Paths<TrackerId, Event>,
    payload: web::Payload,
) -> ApiResult<HttpResponse> {
    let body = read(payload).await?;
    let (hooked, secret) = find(&context, id, |kind| kind == TrackerKind::Teamwork).await?;
    let signature = header(&request, "x-projects-signature");
    let proof = rules::verify_teamwork(secret.expose_secret(), signature, &body);
    let hooked = believed(hooked, proof)?;
    take(&context, &hooked, rules::teamwork(&event, &body)).await
}

/// The name of an event.
struct Event(String);

impl std::str::FromStr for Event {
    type Err = domain::Fault;
    fn from_str(text: &str) -> Result<Self, domain::Fault> {
        Ok(Self(text.to_owned()))
    }
}

fn header<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

/// The whole body, as it arrived.
async fn read(mut payload: web::Payload) -> ApiResult<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(part) = payload.next().await {
        let part = part.map_err(|_| ApiError::new(Code::InvalidBody, "The body broke off."))?;
        if body.len() + part.len() > MOST_BYTES {
            return Err(ApiError::new(
                Code::TooLarge,
                "A webhook has 1 MiB at most.",
            ));
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}

/// A tracker of this sort and its secret. Where there is none the work goes on with one that nobody knows,
/// so that it takes as long. A tracker of the OAuth app needs none of its own.
async fn find(
    context: &Context<Public>,
    id: TrackerId,
    is_of_kind: impl Fn(TrackerKind) -> bool,
) -> ApiResult<(Option<Hooked>, SecretString)> {
    let nobodys = SecretString::from(Secret::random().reveal());
    let mut conn = context.db().await?;
    let hooked = hooks::find(&mut conn, id).await?;
    let hooked = hooked.filter(|hooked| is_of_kind(hooked.kind));
    let Some(text) = secrets::find(&mut conn, id, HOOKS).await? else {
        return Ok((hooked.filter(|hooked| hooked.is_granted), nobodys));
    };
    match context.app().gateway.trackers.open(&text) {
        Ok(secret) => Ok((hooked, secret)),
        Err(cause) => {
            tracing::error!(tracker.id = %id, error = %cause, "the secret of webhooks cannot be opened");
            Ok((None, nobodys))
        }
    }
}

fn believed(hooked: Option<Hooked>, proof: Result<(), HookFault>) -> ApiResult<Hooked> {
    match (hooked, proof) {
        (Some(hooked), Ok(())) => Ok(hooked),
        (hooked, proof) => {
            let cause = proof.err().map(|cause| cause.to_string());
            tracing::info!(
                tracker.known = hooked.is_some(),
                error = cause,
                "webhook not believed"
            );
            Err(unbelieved())
        }
    }
}

async fn take(
    context: &Context<Public>,
    hooked: &Hooked,
    notice: Result<Option<Notice>, HookFault>,
) -> ApiResult<HttpResponse> {
    let notice = notice.map_err(|_| {
        ApiError::new(
            Code::InvalidBody,
            "The webhook is not one of the tracker's.",
        )
    })?;
    let Some(notice) = notice else {
        return Ok(HttpResponse::Ok().finish());
    };
    if rules::verify_age(notice.at, Utc::now()).is_err() {
        tracing::info!(tracker.id = %hooked.id, "webhook too old");
        return Err(unbelieved());
    }
    let request = Some(telemetry::request_id());
    let first = hooks::take(&mut *context.db().await?, hooked, &notice, request).await?;
    if !first {
        return Ok(HttpResponse::Ok().finish());
    }
    context.app().wake.notify_one();
    Ok(HttpResponse::Accepted().finish())
}
