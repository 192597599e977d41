//! The books of a lane: what its calls may cost, how they ended, and the responses that are kept.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use db::runs::{
    lane::{self, Promise, Settled, Wish},
    responses::{self, Found, Kept},
};
use domain::{documents::Sha256, runs::CacheUse};
use futures::FutureExt;
use tokio::sync::{Notify, Semaphore};

use super::{
    Lane,
    batch::{Batch, Inbox, Pace, batch},
};
use crate::patience::insist;

/// What somebody waits for is written at once.
const AT_ONCE: Pace = Pace {
    items: 200,
    bytes: 8 * 1024 * 1024,
    pause: Duration::ZERO,
};

/// Calls are promised their money ahead of their place, so that a moment costs nothing.
const AHEAD: Pace = Pace {
    pause: Duration::from_millis(10),
    ..AT_ONCE
};

/// Nobody waits for how a call ended: its place is free already.
const BEHIND: Pace = Pace {
    pause: Duration::from_millis(20),
    ..AT_ONCE
};

/// How long who waits for another's call looks away, unless a call of this lane ends before.
const GLANCE: Duration = Duration::from_millis(250);

/// What there is in place of a call.
pub enum Response {
    /// A response.
    Kept(Found),
    /// Nothing: the caller is to ask.
    Missing,
    /// Somebody else is asking still.
    Elsewhere,
}

/// The way into the books.
pub struct Ledger {
    /// A place for each call that may be under way.
    pub places: Semaphore,
    /// A place for each call that may be promised its money: a few more, so that a place that becomes
    /// free has its next call at hand.
    pub promises: Semaphore,
    wishes: Batch<Wish, Promise>,
    settled: Batch<Settled, ()>,
    asked: Batch<Sha256, Option<Found>>,
    kept: Batch<Kept, ()>,
    /// The keys that cells of this lane are asking for.
    asking: Mutex<HashSet<Sha256>>,
    /// How many responses were kept or given up.
    keeps: AtomicU64,
    /// Rung at each.
    kept_bell: Notify,
}

/// What writes into them.
pub struct Books {
    wishes: Inbox<Wish, Promise>,
    settled: Inbox<Settled, ()>,
    asked: Inbox<Sha256, Option<Found>>,
    kept: Inbox<Kept, ()>,
}

impl Ledger {
    /// Books for so many calls at once.
    pub fn open(width: usize) -> (Self, Books) {
        let (wishes, wishes_in) = batch();
        let (settled, settled_in) = batch();
        let (asked, asked_in) = batch();
        let (kept, kept_in) = batch();
        let ledger = Self {
            places: Semaphore::new(width.max(1)),
            promises: Semaphore::new(width.max(1) + width.div_ceil(2)),
            wishes,
            settled,
            asked,
            kept,
            asking: Mutex::default(),
            keeps: AtomicU64::new(0),
            kept_bell: Notify::new(),
        };
        let books = Books {
            wishes: wishes_in,
            settled: settled_in,
            asked: asked_in,
            kept: kept_in,
        };
        (ledger, books)
    }

    /// Asks for the money for a call, and writes its attempt if there is enough.
    pub async fn reserve(&self, wish: Wish) -> Promise {
        self.wishes.add(wish).await
    }

    /// Books how a call ended.
    pub async fn settle(&self, settled: Settled) {
        self.settled.add(settled).await;
    }

    /// What is kept under a key, or the right to ask for it; waits while somebody else asks, until
    /// `given_up` says that nobody waits here any more.
    pub async fn response(&self, key: Sha256, given_up: impl Fn() -> bool) -> Response {
        while !given_up() {
            let bell = self.kept_bell.notified();
            let keeps = self.keeps.load(Ordering::Acquire);
            let Some(found) = self.asked.add(key).await else {
                return Response::Missing;
            };
            if found.reply.is_some() {
                return Response::Kept(found);
            }
            // The key is the lane's, and of its cells the first has it.
            if found.mine && self.asking().insert(key) {
                return self.again(key, keeps).await;
            }
            // It may be asked for by another process, which rings no bell here.
            drop(tokio::time::timeout(GLANCE, bell).await);
        }
        Response::Elsewhere
    }

    /// What there is for who took a key when so many responses had been kept. The one before may have kept
    /// its response after this one had looked, and left the key since.
    async fn again(&self, key: Sha256, keeps: u64) -> Response {
        if self.keeps.load(Ordering::Acquire) != keeps
            && let Some(found) = self.asked.add(key).await
            && found.reply.is_some()
        {
            self.asking().remove(&key);
            return Response::Kept(found);
        }
        Response::Missing
    }

