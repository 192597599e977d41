//! Registration and sign-in. An unknown address and a wrong password get the same answer after
//! the same work, and count the same.

use actix_web::{HttpResponse, post};
use db::{
    auth::{Credentials, NewCompany},
    users::User,
};
use deserr::Deserr;
use domain::{
    auth::{
        SignInEventKind,
        passwords::{GivenPassword, NewPassword},
    },
    users::{CompanyName, Email, PersonName},
};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{SignedIn, events, open_session, require_accounts, require_redis};
use crate::{
    context::{Context, Public},
    error::{ApiError, ApiResult, Code},
    extract::Body,
    gate::too_often,
};

/// The routes of this part.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(register).service(login);
}

#[derive(Debug, Deserr, ToSchema)]
#[deserr(rename_all = camelCase)]
#[schema(rename_all = "camelCase")]
struct Registration {
    email: Email,
    /// 10 to 128 characters, none of the commonest.
    #[schema(value_type = String, min_length = 10, max_length = 128)]
    password: NewPassword,
    name: PersonName,
    company_name: CompanyName,
}

#[derive(Debug, Deserr, ToSchema)]
struct Login {
    email: Email,
    #[schema(value_type = String)]
    password: GivenPassword,
}

/// Registers a company with its first admin, and signs them in.
#[utoipa::path(tag = "Accounts", security(()), request_body = Registration,
    responses((status = 201, body = SignedIn)))]
#[post("/auth/register")]
async fn register(
    context: Context<Public>,
    Body(registration): Body<Registration>,
) -> ApiResult<HttpResponse> {
    let app = context.app();
    require_accounts(app)?;
    let Registration {
        email,
        password,
        name,
        company_name,
    } = registration;
    password
        .must_differ_from(&email, &name)
        .map_err(|fault| ApiError::invalid("password", fault.to_string()))?;
    require_redis(app).await?;
    let password_hash = app.auth.passwords.hash(&password).await?;
    let mut connection = context.db().await?;
    let new = NewCompany {
        name: company_name,
        email,
        admin: name,
        password_hash,
    };
    let user = db::auth::register(&mut connection, new).await?;
    events::record(
        &mut connection,
        SignInEventKind::Registered,
        &user,
        &context.client,
    )
    .await?;
    drop(connection);
    open_session(app, &context.client, user, HttpResponse::Created()).await
}

/// Signs in with address and password. After several wrong passwords the account or the network
/// address is locked for a while: 429 with `Retry-After`, whether or not the account exists.
#[utoipa::path(tag = "Accounts", security(()), request_body = Login,
    responses((status = 200, body = SignedIn), (status = 401, body = crate::error::Problem,
        description = "Address or password are wrong", content_type = "application/problem+json")))]
#[post("/auth/login")]
async fn login(context: Context<Public>, Body(login): Body<Login>) -> ApiResult<HttpResponse> {
    let app = context.app();
    require_accounts(app)?;
    begin(&context, &login.email).await?;
    let found = db::auth::credentials(&mut *context.db().await?, &login.email).await?;
    let (user, hash) = match found {
        Some(Credentials {
            user,
            password_hash,
        }) => (Some(user), password_hash),
        None => (None, None),
    };
    let is_right = app.auth.passwords.verify(&login.password, hash).await?;
    match user {
        Some(user) if is_right && user.is_active => admit(&context, user).await,
        user => Err(refuse(&context, user.as_ref(), &login.email).await?),
    }
}

/// Counts the attempt, or refuses it while a lock stands.
async fn begin(context: &Context<Public>, email: &Email) -> ApiResult<()> {
    let (app, client) = (context.app(), &context.client);
    let Err(lock) = app
        .auth
        .lockouts
        .begin(email.as_str(), &client.subject)
        .await?
    else {
        return Ok(());
    };
    let mut connection = context.db().await?;
    let user = db::auth::credentials(&mut connection, email)
        .await?
        .map(|found| found.user);
    let kind = SignInEventKind::Locked;
    events::record_attempt(&mut connection, kind, user.as_ref(), email, client).await?;
    Err(ApiError {
        detail: "Too many wrong passwords. Wait as long as `Retry-After` says and try again."
            .into(),
        ..too_often(lock.0)
    })
}

async fn admit(context: &Context<Public>, user: User) -> ApiResult<HttpResponse> {
    let (app, client) = (context.app(), &context.client);
    app.auth
        .lockouts
        .succeed(user.email.as_str(), &client.subject)
        .await?;
    let kind = SignInEventKind::SignedIn;
    events::record(&mut *context.db().await?, kind, &user, client).await?;
    open_session(app, client, user, HttpResponse::Ok()).await
}

async fn refuse(
    context: &Context<Public>,
    user: Option<&User>,
    email: &Email,
) -> ApiResult<ApiError> {
    let kind = SignInEventKind::Failed;
    events::record_attempt(
        &mut *context.db().await?,
        kind,
        user,
        email,
        &context.client,
    )
    .await?;
    Ok(ApiError::new(
        Code::BadCredentials,
        "Address or password are wrong. Check both and try again.",
    ))
}
