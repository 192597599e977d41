//! Jobs: how long one takes from its push to its start on an idle worker, and how many a second
//! get through when each has hardly anything to do.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use db::{
    jobs::{NewJob, enqueue},
    schema::jobs,
};
use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;
use domain::{
    documents::DiscardFile,
    jobs::{JobKind, JobState},
};
use serde_json::json;

use super::{
    corpus::File,
    float, median, quantile,
    report::Report,
    stand::{Person, Stand},
};

/// What is measured.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Jobs pushed one at a time.
    #[arg(long, default_value_t = 200)]
    single: usize,
    /// Jobs of a turn that are pushed at once.
    #[arg(long, default_value_t = 5_000)]
    many: usize,
    /// Turns.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

/// Runs it.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut report = Report::new("queue");
    let mut stand = Stand::new().await?;
    stand.start_api().await?;
    stand.start_worker()?;
    let person = stand.register().await?;
    let waits = one_at_a_time(&stand, &person, arguments).await?;
    let [p50, p95] = [0.5, 0.95].map(|share| quantile(&waits, share));
    report.line(
        "push to start on an idle worker: p50",
        format!("{p50:.2} ms"),
    );
    report.goal(
        "push to start on an idle worker: p95",
        format!("{p95:.2} ms"),
        "< 10 ms",
        p95 < 10.0,
    );
    report.detail("waitsMs", json!(waits));
    at_rest(&stand, &mut report).await;
    many_at_once(&stand, arguments, &mut report).await?;
    report.finish()
}

/// Uploads tiny documents, each when the one before is done, and reads off their jobs when they
/// were made and when they began. Both are Postgres' own times.
async fn one_at_a_time(
    stand: &Stand,
    person: &Person,
    arguments: &Arguments,
) -> anyhow::Result<Vec<f64>> {
    for number in 0..=arguments.single {
        let (name, text) = (
            format!("{number}.txt"),
            format!("Tiny text number {number}."),
        );
        person.upload(&File { name, text }).await?;
        until_idle(stand).await?;
        // Off the beat of everything that looks at intervals.
        tokio::time::sleep(Duration::from_millis(7 + number as u64 % 40)).await;
    }
    let rows: Vec<(DateTime<Utc>, Option<DateTime<Utc>>)> = jobs::table
        .filter(jobs::kind.eq(JobKind::DocumentsExtract))
        .order(jobs::id)
        .select((jobs::created_at, jobs::started_at))
        .load(&mut *stand.watch().await)
        .await?;
    let wait = |(made, began): (DateTime<Utc>, Option<DateTime<Utc>>)| {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let microseconds = (began? - made).num_microseconds()? as f64;
        Some(microseconds / 1000.0)
    };
    // The first meets a worker that has not settled in.
    Ok(rows.into_iter().skip(1).filter_map(wait).collect())
}

/// What the whole product takes while there is nothing to do.
async fn at_rest(stand: &Stand, report: &mut Report) {
    const REST: Duration = Duration::from_secs(5);
    let before = stand.cpu();
    tokio::time::sleep(REST).await;
    let taken = stand.cpu().since(&before);
    let share = taken.product() / REST.as_secs_f64() * 100.0;
    report.line(
        "API, worker, Postgres and Redis with nothing to do",
        format!("{share:.1} % of one processor"),
    );
    report.detail(
        "idleMsPerSecond",
        taken.per_thousand(REST.as_secs_f64() * 1e3),
    );
}

/// Removals of files that are not there: all of the machinery, none of the work.
async fn many_at_once(
    stand: &Stand,
    arguments: &Arguments,
    report: &mut Report,
) -> anyhow::Result<()> {
    let (mut speeds, mut costs, mut parts) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=arguments.rounds {
        let (before, started) = (stand.cpu(), Instant::now());
        let new: Vec<_> = (0..arguments.many)
            .map(|number| {
                NewJob::new(&DiscardFile {
                    storage_key: format!("none/{round}/{number}"),
                })
            })
            .collect();
        for part in new.chunks(1000) {
            enqueue(&mut *stand.watch().await, part).await?;
        }
        until_idle(stand).await?;
        let taken = stand.cpu().since(&before);
        if round > 0 {
            speeds.push(float(arguments.many) / started.elapsed().as_secs_f64());
            costs.push(taken.product() / float(arguments.many) * 1e6);
            parts.push(taken.per_thousand(float(arguments.many)));
        }
    }
    report.line(
        "jobs a second that do nothing",
        format!("{:.0}", median(&speeds)),
    );
    report.line(
        "CPU of all processes, a job",
        format!("{:.0} µs", median(&costs)),
    );
    report.detail(
        "many",
        json!({ "perSecond": speeds, "microseconds": costs, "cpuPerThousand": parts }),
    );
    Ok(())
}

async fn until_idle(stand: &Stand) -> anyhow::Result<()> {
    loop {
        let open: i64 = jobs::table
            .filter(jobs::state.eq_any([JobState::Queued, JobState::Running]))
            .count()
            .get_result(&mut *stand.watch().await)
            .await?;
        if open == 0 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
