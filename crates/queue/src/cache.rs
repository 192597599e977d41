//! Copies of rows, kept beside Postgres so that most reads need not ask it. Redis being away is
//! a miss, never an error.
//!
//! What a cache of rows must not do is bring an old row back: a reader that loaded the row before
//! a change may be slow to store it. So each entry has a *stamp* beside it. [`Cache::forget`],
//! called after the change has committed, removes the entry and changes the stamp; a copy is
//! stored only if the stamp is still the one its reader saw before it loaded. Once `forget` has
//! returned, no process serves the row as it was. Where Redis did not hear the `forget`, an old
//! copy lives until it expires: entries whose age matters get a short life.

use std::{
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use redis::Script;
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::{Config, Redis, circuit::Circuit};

/// How long a stamp outlives a `forget`. No load takes longer and still stores its copy.
const STAMP_LIFE: Duration = Duration::from_secs(120);

/// Stores a copy if the stamp is unchanged.
static FILL: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if (redis.call('GET', KEYS[2]) or '') == ARGV[1] then
             redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
         end",
    )
});

/// Stores a copy in a shelf of copies if the stamp is unchanged.
static SHELVE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if (redis.call('GET', KEYS[2]) or '') == ARGV[1] then
             redis.call('HSET', KEYS[1], ARGV[4], ARGV[2])
             redis.call('PEXPIRE', KEYS[1], ARGV[3])
         end",
    )
});

/// The cache of one installation.
#[derive(Clone)]
pub struct Cache {
    pub(crate) redis: Redis,
    config: Config,
    pub(crate) circuit: Arc<Circuit>,
}

/// What a look into the cache gives.
#[derive(Debug)]
pub enum Look<T> {
    /// A copy.
    Hit(T),
    /// None; the ticket allows one to be stored.
    Miss(Ticket),
}

/// The right to store a copy of what is loaded after the look that gave this ticket.
#[derive(Debug)]
pub struct Ticket {
    name: String,
    stamp: String,
    issued: Instant,
    reachable: bool,
}

impl Ticket {
    /// Whether the stamp it saw is still there to be compared.
    fn is_good(&self) -> bool {
        self.reachable && self.issued.elapsed() * 2 <= STAMP_LIFE
    }
}

impl Cache {
    /// A cache in this Redis.
    pub fn new(redis: Redis, config: Config, circuit: Arc<Circuit>) -> Self {
        Self {
            redis,
            config,
            circuit,
        }
    }

    /// Looks for a copy. One that cannot be read (an older release wrote it) counts as none.
    pub async fn look<T: DeserializeOwned>(&self, name: &str) -> Look<T> {
        let mut redis = self.redis.clone();
        let (entry, stamp) = self.keys(name);
        let mut both = redis::cmd("MGET");
        both.arg(&[entry, stamp]);
        let issued = Instant::now();
        let answer: Option<(Option<String>, Option<String>)> =
            self.circuit.ask(both.query_async(&mut redis)).await;
        Self::read(name, issued, answer)
    }

    /// Makes sense of what Redis has: the copy and the stamp, or nothing at all while it is away.
    pub(crate) fn read<T: DeserializeOwned>(
        name: &str,
        issued: Instant,
        answer: Option<(Option<String>, Option<String>)>,
    ) -> Look<T> {
        let reachable = answer.is_some();
        let (copy, stamp) = answer.unwrap_or_default();
        match copy.and_then(|json| serde_json::from_str(&json).ok()) {
            Some(value) => Look::Hit(value),
            None => Look::Miss(Ticket {
                name: name.to_owned(),
                stamp: stamp.unwrap_or_default(),
                issued,
                reachable,
            }),
        }
    }

    /// Stores a copy, unless the row changed since the ticket was issued.
    pub async fn fill<T: Serialize>(&self, ticket: Ticket, value: &T, life: Duration) {
        if !ticket.is_good() {
            return;
        }
        let Ok(json) = serde_json::to_string(value) else {
            return;
        };
        let (entry, stamp) = self.keys(&ticket.name);
        let mut invocation = FILL.key(entry);
        invocation
            .key(stamp)
            .arg(ticket.stamp)
            .arg(json)
            .arg(milliseconds(life));
        let mut redis = self.redis.clone();
        self.circuit
            .ask(invocation.invoke_async::<()>(&mut redis))
            .await;
    }

    /// Looks for one of several copies that are forgotten together, such as a row as it is and as
    /// it was released. The ticket comes with a copy too, for one that turns out to be too old.
    pub async fn look_on_shelf<T: DeserializeOwned>(
        &self,
        name: &str,
        place: &str,
    ) -> (Option<T>, Ticket) {
        let mut redis = self.redis.clone();
        let (entry, stamp) = self.keys(name);
        let mut both = redis::pipe();
        both.hget(entry, place).get(stamp);
        let issued = Instant::now();
        let answer: Option<(Option<String>, Option<String>)> =
            self.circuit.ask(both.query_async(&mut redis)).await;
        let reachable = answer.is_some();
        let (copy, stamp) = answer.unwrap_or_default();
        let ticket = Ticket {
            name: name.to_owned(),
            stamp: stamp.unwrap_or_default(),
            issued,
            reachable,
        };
        let copy = copy.and_then(|json| serde_json::from_str(&json).ok());
        (copy, ticket)
    }

    /// Stores a copy at its place on the shelf, unless the row changed since the ticket was
    /// issued. The shelf as a whole lives on for `life`.
    pub async fn shelve<T: Serialize>(
        &self,
        ticket: Ticket,
        place: &str,
        value: &T,
        life: Duration,
    ) {
        if !ticket.is_good() {
            return;
        }
        let Ok(json) = serde_json::to_string(value) else {
            return;
        };
        let (entry, stamp) = self.keys(&ticket.name);
        let mut invocation = SHELVE.key(entry);
        invocation
            .key(stamp)
            .arg(ticket.stamp)
            .arg(json)
            .arg(milliseconds(life))
            .arg(place);
        let mut redis = self.redis.clone();
        self.circuit
            .ask(invocation.invoke_async::<()>(&mut redis))
            .await;
    }

    /// The copy if there is one, else what `load` gives, of which a copy is kept. Nothing is kept
    /// of a `None`.
    pub async fn get_or_load<T, E>(
        &self,
        name: &str,
        life: Duration,
        load: impl Future<Output = Result<Option<T>, E>>,
    ) -> Result<Option<T>, E>
    where
        T: Serialize + DeserializeOwned,
    {
        let ticket = match self.look(name).await {
            Look::Hit(value) => return Ok(Some(value)),
            Look::Miss(ticket) => ticket,
        };
        let value = load.await?;
        if let Some(value) = &value {
            self.fill(ticket, value, life).await;
        }
        Ok(value)
    }

    /// Drops the copy, or all copies of a shelf. To be called after the change has committed.
    pub async fn forget(&self, name: &str) {
        let (entry, stamp) = self.keys(name);
        let mut redis = self.redis.clone();
        let mut both = redis::pipe();
        both.atomic().del(entry).ignore();
        both.cmd("SET").arg(stamp).arg(Uuid::new_v4().to_string());
        both.arg("PX").arg(milliseconds(STAMP_LIFE)).ignore();
        self.circuit.ask(both.query_async::<()>(&mut redis)).await;
    }

    pub(crate) fn keys(&self, name: &str) -> (String, String) {
        (
            self.config.key(name),
            self.config.key(&format!("stamp:{name}")),
        )
    }
}

pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
