//! Connections to Postgres: a pool in which every connection has a statement time-out, because a
//! dropped future leaves its query running on the server.

mod signed;

pub use signed::{Signed, signed};

use std::time::Duration;

use diesel::result::{DatabaseErrorKind, Error};
use diesel_async::{
    AsyncConnection, AsyncPgConnection, SimpleAsyncConnection,
    pooled_connection::{
        AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
        deadpool::{self, Object},
    },
};
use futures::FutureExt;
use secrecy::{ExposeSecret, SecretString};

use crate::jobs::FenceError;

/// A pool of connections.
pub type Pool = deadpool::Pool<AsyncPgConnection>;

/// A connection: what every function here takes first.
pub type Connection = AsyncPgConnection;

/// A connection borrowed from the pool.
pub type Pooled = Object<AsyncPgConnection>;

/// Why no connection could be had.
pub type PoolError = deadpool::PoolError;

/// Where Postgres is and how it is used.
#[derive(Debug, Clone, clap::Args)]
#[expect(
    clippy::struct_field_names,
    reason = "they are named as the environment variables"
)]
#[group(skip)]
pub struct Config {
    /// Where Postgres is: `postgres://user:password@host:port/database`.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: SecretString,
    /// The most connections one process opens.
    #[arg(long, env = "DATABASE_POOL_SIZE", default_value_t = 16)]
    pub database_pool_size: usize,
    /// The longest a single statement may run, in milliseconds.
    #[arg(long, env = "DATABASE_STATEMENT_TIMEOUT_MS", default_value_t = 30_000)]
    pub database_statement_timeout_ms: u64,
}

/// Makes a pool; connects on first use.
pub fn connect(config: &Config) -> anyhow::Result<Pool> {
    let setup = format!(
        "SET audit.program = '{}'; SET statement_timeout = {}; SET idle_in_transaction_session_timeout = '60s'; \
         SET hnsw.ef_search = 100; SET hnsw.iterative_scan = 'relaxed_order'; SET jit = off",
        program(),
        config.database_statement_timeout_ms
    );
    let mut manager = ManagerConfig::default();
    manager.recycling_method = RecyclingMethod::Fast;
    manager.custom_setup = Box::new(move |url| {
        let setup = setup.clone();
        async move {
            let mut connection = AsyncPgConnection::establish(url).await?;
            connection
                .batch_execute(&setup)
                .await
                .map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
            Ok(connection)
        }
        .boxed()
    });
    let manager =
        AsyncDieselConnectionManager::new_with_config(config.database_url.expose_secret(), manager);
    Ok(Pool::builder(manager)
        .max_size(config.database_pool_size)
        // The fewer connections are in use, the more of them have planned their statements.
        .queue_mode(::deadpool::managed::QueueMode::Lifo)
        .wait_timeout(Some(Duration::from_secs(5)))
        .create_timeout(Some(Duration::from_secs(5)))
        .runtime(::deadpool::Runtime::Tokio1)
        .build()?)
}

/// The name of this program, whom the audit log names where no person acts.
fn program() -> String {
    let path = std::env::current_exe().unwrap_or_default();
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    name.chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        .collect()
}

/// Whether a failure may be over in a moment: there was no connection, or it broke, as when
/// Postgres starts anew. The transaction may have been committed all the same.
pub fn is_passing(cause: &(dyn std::error::Error + 'static)) -> bool {
    let cause = match cause.downcast_ref::<FenceError>() {
        Some(FenceError::Lost) => return false,
        Some(FenceError::Database(cause)) => cause,
        None => match cause.downcast_ref::<Error>() {
            Some(cause) => cause,
            None => return cause.is::<PoolError>(),
        },
    };
    match cause {
        // The end and the start of Postgres are classed as unknown.
        Error::DatabaseError(kind, _) => matches!(
            kind,
            DatabaseErrorKind::ClosedConnection
                | DatabaseErrorKind::UnableToSendCommand
                | DatabaseErrorKind::SerializationFailure
                | DatabaseErrorKind::Unknown
        ),
        Error::BrokenTransactionManager | Error::RollbackErrorOnCommit { .. } => true,
        _ => false,
    }
}

/// Whether Postgres answers right now.
pub async fn answers(pool: &Pool) -> bool {
    let Ok(mut connection) = pool.get().await else {
        return false;
    };
    connection.batch_execute("SELECT 1").await.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_connection_passes_and_a_lost_lease_does_not() {
        let fault = |kind| Error::DatabaseError(kind, Box::new("x".to_owned()));
        let closed = || fault(DatabaseErrorKind::ClosedConnection);
        assert!(is_passing(&closed()) && is_passing(&FenceError::Database(closed())));
        assert!(is_passing(&PoolError::Closed));
        assert!(!is_passing(&fault(DatabaseErrorKind::UniqueViolation)));
        assert!(!is_passing(&FenceError::Lost) && !is_passing(&Error::NotFound));
    }
}
