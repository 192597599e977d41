//! The governor of calls to model providers: one for each key and model family, shared through
//! Redis by all processes. It decides when a call may be made and learns from how it ended; it makes
//! no call and never repeats one. The rules are those of `domain::providers::lane`.
//!
//! [`Governed`] wraps an adapter and is one itself, so that nobody who asks a provider can forget
//! to ask the governor first. While Redis is away each process keeps to a small limit of its own,
//! and to every time that it was told itself.

mod config;
mod governed;
mod memory;
mod place;
mod road;
mod script;

pub use config::GovernorConfig;
pub use governed::Governed;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use domain::providers::{Embedder, family::family, generate::Provider};
use tokio_util::sync::CancellationToken;

use crate::{Config, Redis, circuit::Circuit};
use road::Road;

/// Lanes kept in this process before those out of use are dropped.
const LANES: usize = 10_000;

/// A handle on the governor; clones are the same one.
#[derive(Clone)]
pub struct Governor {
    shared: Arc<Shared>,
    patience: Duration,
    stop: CancellationToken,
}

/// What all handles of a process share.
struct Shared {
    redis: Redis,
    redis_config: Config,
    settings: GovernorConfig,
    circuit: Arc<Circuit>,
    roads: Mutex<HashMap<String, Arc<Road>>>,
    born: Instant,
}

impl Governor {
    /// The governor of the installation whose Redis this is. The connection should give up quickly:
    /// see [`crate::connect`].
    pub fn new(
        redis: Redis,
        redis_config: Config,
        settings: GovernorConfig,
        circuit: Arc<Circuit>,
    ) -> Self {
        let patience = settings.patience();
        let shared = Shared {
            redis,
            redis_config,
            settings,
            circuit,
            roads: Mutex::default(),
            born: Instant::now(),
        };
        Self {
            shared: Arc::new(shared),
            patience,
            stop: CancellationToken::new(),
        }
    }

    /// The same governor for callers that wait no longer than this: for those behind whom somebody
    /// waits.
    #[must_use]
    pub fn within(self, patience: Duration) -> Self {
        Self {
            patience: self.patience.min(patience),
            ..self
        }
    }

    /// The same governor for callers of a process that ends with this token: from then on no call is
    /// begun, and those that wait for their turn are turned away.
    #[must_use]
    pub fn until(self, stop: CancellationToken) -> Self {
        Self { stop, ..self }
    }

    /// This embedder under the governor. One whose key has no fingerprint has none, and no limits
    /// that anybody else could have reached: it stays as it is.
    pub fn embedder(&self, inner: Arc<dyn Embedder>, key: Option<String>) -> Arc<dyn Embedder> {
        match key {
            Some(key) => Arc::new(Governed::new(inner, self.clone(), key)),
            None => inner,
        }
    }

    /// This provider under the governor, for the key with this fingerprint
    /// (`domain::providers::fingerprint`).
    pub fn provider(&self, inner: Arc<dyn Provider>, key: impl Into<String>) -> Arc<dyn Provider> {
        Arc::new(Governed::new(inner, self.clone(), key))
    }

    /// The lane of a key, named by its fingerprint, and of a model.
    fn road(&self, provider: &str, key: &str, model: &str) -> Arc<Road> {
        let family = family(model);
        let name = format!("{key}:{provider}:{family}");
        let mut roads = self
            .shared
            .roads
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(road) = roads.get(&name) {
            return road.clone();
        }
        if roads.len() >= LANES {
            roads.retain(|_, road| Arc::strong_count(road) > 1 || road.is_parked());
        }
        let road = Arc::new(Road::new(&self.shared, provider, family, key, &name));
        roads.insert(name, road.clone());
        road
    }
}
