//! Performing a task as often as its policy allows, within its time.

use std::time::Duration;

use chrono::Utc;
use domain::workflows::{Retry, Task, scope::Store, task::TIMEOUT_SECONDS};
use tokio::time::{Instant, sleep, timeout_at};

use crate::{Asks, Failure, Made, Performer, Spent, made::Costly};

/// Between two looks whether Postgres is back.
pub const PAUSE: Duration = Duration::from_millis(250);

/// The longest wait between two tries.
const LONGEST: Duration = Duration::from_secs(60);

/// Longer than anything that ends.
const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// How a task came to its end.
#[derive(Debug)]
pub struct Ended {
    /// What it brought, or why nothing.
    pub result: Result<Made, Failure>,
    /// What its failed tries took; what the last one took stands with its result.
    pub spent: Spent,
    /// Tries after the first.
    pub retries: i32,
    /// Whether it would have been tried again, were the program not about to end: it has not failed.
    pub is_interrupted: bool,
}

impl Spent {
    /// This and that.
    #[must_use]
    pub fn and(self, more: Self) -> Self {
        Self {
            tokens_in: self.tokens_in + more.tokens_in,
            tokens_out: self.tokens_out + more.tokens_out,
            tokens_thinking: self.tokens_thinking + more.tokens_thinking,
            cost: self.cost + more.cost,
            priced: self.priced && more.priced,
            model_version: more.model_version.or(self.model_version),
        }
    }
}

impl<A: Asks> Performer<'_, A> {
    /// Performs a task: again after failures that may pass, as its policy says, and within its time. A
    /// failure that names a time further away than a moment is its caller's to wait for.
    pub async fn perform(&self, task: &Task, store: &Store) -> Ended {
        let seconds = u64::from(task.timeout_seconds.unwrap_or(TIMEOUT_SECONDS));
        let is_bounded = self.asks.may_be_dropped() || !task.kind.asks_a_model();
        let limit = if is_bounded {
            Duration::from_secs(seconds)
        } else {
            FOR_EVER
        };
        let deadline = Instant::now() + limit;
        let mut ended = Ended {
            result: Err(overdue(seconds)),
            spent: Spent::default(),
            retries: 0,
            is_interrupted: false,
        };
        let policy = task.retry.unwrap_or_default();
        let mut tries = 1;
        loop {
            let Ok(once) = timeout_at(deadline, self.once(task, store)).await else {
                ended.result = Err(overdue(seconds));
                return ended;
            };
            let wait = match self.wait(&once, tries, ended.retries, policy) {
                Some(wait) if Instant::now() + wait < deadline => wait,
                _ => return with_end(ended, once),
            };
            if self.asks.is_ending() {
                ended.is_interrupted = true;
                return with_end(ended, once);
            }
            // A time that was named is no failure of the task's.
            if let Err((cause, spent)) = once {
                if cause.until().is_none() && !is_postgres_away(&cause) {
                    tries += 1;
                }
                ended.spent = ended.spent.and(spent);
            }
            ended.retries += 1;
            sleep(wait).await;
        }
    }

    /// How long to wait before the next try; `None` if there is to be none here.
    fn wait(
        &self,
        once: &Costly<Made>,
        tries: u16,
        retries: i32,
        policy: Retry,
    ) -> Option<Duration> {
        let Err((cause, _)) = once else {
            return None;
        };
        if let Some(until) = cause.until() {
            let named = (until - Utc::now()).to_std().unwrap_or_default();
            // Who names times that are over already is not to be asked without end.
            let least = backoff(policy, retries).min(self.asks.patience());
            return (named < self.asks.patience()).then(|| named.max(least));
        }
        if is_postgres_away(cause) {
            return Some(PAUSE);
        }
        let may_try = cause.may_pass() && tries < policy.max_attempts;
        may_try.then(|| backoff(policy, i32::from(tries) - 1))
    }
}

/// The wait after so many earlier waits, with jitter: who failed together does not return together.
fn backoff(policy: Retry, waits: i32) -> Duration {
    let doublings = u32::try_from(waits.clamp(0, 16)).unwrap_or_default();
    let doubled = Duration::from_millis(policy.backoff_ms.into()) * 2_u32.pow(doublings);
    let jitter = 0.5 + rand::random::<f64>() / 2.0;
    doubled.min(LONGEST).mul_f64(jitter)
}

/// Whether it is no fault of the task's, and over in a moment; its time limit holds all the same.
pub fn is_postgres_away(cause: &Failure) -> bool {
    matches!(cause, Failure::Internal(cause) if db::pool::is_passing(cause.as_ref()))
}

fn with_end(mut ended: Ended, once: Costly<Made>) -> Ended {
    match once {
        Ok(made) => ended.result = Ok(made),
        Err((cause, spent)) => {
            ended.spent = ended.spent.and(spent);
            ended.result = Err(cause);
        }
    }
    ended
}

fn overdue(seconds: u64) -> Failure {
    Failure::of(
        "task_timeout",
        format!("The task took more than its {seconds} seconds."),
    )
}
