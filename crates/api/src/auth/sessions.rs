//! Sessions: going on with one, ending it, ending all.

use actix_web::{HttpRequest, HttpResponse, post};
use chrono::Utc;
use db::users::User;
use deserr::Deserr;
use domain::auth::{SignInEventKind, secrets::RefreshToken};
use queue::tokens::Exchange;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{SignedIn, cookie, events, hand_out, require_accounts};
use crate::{
    App,
    context::{Context, Public},
    error::{ApiError, ApiResult, Code},
    extract::OptionalBody,
};

/// The routes of this part.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(refresh);
}

#[derive(Debug, Deserr, ToSchema)]
#[deserr(rename_all = camelCase)]
#[schema(rename_all = "camelCase")]
struct Refresh {
    /// The refresh token; without it the cookie is taken.
    #[deserr(default)]
    refresh_token: Option<String>,
}

/// The token a request presents: of its body, else of its cookie.
fn presented(body: Option<Refresh>, request: &HttpRequest) -> Option<RefreshToken> {
    let given = body
        .and_then(|body| body.refresh_token)
        .or_else(|| cookie::text(request))?;
    given.parse().ok()
}

fn refusal() -> ApiError {
    ApiError::new(
        Code::Unauthenticated,
        "The refresh token is not good any more. Sign in again.",
    )
}

/// Exchanges a refresh token for the next one and a fresh access token. A refresh token is good
/// once: one that comes a second time ends its whole session.
#[utoipa::path(tag = "Accounts", security(()), request_body = Option<Refresh>,
    responses((status = 200, body = SignedIn), (status = 401, body = crate::error::Problem,
        description = "Sign in first", content_type = "application/problem+json")))]
#[post("/auth/refresh")]
async fn refresh(
    context: Context<Public>,
    request: HttpRequest,
    OptionalBody(body): OptionalBody<Refresh>,
) -> ApiResult<HttpResponse> {
    let app = context.app();
    require_accounts(app)?;
    let token = presented(body, &request).ok_or_else(refusal)?;
    let user = owner(app, &token).await?;
    let client = &context.client;
    match app
        .auth
        .tokens
        .exchange(&token, user.id, Utc::now())
        .await?
    {
        Exchange::Exchanged(next) => {
            let kind = SignInEventKind::Refreshed;
            events::record(&mut *context.db().await?, kind, &user, client).await?;
            hand_out(app, user, &next, HttpResponse::Ok())
        }
        Exchange::Reused => {
            tracing::warn!(user.id = %user.id, session.id = %token.session, "a refresh token was used twice");
            let kind = SignInEventKind::ReuseDetected;
            events::record(&mut *context.db().await?, kind, &user, client).await?;
            Err(refusal())
        }
        Exchange::Unknown => Err(refusal()),
    }
}

/// The owner of the token's session, if they are active and the session is of their present
/// epoch. Looked up before the exchange: a database that is away must not cost the token.
async fn owner(app: &App, token: &RefreshToken) -> ApiResult<User> {
    let session = app
        .auth
        .tokens
        .find(token.session)
        .await?
        .ok_or_else(refusal)?;
    let mut connection = app.pool.get().await?;
    let user = db::auth::user(&mut connection, session.user)
        .await?
        .ok_or_else(refusal)?;
    if user.is_active && user.token_epoch == session.epoch {
        Ok(user)
    } else {
        Err(refusal())
    }
}
