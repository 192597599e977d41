//! People of a company: everybody sees who their colleagues are, everybody keeps their own name,
//! and admins add people, give roles, and let people go.

mod create;
mod view;

use actix_web::{HttpRequest, HttpResponse, get, http::header, patch};
use db::users::{Filter, UpdateError, User, UserChanges};
use deserr::Deserr;
use domain::{
    auth::Viewer,
    page::Limit,
    users::{PersonName, Role, UserId},
};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    context::{Admin, Context, Requester},
    error::{ApiError, ApiResult, Code},
    etag,
    extract::{Body, Faults, Path, Query},
    gate,
    page::Listing,
};
pub use view::UserView;

/// The routes of this area.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list)
        .service(find_me)
        .service(update_me)
        .service(create::create)
        .service(find)
        .service(update);
}

impl From<UpdateError> for ApiError {
    fn from(cause: UpdateError) -> Self {
        match cause {
            UpdateError::NotFound => Self::not_found("user"),
            UpdateError::LastAdmin => Self::new(
                Code::Conflict,
                "The company would be left without an active admin. Make somebody else admin first.",
            ),
            UpdateError::Stale => Self::new(
                Code::Stale,
                "The user changed in the meantime. Read them again and repeat the change.",
            ),
            UpdateError::Database(cause) => cause.into(),
        }
    }
}

#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Only people of this role.
    #[param(inline)]
    #[deserr(default)]
    role: Option<Role>,
    /// The most people to answer, 1 to 1000; 1000 if absent.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    #[deserr(default)]
    limit: Option<Limit>,
    /// Where the page starts, from the `Link` of the one before.
    #[deserr(default)]
    cursor: Option<String>,
}

/// People by name.
#[derive(Debug, Serialize, ToSchema)]
struct People {
    users: Vec<UserView>,
}

/// The people of your company by name. Requesters see names and roles; only admins see people who
/// may no longer sign in.
#[utoipa::path(tag = "Users", params(ListQuery), responses((status = 200, body = People)))]
#[get("/users")]
async fn list(
    context: Context<Requester>,
    request: HttpRequest,
    Query(query): Query<ListQuery>,
) -> ApiResult<HttpResponse> {
    let viewer = &context.who;
    let listing = Listing::new(&request, viewer);
    let filter = Filter {
        role: query.role,
        with_inactive: viewer.role == Role::Admin,
    };
    let after = listing.start(query.cursor.as_deref())?;
    let limit = query.limit.unwrap_or(Limit::MOST);
    let mut connection = context.db().await?;
    let page = db::users::list(&mut connection, viewer.company_id, filter, after, limit).await?;
    let users = page
        .rows
        .into_iter()
        .map(|user| view_for(viewer, user))
        .collect();
    Ok(listing.answer_with(page.next.as_ref(), &People { users }))
}

fn view_for(viewer: &Viewer, user: User) -> UserView {
    if viewer.role == Role::Requester && user.id != viewer.user_id {
        UserView::brief(user)
    } else {
        UserView::full(user)
    }
}

/// One person.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    user: UserView,
}

/// The answer with one's own profile.
pub async fn answer_me(
    context: &Context<Requester>,
    request: &HttpRequest,
) -> ApiResult<HttpResponse> {
    let who = &context.who;
    let user = db::users::find(&mut *context.db().await?, who.company_id, who.user_id).await?;
    let user = user.ok_or_else(|| ApiError::not_found("user"))?;
    Ok(etag::answer(
        request,
        user.updated_at,
        &Me {
            user: UserView::full(user),
        },
    ))
}

/// Your own profile.
#[utoipa::path(tag = "Users",
    responses((status = 200, body = Me), (status = 304, description = "Unchanged")))]
#[get("/users/me")]
async fn find_me(context: Context<Requester>, request: HttpRequest) -> ApiResult<HttpResponse> {
    answer_me(&context, &request).await
}

#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults)]
struct ProfileUpdate {
    #[deserr(default)]
    name: Option<PersonName>,
}

/// Changes your own name.
#[utoipa::path(tag = "Users", request_body = ProfileUpdate, responses((status = 200, body = Me)))]
#[patch("/users/me")]
async fn update_me(
    context: Context<Requester>,
    request: HttpRequest,
    Body(body): Body<ProfileUpdate>,
) -> ApiResult<HttpResponse> {
    let changes = UserChanges {
        name: body.name,
        ..UserChanges::default()
    };
    let (id, expected, actor) = (
        context.who.user_id,
        etag::expected(&request)?,
        context.actor(),
    );
    let user = db::users::update(&mut *context.db().await?, id, changes, &expected, &actor).await?;
    gate::forget_profile(context.app(), id).await;
    let tag = header::ETag(etag::of(user.updated_at));
    Ok(HttpResponse::Ok().insert_header(tag).json(Me {
        user: UserView::full(user),
    }))
}

/// One person of your company.
#[utoipa::path(tag = "Users", params(("id" = UserId, Path)),
    responses((status = 200, body = UserView), (status = 304, description = "Unchanged")))]
#[get("/users/{id}")]
async fn find(
    context: Context<Requester>,
    request: HttpRequest,
    Path(id): Path<UserId>,
) -> ApiResult<HttpResponse> {
    let viewer = &context.who;
    let found = db::users::find(&mut *context.db().await?, viewer.company_id, id).await?;
    let user = found
        .filter(|user| user.is_active || viewer.role == Role::Admin)
        .ok_or_else(|| ApiError::not_found("user"))?;
    Ok(etag::answer(
        &request,
        user.updated_at,
        &view_for(viewer, user),
    ))
}

#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, rename_all = camelCase)]
#[schema(rename_all = "camelCase")]
struct UserUpdate {
    #[deserr(default)]
    name: Option<PersonName>,
    #[deserr(default)]
    role: Option<Role>,
    /// Whether they may sign in. Whoever may not is signed out at once, everywhere.
    #[deserr(default)]
    is_active: Option<bool>,
}

/// Changes a person's name or role, or lets them go. The last active admin has to stay one.
#[utoipa::path(tag = "Users", params(("id" = UserId, Path)), request_body = UserUpdate,
    responses((status = 200, body = UserView)))]
#[patch("/users/{id}")]
async fn update(
    context: Context<Admin>,
    request: HttpRequest,
    Path(id): Path<UserId>,
    Body(body): Body<UserUpdate>,
) -> ApiResult<HttpResponse> {
    let changes = UserChanges {
        name: body.name,
        role: body.role,
        is_active: body.is_active,
    };
    let (expected, actor) = (etag::expected(&request)?, context.actor());
    let user = db::users::update(&mut *context.db().await?, id, changes, &expected, &actor).await?;
    gate::forget_profile(context.app(), id).await;
    if !user.is_active {
        context.app().auth.end_sessions(id).await;
    }
    let tag = header::ETag(etag::of(user.updated_at));
    Ok(HttpResponse::Ok()
        .insert_header(tag)
        .json(UserView::full(user)))
}
