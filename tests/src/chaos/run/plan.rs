//! What is run: a prompt on rows of made-up words, in four columns.

use std::fmt::Write as _;

use anyhow::Context as _;
use domain::documents::Sha256;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::json;

use super::Options;
use crate::{
    chaos::{caller::Caller, waste::Documents},
    fakes::gemini::question,
};

/// The models of the columns, each with a price.
pub const MODELS: [&str; 4] = [
    "gemini-3.8-flash",
    "gemini-3.6-flash",
    "gemini-3.5-flash-lite",
    "gemini-3.1-flash-lite",
];

/// One row of so many expects what no answer says: not every grade is to be the best.
const MISSED: usize = 10;

/// More than the run will need, and enough for what is lost on the way.
const BUDGET: &str = "500";

/// The words of each row, the same for the same seed.
fn rows(options: &Options) -> impl Iterator<Item = String> {
    let mut dice = StdRng::seed_from_u64(options.seed);
    (0..options.rows).map(move |row| format!("row {row} of {:08x}", dice.random::<u32>()))
}

/// Starts the run and gives its id.
pub async fn start(caller: &Caller, options: &Options) -> anyhow::Result<String> {
    let mut table = "words,expected\n".to_owned();
    for (row, words) in rows(options).enumerate() {
        let expected = if row % MISSED == 0 { "nothing" } else { &words };
        writeln!(table, "{words},{expected}")?;
    }
    let dataset = caller
        .upload_to("/api/datasets", "rows.csv", &table)
        .await?;
    let prompt = json!({ "title": "Under fire", "promptText": "Recite: {{words}}" });
    let prompt = caller.post("/api/prompts", &prompt).await?;
    let run = json!({
        "promptId": prompt["id"],
        "datasetId": dataset["id"],
        "modelIds": MODELS.map(|model| format!("gemini/{model}")),
        "params": { "maxOutputTokens": 128 },
        "checks": [{ "type": "contains" }],
        "expectedColumn": "expected",
        "concurrency": options.concurrency,
        "budgetUsd": BUDGET,
    });
    let run = caller.post("/api/runs", &run).await?;
    Ok(run["id"].as_str().context("no id")?.to_owned())
}

/// The questions that there are to be asked, once each.
pub fn questions(options: &Options) -> Documents {
    let ask = |words: &str| -> [Sha256; 4] {
        MODELS.map(|model| question(model, &format!("Recite: {words}")))
    };
    rows(options)
        .flat_map(|words| ask(&words))
        .map(|question| (question, 1))
        .collect()
}
