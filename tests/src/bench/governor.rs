//! The governor: how much of a limit several processes make use of together, whether any of them
//! calls before a time that one of them was told, and what it costs a call.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use clap::Parser;
use domain::providers::{
    Embedder, EmbeddingTask, Embeddings, PortFuture, ProviderError, mock::MockEmbedder,
};
use futures::{StreamExt, stream};
use queue::governor::{Governor, GovernorConfig};
use reqwest::Client;
use serde::Deserialize;
use serde_json::json;

use super::{corpus, float, median, report::Report, stand::Stand};

/// Milliseconds that a call may take from its permission to the provider.
const ON_ITS_WAY: f64 = 50.0;

/// A part of the whole.
#[derive(Debug, Clone, Copy, PartialEq, clap::ValueEnum)]
enum Part {
    /// What it costs a call.
    Price,
    /// How much of a limit is made use of.
    Pace,
    /// Whether a time is kept.
    Patience,
}

/// What is measured.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Only these parts.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Part>,
    /// Calls a minute that the provider allows.
    #[arg(long, default_value_t = 600)]
    limit: u32,
    /// Seconds that processes call under that limit.
    #[arg(long, default_value_t = 150)]
    seconds: u64,
    /// The wait in seconds that the provider asks of workers.
    #[arg(long, default_value_t = 31.0)]
    wait: f64,
    /// Documents that workers have to embed around that wait.
    #[arg(long, default_value_t = 400)]
    documents: usize,
    /// Calls that are timed one after another.
    #[arg(long, default_value_t = 5_000)]
    calls: usize,
}

/// What the fake has counted.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Seen {
    answers: std::collections::BTreeMap<u16, u64>,
    early_calls: u64,
    early_after_ms: f64,
    limited_at: Option<DateTime<Utc>>,
    first_call_at: Option<DateTime<Utc>>,
    last_call_at: Option<DateTime<Utc>>,
}

impl Seen {
    fn answers(&self, status: u16) -> u64 {
        self.answers.get(&status).copied().unwrap_or_default()
    }
}

/// Runs it.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut report = Report::new("governor");
    let wanted = |part| arguments.only.is_empty() || arguments.only.contains(&part);
    if wanted(Part::Price) {
        price(arguments, &mut report).await?;
    }
    if wanted(Part::Pace) {
        pace(arguments, &mut report).await?;
    }
    if wanted(Part::Patience) {
        patience(arguments, &mut report).await?;
    }
    report.finish()
}

async fn seen(url: &str) -> anyhow::Result<Seen> {
    let answer = Client::new().get(format!("{url}/_fake/counters")).send();
    Ok(answer.await?.error_for_status()?.json().await?)
}

/// Four processes that call without pause, under a limit that the provider enforces in every minute
/// and every second.
async fn pace(arguments: &Arguments, report: &mut Report) -> anyhow::Result<()> {
    let mut stand = Stand::new().await?;
    let limit = arguments.limit.to_string();
    let url = stand.start_provider_with(&["--latency-ms=200", "--requests-per-minute", &limit])?;
    stand.set("GEMINI_REQUESTS_PER_MINUTE", &limit);
    for _ in 0..4 {
        stand.start_caller(8)?;
    }
    let time = Duration::from_secs(arguments.seconds);
    tokio::time::sleep(time).await;
    let seen = seen(&url).await?;
    stand.stop("governed");
    let (Some(first), Some(last)) = (seen.first_call_at, seen.last_call_at) else {
        anyhow::bail!("nobody called");
    };
    let minutes = (last - first).as_seconds_f64() / 60.0;
    let answered = u32::try_from(seen.answers(200))?;
    let share = f64::from(answered) / minutes / f64::from(arguments.limit) * 100.0;
    let what = format!("share of {limit} calls a minute that 4 processes made use of");
    report.goal(&what, format!("{share:.1} %"), ">= 95 %", share >= 95.0);
    let late = seen
        .limited_at
        .is_some_and(|at| at - first > chrono::TimeDelta::seconds(1));
    let refused = seen.answers(429);
    report.goal(
        "refusals, none after the first second",
        refused.to_string(),
        "none",
        !late,
    );
    report.detail(
        "pace",
        json!({ "answered": answered, "refused": refused, "minutes": minutes }),
    );
    Ok(())
}

