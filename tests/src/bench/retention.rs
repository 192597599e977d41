//! Retention over millions of events: how fast they go, and how long writers wait meanwhile.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use db::{Connection, jobs::NewJob};
use diesel::{QueryableByName, sql_types};
use diesel_async::{RunQueryDsl as _, SimpleAsyncConnection as _};
use domain::{
    auth::Viewer,
    retention::{ApplyRetention, Kept},
};
use uuid::Uuid;

use super::{float, quantile, report::Report, stand::Stand};

/// What is measured.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Events that are old enough.
    #[arg(long, default_value_t = 10_000_000)]
    events: usize,
    /// Events of each run.
    #[arg(long, default_value_t = 100_000)]
    of_each: usize,
    /// Writers at once, each with a living run.
    #[arg(long, default_value_t = 8)]
    writers: usize,
    /// Seconds that they write before anything is removed.
    #[arg(long, default_value_t = 20)]
    before: u64,
}

/// Runs it.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut report = Report::new("retention");
    let mut stand = Stand::new().await?;
    stand.start_api().await?;
    let admin = stand.register().await?;
    let viewer = stand.viewer(&admin).await?;
    let mut conn = stand.connect().await?;
    fill(&mut conn, &viewer, arguments).await?;
    stand.start_worker()?;
    let alone = written(&stand, &viewer, arguments, async |_| {
        tokio::time::sleep(Duration::from_secs(arguments.before)).await;
        Ok(())
    })
    .await?;
    let rules = [(Kept::Events, Some(1))];
    db::retention::set(&mut conn, viewer.company_id, &rules).await?;
    let begun = Instant::now();
    let beside = written(&stand, &viewer, arguments, async |conn| removed(conn).await).await?;
    let seconds = begun.elapsed().as_secs_f64();
    report.line(
        "events removed",
        format!(
            "{} in {seconds:.0} s, {:.0} a second",
            arguments.events,
            float(arguments.events) / seconds
        ),
    );
    report.line(
        "writers alone: median, p99, longest ms",
        shown(&alone.times),
    );
    report.line("writers beside it", shown(&beside.times));
    report.line(
        "longest wait for a lock without it",
        format!("{:.1} ms", alone.longest_wait_ms),
    );
    report.goal(
        "longest wait for a lock beside it",
        format!("{:.1} ms", beside.longest_wait_ms),
        "< 100 ms",
        beside.longest_wait_ms < 100.0,
    );
    report.finish()
}

fn shown(seconds: &[f64]) -> String {
    let ms = |share| quantile(seconds, share) * 1e3;
    format!(
        "{:.1}, {:.1}, {:.1} of {} writes",
        ms(0.5),
        ms(0.99),
        ms(1.0),
        seconds.len()
    )
}

/// Runs that were over long ago, with their events; and living ones.
async fn fill(conn: &mut Connection, viewer: &Viewer, arguments: &Arguments) -> anyhow::Result<()> {
    let Arguments {
        events, of_each, ..
    } = arguments;
    let runs = |count: usize, status: &str, last: usize, finished: &str| {
        format!(
            "INSERT INTO runs (id, company_id, owner_id, prompt_title, version_label, plan, row_count, repeats, concurrency, cell_count, open_cells, status, last_event, finished_at)
             SELECT uuidv7(), '{}', '{}', 'Tried', 'Generator 1', '{{}}', 1, 1, 1, 1, 0, '{status}', {last}, {finished} FROM generate_series(1, {count})",
            viewer.company_id.0, viewer.user_id.0
        )
    };
    let old = runs(
        events / of_each,
        "completed",
        *of_each,
        "now() - interval '30 days'",
    );
    conn.batch_execute(&old).await?;
    let told = format!(
        "INSERT INTO run_events (run_id, number, cell_id, kind, created_at)
         SELECT id, n, uuidv7(), 'completed', now() - interval '30 days' FROM runs, generate_series(1, {of_each}) n"
    );
    conn.batch_execute(&told).await?;
    let living = runs(arguments.writers, "running", 0, "NULL");
    conn.batch_execute(&living).await?;
    conn.batch_execute("VACUUM ANALYZE").await?;
    Ok(())
}

