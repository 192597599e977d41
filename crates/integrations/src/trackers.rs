//! Trackers: one client each, implementing the port of `domain::trackers`.
//!
//! A client translates to the wire and from it, and classifies what went wrong, once. It repeats no
//! call; only a token that was refused is renewed and shown once more. Addresses that a company chose
//! are called where [`Reach`] lets them, and no redirect is followed.

use std::{sync::Arc, time::Duration};

use domain::trackers::{TrackerClient, TrackerKind, jql::ProjectKey, oauth::TokenStore};
use reqwest::Client;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::{
    http::{self, Reach, ReachError},
    llm::Clock,
};

pub mod atlassian;
mod call;
mod jira;
mod jira_dc;
mod place;
mod refusal;
#[cfg(test)]
mod samples;
mod session;
mod teamwork;

use atlassian::Atlassian;
use call::Line;
use jira::{Jira, Reading};
use jira_dc::JiraDc;
use session::Session;
use teamwork::Teamwork;

/// How trackers are reached.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct TrackersConfig {
    /// The client id of the OAuth app under which people connect Jira Cloud.
    #[arg(long, env = "JIRA_CLIENT_ID")]
    pub jira_client_id: Option<String>,
    /// The secret of that app.
    #[arg(long, env = "JIRA_CLIENT_SECRET", hide_env_values = true)]
    pub jira_client_secret: Option<SecretString>,
    /// Where Atlassian signs people in.
    #[arg(
        long,
        env = "ATLASSIAN_AUTH_URL",
        default_value = "https://auth.atlassian.com"
    )]
    pub atlassian_auth_url: Url,
    /// Where Atlassian answers OAuth apps.
    #[arg(
        long,
        env = "ATLASSIAN_API_URL",
        default_value = "https://api.atlassian.com"
    )]
    pub atlassian_api_url: Url,
    /// Seconds that a call of a tracker may take.
    #[arg(long, env = "TRACKER_TIMEOUT_SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub tracker_timeout_seconds: u64,
}

