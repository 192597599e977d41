//! How a task asks a model. A run asks for its budget and keeps responses; elsewhere models are
//! asked directly.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::{
    models::Usd,
    providers::generate::{Reply, Request},
};
use tokio::time::Instant;

use crate::{
    Callee, Failure,
    patience::{PAUSE, is_postgres_away},
};

/// How long the price of an answer is looked up.
const LOOK_UP: Duration = Duration::from_secs(20);

/// What a model answered, and what that cost.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The answer.
    pub reply: Reply,
    /// What it cost; `None` where no price is known.
    pub cost: Option<Usd>,
}

/// Who asks models on behalf of tasks.
pub trait Asks: Sync {
    /// Whether a call may be dropped while it is made: where it is booked, it may not, and the time limit
    /// of a task does not hold for it.
    fn may_be_dropped(&self) -> bool {
        true
    }

    /// The longest wait for a time that a provider named which is waited for where the task is.
    fn patience(&self) -> Duration {
        Duration::from_secs(2)
    }

    /// Whether nothing is to be tried again here, since the program stops.
    fn is_ending(&self) -> bool {
        false
    }

    /// Asks once.
    fn ask<'a>(
        &'a self,
        callee: &'a Callee,
        request: &'a Request,
    ) -> impl Future<Output = Result<Answer, Failure>> + Send + 'a;
}

/// Asks without further ado.
#[derive(Clone, Copy)]
pub struct Directly<'a>(pub &'a db::Pool);

impl Asks for Directly<'_> {
    async fn ask(&self, callee: &Callee, request: &Request) -> Result<Answer, Failure> {
        let begun = Utc::now();
        let reply = callee.provider().generate(request).await?;
        let cost = priced(self.0, callee, &reply, begun).await;
        Ok(Answer { reply, cost })
    }
}

/// What a reply costs; it is paid for, and not thrown away while its price cannot be looked up.
async fn priced(
    pool: &db::Pool,
    callee: &Callee,
    reply: &Reply,
    begun: DateTime<Utc>,
) -> Option<Usd> {
    let deadline = Instant::now() + LOOK_UP;
    loop {
        match callee.cost(pool, reply, begun).await {
            Ok(cost) => return cost,
            Err(cause) if is_postgres_away(&cause) && Instant::now() < deadline => {
                tokio::time::sleep(PAUSE).await;
            }
            Err(cause) => {
                tracing::warn!(error = ?cause, "the price of an answer cannot be looked up");
                return None;
            }
        }
    }
}
