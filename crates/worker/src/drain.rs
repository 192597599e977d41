//! Performing what is due without Redis and other workers: for tests and for small chores.

use tokio_util::sync::CancellationToken;

use crate::{Worker, perform::perform};

/// Performs due jobs one after another, those they enqueue included, until none is due; says how
/// many attempts that took. Jobs that wait for a later time are left to wait.
pub async fn drain(worker: &Worker) -> anyhow::Result<usize> {
    let never = CancellationToken::new();
    let mut attempts = 0;
    loop {
        let due = {
            let mut conn = worker.pool.get().await?;
            db::jobs::due(&mut conn, 100).await?
        };
        if due.is_empty() {
            return Ok(attempts);
        }
        for id in due {
            perform(worker, id, &never).await;
            attempts += 1;
        }
    }
}
