//! Adding up what was generated, so that statistics are read from sums.

use domain::jobs::Outcome;

use crate::Worker;

/// Adds up everything that happened so far, in small transactions.
pub async fn fold(worker: &Worker) -> anyhow::Result<Outcome> {
    let mut conn = worker.pool.get().await?;
    while db::stats::fold(&mut conn).await? {}
    Ok(Outcome::Done)
}
