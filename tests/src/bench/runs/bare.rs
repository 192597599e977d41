//! The bound of a run: the same calls over HTTP by a loop that stores nothing.

use std::time::Instant;

use futures::{StreamExt, TryStreamExt, stream};
use reqwest::Client;
use serde_json::{Value, json};

use super::course::{MODELS, question};
use crate::bench::{float, meter};

/// What a turn took, for each thousand calls.
#[derive(Debug, Clone, Copy)]
pub struct Turn {
    /// CPU seconds of this process.
    pub cpu: f64,
    /// Calls a second.
    pub speed: f64,
}

/// Asks every question of a run, so many at once.
pub async fn turn(
    provider: &str,
    rows: usize,
    columns: usize,
    at_once: usize,
) -> anyhow::Result<Turn> {
    let client = Client::new();
    let (cpu, started) = (meter::own_cpu_seconds(), Instant::now());
    let calls = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
    stream::iter(calls)
        .map(|(row, column)| call(&client, provider, MODELS[column], row))
        .buffer_unordered(at_once)
        .try_for_each(|()| async { Ok(()) })
        .await?;
    let calls = float(rows * columns);
    Ok(Turn {
        cpu: (meter::own_cpu_seconds() - cpu) / calls * 1000.0,
        speed: calls / started.elapsed().as_secs_f64(),
    })
}

async fn call(client: &Client, provider: &str, model: &str, row: usize) -> anyhow::Result<()> {
    let body = json!({ "contents": [{ "role": "user", "parts": [{ "text": question(row) }] }] });
    let answer = client
        .post(format!("{provider}/v1beta/models/{model}:generateContent"))
        .header("x-goog-api-key", "bare")
        .json(&body)
        .send()
        .await?;
    let answer: Value = answer.error_for_status()?.json().await?;
    anyhow::ensure!(answer["candidates"].is_array(), "no answer: {answer}");
    Ok(())
}
