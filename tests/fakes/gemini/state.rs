//! What the calls share: options, script and counters.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{
    Options,
    counters::{Counters, Received, Tally},
    ledger::{Ledger, LedgerCall},
    minute::Minute,
    script::{Cue, Quota, Script},
};

/// A spent day lasts longer than any test.
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Debug)]
pub(super) struct State {
    pub(super) options: Options,
    script: Mutex<Script>,
    tally: Mutex<Tally>,
    ledger: Mutex<Ledger>,
    minute: Mutex<Minute>,
}

impl State {
    pub(super) fn new(options: Options) -> Self {
        Self {
            options,
            script: Mutex::default(),
            tally: Mutex::default(),
            ledger: Mutex::default(),
            minute: Mutex::default(),
        }
    }

    pub(super) fn script(&self, cues: impl IntoIterator<Item = Cue>) {
        lock(&self.script).add(cues);
    }

    pub(super) fn counters(&self) -> Counters {
        lock(&self.tally).counters.clone()
    }

    pub(super) fn requests(&self) -> Vec<Received> {
        lock(&self.tally).latest.iter().cloned().collect()
    }

    pub(super) fn ledger(&self) -> Vec<LedgerCall> {
        lock(&self.ledger).calls()
    }

    pub(super) fn reset(&self) {
        *lock(&self.ledger) = Ledger::default();
        *lock(&self.script) = Script::default();
        lock(&self.tally).reset();
    }

    /// Counts a call from now until what it returns is dropped.
    pub(super) fn begin(self: &Arc<Self>, call: Received, key_in_url: bool) -> UnderWay {
        let entry = self
            .options
            .ledger
            .then(|| lock(&self.ledger).enter(&call))
            .flatten();
        lock(&self.tally).arrives(call, key_in_url);
        UnderWay(Arc::clone(self), entry)
    }

    pub(super) fn cue(&self, method: &str, model: &str, body: &[u8]) -> Cue {
        let limited = self
            .options
            .requests_per_minute
            .and_then(|limit| lock(&self.minute).admit(model, limit, Instant::now()).err());
        match limited {
            Some(wait) => Cue::rate_limited(wait.as_secs_f64()),
            None => lock(&self.script).next(method, model, body),
        }
    }

    /// Counts a refusal, and the time it names.
    pub(super) fn refused(&self, model: &str, cue: &Cue) {
        let header = cue
            .retry_header
            .as_deref()
            .and_then(|seconds| seconds.parse().ok());
        let named = cue
            .retry_seconds
            .or(header)
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let wait = if cue.quota == Some(Quota::PerDay) {
            Some(A_DAY)
        } else {
            named
        };
        if let (Some(429), Some(wait)) = (cue.status, wait) {
            lock(&self.tally).closes(model, wait);
        }
    }

    pub(super) fn answered(&self, status: u16) {
        lock(&self.tally).answers(status);
    }

    pub(super) fn embedded(&self, texts: impl Iterator<Item = u64>) {
        lock(&self.tally).embeds(texts);
    }
}

/// A call that has not ended.
#[derive(Debug)]
pub(super) struct UnderWay(Arc<State>, Option<usize>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        lock(&self.0.tally).ends();
        if let Some(entry) = self.1 {
            lock(&self.0.ledger).close(entry);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
