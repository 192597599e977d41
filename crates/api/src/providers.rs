//! The providers of models, as one company reaches them: under which key, if under any.

use actix_web::{get, web::Json};
use domain::models::ProviderName;
use secrecy::ExposeSecret;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    Config,
    context::{Context, Developer},
    error::ApiResult,
};

/// The routes of this area.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(health);
}

/// Whose key a provider is called with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
enum Credential {
    /// One that an admin of your company stored.
    Company,
    /// The installation's.
    Environment,
    /// It needs none.
    BuiltIn,
}

/// How a provider stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ProviderHealth {
    provider: ProviderName,
    /// Whose key it is called with; `null` while there is none.
    credential: Option<Credential>,
}

/// Under which key your company reaches each provider. It calls none of them.
#[utoipa::path(tag = "Models", responses((status = 200, body = [ProviderHealth])))]
#[get("/providers/health")]
async fn health(context: Context<Developer>) -> ApiResult<Json<Vec<ProviderHealth>>> {
    let company = context.who.company_id;
    let own = db::provider_keys::providers(&mut *context.db().await?, company).await?;
    let config = &context.app().config;
    let providers = ProviderName::ALL.iter().map(|provider| ProviderHealth {
        provider: *provider,
        credential: credential(*provider, &own, config),
    });
    Ok(Json(providers.collect()))
}

fn credential(provider: ProviderName, own: &[ProviderName], config: &Config) -> Option<Credential> {
    if provider == ProviderName::Mock {
        return Some(Credential::BuiltIn);
    }
    if own.contains(&provider) {
        return Some(Credential::Company);
    }
    environment_has(provider, config).then_some(Credential::Environment)
}

/// Whether the installation has a key of its own for this provider.
fn environment_has(provider: ProviderName, config: &Config) -> bool {
    let key = match provider {
        ProviderName::Gemini => config.gemini.api_key.as_ref(),
        ProviderName::OpenAi | ProviderName::Anthropic | ProviderName::Mock => None,
    };
    key.is_some_and(|key| !key.expose_secret().trim().is_empty())
}
