//! What the fake has seen: numbers to assert on, and the latest calls themselves.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    time::{Duration, Instant},
};

use actix_web::web::Bytes;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

/// How many calls are remembered with their bodies.
const REMEMBERED: usize = 20;

/// What happened so far.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counters {
    /// Calls by method, whatever became of them.
    pub calls: BTreeMap<String, u64>,
    /// Answers by status.
    pub answers: BTreeMap<u16, u64>,
    /// Texts that were embedded.
    pub texts_embedded: u64,
    /// Different texts among them.
    pub distinct_texts: usize,
    /// The most calls that were under way at once.
    pub concurrent_max: usize,
    /// Calls of a model before the time that an earlier answer had named.
    pub early_calls: u64,
    /// How long after the answer that named a time the latest of those calls came, in milliseconds.
    pub early_after_ms: f64,
    /// When the latest refusal was that named a time.
    pub limited_at: Option<DateTime<Utc>>,
    /// Calls that carried a key in their address.
    pub keys_in_url: u64,
    /// When the first call came.
    pub first_call_at: Option<DateTime<Utc>>,
    /// When the latest call came.
    pub last_call_at: Option<DateTime<Utc>>,
}

impl Counters {
    /// Calls of this method.
    pub fn calls_of(&self, method: &str) -> u64 {
        self.calls.get(method).copied().unwrap_or_default()
    }
}

/// A call as it arrived.
#[derive(Debug, Clone)]
pub struct Received {
    /// The method, such as `batchEmbedContents`.
    pub method: String,
    /// The model it asks.
    pub model: String,
    /// Its headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Its body.
    pub body: Bytes,
}

impl Received {
    /// The body, or null where it is no JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// The counters while they are counted.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) counters: Counters,
    pub(super) latest: VecDeque<Received>,
    distinct: HashSet<u64>,
    under_way: usize,
    /// When a time was named, and which.
    closed: HashMap<String, (Instant, Instant)>,
}

impl Tally {
    pub(super) fn arrives(&mut self, call: Received, key_in_url: bool) {
        let now = Instant::now();
        let early = self
            .closed
            .get(&call.model)
            .filter(|(_, until)| now < *until);
        let early = early.map(|(named, _)| now.duration_since(*named));
        let counters = &mut self.counters;
        *counters.calls.entry(call.method.clone()).or_default() += 1;
        if let Some(after) = early {
            counters.early_calls += 1;
            counters.early_after_ms = counters.early_after_ms.max(after.as_secs_f64() * 1000.0);
        }
        counters.keys_in_url += u64::from(key_in_url);
        counters.last_call_at = Some(Utc::now());
        counters.first_call_at = counters.first_call_at.or(counters.last_call_at);
        self.under_way += 1;
        counters.concurrent_max = counters.concurrent_max.max(self.under_way);
        self.latest.push_back(call);
        if self.latest.len() > REMEMBERED {
            self.latest.pop_front();
        }
    }

    pub(super) fn ends(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }

    pub(super) fn answers(&mut self, status: u16) {
        *self.counters.answers.entry(status).or_default() += 1;
    }

    pub(super) fn embeds(&mut self, texts: impl Iterator<Item = u64>) {
        for text in texts {
            self.counters.texts_embedded += 1;
            self.distinct.insert(text);
        }
        self.counters.distinct_texts = self.distinct.len();
    }

    /// An answer has just named a time before which this model is not to be called.
    pub(super) fn closes(&mut self, model: &str, wait: Duration) {
        let now = Instant::now();
        self.closed.insert(model.to_owned(), (now, now + wait));
        self.counters.limited_at = Some(Utc::now());
    }

    /// Forgets everything but the calls that are still under way.
    pub(super) fn reset(&mut self) {
        *self = Self {
            under_way: self.under_way,
            ..Self::default()
        };
    }
}
