//! Prompts: the hot path of applications, and lists of a large library.

mod bare;
mod hot;
mod library;
mod lists;

pub use bare::{Arguments as Bare, run as serve_bare};
pub use hot::{Arguments as Hot, run as hot};
pub use lists::{Arguments as Lists, run as lists};

use std::time::Instant;

use futures::StreamExt as _;

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
