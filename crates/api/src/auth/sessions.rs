//! Sessions: going on with one, seeing them, ending one or all.

use actix_web::{HttpRequest, HttpResponse, delete, get, post, web::Json};
use chrono::{DateTime, Utc};
use db::users::User;
use deserr::Deserr;
use domain::{
    auth::{SessionId, SignInEventKind, Via, Viewer, secrets::RefreshToken},
    users::UserId,
};
use queue::tokens::{Exchange, Session};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{SignedIn, cookie, events, hand_out, require_accounts};
use crate::{
    App,
    context::{Access, Context, Person, Public},
    error::{ApiError, ApiResult, Code},
    extract::{OptionalBody, Path},
    gate,
};

/// The routes of this part.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(refresh)
        .service(logout)
        .service(logout_all)
        .service(list)
        .service(end);
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

/// Signs out: ends the session of the access token, or that of the refresh token in body or
/// cookie. Its access tokens are refused from now on.
#[utoipa::path(tag = "Accounts", security((), ("bearer" = [])), request_body = Option<Refresh>,
    responses((status = 204, description = "Signed out")))]
#[post("/auth/logout")]
async fn logout(
    context: Context<Public>,
    request: HttpRequest,
    OptionalBody(body): OptionalBody<Refresh>,
) -> ApiResult<HttpResponse> {
    let app = context.app();
    require_accounts(app)?;
    let mut ending = Vec::new();
    if let Some(Viewer {
        user_id,
        via: Via::Session(session),
        ..
    }) = context.who
    {
        ending.push((user_id, session));
    }
    if let Some(token) = presented(body, &request)
        && app.auth.tokens.belongs(&token).await?
        && let Some(session) = app.auth.tokens.find(token.session).await?
    {
        ending.push((session.user, session.id));
    }
    for (user, session) in ending {
        if app.auth.tokens.revoke(user, session).await? {
            record(&context, SignInEventKind::SignedOut, user).await?;
        }
    }
    Ok(signed_out(app))
}

/// Signs out everywhere: ends all sessions, and refuses every access token handed out so far.
#[utoipa::path(tag = "Accounts", responses((status = 204, description = "Signed out everywhere")))]
#[post("/auth/logout-all")]
async fn logout_all(context: Context<Person>) -> ApiResult<HttpResponse> {
    let (app, who) = (context.app(), &context.who);
    require_accounts(app)?;
    let mut connection = context.db().await?;
    let user = db::auth::end_sessions(&mut connection, who.company_id, who.user_id).await?;
    let kind = SignInEventKind::SignedOutEverywhere;
    events::record(&mut connection, kind, &user, &context.client).await?;
    drop(connection);
    gate::forget_profile(app, user.id).await;
    app.auth.end_sessions(user.id).await;
    Ok(signed_out(app))
}

fn signed_out(app: &App) -> HttpResponse {
    HttpResponse::NoContent()
        .cookie(cookie::clear(app.config.accounts.app_env))
        .finish()
}

/// A session as its owner sees it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SessionView {
    id: SessionId,
    /// Whether it is the one that asks.
    current: bool,
    /// The network address of the sign-in.
    ip: String,
    /// The program of the sign-in.
    user_agent: String,
    created_at: DateTime<Utc>,
    /// When its refresh token was last exchanged.
    last_used_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

/// Your sessions, the one used last first.
#[utoipa::path(tag = "Accounts", responses((status = 200, body = [SessionView])))]
#[get("/auth/sessions")]
async fn list(context: Context<Person>) -> ApiResult<Json<Vec<SessionView>>> {
    let who = &context.who;
    let sessions = context
        .app()
        .auth
        .tokens
        .list(who.user_id, Utc::now())
        .await?;
    let view = |session: Session| SessionView {
        id: session.id,
        current: who.via == Via::Session(session.id),
        ip: session.ip,
        user_agent: session.user_agent,
        created_at: session.created_at,
        last_used_at: session.used_at,
        expires_at: session.expires_at,
    };
    Ok(Json(sessions.into_iter().map(view).collect()))
}

/// Ends one of your sessions; its access tokens are refused from now on.
#[utoipa::path(tag = "Accounts", params(("id" = SessionId, Path)),
    responses((status = 204, description = "Ended")))]
#[delete("/auth/sessions/{id}")]
async fn end(context: Context<Person>, Path(id): Path<SessionId>) -> ApiResult<HttpResponse> {
    let user = context.who.user_id;
    if !context.app().auth.tokens.revoke(user, id).await? {
        return Err(ApiError::not_found("session"));
    }
    record(&context, SignInEventKind::SignedOut, user).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn record<A: Access>(
    context: &Context<A>,
    kind: SignInEventKind,
    id: UserId,
) -> ApiResult<()> {
    let mut connection = context.db().await?;
    match db::auth::user(&mut connection, id).await? {
        Some(user) => events::record(&mut connection, kind, &user, &context.client).await,
        None => Ok(()),
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
