//! From an upload to a searchable document: what a thousand chunks cost in all our processes,
//! beside what rivals take for the same files and the same provider.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::ensure;
use diesel::{QueryableByName, sql_types};
use diesel_async::RunQueryDsl;
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::json;
use tempfile::TempDir;

use super::{
    corpus::{File, Writer},
    float, median, meter,
    report::Report,
    rivals::{self, Rival, Turn},
    stand::{Cpu, Person, Stand},
};

/// Uploads under way at once.
const UPLOADS: usize = 4;

/// What is measured.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Chunks of one of our turns.
    #[arg(long, default_value_t = 10_000)]
    chunks: usize,
    /// Chunks of a turn of a rival, and of ours where the time is short.
    #[arg(long, default_value_t = 2_000)]
    few: usize,
    /// Turns of each side.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Leave the rivals out.
    #[arg(long)]
    alone: bool,
}

/// Runs it.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut report = Report::new("ingest");
    without_latency(arguments, &mut report).await?;
    with_latency(arguments, &mut report).await?;
    report.finish()
}

async fn without_latency(arguments: &Arguments, report: &mut Report) -> anyhow::Result<()> {
    let mut ours = Ours::start(Duration::ZERO).await?;
    let mut rivals = Vec::new();
    if !arguments.alone {
        for rival in rivals::ALL {
            rivals.push((
                Rival::start(rival, &ours.stand, &ours.provider).await?,
                vec![],
            ));
        }
    }
    // The first turn of each side meets cold caches and is not counted.
    let mut turns = Vec::new();
    for round in 0..=arguments.rounds {
        let seed = round as u64;
        turns.push(
            ours.turn(&Writer::new(seed).files(arguments.chunks))
                .await?,
        );
        let files = Writer::new(1000 + seed).files(arguments.few);
        let folder = folder_of(&files)?;
        for (rival, taken) in &mut rivals {
            taken.push(rival.ingest(folder.path())?);
        }
    }
    let own = costs(&turns);
    report.line(
        "CPU seconds per 1 000 chunks",
        format!("{:.3}", median(&own)),
    );
    report.line("chunks a second", format!("{:.0}", median(&speeds(&turns))));
    for (rival, taken) in &rivals {
        compare(report, rival.name, &own, taken);
    }
    report.detail("turns", json!(ours.parts));
    with_index(arguments, report, &mut ours, median(&own)).await?;
    one_large_text(report, &mut ours).await?;
    Ok(())
}

fn compare(report: &mut Report, name: &str, own: &[f64], taken: &[Turn]) {
    let theirs = costs(taken);
    let ratios: Vec<f64> = theirs
        .iter()
        .zip(own)
        .map(|(theirs, own)| theirs / own)
        .collect();
    let ratio = median(&ratios);
    let (what, figure) = (
        format!("CPU of {name}, times ours"),
        format!("{ratio:.2} × ({:.3})", median(&theirs)),
    );
    match name {
        "LangChain" => report.goal(&what, figure, "≥ 6 ×", ratio >= 6.0),
        "script" => report.goal(&what, figure, "> 1 ×", ratio > 1.0),
        _ => report.line(what, figure),
    }
    report.line(
        format!("chunks a second, {name}"),
        format!("{:.0}", median(&speeds(taken))),
    );
    report.detail(
        name,
        json!({ "cpuPerThousand": theirs, "chunksPerSecond": speeds(taken) }),
    );
}

/// All but the first turn.
fn costs(turns: &[Turn]) -> Vec<f64> {
    turns.iter().skip(1).map(Turn::cost).collect()
}

fn speeds(turns: &[Turn]) -> Vec<f64> {
    turns.iter().skip(1).map(Turn::speed).collect()
}

