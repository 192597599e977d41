//! Measures the product against bounds and rivals: release programs on stores of their own, both
//! sides of a comparison in turns, medians of ratios, CPU seconds beside wall time. What the
//! figures mean is told in `docs/benchmarks.md`.

pub mod audit;
pub mod corpus;
pub mod datasets;
pub mod governor;
pub mod ingest;
pub mod load;
pub mod meter;
pub mod prompts;
pub mod queue;
pub mod report;
pub mod requests;
pub mod rest;
pub mod retention;
pub mod rivals;
pub mod runs;
pub mod scans;
pub mod search;
pub mod stand;
pub mod stats;
pub mod vectors;
pub mod workflows;

use std::time::Instant;

use futures::StreamExt as _;

/// The middle of some figures; of an even number of them the lower of the two.
pub fn median(figures: &[f64]) -> f64 {
    quantile(figures, 0.5)
}

/// The figure that `share` of all figures do not exceed.
pub fn quantile(figures: &[f64], share: f64) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a place among some hundred figures"
    )]
    let place = ((sorted.len() as f64 * share).ceil() as usize).max(1) - 1;
    sorted.get(place).copied().unwrap_or(f64::NAN)
}

/// A count as a factor.
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
pub fn float(count: usize) -> f64 {
    count as f64
}

/// Seconds of each of these requests, so many at once.
pub async fn taken(
    times: usize,
    at_once: usize,
    request: impl AsyncFn() -> anyhow::Result<()>,
) -> anyhow::Result<Vec<f64>> {
    let mut taken = Vec::with_capacity(times);
    let mut answers = futures::stream::iter(0..times)
        .map(async |_| {
            let asked = Instant::now();
            request().await?;
            anyhow::Ok(asked.elapsed().as_secs_f64())
        })
        .buffer_unordered(at_once);
    while let Some(took) = answers.next().await {
        taken.push(took?);
    }
    Ok(taken)
}
