//! Clients that talk to fakes, at the fakes' time.

use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};
use domain::{
    providers::PortFuture,
    trackers::{
        TrackerClient, TrackerError, TrackerKind,
        oauth::{Renewal, TokenPair, TokenStore},
    },
};
use integrations::{
    http::{Reach, ReachConfig},
    llm::Clock,
    trackers::{Auth, Connection, Trackers, TrackersConfig},
};
use tests::fakes::{
    issues::Shared,
    jira::{CLIENT_ID, CLIENT_SECRET, CLOUD_ID, FakeJira},
    jira_dc::FakeJiraDc,
    stage::Fake,
    teamwork::FakeTeamwork,
};

pub(crate) fn noon() -> DateTime<Utc> {
    "2026-11-20T12:00:00Z".parse().expect("a time")
}

/// Hosts that may be called although they are private.
pub(crate) fn allowing(hosts: &[&str]) -> Reach {
    Reach::new(&ReachConfig {
        allowed_private_hosts: hosts.iter().map(ToString::to_string).collect(),
    })
}

pub(crate) fn config(atlassian: &str) -> TrackersConfig {
    TrackersConfig {
        jira_client_id: Some(CLIENT_ID.into()),
        jira_client_secret: Some(CLIENT_SECRET.into()),
        atlassian_auth_url: atlassian.parse().expect("an address"),
        atlassian_api_url: atlassian.parse().expect("an address"),
        tracker_timeout_seconds: 20,
    }
}

/// The factory, at the time of this world.
pub(crate) fn trackers(atlassian: &str, shared: &Shared) -> Trackers {
    let shared = shared.clone();
    let clock = Clock::from_fn(move || shared.now());
    Trackers::new(&config(atlassian), &allowing(&["127.0.0.1"]), clock).expect("valid settings")
}

pub(crate) fn connection(kind: TrackerKind, address: &str, auth: Auth) -> Connection {
    Connection {
        kind,
        base_url: address.parse().expect("an address"),
        auth,
        projects: Vec::new(),
        criteria_field: None,
    }
}

/// How somebody signs in to a tracker with this token.
pub(crate) fn auth(kind: TrackerKind, token: &str) -> Auth {
    match kind {
        TrackerKind::Jira => Auth::Basic {
            email: "ann@example.com".into(),
            token: token.into(),
        },
        TrackerKind::JiraDc | TrackerKind::Teamwork => Auth::Token(token.into()),
    }
}

/// A fake of any kind.
pub(crate) enum AnyFake {
    Jira(FakeJira),
    JiraDc(FakeJiraDc),
    Teamwork(FakeTeamwork),
}

impl AnyFake {
    pub(crate) async fn start(kind: TrackerKind) -> Self {
        Self::start_at(kind, noon()).await
    }

    pub(crate) async fn start_at(kind: TrackerKind, now: DateTime<Utc>) -> Self {
        match kind {
            TrackerKind::Jira => Self::Jira(FakeJira::start(now).await),
            TrackerKind::JiraDc => Self::JiraDc(FakeJiraDc::start(now).await),
            TrackerKind::Teamwork => Self::Teamwork(FakeTeamwork::start(now).await),
        }
    }

    pub(crate) fn kind(&self) -> TrackerKind {
        match self {
            Self::Jira(_) => TrackerKind::Jira,
            Self::JiraDc(_) => TrackerKind::JiraDc,
            Self::Teamwork(_) => TrackerKind::Teamwork,
        }
    }

    pub(crate) fn stage(&self) -> &Fake {
        match self {
            Self::Jira(fake) => &fake.stage,
            Self::JiraDc(fake) => &fake.stage,
            Self::Teamwork(fake) => &fake.stage,
        }
    }

    pub(crate) fn shared(&self) -> &Shared {
        match self {
            Self::Jira(fake) => &fake.shared,
            Self::JiraDc(fake) => &fake.shared,
            Self::Teamwork(fake) => &fake.shared,
        }
    }

    pub(crate) fn address(&self) -> String {
        match self {
            Self::Jira(fake) => fake.url().to_owned(),
            Self::JiraDc(fake) => fake.url(),
            Self::Teamwork(fake) => fake.url().to_owned(),
        }
    }

    /// Its projects, of which issues are in both: the second is where they move.
    pub(crate) fn projects(&self) -> [&'static str; 2] {
        match self {
            Self::Teamwork(_) => ["1", "2"],
            _ => ["DEMO", "OPS"],
        }
    }

    pub(crate) fn connection(&self, token: &str) -> Connection {
        connection(self.kind(), &self.address(), auth(self.kind(), token))
    }

    pub(crate) fn connect(&self, connection: Connection) -> Arc<dyn TrackerClient> {
        let trackers = trackers(&self.stage().url, self.shared());
        trackers.client(connection).expect("a connection")
    }

    pub(crate) fn client(&self) -> Arc<dyn TrackerClient> {
        self.connect(self.connection("good-token"))
    }
}

/// A pair kept in memory, as a table would keep it: one renews it at a time.
pub(crate) struct MemoryTokens {
    pair: tokio::sync::Mutex<TokenPair>,
    /// Every pair that was stored.
    pub(crate) stored: Mutex<Vec<TokenPair>>,
}

impl MemoryTokens {
    pub(crate) fn holding(pair: TokenPair) -> Arc<Self> {
        Arc::new(Self {
            pair: tokio::sync::Mutex::new(pair),
            stored: Mutex::default(),
        })
    }
}

impl TokenStore for MemoryTokens {
    fn load(&self) -> PortFuture<'_, Result<TokenPair, TrackerError>> {
        Box::pin(async { Ok(self.pair.lock().await.clone()) })
    }

    fn renew<'a>(
        &'a self,
        spent: &'a TokenPair,
        renewal: Arc<dyn Renewal>,
    ) -> PortFuture<'a, Result<TokenPair, TrackerError>> {
        Box::pin(async move {
            let mut kept = self.pair.lock().await;
            if kept.refresh == spent.refresh {
                *kept = renewal.renew(&kept.refresh).await?;
                let mut stored = self.stored.lock().expect("no panic");
                stored.push(kept.clone());
            }
            Ok(kept.clone())
        })
    }
}

/// Jira Cloud by OAuth, with this pair.
pub(crate) fn by_oauth(fake: &FakeJira, tokens: Arc<MemoryTokens>) -> Arc<dyn TrackerClient> {
    let auth = Auth::Grant {
        cloud_id: CLOUD_ID.into(),
        tokens,
    };
    let site = "https://example.atlassian.net";
    let trackers = trackers(fake.url(), &fake.shared);
    let client = trackers.client(connection(TrackerKind::Jira, site, auth));
    client.expect("a connection")
}
