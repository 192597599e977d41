//! The providers of models, as one company reaches them: under which key, if under any.

mod failure;
pub mod health;

use std::sync::Arc;

use db::models::{ResolvedModel, SealedKey};
use domain::{models::ProviderName, providers::generate::Provider, users::CompanyId};
use integrations::{
    llm::{Kind, SetupError},
    sealing::{Place, Sealed},
};
use secrecy::SecretString;
use serde::Serialize;
use url::Url;
use utoipa::ToSchema;

use crate::{
    App,
    error::{ApiError, ApiResult, Code},
    provider_keys,
};

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

fn credential(app: &App, provider: ProviderName, has_own: bool) -> Option<Credential> {
    if provider == ProviderName::Mock {
        Some(Credential::BuiltIn)
    } else if has_own {
        Some(Credential::Company)
    } else {
        let has_own_key = app.providers.has_own_key(Kind::from(provider));
        has_own_key.then_some(Credential::Environment)
    }
}

/// Whether there is any key that this model could be called with.
pub fn is_reachable(app: &App, resolved: &ResolvedModel) -> bool {
    credential(app, resolved.model.provider, resolved.key.is_some()).is_some()
}

/// What calls this model for the company, under the governor: with its own key, opened for this,
/// or the installation's.
pub fn connect(
    app: &App,
    company: CompanyId,
    resolved: &ResolvedModel,
) -> ApiResult<Arc<dyn Provider>> {
    connect_under(app, company, resolved.model.provider, resolved.key.as_ref())
}

fn connect_under(
    app: &App,
    company: CompanyId,
    provider: ProviderName,
    key: Option<&SealedKey>,
) -> ApiResult<Arc<dyn Provider>> {
    let secret = key.map(|key| open(app, company, key)).transpose()?;
    let address = key.and_then(|key| key.base_url.as_deref());
    let address = address.map(|text| checked(app, text)).transpose()?;
    let (kind, secret, address) = (Kind::from(provider), secret.as_ref(), address.as_ref());
    let direct = app.providers.provider(kind, secret, address);
    let direct = direct.map_err(|cause| refused(provider, &cause))?;
    Ok(match app.providers.fingerprint(kind, secret, address) {
        Some(key) => app.governor.provider(direct, key),
        // The mock has no limits, and a server that wants no key is the company's own.
        None => direct,
    })
}

fn open(app: &App, company: CompanyId, key: &SealedKey) -> ApiResult<SecretString> {
    let text = Sealed {
        bytes: key.sealed.clone(),
        key_id: key.sealing_key_id.clone(),
    };
    let place = Place {
        table: provider_keys::TABLE,
        company: company.0,
        row: key.id.0,
    };
    app.sealer.open(&text, place).map_err(|cause| {
        tracing::error!(error = %cause, provider_key.id = %key.id, "a provider key does not open");
        ApiError::new(
            Code::Unavailable,
            "Your company's key for this provider cannot be opened. Ask the operator to look at SEALING_KEYS, \
             or an admin to store the key again.",
        )
    })
}

/// The address of a key, which must still be one that may be called.
fn checked(app: &App, text: &str) -> ApiResult<Url> {
    let refused = |cause: String| {
        let detail = format!("The address of your company's key {cause}.");
        ApiError::new(Code::Unavailable, detail)
    };
    let address = Url::parse(text).map_err(|_| refused("is none".into()))?;
    app.reach
        .check(&address)
        .map_err(|cause| refused(cause.to_string()))?;
    Ok(address)
}

fn refused(provider: ProviderName, cause: &SetupError) -> ApiError {
    match cause {
        SetupError::NoKey(_) => ApiError::invalid(
            "model",
            format!(
                "needs a key for {provider}: an admin stores one under /api/provider-keys. The model mock/text-1 needs none"
            ),
        ),
        _ => ApiError::internal(cause),
    }
}
