//! Keys of model providers that a company brings along. They are sealed before they are stored, and
//! no answer ever holds one again.

use actix_web::{HttpResponse, delete, get, post, web::Json};
use db::provider_keys::{CreateError, DeleteError, NewProviderKey, ProviderKey};
use deserr::Deserr;
use domain::models::{Label, ProviderKeyId, ProviderName, keys::KeyText};
use secrecy::SecretString;
use url::Url;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    context::{Admin, Context},
    error::{ApiError, ApiResult, Code, FieldFault},
    extract::{Body, Faults, Path},
};

/// The routes of this area.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(create).service(delete);
}

impl From<CreateError> for ApiError {
    fn from(cause: CreateError) -> Self {
        match cause {
            CreateError::Taken => Self::new(
                Code::Conflict,
                "Your company has a key of that provider with this label. Take another label, or delete that key first.",
            ),
            CreateError::Database(cause) => cause.into(),
        }
    }
}

impl From<DeleteError> for ApiError {
    fn from(cause: DeleteError) -> Self {
        match cause {
            DeleteError::NotFound => Self::not_found("provider key"),
            DeleteError::InUse => Self::new(
                Code::Conflict,
                "Models of your company name this key. Give them another `providerKeyId`, or `null`, first.",
            ),
            DeleteError::Database(cause) => cause.into(),
        }
    }
}

#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, rename_all = camelCase)]
#[schema(rename_all = "camelCase")]
struct ProviderKeyBody {
    /// `gemini`, `openai` or `anthropic`.
    provider: ProviderName,
    label: Label,
    /// The key itself: 8 to 1000 visible ASCII characters.
    #[schema(value_type = String)]
    key: KeyText,
    /// The address it is for, if not the provider's own: that of a proxy, or of a server which
    /// speaks the provider's interface.
    #[deserr(default)]
    base_url: Option<String>,
    /// Whether it serves every model of its provider, as the newest such key does. If absent: yes,
    /// unless it has an address of its own; then it serves the models that name it.
    #[deserr(default)]
    is_default: Option<bool>,
}

/// The keys of your company, newest first, with their last four characters.
#[utoipa::path(tag = "Models", responses((status = 200, body = [ProviderKey])))]
#[get("/provider-keys")]
async fn list(context: Context<Admin>) -> ApiResult<Json<Vec<ProviderKey>>> {
    let company = context.who.company_id;
    Ok(Json(
        db::provider_keys::list(&mut *context.db().await?, company).await?,
    ))
}

/// Stores a key, sealed. It is not shown again.
#[utoipa::path(tag = "Models", request_body = ProviderKeyBody, responses((status = 201, body = ProviderKey)))]
#[post("/provider-keys")]
async fn create(
    context: Context<Admin>,
    Body(body): Body<ProviderKeyBody>,
) -> ApiResult<HttpResponse> {
    let base_url = checked(&context, &body)?;
    let id = ProviderKeyId::new();
    let place = gateway::place(context.who.company_id, id);
    let secret = SecretString::from(body.key.reveal());
    let sealed = context.app().gateway.sealer.seal(&secret, place);
    let sealed = sealed.ok_or_else(no_sealing_key)?;
    let new = NewProviderKey {
        id,
        provider: body.provider,
        label: body.label,
        is_default: body.is_default.unwrap_or(base_url.is_none()),
        base_url,
        sealed: sealed.bytes,
        sealing_key_id: sealed.key_id,
        last_four: body.key.last_four(),
    };
    let actor = context.actor();
    let key = db::provider_keys::create(&mut *context.db().await?, new, &actor).await?;
    Ok(HttpResponse::Created().json(key))
}

/// The address in one spelling, if there is one; or every rule that the body breaks.
fn checked(context: &Context<Admin>, body: &ProviderKeyBody) -> ApiResult<Option<String>> {
    let mut faults = Vec::new();
    if body.provider == ProviderName::Mock {
        faults.push(FieldFault {
            field: "provider".into(),
            message: "needs no key: the mock provider is built in".into(),
        });
    }
    let reach = &context.app().gateway.reach;
    let address = body.base_url.as_deref().map(|text| {
        let url = Url::parse(text).map_err(|_| integrations::http::ReachError::Form)?;
        reach.check(&url).map(|()| url)
    });
    let address = address.transpose().unwrap_or_else(|fault| {
        faults.push(FieldFault {
            field: "baseUrl".into(),
            message: fault.to_string(),
        });
        None
    });
    if faults.is_empty() {
        Ok(address.map(|url| url.as_str().trim_end_matches('/').to_owned()))
    } else {
        Err(ApiError::faults(Code::Invalid, faults))
    }
}

/// The answer while the operator has given no sealing key.
fn no_sealing_key() -> ApiError {
    ApiError::new(
        Code::Unavailable,
        "This installation cannot keep keys yet. Ask its operator to set SEALING_KEYS, \
         such as `2026a:` and the output of `openssl rand -base64 32`.",
    )
}

/// Removes a key, unless a model names it.
#[utoipa::path(tag = "Models", params(("id" = ProviderKeyId, Path)),
    responses((status = 204, description = "Removed")))]
#[delete("/provider-keys/{id}")]
async fn delete(context: Context<Admin>, Path(id): Path<ProviderKeyId>) -> ApiResult<HttpResponse> {
    let actor = context.actor();
    db::provider_keys::delete(&mut *context.db().await?, id, &actor).await?;
    Ok(HttpResponse::NoContent().finish())
}