/// Four workers with more to do than they can, and one refusal that names a time.
async fn patience(arguments: &Arguments, report: &mut Report) -> anyhow::Result<()> {
    // With one call at once none is under way when another is refused: not one may come early.
    let alone = refused_once(arguments, 1, arguments.documents / 4).await?;
    let what = format!(
        "calls of 4 workers, one at once, before the {} s that one was told were over",
        arguments.wait
    );
    let early = alone.seen.early_calls;
    let is_kept = early == 0 && alone.seen.answers(429) > 0;
    report.goal(&what, early.to_string(), "none", is_kept);
    let many = refused_once(arguments, 64, arguments.documents).await?;
    let (early, latest) = (many.seen.early_calls, many.seen.early_after_ms);
    report.line(
        "of calls with 64 at once, those under way at the refusal, which came before the time",
        format!("{early}, the latest {latest:.1} ms after it"),
    );
    report.line(
        "until Redis knew of it, from the moment the provider refused",
        format!("{:.1} ms", many.known_after_ms),
    );
    // Let in just before, a call still has its own way to go.
    let is_kept = latest < many.known_after_ms + ON_ITS_WAY && many.seen.answers(429) > 0;
    let what = format!("calls that came {ON_ITS_WAY} ms and more after it was known");
    let found = if is_kept { "none" } else { "some" };
    report.goal(&what, found, "none", is_kept);
    report.line("documents embedded after it", "all");
    report.detail(
        "patience",
        json!({ "early": early, "latestMs": latest, "knownAfterMs": many.known_after_ms,
                "answers": many.seen.answers }),
    );
    Ok(())
}

/// What became of a refusal.
struct Refused {
    seen: Seen,
    /// Milliseconds from the refusal until Redis, and with it every process, knew.
    known_after_ms: f64,
}

/// Four workers, so many calls at once, and a refusal after a quarter of the documents.
async fn refused_once(
    arguments: &Arguments,
    at_once: u16,
    documents: usize,
) -> anyhow::Result<Refused> {
    let mut stand = Stand::new().await?;
    stand.set("GOVERNOR_CONCURRENCY", &at_once);
    let url = stand.start_provider(Duration::from_millis(300))?;
    stand.start_api().await?;
    let person = stand.register().await?;
    for number in 0..documents {
        let (name, text) = (format!("{number}.txt"), format!("Note {number} on tides."));
        person.upload(&corpus::File { name, text }).await?;
    }
    let cue = json!({ "method": "batchEmbedContents", "skip": documents / 4,
                      "status": 429, "quota": "perMinute", "retrySeconds": arguments.wait });
    let script = Client::new().post(format!("{url}/_fake/script")).json(&cue);
    script.send().await?.error_for_status()?;
    for _ in 0..4 {
        stand.start_worker()?;
    }
    until_embedded(&stand, documents).await?;
    let seen = seen(&url).await?;
    let refused_at = seen
        .limited_at
        .ok_or_else(|| anyhow::anyhow!("no call was refused"))?;
    let known_at = known_at(&stand).await?;
    Ok(Refused {
        seen,
        known_after_ms: (known_at - refused_at).as_seconds_f64() * 1000.0,
    })
}

/// When the scripts took note of the refusal: the moment they cut the calls at once.
async fn known_at(stand: &Stand) -> anyhow::Result<DateTime<Utc>> {
    let client = redis::Client::open(stand.setting("REDIS_URL"))?;
    let mut redis = client.get_multiplexed_async_connection().await?;
    let pattern = format!("{}:governor:*:state", stand.setting("REDIS_PREFIX"));
    let states: Vec<String> = redis::cmd("KEYS")
        .arg(pattern)
        .query_async(&mut redis)
        .await?;
    let state = states
        .first()
        .ok_or_else(|| anyhow::anyhow!("no lane was used"))?;
    let cut: f64 = redis::cmd("HGET")
        .arg(state)
        .arg("cut")
        .query_async(&mut redis)
        .await?;
    #[expect(clippy::cast_possible_truncation, reason = "a moment of our time")]
    let moment = DateTime::from_timestamp_micros((cut * 1000.0) as i64);
    moment.ok_or_else(|| anyhow::anyhow!("{cut} is no moment"))
}

