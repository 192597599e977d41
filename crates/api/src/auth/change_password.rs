//! Choosing a new password.

use actix_web::{HttpResponse, post};
use db::auth::Credentials;
use deserr::Deserr;
use domain::auth::{
    SignInEventKind,
    passwords::{GivenPassword, NewPassword},
};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{SignedIn, events, open_session, require_accounts, require_redis};
use crate::{
    context::{Context, Person},
    error::{ApiError, ApiResult},
    extract::{Body, Faults},
    gate,
};

/// The routes of this part.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(change_password);
}

#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, rename_all = camelCase)]
#[schema(rename_all = "camelCase")]
struct PasswordChange {
    #[schema(value_type = String)]
    current_password: GivenPassword,
    /// 10 to 128 characters, none of the commonest.
    #[schema(value_type = String, min_length = 10, max_length = 128)]
    new_password: NewPassword,
}

/// Sets a new password. All sessions end; the answer signs you in anew. Wrong guesses at the
/// current password count as wrong passwords at sign-in do.
#[utoipa::path(tag = "Accounts", request_body = PasswordChange,
    responses((status = 200, body = SignedIn)))]
#[post("/auth/password")]
async fn change_password(
    context: Context<Person>,
    Body(change): Body<PasswordChange>,
) -> ApiResult<HttpResponse> {
    let app = context.app();
    require_accounts(app)?;
    require_redis(app).await?;
    let Credentials {
        user,
        password_hash,
    } = verified(&context, &change.current_password).await?;
    change
        .new_password
        .must_differ_from(&user.email, &user.name)
        .map_err(|fault| ApiError::invalid("newPassword", fault.to_string()))?;
    let same: GivenPassword = change.new_password.reveal().parse().map_err(|_| wrong())?;
    if app.auth.passwords.verify(&same, password_hash).await? {
        return Err(ApiError::invalid(
            "newPassword",
            "must differ from the current one",
        ));
    }
    let hash = app.auth.passwords.hash(&change.new_password).await?;
    let mut connection = context.db().await?;
    let user = db::auth::set_password(&mut connection, user.company_id, user.id, hash).await?;
    let kind = SignInEventKind::PasswordChanged;
    events::record(&mut connection, kind, &user, &context.client).await?;
    drop(connection);
    gate::forget_profile(app, user.id).await;
    app.auth.end_sessions(user.id).await;
    open_session(app, &context.client, user, HttpResponse::Ok()).await
}

/// The caller's credentials, once the current password has proved right.
async fn verified(context: &Context<Person>, given: &GivenPassword) -> ApiResult<Credentials> {
    let (app, subject) = (context.app(), &context.client.subject);
    let mut connection = context.db().await?;
    let user = db::auth::user(&mut connection, context.who.user_id).await?;
    let email = user.ok_or_else(|| ApiError::not_found("user"))?.email;
    let found = db::auth::credentials(&mut connection, &email).await?;
    let credentials = found.ok_or_else(|| ApiError::not_found("user"))?;
    drop(connection);
    let begun = app.auth.lockouts.begin(email.as_str(), subject).await?;
    begun.map_err(|lock| gate::too_often(lock.0))?;
    if !app
        .auth
        .passwords
        .verify(given, credentials.password_hash.clone())
        .await?
    {
        let kind = SignInEventKind::Failed;
        let mut connection = context.db().await?;
        events::record(&mut connection, kind, &credentials.user, &context.client).await?;
        return Err(wrong());
    }
    app.auth.lockouts.succeed(email.as_str(), subject).await?;
    Ok(credentials)
}

fn wrong() -> ApiError {
    ApiError::invalid("currentPassword", "is wrong")
}