/// More documents for a company whose partition has its search index.
async fn with_index(
    arguments: &Arguments,
    report: &mut Report,
    ours: &mut Ours,
    plain: f64,
) -> anyhow::Result<()> {
    let person = ours.newcomer().await?;
    ours.ingest(&person, &Writer::new(2000).files(arguments.few))
        .await?;
    let viewer = ours.stand.viewer(&person).await?;
    let (before, started) = (ours.stand.cpu(), Instant::now());
    db::documents::index::build(&ours.stand.pool_config(), viewer.company_id).await?;
    let built = ours.stand.cpu().since(&before).postgres / float(arguments.few) * 1000.0;
    report.line(
        format!(
            "building the search index over {} chunks, CPU seconds per 1 000",
            arguments.few
        ),
        format!("{built:.3} ({:.1} s)", started.elapsed().as_secs_f64()),
    );
    let mut turns = Vec::new();
    for round in 0..arguments.rounds as u64 {
        let files = Writer::new(2001 + round).files(arguments.few);
        turns.push(ours.ingest(&person, &files).await?);
    }
    let costs: Vec<f64> = turns.iter().map(Turn::cost).collect();
    let ratio = median(&costs) / plain;
    report.goal(
        "CPU with the search index in place, times without",
        format!("{ratio:.2} × ({:.3})", median(&costs)),
        "≤ 2 ×",
        ratio <= 2.0,
    );
    report.detail("withIndex", json!(costs));
    Ok(())
}

/// 20 MB of text in one document, and what memory everything took in the end.
async fn one_large_text(report: &mut Report, ours: &mut Ours) -> anyhow::Result<()> {
    let memory = |ours: &Ours, name| {
        ours.memory
            .iter()
            .map(|(_, of)| of[name])
            .collect::<Vec<_>>()
    };
    let [first, last] = [0, 1].map(|which| {
        let series = memory(ours, which);
        let tenth = (series.len() / 10).max(1);
        (
            median(&series[..tenth]),
            median(&series[series.len() - tenth..]),
        )
    });
    report.line(
        "resident MiB of the API, first to last tenth of the turns",
        format!("{:.0} to {:.0}", first.0, first.1),
    );
    report.line(
        "resident MiB of the worker, first to last tenth of the turns",
        format!("{:.0} to {:.0}", last.0, last.1),
    );
    let mut writer = Writer::new(3000);
    let text = writer.text(20_000_000, false);
    let turn = ours
        .turn(&[File {
            name: "large.txt".into(),
            text,
        }])
        .await?;
    let [api, worker] = ["api", "worker"].map(|name| meter::peak_mib(ours.stand.pids(name)[0]));
    report.goal(
        "peak MiB of API and worker, 20 MB of text included",
        format!("{api:.0} and {worker:.0}"),
        "< 200",
        api.max(worker) < 200.0,
    );
    report.line(
        "20 MB of text, upload to searchable",
        format!("{:.1} s, {:.0} chunks", turn.wall, turn.chunks),
    );
    report.detail("memory", json!(ours.memory));
    Ok(())
}