async fn until_embedded(stand: &Stand, documents: usize) -> anyhow::Result<()> {
    use db::schema::documents::dsl;
    use diesel::{ExpressionMethods, QueryDsl};
    use diesel_async::RunQueryDsl;
    let deadline = Instant::now() + Duration::from_secs(300);
    loop {
        let done: i64 = dsl::documents
            .filter(dsl::status.eq(domain::documents::DocumentStatus::Completed))
            .count()
            .get_result(&mut *stand.watch().await)
            .await?;
        if usize::try_from(done)? >= documents {
            return Ok(());
        }
        anyhow::ensure!(Instant::now() < deadline, "{done} of {documents} embedded");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Calls of an embedder that answers at once, with the governor and without, beside a bare question
/// to Redis.
async fn price(arguments: &Arguments, report: &mut Report) -> anyhow::Result<()> {
    let stand = Stand::new().await?;
    let bare: Arc<dyn Embedder> = Arc::new(AtOnce);
    let governed = governor(&stand)?.embedder(bare.clone(), Some("price".into()));
    let (mut alone, mut under, mut together) = (Vec::new(), Vec::new(), Vec::new());
    let mut pings = Vec::new();
    let before = scripts(&stand).await?;
    for _ in 0..5 {
        alone.push(each(&*bare, arguments.calls, 1).await);
        under.push(each(&*governed, arguments.calls, 1).await);
        together.push(each(&*governed, arguments.calls, 32).await);
        pings.push(ping(&stand, arguments.calls).await?);
    }
    let after = scripts(&stand).await?;
    let trips = after[0] - before[0];
    let mut time = |what: &str, microseconds: f64| {
        report.line(what, format!("{microseconds:.0} µs"));
    };
    let alone_median = median(&alone);
    time(
        "the governor's share of a call, one after another",
        median(&under) - alone_median,
    );
    time(
        "of a call among 32 at once",
        median(&together) - alone_median,
    );
    time("a bare question to the same Redis", median(&pings));
    time(
        "Redis' own time for a script",
        (after[1] - before[1]) / trips,
    );
    report.line(
        "round trips to Redis a call, all told",
        format!("{:.2}", trips / (float(arguments.calls) * 10.0)),
    );
    report.detail(
        "price",
        json!({ "alone": alone, "governed": under, "together": together, "ping": pings }),
    );
    Ok(())
}

/// Microseconds of a bare question.
async fn ping(stand: &Stand, times: usize) -> anyhow::Result<f64> {
    let client = redis::Client::open(stand.setting("REDIS_URL"))?;
    let mut redis = client.get_multiplexed_async_connection().await?;
    let started = Instant::now();
    for _ in 0..times {
        redis::cmd("PING").exec_async(&mut redis).await?;
    }
    Ok(started.elapsed().as_secs_f64() / float(times) * 1e6)
}

fn governor(stand: &Stand) -> anyhow::Result<Governor> {
    #[derive(Parser)]
    struct Arguments {
        #[command(flatten)]
        redis: queue::Config,
        #[command(flatten)]
        governor: GovernorConfig,
    }
    let given = ["REDIS_URL", "REDIS_PREFIX"].map(|name| stand.setting(name));
    let given = ["bench", "--redis-url", given[0], "--redis-prefix", given[1]];
    let Arguments { redis, governor } = Arguments::try_parse_from(given)?;
    let connection = queue::connect(&redis)?;
    Ok(Governor::new(connection, redis, governor, Arc::default()))
}

/// Microseconds a call, so many at once.
async fn each(embedder: &dyn Embedder, calls: usize, at_once: usize) -> f64 {
    let started = Instant::now();
    let all = stream::iter(0..calls).map(|_| embedder.embed(&["x"], EmbeddingTask::Query));
    let failed = all
        .buffer_unordered(at_once)
        .filter(|made| std::future::ready(made.is_err()))
        .count()
        .await;
    assert_eq!(failed, 0, "every call goes through");
    started.elapsed().as_secs_f64() / float(calls) * 1e6
}

/// Scripts that Redis has run so far, and the microseconds it took.
async fn scripts(stand: &Stand) -> anyhow::Result<[f64; 2]> {
    let client = redis::Client::open(stand.setting("REDIS_URL"))?;
    let mut redis = client.get_multiplexed_async_connection().await?;
    let mut info = redis::cmd("INFO");
    info.arg("commandstats");
    let said: String = info.query_async(&mut redis).await?;
    let line = said
        .lines()
        .find_map(|line| line.strip_prefix("cmdstat_evalsha:"));
    let of = |name: &str| {
        let figures = line.unwrap_or_default().split(',');
        let figure = figures
            .filter_map(|figure| figure.split_once('='))
            .find(|(is, _)| *is == name);
        figure.and_then(|(_, value)| value.parse().ok())
    };
    Ok(["calls", "usec"].map(|name| of(name).unwrap_or_default()))
}

/// Answers without a provider.
struct AtOnce;

impl Embedder for AtOnce {
    fn name(&self) -> &'static str {
        "gemini/at-once"
    }

    fn batch_size(&self) -> usize {
        100
    }

    fn embed<'a>(
        &'a self,
        _texts: &'a [&'a str],
        _task: EmbeddingTask,
    ) -> PortFuture<'a, Result<Embeddings, ProviderError>> {
        Box::pin(MockEmbedder.embed(&[], EmbeddingTask::Query))
    }
}
