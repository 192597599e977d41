//! A lane as a process uses it: Redis' opinion where it can be had, its own where not, and a queue
//! before both.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use chrono::Utc;
use domain::providers::lane::{Entry, Lesson, Rules, Wish};
use tokio::sync::{Mutex as Door, Notify};

use super::{
    Shared,
    memory::Memory,
    script::{self, Keys, Known, Standing},
};
use crate::{Redis, circuit::Circuit};

/// How long until Redis is told again what it has not heard, at first …
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// … and at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How long it is told. Later it learns a time from whoever asks it first.
const LONGEST_TELLING: Duration = Duration::from_secs(600);

/// What its numbers are labelled with.
#[derive(Debug, Clone)]
pub(super) struct Labels {
    pub(super) provider: String,
    pub(super) family: String,
    /// Enough of the key's fingerprint to tell keys apart.
    pub(super) key: String,
}

/// A lane, seen from this process.
pub(super) struct Road {
    redis: Redis,
    circuit: Arc<Circuit>,
    keys: Keys,
    rules: Rules,
    local_rules: Rules,
    born: Instant,
    /// What this process was told, and its own calls.
    local: Mutex<Memory>,
    /// One caller at a time asks for a place; the others of this process stand in line.
    pub(super) door: Door<()>,
    /// Rung when a call of this process has ended.
    pub(super) freed: Notify,
    pub(super) labels: Labels,
}

/// Whose answer it was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Admitted {
    /// Redis', at this moment of its clock.
    Shared(f64),
    /// This process's own.
    Alone,
}

impl Road {
    pub(super) fn new(
        shared: &Shared,
        provider: &str,
        family: &str,
        key: &str,
        name: &str,
    ) -> Self {
        let of = |what| {
            shared
                .redis_config
                .key(&format!("governor:{{{name}}}:{what}"))
        };
        Self {
            redis: shared.redis.clone(),
            circuit: shared.circuit.clone(),
            keys: Keys {
                state: of("state"),
                places: of("places"),
            },
            rules: shared.settings.rules(provider),
            local_rules: shared.settings.local_rules(provider),
            born: shared.born,
            local: Mutex::default(),
            door: Door::default(),
            freed: Notify::new(),
            labels: Labels {
                provider: provider.to_owned(),
                family: family.to_owned(),
                key: key.chars().take(8).collect(),
            },
        }
    }

    /// Asks Redis, or this process alone while Redis is away.
    pub(super) async fn enter(&self, wish: &Wish) -> (Entry, Admitted) {
        let known = self.known();
        let mut redis = self.redis.clone();
        let asked = script::enter(&mut redis, &self.keys, wish, &self.rules, known, None);
        let (entry, admitted) = match self.circuit.ask(asked).await {
            Some(answer) => {
                self.show(answer.standing);
                self.remember(answer.known);
                (answer.entry, Admitted::Shared(answer.at))
            }
            None => (self.enter_alone(wish), Admitted::Alone),
        };
        if entry == Entry::Go {
            self.local()
                .lane
                .places
                .insert(wish.id.clone(), f64::INFINITY);
        }
        (entry, admitted)
    }

    fn remember(&self, said: Known) {
        let now = self.now();
        self.local().remember(now, said);
    }

    fn enter_alone(&self, wish: &Wish) -> Entry {
        let now = self.now();
        self.local().lane.enter(now, wish, &self.local_rules)
    }

    /// Learns from a call's end: first this process, then all. Says whether Redis has heard it.
    pub(super) async fn settle(
        &self,
        id: &str,
        entered: (f64, Admitted),
        surplus: f64,
        lesson: &Lesson,
    ) -> bool {
        let now = self.now();
        self.local()
            .settle(now, id, entered.0, surplus, lesson, &self.local_rules);
        self.freed.notify_one();
        // Entered without Redis: before everything that it knows.
        let entered = match entered.1 {
            Admitted::Shared(at) => at,
            Admitted::Alone => 0.0,
        };
        let mut redis = self.redis.clone();
        let (keys, rules) = (&self.keys, &self.rules);
        let told = script::settle(&mut redis, keys, id, entered, surplus, lesson, rules, None);
        let answer = if lesson.repeated(0.0).is_some() {
            self.circuit.insist(told).await
        } else {
            self.circuit.ask(told).await
        };
        if let Some(answer) = answer {
            self.show(answer.standing);
            self.remember(answer.known);
        }
        // Once more: the place is free for other processes only now.
        self.freed.notify_one();
        answer.is_some()
    }

    /// Tells Redis what it has not heard until it has, or until it is worth nothing any more. Places and
    /// tokens are left as they are: it may have heard and lost the answer.
    pub(super) async fn repeat(&self, entered: f64, lesson: Lesson) {
        let began = Instant::now();
        let mut pause = FIRST_PAUSE;
        while began.elapsed() < LONGEST_TELLING {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            let passed = began.elapsed().as_secs_f64() * 1000.0;
            let Some(lesson) = lesson.repeated(passed) else {
                return;
            };
            let mut redis = self.redis.clone();
            let (keys, rules) = (&self.keys, &self.rules);
            let told = script::settle(&mut redis, keys, "", entered, 0.0, &lesson, rules, None);
            if let Some(answer) = self.circuit.insist(told).await {
                self.remember(answer.known);
                return;
            }
        }
    }

    /// Keeps a place until the future is dropped.
    pub(super) async fn keep(self: Arc<Self>, id: String) {
        let third = Duration::from_secs_f64(self.rules.lease / 3000.0);
        loop {
            tokio::time::sleep(third).await;
            let mut redis = self.redis.clone();
            let kept = script::renew(&mut redis, &self.keys, &id, self.rules.lease);
            self.circuit.ask(kept).await;
        }
    }

    /// Whether this process knows of a time that is not over.
    pub(super) fn is_parked(&self) -> bool {
        self.known().wait > 0.0
    }

    pub(super) fn has_token_limit(&self) -> bool {
        self.rules.tokens.is_some()
    }

    /// Milliseconds of this process's own clock, from one on.
    pub(super) fn now(&self) -> f64 {
        self.born.elapsed().as_secs_f64() * 1000.0 + 1.0
    }

    fn known(&self) -> Known {
        let now = self.now();
        self.local().known(now)
    }

    fn local(&self) -> MutexGuard<'_, Memory> {
        self.local.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, standing: Standing) {
        let Labels {
            provider,
            family,
            key,
        } = &self.labels;
        let gauge = |name: &'static str, value: f64| {
            metrics::gauge!(name, "provider" => provider.clone(), "family" => family.clone(), "key" => key.clone())
                .set(value);
        };
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let now = Utc::now().timestamp_millis() as f64;
        let parked_until = if standing.parked > 0.0 {
            (now + standing.parked) / 1000.0
        } else {
            0.0
        };
        gauge("governor_limit", standing.limit);
        gauge("governor_in_flight", standing.in_flight);
        gauge("governor_parked_until", parked_until);
    }
}
