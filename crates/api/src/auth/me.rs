//! Who the caller is.

use actix_web::{get, web::Json};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    context::{Context, Requester},
    error::{ApiError, ApiResult},
    users::UserView,
};

/// The routes of this part.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(find);
}

#[derive(Debug, Serialize, ToSchema)]
struct Me {
    user: UserView,
}

/// Who is signed in.
#[utoipa::path(tag = "Accounts", responses((status = 200, body = Me)))]
#[get("/auth/me")]
async fn find(context: Context<Requester>) -> ApiResult<Json<Me>> {
    let who = &context.who;
    let user = db::users::find(&mut *context.db().await?, who.company_id, who.user_id).await?;
    let user = user.ok_or_else(|| ApiError::not_found("user"))?;
    Ok(Json(Me {
        user: UserView::full(user),
    }))
}
