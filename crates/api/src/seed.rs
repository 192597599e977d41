//! The command `seed`: example data for development.

use domain::auth::passwords::NewPassword;
use secrecy::{ExposeSecret, SecretString};

use crate::auth::{passwords, settings::Environment};

/// What `seed` can be told.
#[derive(Debug, clap::Args)]
pub struct Seed {
    /// The password of all example users.
    #[arg(
        long = "seed-password",
        env = "SEED_PASSWORD",
        hide_env_values = true,
        default_value = "example-Otter-2024"
    )]
    pub password: SecretString,
    /// Where this installation runs: in production nothing is added beside companies of others.
    #[arg(long, env = "APP_ENV", value_enum, default_value_t = Environment::Production)]
    pub app_env: Environment,
    /// Add the example data all the same.
    #[arg(long)]
    pub force: bool,
    /// Postgres.
    #[command(flatten)]
    pub db: db::pool::Config,
}

/// Adds the example data that is missing and names it. Refuses where others work: the example
/// users are known to everybody.
pub async fn run(seed: &Seed) -> anyhow::Result<Vec<String>> {
    db::migrations::require_exact(seed.db.database_url.expose_secret()).await?;
    let password: NewPassword = seed
        .password
        .expose_secret()
        .parse()
        .map_err(|fault| anyhow::anyhow!("SEED_PASSWORD {fault}"))?;
    let pool = db::pool::connect(&seed.db)?;
    let mut connection = pool.get().await?;
    let foreign = db::seeds::foreign_companies(&mut connection).await?;
    anyhow::ensure!(
        foreign == 0 || seed.force || seed.app_env == Environment::Development,
        "the database holds {foreign} other companies: example data is for development; \
         --force adds it all the same"
    );
    let hash = tokio::task::spawn_blocking(move || passwords::hash(&password))
        .await?
        .map_err(|cause| anyhow::anyhow!("the password cannot be hashed: {cause}"))?;
    Ok(db::seeds::apply(&mut connection, &hash).await?)
}
