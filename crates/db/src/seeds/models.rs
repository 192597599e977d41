//! The models that every installation knows: read from a file that people review, and brought into
//! the table at each start of the API.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use diesel::{prelude::*, sql_types};
use diesel_async::{AsyncConnection as _, RunQueryDsl};
use domain::models::{
    Capabilities, Label, ModelDescription, ModelId, ModelKind, ModelName, Price, Prices,
    ProviderName, Usd,
};
use serde::{Deserialize, Serialize};

use crate::{Connection, schema::models};

/// The reviewed file.
const FILE: &str = include_str!("models.toml");

/// Held while the table is brought in line, so that processes that start together take turns.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7233180014)";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    checked_on: NaiveDate,
    model: Vec<Entry>,
}

/// A model as the file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    provider: ProviderName,
    model: ModelName,
    #[serde(default)]
    aliases: Vec<ModelName>,
    label: Label,
    kind: ModelKind,
    #[serde(default)]
    default: bool,
    #[serde(default)]
    description: String,
    #[serde(default)]
    capabilities: toml::Table,
    #[serde(default)]
    prices: Vec<Listed>,
    retires_on: Option<NaiveDate>,
    replaced_by: Option<ModelName>,
    source: String,
    checked_on: Option<NaiveDate>,
}

/// A price as the file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    from: Option<NaiveDate>,
    #[serde(default)]
    above: Option<u32>,
    input: Usd,
    cached: Option<Usd>,
    write: Option<Usd>,
    #[serde(default)]
    output: Usd,
    image: Option<Usd>,
}

/// A row of the table.
#[derive(Serialize)]
struct Seeded {
    id: ModelId,
    provider: ProviderName,
    model: ModelName,
    aliases: Vec<ModelName>,
    label: Label,
    kind: ModelKind,
    description: ModelDescription,
    capabilities: Capabilities,
    prices: Prices,
    is_default: bool,
    retires_on: Option<NaiveDate>,
    replaced_by: Option<ModelName>,
    source: String,
    checked_on: NaiveDate,
}

/// Brings the table in line with the file and says how many rows that took.
pub async fn apply(conn: &mut Connection) -> anyhow::Result<usize> {
    let rows = read(FILE)?;
    let defaults: Vec<_> = rows
        .iter()
        .filter(|row| row.is_default)
        .map(|row| (row.provider, row.model.clone()))
        .collect();
    let rows = serde_json::to_value(rows)?;
    let written = conn
        .transaction(async |conn| {
            diesel::sql_query(LOCK).execute(conn).await?;
            retire_defaults(conn, &defaults).await?;
            diesel::sql_query(include_str!("models.sql"))
                .bind::<sql_types::Jsonb, _>(&rows)
                .execute(conn)
                .await
        })
        .await?;
    Ok(written)
}

/// Of each kind there is one default: the old one goes before the new one comes.
async fn retire_defaults(
    conn: &mut Connection,
    defaults: &[(ProviderName, ModelName)],
) -> QueryResult<()> {
    let seeded: Vec<(ModelId, ProviderName, ModelName)> = models::table
        .filter(models::is_default)
        .select((models::id, models::provider, models::model))
        .load(conn)
        .await?;
    let former = seeded
        .into_iter()
        .filter(|(_, provider, model)| !defaults.contains(&(*provider, model.clone())))
        .map(|(id, ..)| id);
    diesel::update(models::table.filter(models::id.eq_any(former.collect::<Vec<_>>())))
        .set(models::is_default.eq(false))
        .execute(conn)
        .await?;
    Ok(())
}

fn read(file: &str) -> anyhow::Result<Vec<Seeded>> {
    let file: File = toml::from_str(file)?;
    let checked_on = file.checked_on;
    file.model
        .into_iter()
        .map(|entry| seeded(entry, checked_on))
        .collect()
}

fn seeded(entry: Entry, checked_on: NaiveDate) -> anyhow::Result<Seeded> {
    Ok(Seeded {
        id: ModelId::new(),
        provider: entry.provider,
        model: entry.model,
        aliases: entry.aliases,
        label: entry.label,
        kind: entry.kind,
        description: entry.description.parse()?,
        capabilities: entry.capabilities.try_into()?,
        prices: Prices(entry.prices.iter().map(price).collect()),
        is_default: entry.default,
        retires_on: entry.retires_on,
        replaced_by: entry.replaced_by,
        source: entry.source,
        checked_on: entry.checked_on.unwrap_or(checked_on),
    })
}

fn price(listed: &Listed) -> Price {
    Price {
        effective_from: listed.from.map_or(DateTime::<Utc>::UNIX_EPOCH, midnight),
        // "Above 200k" is the 200 001st token's business.
        tier_from_input_tokens: listed.above.map_or(0, |tokens| tokens + 1),
        input: listed.input,
        cached_input: listed.cached,
        cache_write: listed.write,
        output: listed.output,
        output_image: listed.image,
    }
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::models::prices;

    use super::*;

    fn rows() -> Vec<Seeded> {
        read(FILE).expect("a file without fault")
    }

    #[test]
    fn every_line_is_sound() {
        let rows = rows();
        let names: BTreeSet<_> = rows
            .iter()
            .map(|row| (row.provider, row.model.as_str()))
            .collect();
        assert_eq!(names.len(), rows.len(), "a model is there twice");
        for row in &rows {
            let name = row.model.as_str();
            assert_eq!(prices::faults(&row.prices.0), [], "{name}");
            assert!(!row.source.is_empty(), "{name}");
            assert_eq!(
                row.retires_on.is_some(),
                row.replaced_by.is_some(),
                "{name}"
            );
            if let Some(next) = &row.replaced_by {
                assert!(names.contains(&(row.provider, next.as_str())), "{name}");
            }
            for alias in &row.aliases {
                assert!(!names.contains(&(row.provider, alias.as_str())), "{name}");
            }
        }
    }

    #[test]
    fn each_kind_has_one_default() {
        for kind in ModelKind::ALL {
            let defaults = rows()
                .iter()
                .filter(|row| row.kind == *kind && row.is_default)
                .count();
            assert_eq!(defaults, 1, "{kind}");
        }
    }

    #[test]
    fn no_ability_is_misspelt() {
        let known = serde_json::to_value(Capabilities::default()).expect("JSON");
        let file: File = toml::from_str(FILE).expect("a file without fault");
        for entry in file.model {
            for name in entry.capabilities.keys() {
                assert!(known.get(name).is_some(), "{}: {name}", entry.model);
            }
        }
    }

    #[test]
    fn announced_prices_come_at_midnight_utc() {
        let rows = rows();
        let argon = rows
            .iter()
            .find(|row| row.model.as_str() == "gemini-4-argon");
        let prices = &argon.expect("in the file").prices.0;
        let usage = domain::providers::generate::Usage {
            input: 1_000_000,
            output: 1_000_000,
            ..Default::default()
        };
        let paid = |time: &str| {
            let at = time.parse().expect("a time");
            prices::cost(prices, &usage, at).map(|cost| cost.to_string())
        };
        assert_eq!(paid("2026-11-30T23:59:59Z").as_deref(), Some("12"));
        assert_eq!(paid("2026-12-01T00:00:00Z").as_deref(), Some("24"));
    }
}
