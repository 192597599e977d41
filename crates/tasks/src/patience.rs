//! Performing a task as often as its policy allows, within its time.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use domain::workflows::{Retry, Task, scope::Store, task::TIMEOUT_SECONDS};
use tokio::time::{Instant, sleep, timeout_at};

use crate::{Asks, Failure, Made, Performer, Spent, perform::Costly};

/// A wait shorter than this is waited for where the task is.
const SHORT: Duration = Duration::from_secs(2);

/// Between two looks whether Postgres is back.
const PAUSE: Duration = Duration::from_millis(250);

/// The longest wait between two tries.
const LONGEST: Duration = Duration::from_secs(60);

/// How a task came to its end.
#[derive(Debug)]
pub struct Ended {
    /// What it brought, or why nothing.
    pub result: Result<Made, Failure>,
    /// What its failed tries took; what the last one took stands with its result.
    pub spent: Spent,
    /// Tries after the first.
    pub retries: i32,
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
        let deadline = Instant::now() + Duration::from_secs(seconds);
        let mut ended = Ended {
            result: Err(overdue(seconds)),
            spent: Spent::default(),
            retries: 0,
        };
        let policy = task.retry.unwrap_or_default();
        let mut tries = 1;
        loop {
            let Ok(once) = timeout_at(deadline, self.once(task, store)).await else {
                ended.result = Err(overdue(seconds));
                return ended;
            };
            let wait = match wait(&once, tries, policy) {
                Some(wait) if Instant::now() + wait < deadline => wait,
                _ => return with_end(ended, once),
            };
            // A time that was named is no failure of the task's.
            if let Err((cause, spent)) = once {
                if cause.until().is_none() && !cause.is_postgres_away() {
                    tries += 1;
                }
                ended.spent = ended.spent.and(spent);
            }
            ended.retries += 1;
            sleep(wait).await;
        }
    }
}

/// How long to wait before the next try; `None` if there is to be none here.
fn wait(once: &Costly<Made>, tries: u16, policy: Retry) -> Option<Duration> {
    let Err((cause, _)) = once else {
        return None;
    };
    if let Some(until) = cause.until() {
        let left = until - Utc::now();
        // Held back until a moment that is over: by a process that is about to end, and would again.
        let is_ending = cause.is_held() && left <= TimeDelta::zero();
        let wait = left.to_std().unwrap_or_default();
        return (wait < SHORT && !is_ending).then(|| wait.max(Duration::from_millis(20)));
    }
    // Its time limit holds all the same.
    if cause.is_postgres_away() {
        return Some(PAUSE);
    }
    let doublings = u32::from(tries.min(17)) - 1;
    let doubled = Duration::from_millis(policy.backoff_ms.into()) * 2_u32.pow(doublings);
    let jitter = 0.5 + rand::random::<f64>() / 2.0;
    (cause.may_pass() && tries < policy.max_attempts).then(|| doubled.min(LONGEST).mul_f64(jitter))
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

#[cfg(test)]
mod tests {
    use domain::providers::ProviderError;

    use super::*;

    fn wait_after(cause: ProviderError) -> Option<Duration> {
        wait(&Err((cause.into(), Spent::default())), 1, Retry::default())
    }

    fn held(milliseconds: i64) -> ProviderError {
        ProviderError::Held {
            until: Utc::now() + TimeDelta::milliseconds(milliseconds),
            why: "a test holds it",
        }
    }

    #[test]
    fn a_short_wait_is_waited_for_here_and_a_long_one_elsewhere() {
        assert!(wait_after(held(500)).is_some_and(|wait| wait <= Duration::from_millis(500)));
        assert_eq!(wait_after(held(60_000)), None);
        let retry_at = Utc::now();
        assert!(wait_after(ProviderError::RateLimited { retry_at }).is_some());
    }

    #[test]
    fn nobody_asks_again_and_again_in_a_process_that_is_about_to_end() {
        assert_eq!(wait_after(held(-1)), None);
    }
}
