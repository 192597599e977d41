//! Getting in and staying in: registration, sign-in, sessions, passwords. Who somebody is at a
//! request is found out by the gate.

pub mod access_tokens;
mod change_password;
mod cookie;
pub mod events;
mod me;
pub mod passwords;
mod sessions;
pub mod settings;
mod sign_in;
pub mod single_user;

use std::sync::Arc;

use actix_web::{HttpResponse, HttpResponseBuilder};
use chrono::Utc;
use db::users::User;
use domain::{auth::secrets::RefreshToken, users::UserId};
use queue::{
    Redis,
    circuit::Circuit,
    lockouts::Lockouts,
    tokens::{NewSession, Tokens},
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    App, Config,
    context::Client,
    error::{ApiError, ApiResult, Code},
    users::UserView,
};
use access_tokens::AccessTokens;
use passwords::Passwords;
use settings::Mode;

/// The routes of this area.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .configure(sign_in::routes)
        .configure(sessions::routes)
        .configure(change_password::routes)
        .configure(me::routes)
        .configure(events::routes);
}

/// What getting in takes.
pub struct Auth {
    /// Sessions and their refresh tokens.
    pub tokens: Tokens,
    /// Counters of wrong guesses.
    pub lockouts: Lockouts,
    /// Signs and reads access tokens.
    pub access_tokens: AccessTokens,
    /// Hashes passwords.
    pub passwords: Passwords,
    circuit: Arc<Circuit>,
}

impl Auth {
    /// Prepares it. Nothing is connected yet.
    pub fn new(config: &Config, redis: &Redis, circuit: Arc<Circuit>) -> Self {
        let settings = &config.accounts;
        let (account, address) = (settings.account_lockout(), settings.address_lockout());
        let queue = || config.queue.clone();
        Self {
            tokens: Tokens::new(redis.clone(), queue(), settings.access_life()),
            lockouts: Lockouts::new(redis.clone(), queue(), account, address),
            access_tokens: AccessTokens::new(&settings.jwt_keys, settings.access_life()),
            passwords: Passwords::new(settings.password_hashes_at_once),
            circuit,
        }
    }

    /// Ends all sessions of somebody. They are refused by their epoch already: should Redis not
    /// hear of it, they only stay listed for a while.
    pub async fn end_sessions(&self, user: UserId) {
        self.circuit.ask(self.tokens.revoke_all(user)).await;
    }
}

/// What a session is used with.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Issued {
    /// To be sent as `Authorization: Bearer …`.
    access_token: String,
    /// To be exchanged for the next pair before the access token expires. Good once, for 7 days.
    refresh_token: String,
    /// Seconds the access token is good.
    expires_in: u64,
}

/// The answer to everything that signs somebody in. The refresh token also comes as a cookie.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SignedIn {
    #[serde(flatten)]
    issued: Issued,
    /// The same once more, where existing front ends look for it.
    tokens: Issued,
    /// Who signed in.
    user: UserView,
}

/// Opens a session for somebody who has proved who they are.
pub async fn open_session(
    app: &App,
    client: &Client,
    user: User,
    answer: HttpResponseBuilder,
) -> ApiResult<HttpResponse> {
    let new = NewSession {
        user: user.id,
        epoch: user.token_epoch,
        ip: client.ip.clone(),
        user_agent: client.user_agent.clone(),
    };
    let token = app.auth.tokens.open(new, Utc::now()).await?;
    hand_out(app, user, &token, answer)
}

/// Answers with a fresh access token beside this refresh token.
fn hand_out(
    app: &App,
    user: User,
    token: &RefreshToken,
    mut answer: HttpResponseBuilder,
) -> ApiResult<HttpResponse> {
    let access_tokens = &app.auth.access_tokens;
    let access_token = access_tokens
        .sign(user.id, token.session, user.token_epoch, Utc::now())
        .map_err(|cause| ApiError::internal(&cause))?;
    let issued = Issued {
        access_token,
        refresh_token: token.reveal(),
        expires_in: access_tokens.life().as_secs(),
    };
    let body = SignedIn {
        tokens: issued.clone(),
        issued,
        user: UserView::full(user),
    };
    answer.cookie(cookie::set(token, app.config.accounts.app_env));
    answer.insert_header(("Cache-Control", "no-store"));
    Ok(answer.json(body))
}

/// Refuses what has no meaning where nobody signs in.
pub fn require_accounts(app: &App) -> ApiResult<()> {
    match app.config.accounts.auth_mode {
        Mode::Accounts => Ok(()),
        Mode::SingleUser => Err(ApiError::new(
            Code::Conflict,
            "This installation has one local user and no sign-in. Call the API without a token.",
        )),
    }
}

/// Refuses while Redis is away, without which nobody can sign in: asked before an account is
/// made, so that none is left behind whose owner was told that it failed.
pub async fn require_redis(app: &App) -> ApiResult<()> {
    if queue::answers(&app.redis).await {
        return Ok(());
    }
    Err(ApiError::unavailable(
        "Redis server",
        &"no answer to a ping",
    ))
}
