//! The schema, embedded: applying it, taking a step back, and refusing to serve on one that this
//! program does not know.

use diesel::{connection::SimpleConnection, pg::Pg};
use diesel_async::{AsyncPgConnection, async_connection_wrapper::AsyncConnectionWrapper};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations");

/// Held while the schema changes, so that two processes that start together take turns.
const LOCK: &str = "SELECT pg_advisory_lock(7233180012)";

/// Whether the database's schema is the one this program was built for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fit {
    /// The same.
    Exact,
    /// These are still to be applied: run `just migrate`.
    Behind(Vec<String>),
    /// The database is ahead: it knows a migration that this program does not.
    Ahead(Vec<String>),
}

type Wrapped = AsyncConnectionWrapper<AsyncPgConnection>;

/// Runs `work` on a connection of its own, outside the asynchronous threads.
async fn blocking<T: Send + 'static>(
    url: &str,
    work: impl FnOnce(&mut Wrapped) -> anyhow::Result<T> + Send + 'static,
) -> anyhow::Result<T> {
    let url = url.to_owned();
    tokio::task::spawn_blocking(move || {
        let mut connection = <Wrapped as diesel::Connection>::establish(&url)?;
        work(&mut connection)
    })
    .await?
}

fn refused(cause: Box<dyn std::error::Error + Send + Sync>) -> anyhow::Error {
    anyhow::anyhow!(cause)
}

/// Applies what is missing and names it.
pub async fn apply(url: &str) -> anyhow::Result<Vec<String>> {
    blocking(url, |connection| {
        connection.batch_execute(LOCK)?;
        let done = connection
            .run_pending_migrations(MIGRATIONS)
            .map_err(refused)?;
        Ok(done.iter().map(ToString::to_string).collect())
    })
    .await
}

/// Takes the newest migration back and names it; `None` when there is none left.
pub async fn revert(url: &str) -> anyhow::Result<Option<String>> {
    blocking(url, |connection| {
        connection.batch_execute(LOCK)?;
        if connection.applied_migrations().map_err(refused)?.is_empty() {
            return Ok(None);
        }
        let undone = connection
            .revert_last_migration(MIGRATIONS)
            .map_err(refused)?;
        Ok(Some(undone.to_string()))
    })
    .await
}

/// Compares the database's schema with this program's.
pub async fn fit(url: &str) -> anyhow::Result<Fit> {
    blocking(url, |connection| {
        let known = diesel::migration::MigrationSource::<Pg>::migrations(&MIGRATIONS)
            .map_err(refused)?
            .iter()
            .map(|migration| migration.name().version().as_owned())
            .collect::<Vec<_>>();
        let ahead: Vec<_> = connection
            .applied_migrations()
            .map_err(refused)?
            .into_iter()
            .filter(|version| !known.contains(version))
            .map(|version| version.to_string())
            .collect();
        if !ahead.is_empty() {
            return Ok(Fit::Ahead(ahead));
        }
        let behind = connection.pending_migrations(MIGRATIONS).map_err(refused)?;
        let behind: Vec<_> = behind
            .iter()
            .map(|migration| migration.name().to_string())
            .collect();
        Ok(if behind.is_empty() {
            Fit::Exact
        } else {
            Fit::Behind(behind)
        })
    })
    .await
}

/// Says in a sentence why this program must not serve on that database.
pub async fn require_exact(url: &str) -> anyhow::Result<()> {
    match fit(url).await? {
        Fit::Exact => Ok(()),
        Fit::Behind(missing) => anyhow::bail!(
            "the database lacks {}: run `just migrate` first",
            missing.join(", ")
        ),
        Fit::Ahead(unknown) => anyhow::bail!(
            "the database has {}, which this program does not know: deploy the newer program",
            unknown.join(", ")
        ),
    }
}
