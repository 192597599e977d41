//! Whether the providers are there and take the keys. Each is asked at most once a minute for a
//! company, in each process: the question costs nothing, but it is a call outside.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use actix_web::{get, web::Json};
use chrono::{DateTime, TimeDelta, Utc};
use db::models::SealedKey;
use domain::{
    models::{ProviderKeyId, ProviderName},
    users::CompanyId,
};
use futures::future::join_all;
use gateway::Credential;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    App,
    context::{Context, Developer},
    error::ApiResult,
};

/// How long an answer is good.
const GOOD: TimeDelta = TimeDelta::minutes(1);

/// The longest a provider may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Answers that are kept before old ones are swept.
const MANY: usize = 10_000;

/// The routes of this area.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(health);
}

/// What a provider said when it was asked.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HealthCheck {
    /// Whether it is there and takes the key.
    ok: bool,
    /// What went wrong, such as `provider_unauthorized` or `provider_timeout`.
    error_class: Option<&'static str>,
    /// When it was asked.
    checked_at: DateTime<Utc>,
}

/// Who asked whom.
type Place = (CompanyId, ProviderName);

/// What the providers last said, with the key they were asked with.
#[derive(Debug, Default)]
pub struct Checks(Mutex<HashMap<Place, (Option<ProviderKeyId>, HealthCheck)>>);

impl Checks {
    fn recall(&self, place: Place, key: Option<ProviderKeyId>) -> Option<HealthCheck> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (asked_with, check) = kept.get(&place)?;
        let is_good = *asked_with == key && Utc::now() - check.checked_at < GOOD;
        is_good.then(|| check.clone())
    }

    fn keep(&self, place: Place, key: Option<ProviderKeyId>, check: &HealthCheck) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MANY {
            kept.retain(|_, (_, check)| Utc::now() - check.checked_at < GOOD);
        }
        kept.insert(place, (key, check.clone()));
    }
}

/// How a provider stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ProviderHealth {
    provider: ProviderName,
    /// Whose key it is called with; `null` while there is none.
    credential: Option<Credential>,
    /// What it said, at most a minute ago; `null` without a key.
    check: Option<HealthCheck>,
}

/// Whether each provider is there and takes the key that your company reaches it with.
#[utoipa::path(tag = "Models", responses((status = 200, body = [ProviderHealth])))]
#[get("/providers/health")]
async fn health(context: Context<Developer>) -> ApiResult<Json<Vec<ProviderHealth>>> {
    let company = context.who.company_id;
    let own = db::provider_keys::serving(&mut *context.db().await?, company).await?;
    let asked = ProviderName::ALL.iter().map(|provider| {
        let key = own.iter().find(|(name, _)| name == provider);
        stands(context.app(), company, *provider, key.map(|(_, key)| key))
    });
    Ok(Json(join_all(asked).await))
}

async fn stands(
    app: &App,
    company: CompanyId,
    provider: ProviderName,
    key: Option<&SealedKey>,
) -> ProviderHealth {
    let credential = app.gateway.credential(provider, key.is_some());
    let check = match credential {
        None => None,
        Some(_) => Some(checked(app, company, provider, key).await),
    };
    ProviderHealth {
        provider,
        credential,
        check,
    }
}

async fn checked(
    app: &App,
    company: CompanyId,
    provider: ProviderName,
    key: Option<&SealedKey>,
) -> HealthCheck {
    let (place, id) = ((company, provider), key.map(|key| key.id));
    if let Some(check) = app.checks.recall(place, id) {
        return check;
    }
    let error_class = ask(app, company, provider, key).await.err();
    let check = HealthCheck {
        ok: error_class.is_none(),
        error_class,
        checked_at: Utc::now(),
    };
    // A pause ends when somebody says so, and not a minute later.
    if error_class != Some("provider_key_paused") {
        app.checks.keep(place, id, &check);
    }
    check
}

async fn ask(
    app: &App,
    company: CompanyId,
    provider: ProviderName,
    key: Option<&SealedKey>,
) -> Result<(), &'static str> {
    let connected = app.gateway.connect_under(company, provider, key);
    let connected = connected.map_err(|_| "key_unusable")?;
    match tokio::time::timeout(PATIENCE, connected.check()).await {
        Ok(said) => said.map_err(|cause| cause.class()),
        Err(_) => Err("provider_timeout"),
    }
}
