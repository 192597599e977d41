//! Invitations: an admin makes a one-time link, whoever holds it joins the company.

use actix_web::{HttpRequest, HttpResponse, delete, get, post};
use chrono::{TimeDelta, Utc};
use db::invitations::{AcceptError, Invitation, NewInvitation, Newcomer};
use deserr::Deserr;
use domain::{
    auth::{SignInEventKind, passwords::NewPassword, secrets::Secret},
    page::Limit,
    users::{Email, InvitationId, PersonName, Role},
};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    App,
    auth::{SignedIn, events, open_session, require_accounts, require_redis},
    context::{Admin, Context, Public},
    error::{ApiError, ApiResult},
    extract::{Body, Faults, Path, Query},
    gate,
    page::Listing,
};

/// Days in which an invitation can be accepted.
const DAYS: i64 = 7;

/// The routes of this area.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list)
        .service(create)
        .service(accept)
        .service(delete);
}

impl From<AcceptError> for ApiError {
    fn from(cause: AcceptError) -> Self {
        match cause {
            AcceptError::Unknown => unknown(),
            AcceptError::EmailTaken => db::users::CreateError::EmailTaken.into(),
            AcceptError::Database(cause) => cause.into(),
        }
    }
}

fn unknown() -> ApiError {
    let mut error = ApiError::not_found("invitation");
    error.detail =
        "The invitation is unknown, was used, was withdrawn, or has expired. Ask for a new one."
            .into();
    error
}

/// What an admin passes on to whoever is invited.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InviteLink {
    /// The page on which the invitation is accepted. The token stands behind `#`, where no log
    /// of a server records it.
    pub invite_url: String,
    /// What `POST /api/invitations/accept` takes. Shown here and nowhere else.
    pub token: String,
}

/// A link, and the invitation to be stored for it.
pub fn draw_up(app: &App, email: Email, role: Role) -> (InviteLink, NewInvitation) {
    let secret = Secret::random();
    let invite_url = format!(
        "{}/invitations/accept#{}",
        app.config.public_url.trim_end_matches('/'),
        secret.reveal()
    );
    let expires_at = Utc::now() + TimeDelta::days(DAYS);
    let new = NewInvitation {
        email,
        role,
        token_hash: secret.hash(),
        expires_at,
    };
    (
        InviteLink {
            invite_url,
            token: secret.reveal().to_owned(),
        },
        new,
    )
}

#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// The most invitations to answer, 1 to 1000.
    #[deserr(default)]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    limit: Limit,
    /// Where the page starts, from the `Link` of the one before.
    #[deserr(default)]
    cursor: Option<String>,
}

/// The company's invitations, newest first; accepted and expired ones too.
#[utoipa::path(tag = "Users", params(ListQuery), responses((status = 200, body = [Invitation])))]
#[get("/invitations")]
async fn list(
    context: Context<Admin>,
    request: HttpRequest,
    Query(query): Query<ListQuery>,
) -> ApiResult<HttpResponse> {
    let listing = Listing::new(&request, &context.who);
    let before = listing.start(query.cursor.as_deref())?;
    let company = context.who.company_id;
    let page =
        db::invitations::list(&mut *context.db().await?, company, before, query.limit).await?;
    Ok(listing.answer(&page))
}

#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults)]
struct InvitationBody {
    email: Email,
    role: Role,
}

#[derive(Debug, Serialize, ToSchema)]
struct CreatedInvitation {
    #[serde(flatten)]
    link: InviteLink,
    #[serde(flatten)]
    invitation: Invitation,
}

/// Invites somebody. Pass the link on; it is good once, for seven days.
#[utoipa::path(tag = "Users", request_body = InvitationBody, responses((status = 201, body = CreatedInvitation)))]
#[post("/invitations")]
async fn create(
    context: Context<Admin>,
    Body(body): Body<InvitationBody>,
) -> ApiResult<HttpResponse> {
    require_accounts(context.app())?;
    let (link, new) = draw_up(context.app(), body.email, body.role);
    let invitation =
        db::invitations::create(&mut *context.db().await?, new, &context.actor()).await?;
    let created = CreatedInvitation { link, invitation };
    Ok(HttpResponse::Created()
        .insert_header(("Cache-Control", "no-store"))
        .json(created))
}

/// Withdraws an invitation that was not accepted.
#[utoipa::path(tag = "Users", params(("id" = InvitationId, Path)),
    responses((status = 204, description = "Withdrawn")))]
#[delete("/invitations/{id}")]
async fn delete(context: Context<Admin>, Path(id): Path<InvitationId>) -> ApiResult<HttpResponse> {
    let actor = context.actor();
    if db::invitations::delete(&mut *context.db().await?, id, &actor).await? {
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(ApiError::not_found("open invitation"))
    }
}

#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults)]
struct Acceptance {
    /// Of the invitation.
    token: String,
    name: PersonName,
    /// 10 to 128 characters, none of the commonest.
    #[schema(value_type = String, min_length = 10, max_length = 128)]
    password: NewPassword,
}

/// Accepts an invitation, and signs the newcomer in.
#[utoipa::path(tag = "Users", security(()), request_body = Acceptance,
    responses((status = 201, body = SignedIn), (status = 404, body = crate::error::Problem,
        description = "No such invitation", content_type = "application/problem+json")))]
#[post("/invitations/accept")]
async fn accept(context: Context<Public>, Body(body): Body<Acceptance>) -> ApiResult<HttpResponse> {
    let app = context.app();
    require_accounts(app)?;
    require_redis(app).await?;
    let token_hash = body.token.parse::<Secret>().map_err(|_| unknown())?.hash();
    let found = db::invitations::find_open(&mut *context.db().await?, &token_hash).await?;
    let invitation = found.ok_or_else(unknown)?;
    body.password
        .must_differ_from(&invitation.email, &body.name)
        .map_err(|fault| ApiError::invalid("password", fault.to_string()))?;
    let password_hash = app.auth.passwords.hash(&body.password).await?;
    let mut connection = context.db().await?;
    let newcomer = Newcomer {
        name: body.name,
        password_hash,
    };
    let user = db::invitations::accept(&mut connection, &token_hash, newcomer).await?;
    let kind = SignInEventKind::InvitationAccepted;
    events::record(&mut connection, kind, &user, &context.client).await?;
    drop(connection);
    gate::forget_profile(app, user.id).await;
    open_session(app, &context.client, user, HttpResponse::Created()).await
}
