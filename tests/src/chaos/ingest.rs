//! Ingestion under fire: documents are uploaded while processes and stores are killed, or while
//! processes are replaced in order; then everything has to be there, once, and searchable.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::ensure;
use clap::ValueEnum;
use rand::{SeedableRng, rngs::StdRng};

use super::{
    caller::Caller,
    checks::Look,
    corpus::{self, Sample},
    fleet::Fleet,
    report::Report,
    services::Services,
    storm::{Blow, Storm, ports},
};
use crate::fakes::gemini::{self, FakeGemini};

/// Uploads under way at once.
const UPLOADERS: usize = 4;

/// How long everything may take to be settled after the last fault.
const PATIENCE: Duration = Duration::from_secs(120);

/// How processes end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Signal {
    /// `kill -9`, and stores go away as well.
    Kill,
    /// SIGTERM, one process after another, as in an update.
    Term,
}

/// What a run is like.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// What everything random is drawn from
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Documents to upload
    #[arg(long, default_value_t = 200)]
    pub documents: usize,
    /// Workers that run at once
    #[arg(long, default_value_t = 2)]
    pub workers: usize,
    /// Servers that run at once
    #[arg(long, default_value_t = 2)]
    pub servers: usize,
    /// Milliseconds from one kill to the next
    #[arg(long, default_value_t = 2000)]
    pub kill_every_ms: u64,
    /// Milliseconds from one upload to the next
    #[arg(long, default_value_t = 150)]
    pub upload_every_ms: u64,
    /// Milliseconds that the provider takes for a call
    #[arg(long, default_value_t = 500)]
    pub latency_ms: u64,
    /// How processes end
    #[arg(long, value_enum, default_value_t = Signal::Kill)]
    pub signal: Signal,
    /// Keep the folder with logs and data, and say where it is
    #[arg(long)]
    pub keep: bool,
}

/// What a run works with.
pub(super) struct Field {
    pub(super) options: Options,
    pub(super) services: Arc<Services>,
    pub(super) provider: FakeGemini,
    pub(super) fleet: Fleet,
    pub(super) caller: Arc<Caller>,
    pub(super) look: Look,
}

/// Runs it and says what came of it.
pub async fn run(options: Options) -> anyhow::Result<Report> {
    let mut field = prepare(options).await?;
    let started = Instant::now();
    let uploads = field.upload();
    let mut storm = Storm::new(
        field.services.clone(),
        field.caller.clone(),
        StdRng::seed_from_u64(field.options.seed),
        &Blow::ALL,
    );
    let orphans = field.rage(&mut storm, &uploads).await?;
    let uploaded = uploads.finish().await?;
    let last_fault = Instant::now();
    let resumed = field.look.await_resumption(&orphans, PATIENCE).await?;
    field.await_settled(uploaded.len()).await?;
    let mut report = Report {
        name: match field.options.signal {
            Signal::Kill => "chaos-ingest",
            Signal::Term => "chaos-ingest-term",
        },
        seed: field.options.seed,
        figures: Vec::new(),
        checks: Vec::new(),
        complaints: Vec::new(),
    };
    report.figure("seconds in all", started.elapsed().as_secs_f64());
    report.figure(
        "seconds from the last fault until all was settled",
        last_fault.elapsed().as_secs_f64(),
    );
    field.tell_resumption(&mut report, &orphans, resumed);
    field.tell(&mut report, &storm, &uploaded).await?;
    if field.options.keep {
        let logs = field.fleet.logs().display();
        report.complaints.push(format!("logs: {logs}"));
    }
    Ok(report)
}

async fn prepare(options: Options) -> anyhow::Result<Field> {
    ensure!(
        options.workers > 0 && options.servers > 0,
        "somebody has to work"
    );
    let services = Arc::new(Services::start(options.keep).await?);
    let provider = FakeGemini::start_with(gemini::Options {
        latency: Duration::from_millis(options.latency_ms),
        ledger: true,
        ..gemini::Options::default()
    })
    .await;
    let mut fleet = Fleet::prepare(&services, &provider.url)?;
    for _ in 0..options.servers {
        fleet.start_server().await?;
    }
    for _ in 0..options.workers {
        fleet.start_worker()?;
    }
    let caller = Arc::new(Caller::register(ports(&fleet.servers)).await?);
    let look = Look::at(&services.database_url).await?;
    Ok(Field {
        options,
        services,
        provider,
        fleet,
        caller,
        look,
    })
}

