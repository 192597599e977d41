//! From a tracker that a company connected to what calls it: opens what it is signed in to with, and
//! checks where it is.

use std::sync::Arc;

use db::trackers::{
    secrets::{AUTH, HOOKS, SealedText},
    work::Connected,
};
use domain::{
    trackers::{
        Credentials, TrackerClient, TrackerGrantId, TrackerId,
        oauth::{TokenPair, TokenStore},
    },
    users::CompanyId,
};
use integrations::{
    http::{Reach, ReachError},
    llm::Clock,
    sealing::{OpenError, Place, Sealed, Sealer},
    trackers::{Auth, Connection, SetupError, Trackers, TrackersConfig, atlassian::Atlassian},
};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// Why a tracker cannot be called.
#[derive(Debug, thiserror::Error)]
pub enum TrackerConnectError {
    /// There is nothing to sign in with.
    #[error("there is nothing to sign in to the tracker with: connect it again")]
    NoSecret,
    /// What there is does not open.
    #[error("what the tracker is signed in to with cannot be opened: {0}")]
    Closed(#[from] OpenError),
    /// What was opened is none of ours.
    #[error("what the tracker is signed in to with cannot be read: connect it again")]
    Unreadable,
    /// Its settings do not fit.
    #[error("{0}")]
    Setup(#[from] SetupError),
}

/// Reaches trackers, and seals what they are signed in to with. Cheap to clone.
#[derive(Clone)]
pub struct TrackerGate {
    sealer: Sealer,
    trackers: Trackers,
}

/// Where a secret of a tracker lies: what its seal is bound to.
pub fn place(company: CompanyId, tracker: TrackerId, purpose: &str) -> Place {
    Place {
        table: if purpose == HOOKS {
            "tracker_secrets.hooks"
        } else {
            "tracker_secrets.auth"
        },
        company: company.0,
        row: tracker.0,
    }
}

/// Where a sign-in that was begun lies.
fn place_of_grant(company: CompanyId, grant: TrackerGrantId) -> Place {
    Place {
        table: "tracker_grants",
        company: company.0,
        row: grant.0,
    }
}

impl TrackerGate {
    /// Connects to nothing yet.
    pub(crate) fn new(
        config: &TrackersConfig,
        reach: &Reach,
        sealer: &Sealer,
    ) -> Result<Self, SetupError> {
        Ok(Self {
            sealer: sealer.clone(),
            trackers: Trackers::new(config, reach, Clock::system())?,
        })
    }

    /// The OAuth app under which people connect Jira Cloud.
    pub fn app(&self) -> Result<Atlassian, SetupError> {
        self.trackers.atlassian()
    }

    /// The secret of that app, with which it signs webhooks.
    pub fn app_secret(&self) -> Option<&str> {
        self.trackers.app_secret()
    }

    /// Whether a tracker may be called at this address, as far as it can be told without calling.
    pub fn check_address(&self, text: &str) -> Result<Url, SetupError> {
        let address = Url::parse(text).map_err(|_| SetupError::Address(ReachError::Form))?;
        self.trackers.check_address(&address)?;
        Ok(address)
    }

    /// How long a call may take.
    pub fn patience(&self) -> std::time::Duration {
        self.trackers.patience()
    }

    /// Seals what a tracker is signed in to with; `None` without a sealing key.
    pub fn seal(
        &self,
        company: CompanyId,
        tracker: TrackerId,
        credentials: &Credentials,
    ) -> Option<SealedText> {
        let json = serde_json::to_string(credentials).ok()?;
        self.seal_text(company, tracker, AUTH, json)
    }

    /// Seals what proves a tracker's webhooks; `None` without a sealing key.
    pub fn seal_hooks(
        &self,
        company: CompanyId,
        tracker: TrackerId,
        secret: &str,
    ) -> Option<SealedText> {
        self.seal_text(company, tracker, HOOKS, secret.to_owned())
    }

    fn seal_text(
        &self,
        company_id: CompanyId,
        tracker_id: TrackerId,
        purpose: &str,
        text: String,
    ) -> Option<SealedText> {
        let place = place(company_id, tracker_id, purpose);
        let sealed = self.sealer.seal(&SecretString::from(text), place)?;
        Some(SealedText {
            tracker_id,
            purpose: purpose.to_owned(),
            company_id,
            sealed: sealed.bytes,
            sealing_key_id: sealed.key_id,
        })
    }

    /// Opens a secret of a tracker.
    pub fn open(&self, text: &SealedText) -> Result<SecretString, OpenError> {
        let sealed = Sealed {
            bytes: text.sealed.clone(),
            key_id: text.sealing_key_id.clone(),
        };
        let place = place(text.company_id, text.tracker_id, &text.purpose);
        self.sealer.open(&sealed, place)
    }

    /// Opens what a tracker is signed in to with.
    pub fn credentials(
        &self,
        text: Option<&SealedText>,
    ) -> Result<Credentials, TrackerConnectError> {
        let opened = self.open(text.ok_or(TrackerConnectError::NoSecret)?)?;
        serde_json::from_str(opened.expose_secret()).map_err(|_| TrackerConnectError::Unreadable)
    }

    /// Seals what is kept of a sign-in; `None` without a sealing key.
    pub fn seal_grant(
        &self,
        company: CompanyId,
        grant: TrackerGrantId,
        text: String,
    ) -> Option<Sealed> {
        let place = place_of_grant(company, grant);
        self.sealer.seal(&SecretString::from(text), place)
    }

    /// Opens what is kept of a sign-in.
    pub fn open_grant(
        &self,
        company: CompanyId,
        grant: TrackerGrantId,
        sealed: &Sealed,
    ) -> Result<SecretString, OpenError> {
        self.sealer.open(sealed, place_of_grant(company, grant))
    }

    /// What calls a tracker; `tokens` makes the store of a pair that has to be renewed. Cheap: make it
    /// anew for each use, since settings change.
    pub fn client(
        &self,
        tracker: &Connected,
        credentials: Credentials,
        tokens: impl FnOnce(String, TokenPair) -> Arc<dyn TokenStore>,
    ) -> Result<Arc<dyn TrackerClient>, TrackerConnectError> {
        let base_url =
            Url::parse(&tracker.base_url).map_err(|_| SetupError::Address(ReachError::Form))?;
        let auth = match credentials {
            Credentials::Grant { cloud_id, pair } => Auth::Grant {
                tokens: tokens(cloud_id.clone(), pair),
                cloud_id,
            },
            Credentials::Basic { email, token } => Auth::Basic {
                email,
                token: token.reveal().into(),
            },
            Credentials::Token { token } => Auth::Token(token.reveal().into()),
        };
        Ok(self.trackers.client(Connection {
            kind: tracker.kind,
            base_url,
            auth,
            projects: tracker.projects.clone(),
            criteria_field: tracker.criteria_field.clone(),
        })?)
    }
}
