//! From a model that a company names to somebody who answers. It is the one place that knows all
//! three: the row and the sealed key (`db`), the adapters (`integrations`), and the governor that
//! stands before every call (`queue`). API and worker reach models through it and in no other way.
//! It asks nothing of Postgres itself.

mod config;
mod error;
pub mod trackers;
mod watched;

use std::sync::Arc;

use db::models::{ResolvedModel, SealedKey};
use domain::{
    models::{ProviderKeyId, ProviderName},
    providers::{Embedder, KeyPauses, generate::Provider},
    users::CompanyId,
};
use integrations::{
    http::{Reach, ReachError},
    llm::{Clock, Embedders, Kind, Providers, SetupError},
    sealing::{Place, Sealed, Sealer},
};
use queue::governor::Governor;
use secrecy::SecretString;
use serde::Serialize;
use url::Url;
use utoipa::ToSchema;

pub use config::GatewayConfig;
pub use error::{ConnectError, GatewayError};
use trackers::TrackerGate;
use watched::Watched;

/// Whose key a provider is called with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Credential {
    /// One that an admin of your company stored.
    Company,
    /// The installation's.
    Environment,
    /// It needs none.
    BuiltIn,
}

/// Where the key of a provider lies: what its seal is bound to.
pub fn place(company: CompanyId, key: ProviderKeyId) -> Place {
    Place {
        table: "provider_keys",
        company: company.0,
        row: key.0,
    }
}

/// What reaches models.
pub struct Gateway {
    /// What seals keys of providers.
    pub sealer: Sealer,
    /// Where calls may go whose address a company chose.
    pub reach: Reach,
    /// What reaches trackers.
    pub trackers: TrackerGate,
    /// What says which keys of companies are paused.
    pub pauses: Arc<dyn KeyPauses>,
    governor: Governor,
    providers: Providers,
    embedders: Embedders,
    embedders_key: Option<String>,
}

impl Gateway {
    /// Connects to nothing yet.
    pub fn new(
        config: &GatewayConfig,
        governor: Governor,
        pauses: Arc<dyn KeyPauses>,
    ) -> Result<Self, GatewayError> {
        let reach = Reach::new(&config.reach);
        let providers = Providers::new(
            &config.gemini,
            &config.openai,
            &config.anthropic,
            Clock::system(),
        )?;
        let sealer = Sealer::new(&config.sealing);
        let trackers = TrackerGate::new(&config.trackers, &reach, &sealer);
        Ok(Self {
            trackers: trackers.map_err(GatewayError::Trackers)?,
            sealer,
            providers: providers.reaching(&reach)?,
            reach,
            pauses,
            governor,
            embedders: Embedders::new(&config.gemini)?,
            embedders_key: config.gemini.fingerprint(),
        })
    }

    /// What makes vectors now, under the governor.
    pub fn embedder(&self) -> Arc<dyn Embedder> {
        self.governed(self.embedders.current())
    }

    /// An embedding model that documents were made with before, if it can still be asked.
    pub fn former_embedder(&self, name: &str) -> Option<Arc<dyn Embedder>> {
        Some(self.governed(self.embedders.named(name)?))
    }

    fn governed(&self, embedder: Arc<dyn Embedder>) -> Arc<dyn Embedder> {
        self.governor.embedder(embedder, self.embedders_key.clone())
    }

    /// Whose key this provider is called with, for a company that has one of its own or has not;
    /// `None` where nobody has.
    pub fn credential(&self, provider: ProviderName, has_own: bool) -> Option<Credential> {
        if provider == ProviderName::Mock {
            Some(Credential::BuiltIn)
        } else if has_own {
            Some(Credential::Company)
        } else {
            let has_key = self.providers.has_own_key(Kind::from(provider));
            has_key.then_some(Credential::Environment)
        }
    }

    /// Whether there is any key that this model could be called with.
    pub fn is_reachable(&self, resolved: &ResolvedModel) -> bool {
        let has_own = resolved.key.is_some();
        self.credential(resolved.model.provider, has_own).is_some()
    }

    /// What calls this model for the company, under the governor: with its own key, opened for this,
    /// or the installation's. Cheap: make it anew for each use, since keys change.
    pub fn connect(
        &self,
        company: CompanyId,
        resolved: &ResolvedModel,
    ) -> Result<Arc<dyn Provider>, ConnectError> {
        self.connect_under(company, resolved.model.provider, resolved.key.as_ref())
    }

    /// The same for a provider without a model: with this key of the company, or the installation's.
    pub fn connect_under(
        &self,
        company: CompanyId,
        provider: ProviderName,
        key: Option<&SealedKey>,
    ) -> Result<Arc<dyn Provider>, ConnectError> {
        let secret = key.map(|key| self.open(company, key)).transpose()?;
        let address = key.and_then(|key| key.base_url.as_deref());
        let address = address.map(|text| self.checked(text)).transpose()?;
        let (kind, secret, address) = (Kind::from(provider), secret.as_ref(), address.as_ref());
        let direct = self.providers.provider(kind, secret, address);
        let direct = direct.map_err(|cause| match cause {
            SetupError::NoKey(_) => ConnectError::NoKey(provider),
            other => ConnectError::Setup(other),
        })?;
        // Asked right before the call, since somebody may have waited long for their turn …
        let direct = self.watched(direct, key);
        let governed = match self.providers.fingerprint(kind, secret, address) {
            Some(key) => self.governor.provider(direct, key),
            // The mock has no limits, and a server that wants no key is the company's own.
            None => direct,
        };
        // … and before that, so that nobody waits for a turn that is none.
        Ok(self.watched(governed, key))
    }

    /// This provider, unless the key is paused.
    fn watched(&self, inner: Arc<dyn Provider>, key: Option<&SealedKey>) -> Arc<dyn Provider> {
        match key {
            Some(key) => Arc::new(Watched::new(inner, self.pauses.clone(), key.id)),
            None => inner,
        }
    }

    fn open(&self, company: CompanyId, key: &SealedKey) -> Result<SecretString, ConnectError> {
        let text = Sealed {
            bytes: key.sealed.clone(),
            key_id: key.sealing_key_id.clone(),
        };
        let opened = self.sealer.open(&text, place(company, key.id));
        opened.map_err(|cause| ConnectError::Closed { key: key.id, cause })
    }

    /// The address of a key, which must still be one that may be called.
    fn checked(&self, text: &str) -> Result<Url, ReachError> {
        let address = Url::parse(text).map_err(|_| ReachError::Form)?;
        self.reach.check(&address)?;
        Ok(address)
    }
}
