//! A short memory of Redis being away, so that a dead server costs one request a second instead
//! of every request: after a failure nobody asks for a while, then one caller tries.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use redis::RedisError;

/// How long nobody asks after a failure.
const PAUSE: Duration = Duration::from_secs(2);

/// Whether Redis is worth asking. One per process.
#[derive(Debug)]
pub struct Circuit {
    born: Instant,
    /// Milliseconds since birth until which nobody asks; 0 while all is well.
    closed_until: AtomicU64,
}

impl Default for Circuit {
    fn default() -> Self {
        Self {
            born: Instant::now(),
            closed_until: AtomicU64::new(0),
        }
    }
}

impl Circuit {
    /// Asks Redis unless it failed a moment ago; a failure is logged once and becomes `None`.
    pub async fn ask<T>(&self, question: impl Future<Output = Result<T, RedisError>>) -> Option<T> {
        if !self.may_ask() {
            return None;
        }
        self.insist(question).await
    }

    /// Asks Redis even if it failed a moment ago: for what others must hear as soon as it can be heard.
    pub async fn insist<T>(
        &self,
        question: impl Future<Output = Result<T, RedisError>>,
    ) -> Option<T> {
        match question.await {
            Ok(answer) => {
                self.closed_until.store(0, Ordering::Relaxed);
                Some(answer)
            }
            Err(cause) => {
                self.close(&cause);
                None
            }
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn pause_from_now(&self) -> u64 {
        self.now() + u64::try_from(PAUSE.as_millis()).unwrap_or(u64::MAX)
    }

    fn may_ask(&self) -> bool {
        let until = self.closed_until.load(Ordering::Relaxed);
        if until == 0 {
            return true;
        }
        // Past the pause one caller wins the exchange and asks; the others go on without.
        self.now() >= until
            && self
                .closed_until
                .compare_exchange(
                    until,
                    self.pause_from_now(),
                    Ordering::Relaxed,
                    Ordering::Relaxed,
                )
                .is_ok()
    }

    fn close(&self, cause: &RedisError) {
        let before = self
            .closed_until
            .swap(self.pause_from_now(), Ordering::Relaxed);
        if before == 0 {
            tracing::warn!(error = %cause, "Redis does not answer; going on without it");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    fn failure() -> RedisError {
        RedisError::from((redis::ErrorKind::Io, "no connection"))
    }

    #[tokio::test]
    async fn after_a_failure_nobody_asks_until_the_pause_is_over() {
        let (circuit, asked) = (Circuit::default(), AtomicUsize::new(0));
        let question = || async {
            asked.fetch_add(1, Ordering::Relaxed);
            Err::<(), _>(failure())
        };
        for _ in 0..10 {
            assert_eq!(circuit.ask(question()).await, None);
        }
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }

    /// The same circuit as if it had been made, and had failed, a pause earlier.
    fn a_pause_later(circuit: Circuit) -> Circuit {
        let born = circuit
            .born
            .checked_sub(2 * PAUSE)
            .expect("a clock that has run a while");
        Circuit { born, ..circuit }
    }

    #[tokio::test]
    async fn past_the_pause_one_caller_tries_and_its_success_opens_for_all() {
        let circuit = Circuit::default();
        circuit.ask(async { Err::<(), _>(failure()) }).await;
        let circuit = a_pause_later(circuit);
        assert!(circuit.may_ask());
        assert!(!circuit.may_ask());
        let circuit = a_pause_later(circuit);
        assert_eq!(circuit.ask(async { Ok(7) }).await, Some(7));
        assert!(circuit.may_ask() && circuit.may_ask());
    }
}