    fn asking(&self) -> MutexGuard<'_, HashSet<Sha256>> {
        self.asking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is kept under a key.
    pub async fn look_up(&self, key: Sha256) -> Option<Found> {
        self.asked.add(key).await
    }

    /// Keeps a response, or gives its key up to whoever waits.
    pub async fn keep(&self, kept: Kept) {
        let key = kept.key;
        self.kept.add(kept).await;
        self.keeps.fetch_add(1, Ordering::AcqRel);
        self.asking().remove(&key);
        self.kept_bell.notify_waiters();
    }
}

impl Books {
    /// Writes until something stands in the way: then the lane has to end.
    pub async fn keep(self, lane: &Lane<'_>) -> anyhow::Error {
        tokio::select! {
            cause = self.wishes.serve(AHEAD, |_| 1, |wishes| lane.reserve(wishes).boxed()) => cause,
            cause = self.settled.serve(BEHIND, Settled::weight, |settled| lane.settle(settled).boxed()) => cause,
            cause = self.asked.serve(AT_ONCE, |_| 1, |keys| lane.look_for(keys).boxed()) => cause,
            cause = self.kept.serve(AT_ONCE, Kept::weight, |kept| lane.keep(kept).boxed()) => cause,
        }
    }
}

impl Lane<'_> {
    async fn reserve(&self, wishes: Vec<Wish>) -> anyhow::Result<Vec<Promise>> {
        insist(self.worker.config.lease(), || async {
            let mut conn = self.worker.pool.get().await?;
            Ok(lane::reserve(&mut conn, self.held, self.target.id, &wishes).await?)
        })
        .await
    }

    async fn settle(&self, settled: Vec<Settled>) -> anyhow::Result<Vec<()>> {
        insist(self.worker.config.lease(), || async {
            let mut conn = self.worker.pool.get().await?;
            lane::settle(&mut conn, self.held, self.target.id, &settled).await?;
            self.worker.news.tell(self.target.id.0);
            Ok(vec![(); settled.len()])
        })
        .await
    }

    async fn look_for(&self, keys: Vec<Sha256>) -> anyhow::Result<Vec<Option<Found>>> {
        let company = self.target.company_id;
        insist(self.worker.config.lease(), || async {
            let mut conn = self.worker.pool.get().await?;
            let found = match self.target.plan.cache {
                CacheUse::ReplayOnly => responses::look_up(&mut conn, company, &keys).await?,
                _ => responses::take(&mut conn, company, self.held, &keys).await?,
            };
            Ok(answers(&keys, found))
        })
        .await
    }

    async fn keep(&self, kept: Vec<Kept>) -> anyhow::Result<Vec<()>> {
        let company = self.target.company_id;
        insist(self.worker.config.lease(), || async {
            let mut conn = self.worker.pool.get().await?;
            responses::keep(&mut conn, company, self.held, &kept).await?;
            Ok(vec![(); kept.len()])
        })
        .await
    }
}

/// What was found, for each who asked.
fn answers(keys: &[Sha256], found: Vec<Found>) -> Vec<Option<Found>> {
    let found: HashMap<Sha256, Found> = found.into_iter().map(|found| (found.key, found)).collect();
    keys.iter().map(|key| found.get(key).cloned()).collect()
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, sync::atomic::AtomicUsize};

    use domain::models::Usd;
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn a_response_that_was_kept_since_the_look_for_it_is_not_asked_for_again() {
        let (ledger, books) = Ledger::open(2);
        let key = Sha256::of(b"a question");
        let kept = || Kept {
            key,
            reply: Some(json!({"text": "an answer"})),
            latency_ms: 1,
            cost: Usd::ZERO,
        };
        let looks = AtomicUsize::new(0);
        let look = async |keys: Vec<Sha256>| {
            let is_first = looks.fetch_add(1, Ordering::Relaxed) == 0;
            if is_first {
                ledger.keep(kept()).await;
            }
            let found = keys.into_iter().map(|key| {
                Some(Found {
                    key,
                    mine: is_first,
                    reply: kept().reply.filter(|_| !is_first),
                    latency_ms: None,
                })
            });
            Ok::<_, Infallible>(found.collect())
        };
        let looking = books
            .asked
            .serve(AT_ONCE, |_| 1, |keys| Box::pin(look(keys)));
        let keeping = books.kept.serve(AT_ONCE, Kept::weight, |kept| {
            std::future::ready(Ok::<_, Infallible>(vec![(); kept.len()])).boxed()
        });
        tokio::select! {
            response = ledger.response(key, || false) => {
                assert!(matches!(response, Response::Kept(_)), "it was paid for already");
            }
            never = looking => match never {},
            never = keeping => match never {},
        }
        assert!(ledger.asking().is_empty());
    }
}
