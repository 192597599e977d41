//! `Idempotency-Key`: whoever did not see the answer of a POST sends it again with the same key,
//! and gets the first answer instead of a second effect.
//!
//! It is part of the gate, so that every POST of somebody signed in has it. Once claimed, a
//! request runs to its end even if its caller hangs up. Answers are kept for 24 hours, sealed with
//! a key that only the client's own yields, since an answer may hold a secret that is shown once.
//! Not kept are faults of the server, answers that only ask to wait, and streams.
//!
//! A JSON body is part of what makes a request the same. An upload would have to be held in memory
//! for that; it needs no key, because its bytes are recognised where they are stored: a second one
//! gives the document that is there.

mod fingerprint;
mod seal;

use actix_web::{
    Error, HttpMessage, HttpRequest, HttpResponse, ResponseError,
    body::{BodySize, EitherBody, MessageBody, to_bytes},
    dev::{ServiceRequest, ServiceResponse},
    http::{Method, StatusCode},
    middleware::Next,
    web,
};
use db::idempotency::{Begin, Keyed};
use tracing::Instrument as _;

use crate::{
    App,
    context::Identity,
    error::{ApiError, ApiResult, Code},
    telemetry,
};
use seal::{Answer, Seal};

const HEADER: &str = "idempotency-key";

/// Says on an answer that it was given before.
const REPLAYED: &str = "idempotency-replayed";

/// The largest answer that is kept.
const LARGEST: u64 = 1024 * 1024;

/// A claimed request: where its answer belongs.
struct Claim {
    app: web::Data<App>,
    keyed: Keyed,
    started: chrono::DateTime<chrono::Utc>,
    seal: Seal,
}

enum Verdict {
    /// No key, or nobody to whom it would belong.
    Unkeyed,
    First(Claim),
    Again(HttpResponse),
}

/// Answers a request that was answered before, and keeps the answer of one that was not.
pub async fn answer<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    match judge(&mut request).await {
        Ok(Verdict::Unkeyed) => Ok(next.call(request).await?.map_into_left_body()),
        Ok(Verdict::Again(answer)) => Ok(request.into_response(answer).map_into_right_body()),
        Ok(Verdict::First(claim)) => run_to_the_end(claim, request, next).await,
        Err(refusal) => Ok(request
            .into_response(refusal.error_response())
            .map_into_right_body()),
    }
}

async fn judge(request: &mut ServiceRequest) -> ApiResult<Verdict> {
    let viewer = request
        .extensions()
        .get::<Identity>()
        .and_then(|who| who.0.clone().ok());
    let (true, Some(viewer)) = (request.method() == Method::POST, viewer) else {
        return Ok(Verdict::Unkeyed);
    };
    let Some(key) = key_of(request.request())? else {
        return Ok(Verdict::Unkeyed);
    };
    if fingerprint::is_upload(request) {
        return Ok(Verdict::Unkeyed);
    }
    let hash = fingerprint::take(request).await?;
    let seal = Seal::new(viewer.user_id, &key);
    let keyed = Keyed {
        user_id: viewer.user_id,
        key: seal.key_hash(),
        request_hash: hash,
    };
    let app = request
        .app_data::<web::Data<App>>()
        .ok_or_else(|| ApiError::internal(&"the gate stands outside the app"))?
        .clone();
    let begun = db::idempotency::begin(&mut *app.pool.get().await?, &keyed).await?;
    match begun {
        Begin::First(started) => Ok(Verdict::First(Claim {
            app,
            keyed,
            started,
            seal,
        })),
        Begin::Answered { status, answer } => replay(&seal, status, &answer).map(Verdict::Again),
        Begin::Mismatch => Err(ApiError::new(
            Code::IdempotencyMismatch,
            "This Idempotency-Key was used for another request. Take a new key.",
        )),
        Begin::UnderWay => Err(ApiError {
            retry_after: Some(2),
            ..ApiError::new(
                Code::Conflict,
                "The first request with this Idempotency-Key is still under way. Ask again shortly.",
            )
        }),
    }
}

/// The key, 1 to 255 visible ASCII characters.
fn key_of(request: &HttpRequest) -> ApiResult<Option<String>> {
    let Some(value) = request.headers().get(HEADER) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default();
    if (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(Some(text.to_owned()));
    }
    Err(ApiError::new(
        Code::InvalidHeader,
        "Idempotency-Key must have 1 to 255 visible ASCII characters, such as a UUID.",
    ))
}

fn replay(seal: &Seal, status: i16, sealed: &[u8]) -> ApiResult<HttpResponse> {
    let answer = seal
        .open(sealed)
        .ok_or_else(|| ApiError::internal(&"a kept answer cannot be opened"))?;
    let status = u16::try_from(status)
        .ok()
        .and_then(|code| StatusCode::from_u16(code).ok());
    let mut again = HttpResponse::build(status.unwrap_or(StatusCode::OK));
    for (name, value) in answer.headers {
        again.insert_header((name, value));
    }
    again.insert_header((REPLAYED, "true"));
    Ok(again.body(answer.body))
}

/// Runs the request on a task of its own: a caller who hangs up does not stop it half way.
async fn run_to_the_end<B: MessageBody + 'static>(
    claim: Claim,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let work = async move {
        match next.call(request).await {
            Ok(response) => keep(claim, response).await,
            Err(cause) => {
                claim.release().await;
                Err(cause)
            }
        }
    };
    let work = telemetry::continued(work.in_current_span());
    let ended = actix_web::rt::spawn(work).await;
    ended.unwrap_or_else(|cause| Err(ApiError::internal(&cause).into()))
}

async fn keep<B: MessageBody + 'static>(
    claim: Claim,
    response: ServiceResponse<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let status = response.status();
    let fits = matches!(
        response.response().body().size(),
        BodySize::None | BodySize::Sized(0..=LARGEST)
    );
    if !fits || !Claim::is_worth_keeping(status) {
        claim.release().await;
        return Ok(response.map_into_left_body());
    }
    let (request, response) = response.into_parts();
    let (response, body) = response.into_parts();
    let body = to_bytes(body)
        .await
        .map_err(|cause| ApiError::internal(&cause.into()))?;
    let answer = Answer::of(response.headers(), &body);
    claim.finish(status, &answer).await;
    let response = response.set_body(body).map_into_boxed_body();
    Ok(ServiceResponse::new(request, response).map_into_right_body())
}

impl Claim {
    fn is_worth_keeping(status: StatusCode) -> bool {
        let asks_to_wait = matches!(status.as_u16(), 408 | 429);
        !(status.is_server_error() || asks_to_wait)
    }

    /// Keeps the answer. Should that fail, the caller gets it all the same: the effect has
    /// happened, and only a repetition would not know of it.
    async fn finish(&self, status: StatusCode, answer: &Answer) {
        let status = i16::try_from(status.as_u16()).unwrap_or_default();
        let sealed = self.seal.close(answer);
        let kept = async {
            let mut connection = self.app.pool.get().await?;
            db::idempotency::finish(&mut connection, &self.keyed, self.started, status, &sealed)
                .await?;
            Ok::<_, ApiError>(())
        };
        if let Err(cause) = kept.await {
            tracing::warn!(error = %cause, "an answer was not kept for its Idempotency-Key");
        }
    }

    async fn release(&self) {
        let released = async {
            let mut connection = self.app.pool.get().await?;
            db::idempotency::release(&mut connection, &self.keyed, self.started).await?;
            Ok::<_, ApiError>(())
        };
        if let Err(cause) = released.await {
            tracing::warn!(error = %cause, "an Idempotency-Key stays claimed for a minute");
        }
    }
}
