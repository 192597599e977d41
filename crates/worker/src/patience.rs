//! Waiting for Postgres to come back where giving up would waste what is already in hand: a vector
//! that was paid for, the end of an attempt that took minutes.

use std::time::Duration;

use tokio::time::Instant;

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(250);

/// Acts until it succeeds, fails for good, or `limit` is over. A transaction whose answer was lost
/// is repeated too, so what is done must count once.
pub async fn insist<T, F>(limit: Duration, mut act: impl FnMut() -> F) -> anyhow::Result<T>
where
    F: Future<Output = anyhow::Result<T>>,
{
    let deadline = Instant::now() + limit;
    loop {
        match act().await {
            Err(cause) if passes(&cause) && Instant::now() + PAUSE < deadline => {
                tracing::debug!(error = format!("{cause:#}"), "trying again");
                tokio::time::sleep(PAUSE).await;
            }
            ended => return ended,
        }
    }
}

/// Whether this may be over in a moment: no connection, or one that broke.
fn passes(cause: &anyhow::Error) -> bool {
    db::pool::is_passing(cause.as_ref())
}

#[cfg(test)]
mod tests {
    use db::{jobs::FenceError, pool::PoolError};

    use super::*;

    fn closed() -> anyhow::Error {
        PoolError::Closed.into()
    }

    async fn tries_until(success: u32, failure: fn() -> anyhow::Error) -> (u32, bool) {
        let mut tries = 0;
        let ended = insist(PAUSE * 5 / 2, || {
            tries += 1;
            let ended = if tries < success {
                Err(failure())
            } else {
                Ok(())
            };
            std::future::ready(ended)
        })
        .await;
        (tries, ended.is_ok())
    }

    #[tokio::test]
    async fn a_broken_connection_is_outwaited_but_not_for_ever() {
        assert_eq!(tries_until(2, closed).await, (2, true));
        let (tries, succeeded) = tries_until(1000, closed).await;
        assert!(!succeeded && tries <= 3, "{tries}");
    }

    #[tokio::test]
    async fn a_lost_lease_and_a_fault_of_our_own_are_not_repeated() {
        assert_eq!(tries_until(2, || FenceError::Lost.into()).await, (1, false));
        let ours = || anyhow::anyhow!("a fault of our own");
        assert_eq!(tries_until(2, ours).await, (1, false));
    }
}
