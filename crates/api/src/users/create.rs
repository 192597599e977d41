//! Adding people.

use actix_web::{HttpResponse, http::header, post};
use db::users::{NewUser, User};
use deserr::Deserr;
use domain::{
    auth::passwords::NewPassword,
    users::{Email, PersonName, Role},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::UserView;
use crate::{
    context::{Admin, Context},
    error::{ApiError, ApiResult},
    etag,
    extract::{Body, Faults},
    invitations::{InviteLink, draw_up},
};

#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults)]
struct UserBody {
    email: Email,
    name: PersonName,
    role: Role,
    /// 10 to 128 characters, none of the commonest. Without it the answer holds a link by which
    /// the person chooses one.
    #[schema(value_type = Option<String>, min_length = 10, max_length = 128)]
    #[deserr(default)]
    password: Option<NewPassword>,
}

/// A person who was added, and how they get in if no password was set.
#[derive(Debug, Serialize, ToSchema)]
struct CreatedUser {
    #[serde(flatten)]
    user: UserView,
    #[serde(flatten)]
    link: Option<InviteLink>,
}

/// Adds a person to your company.
#[utoipa::path(tag = "Users", request_body = UserBody, responses((status = 201, body = CreatedUser)))]
#[post("/users")]
pub async fn create(
    context: Context<Admin>,
    Body(body): Body<UserBody>,
) -> ApiResult<HttpResponse> {
    let (user, link) = match body.password.clone() {
        Some(password) => (create_with_password(&context, body, &password).await?, None),
        None => create_with_link(&context, body).await?,
    };
    let mut answer = HttpResponse::Created();
    answer.insert_header(header::ETag(etag::of(user.updated_at)));
    answer.insert_header((header::LOCATION, format!("/api/users/{}", user.id)));
    answer.insert_header(("Cache-Control", "no-store"));
    Ok(answer.json(CreatedUser {
        user: UserView::full(user),
        link,
    }))
}

async fn create_with_password(
    context: &Context<Admin>,
    body: UserBody,
    password: &NewPassword,
) -> ApiResult<User> {
    password
        .must_differ_from(&body.email, &body.name)
        .map_err(|fault| ApiError::invalid("password", fault.to_string()))?;
    let password_hash = Some(context.app().auth.passwords.hash(password).await?);
    let new = NewUser {
        email: body.email,
        name: body.name,
        role: body.role,
        password_hash,
    };
    Ok(db::users::create(&mut *context.db().await?, new, &context.actor()).await?)
}

async fn create_with_link(
    context: &Context<Admin>,
    body: UserBody,
) -> ApiResult<(User, Option<InviteLink>)> {
    let (link, invitation) = draw_up(context.app(), body.email.clone(), body.role);
    let new = NewUser {
        email: body.email,
        name: body.name,
        role: body.role,
        password_hash: None,
    };
    let (mut connection, actor) = (context.db().await?, context.actor());
    let user = db::invitations::create_with_user(&mut connection, new, invitation, &actor).await?;
    Ok((user, Some(link)))
}
