//! Calling a company's tracker: what opens its credentials and keeps its tokens, the same for the API,
//! where somebody tries a connection, and for workers, which read from it.

use std::{sync::Arc, time::Duration};

use db::trackers::{
    secrets::{self, AUTH},
    work::Connected,
};
use domain::{
    providers::PortFuture,
    trackers::{
        Credentials, TrackerClient, TrackerError,
        oauth::{Renewal, TokenPair, TokenStore},
    },
};
use gateway::trackers::{TrackerConnectError, TrackerGate};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

/// How often somebody who waits for another's renewal looks whether it is over.
const LOOK: Duration = Duration::from_millis(100);

/// How much longer than a call a claim to renew lasts: the answer has to be stored within it.
const MARGIN: Duration = Duration::from_secs(15);

/// How long a renewed pair is offered to Postgres: without it the grant is lost.
const PERSEVERANCE: Duration = Duration::from_secs(60);

/// Why a tracker cannot be called.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Its settings or secrets.
    #[error(transparent)]
    Gate(#[from] TrackerConnectError),
    /// Postgres.
    #[error(transparent)]
    Database(#[from] diesel::result::Error),
    /// No connection to it.
    #[error(transparent)]
    Pool(#[from] db::pool::PoolError),
}

/// What calls this tracker.
pub async fn connect(
    pool: &db::Pool,
    gate: &TrackerGate,
    tracker: &Connected,
) -> Result<Arc<dyn TrackerClient>, ConnectError> {
    let text = secrets::find(&mut *pool.get().await?, tracker.id, AUTH).await?;
    let credentials = gate.credentials(text.as_ref())?;
    let client = gate.client(tracker, credentials, |_, _| {
        Arc::new(Tokens {
            pool: pool.clone(),
            gate: gate.clone(),
            tracker: tracker.clone(),
        })
    });
    Ok(client?)
}

/// The pair of a tracker, in its row. Whoever renews it has a claim on that row, which holds no connection
/// while Atlassian thinks, and runs out should its process be killed.
#[derive(Clone)]
struct Tokens {
    pool: db::Pool,
    gate: TrackerGate,
    tracker: Connected,
}

impl TokenStore for Tokens {
    fn load(&self) -> PortFuture<'_, Result<TokenPair, TrackerError>> {
        Box::pin(async { Ok(self.read().await?.1) })
    }

    fn renew<'a>(
        &'a self,
        spent: &'a TokenPair,
        renewal: Arc<dyn Renewal>,
    ) -> PortFuture<'a, Result<TokenPair, TrackerError>> {
        let (tokens, spent) = (self.clone(), spent.clone());
        // A job that is stopped in the middle must not take the only good token with it.
        let work = tokio::spawn(async move { tokens.renewed(&spent, renewal.as_ref()).await });
        Box::pin(async { work.await.map_err(out_of_reach)? })
    }
}

fn out_of_reach(cause: impl std::fmt::Display) -> TrackerError {
    tracing::warn!(error = %cause, "tokens of a tracker cannot be read or stored");
    TrackerError::Store("the database does not answer".into())
}

impl Tokens {
    /// The site and its pair as they stand.
    async fn read(&self) -> Result<(String, TokenPair), TrackerError> {
        let mut conn = self.pool.get().await.map_err(out_of_reach)?;
        let text = secrets::find(&mut conn, self.tracker.id, AUTH).await;
        let text = text.map_err(out_of_reach)?;
        match self.gate.credentials(text.as_ref()) {
            Ok(Credentials::Grant { cloud_id, pair }) => Ok((cloud_id, pair)),
            Ok(_) => Err(TrackerError::Store(
                "it is signed in to otherwise by now".into(),
            )),
            Err(cause) => Err(TrackerError::Misconfigured(cause.to_string())),
        }
    }

    async fn renewed(
        &self,
        spent: &TokenPair,
        renewal: &dyn Renewal,
    ) -> Result<TokenPair, TrackerError> {
        let lasts = self.gate.patience() + MARGIN;
        let (claim, deadline) = (Uuid::new_v4(), Instant::now() + lasts * 2);
        loop {
            if self.claim(claim, lasts).await? {
                return self.under_claim(claim, spent, renewal).await;
            }
            if Instant::now() > deadline {
                return Err(TrackerError::Store("another renewal does not end".into()));
            }
            sleep(LOOK).await;
            let (_, pair) = self.read().await?;
            if pair.refresh != spent.refresh {
                return Ok(pair);
            }
        }
    }

    async fn claim(&self, claim: Uuid, lasts: Duration) -> Result<bool, TrackerError> {
        let mut conn = self.pool.get().await.map_err(out_of_reach)?;
        let claimed =
            secrets::claim_renewal(&mut conn, self.tracker.id, claim, lasts.as_secs_f64()).await;
        claimed.map_err(out_of_reach)
    }

    /// Asks for the next pair, unless somebody has: their pair is read again under the claim.
    async fn under_claim(
        &self,
        claim: Uuid,
        spent: &TokenPair,
        renewal: &dyn Renewal,
    ) -> Result<TokenPair, TrackerError> {
        let read = self.read().await;
        let ended = match read {
            Ok((cloud_id, pair)) if pair.refresh == spent.refresh => {
                match renewal.renew(&pair.refresh).await {
                    Ok(pair) => return self.store(claim, cloud_id, pair).await,
                    Err(cause) => Err(cause),
                }
            }
            Ok((_, pair)) => Ok(pair),
            Err(cause) => Err(cause),
        };
        if let Ok(mut conn) = self.pool.get().await {
            // One that is not given back runs out.
            let _ = secrets::release_renewal(&mut conn, self.tracker.id, claim).await;
        }
        ended
    }

    /// Stores a pair for good: the one before it is spent.
    async fn store(
        &self,
        claim: Uuid,
        cloud_id: String,
        pair: TokenPair,
    ) -> Result<TokenPair, TrackerError> {
        let credentials = Credentials::Grant {
            cloud_id,
            pair: pair.clone(),
        };
        let sealed = self
            .gate
            .seal(self.tracker.company_id, self.tracker.id, &credentials);
        let sealed =
            sealed.ok_or_else(|| TrackerError::Misconfigured("SEALING_KEYS is not set".into()))?;
        let deadline = Instant::now() + PERSEVERANCE;
        loop {
            let stored = async {
                let mut conn = self.pool.get().await?;
                Ok::<_, ConnectError>(secrets::store_renewed(&mut conn, claim, &sealed).await?)
            };
            match stored.await {
                Ok(true) => return Ok(pair),
                // Its answer may have been lost the first time; or somebody has signed in anew.
                Ok(false) => return Ok(self.read().await?.1),
                Err(cause) if Instant::now() > deadline => return Err(out_of_reach(cause)),
                Err(_) => sleep(LOOK).await,
            }
        }
    }
}
