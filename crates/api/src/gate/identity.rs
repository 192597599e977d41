//! Who asks: by an access token, a personal API key, or, where nobody signs in, by being there.
//! A token or key is only as good as its user is at this moment: the profile, cached in Redis and
//! dropped at every change, says whether they are active and which epoch of tokens is good.

use std::time::Duration;

use actix_web::{
    HttpRequest,
    dev::ServiceRequest,
    http::header::{self, HeaderMap},
};
use chrono::Utc;
use db::{api_keys::Grant, users::Profile};
use domain::{
    auth::{Via, Viewer, secrets::ApiKey},
    users::UserId,
};
use queue::{
    arrival::{self, Caller},
    cache::Look,
};
use secrecy::ExposeSecret;
use subtle::ConstantTimeEq;

use crate::{
    App,
    auth::{access_tokens::Claims, settings::Mode, single_user},
    error::{ApiError, ApiResult, Code},
};

/// How long copies of profiles and keys live, should Redis not hear that their rows changed.
const COPY_LIFE: Duration = Duration::from_secs(30);

/// Who asks, and whether the request was already counted against their limit.
pub struct Found {
    /// Who.
    pub viewer: Viewer,
    /// Whether it was.
    pub counted: bool,
}

/// Who asks, or why that is not known.
pub async fn find(app: &App, request: &ServiceRequest) -> ApiResult<Found> {
    if app.config.accounts.auth_mode == Mode::SingleUser {
        return single_user::viewer(request).map(|viewer| Found {
            viewer,
            counted: true,
        });
    }
    let token = bearer(request.headers())?;
    if token.starts_with(ApiKey::PREFIX) {
        let viewer = by_key(app, token).await?;
        return Ok(Found {
            viewer,
            counted: false,
        });
    }
    let claims = app
        .auth
        .access_tokens
        .read(token, Utc::now())
        .ok_or_else(|| {
            refusal("The access token is not good or has expired. Refresh it or sign in.")
        })?;
    by_claims(app, claims).await
}

fn bearer(headers: &HeaderMap) -> ApiResult<&str> {
    let value = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let value = value.ok_or_else(|| refusal("Sign in, or send an API key as Bearer."))?;
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(refusal(
            "Send the access token or API key as `Authorization: Bearer …`.",
        )),
    }
}

async fn by_claims(app: &App, claims: Claims) -> ApiResult<Found> {
    let name = profile_name(claims.sub);
    let caller = Caller {
        user: claims.sub,
        session: claims.sid,
        profile: &name,
        limit: app.config.accounts.rate_limit_user,
    };
    let arrival = arrival::look(&app.cache, &app.limits, &app.auth.tokens, caller).await;
    arrival
        .counted
        .map_err(|excess| super::too_often(excess.0))?;
    let profile = active(load(app, claims.sub, arrival.profile).await?)?;
    if arrival.has_ended || profile.token_epoch != claims.epoch {
        return Err(refusal("This session has ended. Sign in again."));
    }
    let via = Via::Session(claims.sid);
    Ok(Found {
        viewer: viewer(claims.sub, &profile, via),
        counted: true,
    })
}

async fn by_key(app: &App, text: &str) -> ApiResult<Viewer> {
    let wrong = || refusal("The API key is not good, has expired or was revoked. Make a new one.");
    let hash = text.parse::<ApiKey>().map_err(|_| wrong())?.hash();
    let row = async {
        let mut connection = app.pool.get().await?;
        Ok::<_, ApiError>(db::api_keys::use_by_hash(&mut connection, &hash).await?)
    };
    let grant = app
        .cache
        .get_or_load(&key_name(&hash), COPY_LIFE, row)
        .await?;
    let grant: Grant = grant.ok_or_else(wrong)?;
    if grant.expires_at.is_some_and(|time| time <= Utc::now()) {
        return Err(wrong());
    }
    let look = app.cache.look(&profile_name(grant.user_id)).await;
    let profile = active(load(app, grant.user_id, look).await?)?;
    Ok(viewer(
        grant.user_id,
        &profile,
        Via::ApiKey(grant.id, grant.scopes),
    ))
}

/// The profile of somebody: the copy that was found, or the row, of which a copy is kept.
async fn load(app: &App, id: UserId, look: Look<Profile>) -> ApiResult<Option<Profile>> {
    let ticket = match look {
        Look::Hit(profile) => return Ok(Some(profile)),
        Look::Miss(ticket) => ticket,
    };
    let profile = db::users::profile(&mut *app.pool.get().await?, id).await?;
    if let Some(profile) = &profile {
        app.cache.fill(ticket, profile, COPY_LIFE).await;
    }
    Ok(profile)
}

fn active(profile: Option<Profile>) -> ApiResult<Profile> {
    profile
        .filter(|profile| profile.is_active)
        .ok_or_else(|| refusal("This account is not active. Ask an admin of your company."))
}

/// Drops the copy of a profile. To be called after every change of a person has committed.
pub async fn forget_profile(app: &App, id: UserId) {
    app.cache.forget(&profile_name(id)).await;
}

/// Drops the copy of an API key. To be called after it was revoked.
pub async fn forget_key(app: &App, hash: &[u8]) {
    app.cache.forget(&key_name(hash)).await;
}

fn key_name(hash: &[u8]) -> String {
    format!("key:{}", hex::encode(hash))
}

fn profile_name(id: UserId) -> String {
    format!("user:{id}")
}

fn viewer(user_id: UserId, profile: &Profile, via: Via) -> Viewer {
    Viewer {
        user_id,
        company_id: profile.company_id,
        role: profile.role,
        via,
    }
}

fn refusal(detail: &str) -> ApiError {
    ApiError::new(Code::Unauthenticated, detail)
}

/// Whether the request carries the service key; never, while none is configured.
pub fn carries_service_key(app: &App, request: &HttpRequest) -> bool {
    let given = request
        .headers()
        .get("x-service-key")
        .map(header::HeaderValue::as_bytes);
    match (&app.config.accounts.service_key, given) {
        (Some(key), Some(given)) => key.expose_secret().as_bytes().ct_eq(given).into(),
        _ => false,
    }
}
