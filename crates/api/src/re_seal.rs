//! The command `re-seal`: after a new key was put first in `SEALING_KEYS`, it seals with it what
//! others sealed. It goes in batches, changes a row only if it still is as it was read, and can be
//! repeated, broken off, and run twice at once.

use db::trackers::secrets;
use domain::models::ProviderKeyId;
use integrations::sealing::{Place, Sealed, Sealer, SealingConfig};
use secrecy::ExposeSecret;

/// Rows that are read at once.
const BATCH: i64 = 100;

/// What `re-seal` can be told.
#[derive(Debug, clap::Args)]
pub struct ReSeal {
    /// What to seal with, and what to open with.
    #[command(flatten)]
    pub sealing: SealingConfig,
    /// Postgres.
    #[command(flatten)]
    pub db: db::pool::Config,
}

/// Seals anew what another key than the first sealed, and counts it. What cannot be opened is left
/// as it is, and named in the error once all else is done.
pub async fn run(mut command: ReSeal) -> anyhow::Result<usize> {
    command.sealing.drop_blanks();
    let faults = command.sealing.faults();
    anyhow::ensure!(faults.is_empty(), "{}", faults.join("\n"));
    let sealer = Sealer::new(&command.sealing);
    let current = sealer
        .key_id()
        .ok_or_else(|| anyhow::anyhow!("SEALING_KEYS is not set"))?
        .to_owned();
    db::migrations::require_exact(command.db.database_url.expose_secret()).await?;
    let pool = db::pool::connect(&command.db)?;
    let (mut count, mut after, mut closed) = (0, None, Vec::new());
    loop {
        let mut conn = pool.get().await?;
        let rows = db::provider_keys::sealed_otherwise(&mut conn, &current, after, BATCH).await?;
        let Some(last) = rows.last() else { break };
        after = Some(last.id);
        for row in &rows {
            match anew(&sealer, row) {
                Ok(new) => {
                    let (bytes, key) = (&new.bytes, &new.key_id);
                    let done = db::provider_keys::replace_seal(&mut conn, row, bytes, key).await?;
                    count += usize::from(done);
                }
                Err(cause) => closed.push(complaint(row.id, &cause)),
            }
        }
    }
    count += trackers(&sealer, &pool, &current, &mut closed).await?;
    anyhow::ensure!(
        closed.is_empty(),
        "sealed anew: {count}; these keys could not be opened:\n- {}",
        closed.join("\n- ")
    );
    Ok(count)
}

/// The same for what trackers are signed in to with, and what proves their webhooks.
async fn trackers(
    sealer: &Sealer,
    pool: &db::Pool,
    current: &str,
    closed: &mut Vec<String>,
) -> anyhow::Result<usize> {
    let (mut count, mut after) = (0, None);
    loop {
        let mut conn = pool.get().await?;
        let rows = secrets::sealed_otherwise(&mut conn, current, after.as_ref(), BATCH).await?;
        let Some(last) = rows.last() else {
            return Ok(count);
        };
        after = Some((last.tracker_id, last.purpose.clone()));
        for row in &rows {
            let place = gateway::trackers::place(row.company_id, row.tracker_id, &row.purpose);
            match again(sealer, (&row.sealed, &row.sealing_key_id), place) {
                Ok(new) => {
                    let (bytes, key) = (&new.bytes, &new.key_id);
                    count += usize::from(secrets::replace_seal(&mut conn, row, bytes, key).await?);
                }
                Err(cause) => closed.push(format!("{}: {cause}", row.tracker_id)),
            }
        }
    }
}

fn anew(sealer: &Sealer, row: &db::provider_keys::SealedText) -> anyhow::Result<Sealed> {
    let place = gateway::place(row.company_id, row.id);
    again(sealer, (&row.sealed, &row.sealing_key_id), place)
}

fn again(sealer: &Sealer, (bytes, key_id): (&[u8], &str), place: Place) -> anyhow::Result<Sealed> {
    let old = Sealed {
        bytes: bytes.to_vec(),
        key_id: key_id.to_owned(),
    };
    let secret = sealer.open(&old, place)?;
    sealer
        .seal(&secret, place)
        .ok_or_else(|| anyhow::anyhow!("SEALING_KEYS is not set"))
}

fn complaint(id: ProviderKeyId, cause: &anyhow::Error) -> String {
    format!("{id}: {cause}")
}