async fn with_latency(arguments: &Arguments, report: &mut Report) -> anyhow::Result<()> {
    let mut ours = Ours::start(Duration::from_millis(100)).await?;
    let mut script = if arguments.alone {
        None
    } else {
        Some(Rival::start(rivals::ALL[0], &ours.stand, &ours.provider).await?)
    };
    let (mut own, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..=arguments.rounds as u64 {
        let files = Writer::new(4000 + round).files(arguments.chunks);
        own.push(ours.turn(&files).await?);
        if let Some(script) = &mut script {
            theirs.push(script.ingest(folder_of(&files)?.path())?);
        }
    }
    let speed = median(&speeds(&own));
    let what = "chunks a second at 100 ms an embedding request";
    report.goal(what, format!("{speed:.0}"), "≥ 1 500", speed >= 1500.0);
    if !theirs.is_empty() {
        report.line(
            format!("{what}, script"),
            format!("{:.0}", median(&speeds(&theirs))),
        );
    }
    report.detail(
        "withLatency",
        json!({ "ours": speeds(&own), "script": speeds(&theirs) }),
    );
    Ok(())
}

fn folder_of(files: &[File]) -> anyhow::Result<TempDir> {
    let folder = tempfile::tempdir()?;
    for file in files {
        std::fs::write(path_in(folder.path(), file), &file.text)?;
    }
    Ok(folder)
}

fn path_in(folder: &Path, file: &File) -> PathBuf {
    folder.join(&file.name)
}

/// The product at work.
struct Ours {
    stand: Stand,
    provider: String,
    /// CPU seconds per thousand chunks by process, a turn each.
    parts: Vec<serde_json::Value>,
    /// Seconds since the start, and MiB of API and worker.
    memory: Vec<(f64, [f64; 2])>,
    began: Instant,
}

#[derive(QueryableByName)]
struct Progress {
    #[diesel(sql_type = sql_types::BigInt)]
    open: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    failed: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    chunks: i64,
}

#[derive(QueryableByName)]
struct Taken {
    #[diesel(sql_type = sql_types::Bool)]
    taken: bool,
}

impl Ours {
    async fn start(latency: Duration) -> anyhow::Result<Self> {
        let mut stand = Stand::new().await?;
        let provider = stand.start_provider(latency)?;
        stand.start_api().await?;
        stand.start_worker()?;
        Ok(Self {
            stand,
            provider,
            parts: Vec::new(),
            memory: Vec::new(),
            began: Instant::now(),
        })
    }

    /// Somebody whose company has a partition of the vectors to itself.
    async fn newcomer(&self) -> anyhow::Result<Person> {
        loop {
            let person = self.stand.register().await?;
            let company_id = self.stand.viewer(&person).await?.company_id;
            let taken: Taken = diesel::sql_query(
                "SELECT EXISTS (SELECT FROM companies c WHERE c.id <> $1 AND EXISTS (
                     SELECT FROM generate_series(0, 15) part
                     WHERE satisfies_hash_partition('chunk_embeddings'::regclass, 16, part, c.id)
                       AND satisfies_hash_partition('chunk_embeddings'::regclass, 16, part, $1))) AS taken",
            )
            .bind::<sql_types::Uuid, _>(company_id)
            .get_result(&mut *self.stand.watch().await)
            .await?;
            if !taken.taken {
                return Ok(person);
            }
        }
    }

    /// Ingests files of a new company, so that no turn finds what an earlier one left.
    async fn turn(&mut self, files: &[File]) -> anyhow::Result<Turn> {
        let person = self.stand.register().await?;
        self.ingest(&person, files).await
    }

    async fn ingest(&mut self, person: &Person, files: &[File]) -> anyhow::Result<Turn> {
        let before = self.progress().await?;
        let (cpu, started) = (self.stand.cpu(), Instant::now());
        stream::iter(files)
            .map(|file| person.upload(file))
            .buffer_unordered(UPLOADS)
            .try_collect::<Vec<()>>()
            .await?;
        let after = self.until_done().await?;
        let wall = started.elapsed().as_secs_f64();
        let cpu: Cpu = self.stand.cpu().since(&cpu);
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let chunks = (after.chunks - before.chunks) as f64;
        self.parts.push(cpu.per_thousand(chunks));
        Ok(Turn {
            chunks,
            wall,
            cpu: cpu.product(),
        })
    }

    async fn until_done(&mut self) -> anyhow::Result<Progress> {
        loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let memory =
                ["api", "worker"].map(|name| meter::resident_mib(self.stand.pids(name)[0]));
            self.memory
                .push((self.began.elapsed().as_secs_f64(), memory));
            let progress = self.progress().await?;
            ensure!(
                progress.failed == 0,
                "documents failed: see the worker's log"
            );
            if progress.open == 0 {
                return Ok(progress);
            }
        }
    }

    async fn progress(&self) -> anyhow::Result<Progress> {
        let sql = "SELECT count(*) FILTER (WHERE status IN ('pending', 'processing')) AS open,
                          count(*) FILTER (WHERE status = 'failed') AS failed,
                          coalesce(sum(live_chunks), 0)::bigint AS chunks FROM documents";
        Ok(diesel::sql_query(sql)
            .get_result(&mut *self.stand.watch().await)
            .await?)
    }
}
