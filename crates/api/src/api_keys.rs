//! Personal API keys: how programs call the API for a person. Only somebody who signed in makes
//! them; a key makes no keys.

use actix_web::{HttpResponse, delete, get, post, web::Json};
use chrono::Utc;
use db::api_keys::{ApiKey, NewApiKey};
use deserr::Deserr;
use domain::{
    auth::{ApiKeyId, KeyName, Scope, secrets},
    page::Moment,
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    context::{Context, Person},
    error::{ApiError, ApiResult},
    extract::{Body, Faults, Path},
    gate,
};

/// The routes of this area.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(create).service(delete);
}

#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, rename_all = camelCase)]
#[schema(rename_all = "camelCase")]
struct ApiKeyBody {
    name: KeyName,
    /// At least one of `read`, `write` and `run`.
    scopes: Vec<Scope>,
    /// When it stops being good; never, if absent.
    #[schema(value_type = Option<chrono::DateTime<Utc>>)]
    #[deserr(default)]
    expires_at: Option<Moment>,
}

/// A new key. Its text is shown here and nowhere else.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CreatedApiKey {
    /// To be sent as `Authorization: Bearer pak_…`.
    #[serde(rename = "key")]
    text: String,
    #[serde(flatten)]
    row: ApiKey,
}

/// Your API keys that are not revoked, newest first.
#[utoipa::path(tag = "API keys", responses((status = 200, body = [ApiKey])))]
#[get("/api-keys")]
async fn list(context: Context<Person>) -> ApiResult<Json<Vec<ApiKey>>> {
    Ok(Json(
        db::api_keys::list(&mut *context.db().await?, &context.who).await?,
    ))
}

/// Makes an API key. The answer is the only place its text is ever shown.
#[utoipa::path(tag = "API keys", request_body = ApiKeyBody, responses((status = 201, body = CreatedApiKey)))]
#[post("/api-keys")]
async fn create(
    context: Context<Person>,
    Body(mut body): Body<ApiKeyBody>,
) -> ApiResult<HttpResponse> {
    body.scopes.sort_unstable();
    body.scopes.dedup();
    if body.scopes.is_empty() {
        return Err(ApiError::invalid(
            "scopes",
            "must hold at least one of read, write, run",
        ));
    }
    let expires_at = body.expires_at.map(|time| time.0);
    if expires_at.is_some_and(|time| time <= Utc::now()) {
        return Err(ApiError::invalid("expiresAt", "must be in the future"));
    }
    let key = secrets::ApiKey::random();
    let new = NewApiKey {
        name: body.name,
        key_hash: key.hash(),
        last_four: key.last_four(),
        scopes: body.scopes,
        expires_at,
    };
    let row = db::api_keys::create(&mut *context.db().await?, new, &context.who).await?;
    let created = CreatedApiKey {
        text: key.reveal(),
        row,
    };
    Ok(HttpResponse::Created()
        .insert_header(("Cache-Control", "no-store"))
        .json(created))
}

/// Revokes an API key at once.
#[utoipa::path(tag = "API keys", params(("id" = ApiKeyId, Path)),
    responses((status = 204, description = "Revoked")))]
#[delete("/api-keys/{id}")]
async fn delete(context: Context<Person>, Path(id): Path<ApiKeyId>) -> ApiResult<HttpResponse> {
    let revoked = db::api_keys::revoke(&mut *context.db().await?, id, &context.who).await?;
    let hash = revoked.ok_or_else(|| ApiError::not_found("API key"))?;
    gate::forget_key(context.app(), &hash).await;
    Ok(HttpResponse::NoContent().finish())
}
