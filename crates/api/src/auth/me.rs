//! Who the caller is.

use actix_web::{HttpRequest, HttpResponse, get};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    context::{Context, Requester},
    error::ApiResult,
    users::{Me, answer_me},
};

/// The routes of this part.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(find);
}

/// Who is signed in; the same as `GET /api/users/me`.
#[utoipa::path(tag = "Accounts",
    responses((status = 200, body = Me), (status = 304, description = "Unchanged")))]
#[get("/auth/me")]
async fn find(context: Context<Requester>, request: HttpRequest) -> ApiResult<HttpResponse> {
    answer_me(&context, &request).await
}
