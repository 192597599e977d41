//! What every request under `/api` passes before its handler: from where it comes, who asks, and
//! whether they ask too often. Who may do what is decided behind it, by [`crate::context`].

mod address;
mod identity;

pub use identity::{carries_service_key, forget_key, forget_profile};

use std::time::Duration;

use actix_web::{
    Error, HttpMessage, ResponseError,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{Method, header},
    middleware::Next,
    web,
};

use crate::{
    App,
    context::{Client, Identity},
    error::{ApiError, ApiResult, Code},
    idempotency,
};

/// Where people try to get in: one network address may do that less often than anything else.
const SIGN_IN_PATHS: [&str; 3] = [
    "/api/auth/login",
    "/api/auth/register",
    "/api/invitations/accept",
];

/// The most characters kept of the name of a caller's program.
const USER_AGENT_LENGTH: usize = 300;

/// Finds out who asks and from where, and leaves it for [`crate::context::Context`]; refuses who
/// asks too often.
pub async fn pass<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    match admit(&request).await {
        Ok((client, identity)) => {
            request.extensions_mut().insert(client);
            request.extensions_mut().insert(identity);
            idempotency::answer(request, next).await
        }
        Err(refusal) => Ok(request
            .into_response(refusal.error_response())
            .map_into_right_body()),
    }
}

/// The path as routing reads it: percent-encoding is no way around a limit.
fn routed_path(request: &ServiceRequest) -> &str {
    request.match_info().as_str()
}

async fn admit(request: &ServiceRequest) -> ApiResult<(Client, Identity)> {
    let app = request
        .app_data::<web::Data<App>>()
        .ok_or_else(|| ApiError::internal(&"the gate stands outside the app"))?;
    let ip = address::of(request, app.config.trusted_proxies);
    let subject = address::subject(&ip);
    let settings = &app.config.accounts;
    if request.method() == Method::POST && SIGN_IN_PATHS.contains(&routed_path(request)) {
        count(
            app,
            &format!("sign-in:{subject}"),
            settings.rate_limit_sign_in,
        )
        .await?;
    }
    let identity = identity::find(app, request).await;
    match &identity {
        Ok(found) if found.counted => {}
        Ok(found) => {
            let name = format!("user:{}", found.viewer.user_id);
            count(app, &name, settings.rate_limit_user).await?;
        }
        Err(refusal) if refusal.code == Code::TooManyRequests => return Err(refusal.clone()),
        Err(_) => {
            count(
                app,
                &format!("address:{subject}"),
                settings.rate_limit_address,
            )
            .await?;
        }
    }
    let client = Client {
        ip: ip.to_string(),
        subject,
        user_agent: user_agent(request),
    };
    Ok((client, Identity(identity.map(|found| found.viewer))))
}

async fn count(app: &App, name: &str, limit: u32) -> ApiResult<()> {
    app.limits
        .count(name, limit)
        .await
        .map_err(|excess| too_often(excess.0))
}

/// The answer to somebody who has to wait that long.
pub fn too_often(wait: Duration) -> ApiError {
    let seconds = wait.as_millis().div_ceil(1000).max(1);
    ApiError {
        retry_after: u64::try_from(seconds).ok(),
        ..ApiError::new(
            Code::TooManyRequests,
            format!("Wait {seconds} seconds and try again."),
        )
    }
}

fn user_agent(request: &ServiceRequest) -> String {
    let name = request.headers().get(header::USER_AGENT);
    let name = name
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    name.chars().take(USER_AGENT_LENGTH).collect()
}
