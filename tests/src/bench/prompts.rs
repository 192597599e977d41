//! The hot path of applications: a released prompt by its label, again and again, beside a bare
//! `GET` of the same copy from the same Redis.

use std::time::Instant;

use anyhow::Context as _;
use futures::StreamExt as _;
use serde_json::json;

use super::{
    float, median, quantile,
    report::Report,
    stand::{Person, Stand},
};

/// What is measured.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Requests one after another.
    #[arg(long, default_value_t = 1_000)]
    requests: usize,
    /// Clients at once.
    #[arg(long, default_value_t = 64)]
    parallel: usize,
    /// Requests of all of them together.
    #[arg(long, default_value_t = 6_400)]
    all: usize,
}

/// Runs it.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut report = Report::new("prompts");
    let mut stand = Stand::new().await?;
    stand.start_api().await?;
    let person = stand.register().await?;
    let path = release(&person).await?;
    for _ in 0..50 {
        person.get(&path).await?;
    }
    let ours = one_by_one(arguments.requests, async || person.get(&path).await).await?;
    let bare = bare(arguments.requests).await?;
    let (middle, theirs) = (median(&ours), median(&bare));
    report.line(
        "a prompt by its label, one after another",
        format!(
            "median {:.2} ms, p95 {:.2} ms",
            middle * 1e3,
            quantile(&ours, 0.95) * 1e3
        ),
    );
    report.line(
        "a bare GET from Redis",
        format!(
            "median {:.3} ms, ratio {:.1}",
            theirs * 1e3,
            middle / theirs
        ),
    );
    let started = Instant::now();
    let mut times = Vec::with_capacity(arguments.all);
    let mut answers = futures::stream::iter(0..arguments.all)
        .map(async |_| {
            let asked = Instant::now();
            person.get(&path).await?;
            anyhow::Ok(asked.elapsed().as_secs_f64())
        })
        .buffer_unordered(arguments.parallel);
    while let Some(took) = answers.next().await {
        times.push(took?);
    }
    let rate = float(arguments.all) / started.elapsed().as_secs_f64();
    report.line(
        format!("{} clients at once", arguments.parallel),
        format!(
            "{rate:.0} a second, median {:.1} ms, p95 {:.1} ms",
            median(&times) * 1e3,
            quantile(&times, 0.95) * 1e3
        ),
    );
    report.detail("secondsOneByOne", json!(ours));
    report.finish()
}

/// Seconds that Redis takes for a text of the size of a copy.
async fn bare(requests: usize) -> anyhow::Result<Vec<f64>> {
    let url = std::env::var("REDIS_URL").context("REDIS_URL")?;
    let redis = redis::Client::open(url)?
        .get_multiplexed_async_connection()
        .await?;
    let (mut writer, copy) = (redis.clone(), "x".repeat(2_000));
    let key = format!("bench:{}", uuid::Uuid::new_v4());
    let () = redis::AsyncCommands::set_ex(&mut writer, &key, copy, 600).await?;
    one_by_one(requests, async || {
        let mut redis = redis.clone();
        let _: String = redis::AsyncCommands::get(&mut redis, &key).await?;
        Ok(())
    })
    .await
}

/// A prompt of some 1 500 characters with a version in production; gives its path.
async fn release(person: &Person) -> anyhow::Result<String> {
    let text = "Summarise {{ticket}} for a colleague. ".repeat(40);
    let body = json!({"title": "Hot", "promptText": text});
    let prompt = person.post("/api/prompts", &body).await?;
    let path = format!("/api/prompts/{}", prompt["id"].as_str().context("an id")?);
    person.post(&format!("{path}/versions"), &json!({})).await?;
    let label = format!("{path}/labels/production");
    person.put(&label, &json!({"version": 1})).await?;
    Ok(format!("{path}?label=production"))
}

/// Seconds of each.
async fn one_by_one(
    times: usize,
    request: impl AsyncFn() -> anyhow::Result<()>,
) -> anyhow::Result<Vec<f64>> {
    let mut taken = Vec::with_capacity(times);
    for _ in 0..times {
        let asked = Instant::now();
        request().await?;
        taken.push(asked.elapsed().as_secs_f64());
    }
    Ok(taken)
}
