//! The cookie that carries the refresh token: no script reads it, no other site sends it, and only
//! the routes of sign-in receive it.

use actix_web::{
    HttpRequest,
    cookie::{Cookie, SameSite, time::Duration},
};
use domain::auth::secrets::RefreshToken;

use super::settings::Environment;

const NAME: &str = "refresh_token";

/// A cookie with this token.
pub fn set(token: &RefreshToken, environment: Environment) -> Cookie<'static> {
    let life = Duration::try_from(queue::tokens::LIFE).unwrap_or(Duration::ZERO);
    cookie(token.reveal(), life, environment)
}

/// A cookie that makes the browser drop its own.
pub fn clear(environment: Environment) -> Cookie<'static> {
    cookie(String::new(), Duration::ZERO, environment)
}

fn cookie(value: String, life: Duration, environment: Environment) -> Cookie<'static> {
    Cookie::build(NAME, value)
        .path("/api/auth")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(environment == Environment::Production)
        .max_age(life)
        .finish()
}

/// The text of the cookie that came along.
pub fn text(request: &HttpRequest) -> Option<String> {
    request
        .cookie(NAME)
        .map(|cookie| cookie.value().to_owned())
        .filter(|text| !text.is_empty())
}