/// Has retention applied by the worker, and waits until it is.
async fn removed(conn: &mut Connection) -> anyhow::Result<()> {
    db::jobs::enqueue(conn, &[NewJob::new(&ApplyRetention {})]).await?;
    while flag(conn, "SELECT EXISTS (SELECT FROM jobs WHERE kind = 'retention.apply' AND state <> 'done') AS is_so").await? {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok(())
}

#[derive(QueryableByName)]
struct Flag {
    #[diesel(sql_type = sql_types::Bool)]
    is_so: bool,
}

async fn flag(conn: &mut Connection, sql: &str) -> anyhow::Result<bool> {
    let flag: Flag = diesel::sql_query(sql).get_result(conn).await?;
    Ok(flag.is_so)
}

/// What writing was like.
struct Written {
    times: Vec<f64>,
    longest_wait_ms: f64,
}

/// How writers fare while something is done.
async fn written(
    stand: &Stand,
    viewer: &Viewer,
    arguments: &Arguments,
    work: impl AsyncFnOnce(&mut Connection) -> anyhow::Result<()>,
) -> anyhow::Result<Written> {
    let is_done = Arc::new(AtomicBool::new(false));
    let mut writers = Vec::new();
    for run in living(&mut stand.connect().await?, viewer).await? {
        let (conn, is_done) = (stand.connect().await?, is_done.clone());
        writers.push(tokio::spawn(write(conn, run, is_done)));
    }
    anyhow::ensure!(writers.len() == arguments.writers, "a living run for each");
    let watcher = tokio::spawn(watch(stand.connect().await?, is_done.clone()));
    work(&mut stand.connect().await?).await?;
    is_done.store(true, Ordering::Relaxed);
    let mut times = Vec::new();
    for writer in writers {
        times.extend(writer.await??);
    }
    Ok(Written {
        times,
        longest_wait_ms: watcher.await??,
    })
}

#[derive(QueryableByName)]
struct Living {
    #[diesel(sql_type = sql_types::Uuid)]
    id: Uuid,
}

async fn living(conn: &mut Connection, viewer: &Viewer) -> anyhow::Result<Vec<Uuid>> {
    let runs: Vec<Living> =
        diesel::sql_query("SELECT id FROM runs WHERE company_id = $1 AND finished_at IS NULL")
            .bind::<sql_types::Uuid, _>(viewer.company_id)
            .load(conn)
            .await?;
    Ok(runs.into_iter().map(|run| run.id).collect())
}

/// Writes events of a run as a lane does: the run's row is locked for their numbers.
async fn write(
    mut conn: Connection,
    run: Uuid,
    is_done: Arc<AtomicBool>,
) -> anyhow::Result<Vec<f64>> {
    let mut times = Vec::new();
    while !AtomicBool::load(&is_done, Ordering::Relaxed) {
        let begun = Instant::now();
        diesel::sql_query(
            "WITH told AS (UPDATE runs SET last_event = last_event + 1 WHERE id = $1 RETURNING last_event)
             INSERT INTO run_events (run_id, number, cell_id, kind) SELECT $1, last_event, gen_random_uuid(), 'completed' FROM told",
        )
        .bind::<sql_types::Uuid, _>(run)
        .execute(&mut conn)
        .await?;
        times.push(begun.elapsed().as_secs_f64());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(times)
}

#[derive(QueryableByName)]
struct Waited {
    #[diesel(sql_type = sql_types::Double)]
    ms: f64,
}

/// The longest that anybody was seen waiting for a lock in this database, in milliseconds.
async fn watch(mut conn: Connection, is_done: Arc<AtomicBool>) -> anyhow::Result<f64> {
    let mut longest: f64 = 0.0;
    while !AtomicBool::load(&is_done, Ordering::Relaxed) {
        let waited: Waited = diesel::sql_query(
            "SELECT coalesce(max(extract(epoch FROM clock_timestamp() - waitstart)) * 1000, 0)::float8 AS ms
             FROM pg_locks JOIN pg_stat_activity USING (pid)
             WHERE NOT granted AND waitstart IS NOT NULL AND datname = current_database()",
        )
        .get_result(&mut conn)
        .await?;
        longest = longest.max(waited.ms);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(longest)
}
