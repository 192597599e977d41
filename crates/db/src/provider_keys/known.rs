//! Which keys are paused, as a process knows it: asked before each call, and read from Postgres when what
//! is known is a second old.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use chrono::{TimeDelta, Utc};
use domain::{
    models::ProviderKeyId,
    providers::{KeyPauses, PausedKey, PortFuture, ProviderError},
};
use futures::lock::Mutex;

use super::pauses::paused;
use crate::Pool;

/// How old the answer may be that a call goes by …
const FRESH: Duration = Duration::from_secs(1);

/// … and the one that a call is refused by: whoever is woken when a key is resumed must not be told what
/// held before.
const MOMENT: Duration = Duration::from_millis(10);

/// When those who met a pause look again, unless they are woken before.
const AGAIN: TimeDelta = TimeDelta::seconds(30);

/// Which keys are paused, as this process knows it.
pub struct Pauses {
    pool: Pool,
    known: Mutex<Option<Known>>,
    /// Raised when a key was paused or resumed here: what was read before is out of date.
    changes: AtomicU64,
}

struct Known {
    /// When it was asked for.
    asked: Instant,
    changes: u64,
    labels: HashMap<ProviderKeyId, String>,
}

impl Pauses {
    /// Asks through this pool.
    pub fn new(pool: Pool) -> Self {
        Self {
            pool,
            known: Mutex::default(),
            changes: AtomicU64::new(0),
        }
    }

    async fn look(&self, key: ProviderKeyId) -> Result<(), ProviderError> {
        // Whoever comes meanwhile waits for the answer that is on its way.
        let mut known = self.known.lock().await;
        let changes = self.changes.load(Ordering::Acquire);
        let is_fresh = known.as_ref().is_some_and(|known| {
            let is_paused = known.labels.contains_key(&key);
            let good = if is_paused { MOMENT } else { FRESH };
            known.changes == changes && known.asked.elapsed() < good
        });
        if !is_fresh {
            let asked = Instant::now();
            match self.read().await {
                Ok(labels) => {
                    *known = Some(Known {
                        asked,
                        changes,
                        labels,
                    });
                }
                // What was known last holds, and is not asked for by everybody who waits.
                Err(cause) => {
                    tracing::warn!(error = %cause, "paused keys were not looked up");
                    if let Some(known) = known.as_mut() {
                        known.asked = Instant::now();
                    }
                }
            }
        }
        let Some(known) = known.as_ref() else {
            return Err(ProviderError::Held {
                until: Utc::now() + TimeDelta::seconds(2),
                why: "it is not known whether its key is paused",
            });
        };
        match known.labels.get(&key) {
            None => Ok(()),
            Some(label) => Err(ProviderError::Paused(PausedKey {
                id: key,
                label: label.clone(),
                look_again: Utc::now() + AGAIN,
            })),
        }
    }

    async fn read(&self) -> anyhow::Result<HashMap<ProviderKeyId, String>> {
        Ok(paused(&mut *self.pool.get().await?).await?)
    }
}

impl KeyPauses for Pauses {
    fn ask(&self, key: ProviderKeyId) -> PortFuture<'_, Result<(), ProviderError>> {
        Box::pin(self.look(key))
    }

    fn forget(&self) {
        self.changes.fetch_add(1, Ordering::Release);
    }
}