/// Documents on their way in.
struct Uploads {
    tasks: Vec<tokio::task::JoinHandle<anyhow::Result<()>>>,
    done: Arc<Mutex<Vec<(String, Sample)>>>,
}

impl Uploads {
    fn are_over(&self) -> bool {
        self.tasks.iter().all(tokio::task::JoinHandle::is_finished)
    }

    /// Waits for them and gives each document with its id.
    async fn finish(self) -> anyhow::Result<Vec<(String, Sample)>> {
        for task in self.tasks {
            task.await??;
        }
        let done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(done.clone())
    }
}

impl Field {
    /// Begins to upload the documents, several at once; each is looked at and searched for as well.
    fn upload(&self) -> Uploads {
        let samples = corpus::documents(self.options.seed, self.options.documents);
        let left = Arc::new(Mutex::new(VecDeque::from(samples)));
        let done = Arc::<Mutex<Vec<_>>>::default();
        let pause = Duration::from_millis(self.options.upload_every_ms) * 4;
        let upload = || {
            let (left, done, caller) = (left.clone(), done.clone(), self.caller.clone());
            tokio::spawn(async move {
                loop {
                    let next = left
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .pop_front();
                    let Some(sample) = next else { return Ok(()) };
                    let id = caller.upload(&sample).await?;
                    caller.get(&format!("/api/documents/{id}")).await?;
                    caller.search("amber anchor", "keyword").await?;
                    done.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push((id, sample));
                    tokio::time::sleep(pause).await;
                }
            })
        };
        Uploads {
            tasks: (0..UPLOADERS).map(|_| upload()).collect(),
            done,
        }
    }

    /// Lets faults happen until most documents are in; gives the jobs that the last kill orphaned.
    async fn rage(&mut self, storm: &mut Storm, uploads: &Uploads) -> anyhow::Result<Vec<String>> {
        let half = Duration::from_millis(self.options.kill_every_ms) / 2;
        let mut turn = 0;
        while !(uploads.are_over() && storm_is_over(storm, &self.options)) {
            tokio::time::sleep(half).await;
            turn += 1;
            match (self.options.signal, turn % 4) {
                (Signal::Kill, 1 | 3) => storm.kill_a_worker(&mut self.fleet).await?,
                (Signal::Kill, _) => storm.strike(&mut self.fleet).await?,
                (Signal::Term, 1) => storm.replace_a_worker(&mut self.fleet).await?,
                (Signal::Term, 3) => storm.replace_a_server(&mut self.fleet).await?,
                (Signal::Term, _) => {}
            }
        }
        self.look = Look::at(&self.services.database_url).await?;
        match self.options.signal {
            Signal::Kill => {
                storm
                    .kill_the_busiest(&mut self.fleet, &mut self.look)
                    .await
            }
            Signal::Term => Ok(Vec::new()),
        }
    }

    /// Waits until every document is completed and no job is left.
    async fn await_settled(&mut self, documents: usize) -> anyhow::Result<()> {
        let began = Instant::now();
        let documents = i64::try_from(documents)?;
        while began.elapsed() < PATIENCE {
            let left = self
                .look
                .count("jobs WHERE state IN ('queued', 'running')")
                .await?;
            let completed = self
                .look
                .count("documents WHERE status = 'completed'")
                .await?;
            if left == 0 && completed == documents {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }
}

/// In a rolling update every process is replaced at least twice.
fn storm_is_over(storm: &Storm, options: &Options) -> bool {
    match options.signal {
        Signal::Kill => storm.is_over(),
        Signal::Term => storm.count("replacement of a worker") >= 2 * options.workers,
    }
}