/// Why a client cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The address leads where no calls go.
    #[error("the address {0}")]
    Address(#[from] ReachError),
    /// The token holds characters that no header can carry.
    #[error("the token holds characters that no token has: copy it again")]
    Token,
    /// This tracker is not signed in to in this way.
    #[error("{0} is not signed in to in this way")]
    Auth(TrackerKind),
    /// It is no project of this tracker.
    #[error("{0:?} is no project: it {1}")]
    Project(String, String),
    /// It is no id of a site.
    #[error("{0:?} is no site of Jira Cloud: choose one of those that were granted")]
    Site(String),
    /// There is no OAuth app.
    #[error("there is no OAuth app for Jira: set JIRA_CLIENT_ID and JIRA_CLIENT_SECRET")]
    NoApp,
    /// The HTTP client does not start.
    #[error("the HTTP client cannot start")]
    Client(#[from] reqwest::Error),
}

/// What proves who calls.
#[derive(Clone)]
pub enum Auth {
    /// Jira Cloud, by OAuth.
    Grant {
        /// The site.
        cloud_id: String,
        /// Its pair of tokens.
        tokens: Arc<dyn TokenStore>,
    },
    /// Jira Cloud, by an API token of a person.
    Basic {
        /// Whose token it is.
        email: String,
        /// The token.
        token: SecretString,
    },
    /// A personal access token (Data Center) or an API token (Teamwork).
    Token(SecretString),
}

/// A tracker as a company connected it.
#[derive(Clone)]
pub struct Connection {
    /// Which one.
    pub kind: TrackerKind,
    /// Where people find it; also where it is called, except by OAuth.
    pub base_url: Url,
    /// What proves who calls.
    pub auth: Auth,
    /// Projects to read (keys in Jira, ids in Teamwork); none are all.
    pub projects: Vec<String>,
    /// The field of acceptance criteria, such as `customfield_10042`.
    pub criteria_field: Option<String>,
}

/// Makes clients: one for each connection, all over the same connections of HTTP.
#[derive(Debug, Clone)]
pub struct Trackers {
    config: TrackersConfig,
    /// For the addresses of the configuration.
    client: Client,
    /// For addresses that a company chose.
    guarded: Client,
    reach: Reach,
    clock: Clock,
}

impl Trackers {
    /// Connects to nothing yet.
    pub fn new(config: &TrackersConfig, reach: &Reach, clock: Clock) -> Result<Self, SetupError> {
        let patience = Duration::from_secs(config.tracker_timeout_seconds);
        Ok(Self {
            config: config.clone(),
            client: http::client(patience)?,
            guarded: reach.client(patience)?,
            reach: reach.clone(),
            clock,
        })
    }

    /// Whether people can connect Jira Cloud by OAuth.
    pub fn has_app(&self) -> bool {
        self.atlassian().is_ok()
    }

    /// The OAuth app.
    pub fn atlassian(&self) -> Result<Atlassian, SetupError> {
        let line = Line::new(self.client.clone(), &self.clock);
        Atlassian::new(&self.config, line).ok_or(SetupError::NoApp)
    }

    /// The secret of the OAuth app, if there is one.
    pub fn app_secret(&self) -> Option<&str> {
        let secret = self
            .config
            .jira_client_secret
            .as_ref()?
            .expose_secret()
            .trim();
        (!secret.is_empty()).then_some(secret)
    }

    /// How long a call may take.
    pub const fn patience(&self) -> Duration {
        Duration::from_secs(self.config.tracker_timeout_seconds)
    }

    /// Whether a tracker may be called at this address, as far as it can be told without calling.
    pub fn check_address(&self, address: &Url) -> Result<(), SetupError> {
        Ok(self.reach.check(address)?)
    }

    /// The client of a connection. Cheap: made anew for each use, it shares its connections with all
    /// others.
    pub fn client(&self, connection: Connection) -> Result<Arc<dyn TrackerClient>, SetupError> {
        let Connection {
            kind,
            base_url: site,
            auth,
            projects,
            criteria_field,
        } = connection;
        self.check_address(&site)?;
        let line = Line::new(self.guarded.clone(), &self.clock);
        let reading = Reading::new(site.clone(), criteria_field);
        Ok(match (kind, auth) {
            (TrackerKind::Jira, Auth::Grant { cloud_id, tokens }) => {
                // It becomes part of an address at which every site is.
                if uuid::Uuid::try_parse(&cloud_id).is_err() {
                    return Err(SetupError::Site(cloud_id));
                }
                let base = call::under(&self.config.atlassian_api_url, &["ex", "jira", &cloud_id]);
                let line = Line::new(self.client.clone(), &self.clock);
                let session = Session::oauth(line, tokens, self.atlassian()?);
                Arc::new(Jira::new(session, base, keys(projects)?, reading))
            }
            (TrackerKind::Jira, Auth::Basic { email, token }) => {
                let session = Session::basic(line, &email, token.expose_secret())?;
                Arc::new(Jira::new(session, site, keys(projects)?, reading))
            }
            (TrackerKind::JiraDc, Auth::Token(token)) => {
                let session = Session::bearer(line, token.expose_secret())?;
                Arc::new(JiraDc::new(session, site, keys(projects)?, reading))
            }
            (TrackerKind::Teamwork, Auth::Token(token)) => {
                let session = Session::basic(line, token.expose_secret(), "x")?;
                Arc::new(Teamwork::new(session, site, numbers(projects)?))
            }
            (kind, _) => return Err(SetupError::Auth(kind)),
        })
    }
}

fn keys(projects: Vec<String>) -> Result<Vec<ProjectKey>, SetupError> {
    let key = |text: String| {
        text.parse()
            .map_err(|fault: domain::Fault| SetupError::Project(text, fault.0))
    };
    projects.into_iter().map(key).collect()
}

fn numbers(projects: Vec<String>) -> Result<Vec<u64>, SetupError> {
    let number = |text: String| {
        text.trim()
            .parse()
            .map_err(|_| SetupError::Project(text, "must be the number of a project".into()))
    };
    projects.into_iter().map(number).collect()
}
