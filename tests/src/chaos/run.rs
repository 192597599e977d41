//! A run under fire: its workers are killed while it goes on, Redis forgets everything, Postgres
//! restarts; or its workers are replaced in order. Then every cell has its answer and its grade once,
//! and the books agree to the last digit.

pub(super) mod account;
mod books;
pub(super) mod plan;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use rand::{SeedableRng, rngs::StdRng};

use super::{
    caller::Caller,
    checks::Look,
    fleet::Fleet,
    ingest::Signal,
    report::Report,
    services::Services,
    storm::{Blow, Storm, ports},
};
use crate::fakes::gemini::{self, FakeGemini};

/// How long a run may stand still before it is given up.
const PATIENCE: Duration = Duration::from_secs(90);

/// What a run is like.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// What everything random is drawn from
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Rows of the dataset; each is a cell in four columns
    #[arg(long, default_value_t = 5000)]
    pub rows: usize,
    /// Calls that the run has under way at once
    #[arg(long, default_value_t = 120)]
    pub concurrency: usize,
    /// Workers that run at once
    #[arg(long, default_value_t = 3)]
    pub workers: usize,
    /// Servers that run at once
    #[arg(long, default_value_t = 2)]
    pub servers: usize,
    /// Milliseconds from one end of a process to the next
    #[arg(long, default_value_t = 1000)]
    pub kill_every_ms: u64,
    /// Milliseconds that the provider takes for a call
    #[arg(long, default_value_t = 50)]
    pub latency_ms: u64,
    /// Ask processes to end, one after another, as in an update; nothing else happens
    #[arg(long)]
    pub term: bool,
    /// Keep the folder with logs and data, and say where it is
    #[arg(long)]
    pub keep: bool,
}

impl Options {
    fn cells(&self) -> usize {
        self.rows * plan::MODELS.len()
    }

    fn signal(&self) -> Signal {
        if self.term {
            Signal::Term
        } else {
            Signal::Kill
        }
    }
}

/// What a run works with.
struct Field {
    options: Options,
    services: Arc<Services>,
    provider: FakeGemini,
    fleet: Fleet,
    caller: Arc<Caller>,
    look: Look,
    /// The run.
    id: String,
    /// How often more was promised than the budget has.
    overdrawn: i64,
}

/// Runs it and says what came of it.
pub async fn run(options: Options) -> anyhow::Result<Report> {
    let mut field = prepare(options).await?;
    let started = Instant::now();
    let mut storm = Storm::new(
        field.services.clone(),
        field.caller.clone(),
        StdRng::seed_from_u64(field.options.seed),
        match field.options.signal() {
            Signal::Kill => &[Blow::FlushRedis, Blow::RestartPostgres],
            Signal::Term => &[],
        },
    );
    let orphans = field.rage(&mut storm).await?;
    let last_fault = Instant::now();
    let resumed = field.look.await_resumption(&orphans, PATIENCE).await?;
    field.await_end(&mut storm).await?;
    let mut report = Report {
        name: if field.options.term {
            "chaos-run-term"
        } else {
            "chaos-run"
        },
        seed: field.options.seed,
        figures: Vec::new(),
        checks: Vec::new(),
        complaints: Vec::new(),
    };
    report.figure("seconds in all", started.elapsed().as_secs_f64());
    report.figure(
        "seconds from the last fault to the end",
        last_fault.elapsed().as_secs_f64(),
    );
    field.tell_resumption(&mut report, &orphans, resumed);
    field.tell(&mut report, &storm).await?;
    if field.options.keep {
        let logs = field.fleet.logs().display();
        report.complaints.push(format!("logs: {logs}"));
    }
    Ok(report)
}

async fn prepare(options: Options) -> anyhow::Result<Field> {
    ensure!(
        options.workers > 0 && options.servers > 0 && options.rows > 0,
        "somebody has to work on something"
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
    let id = plan::start(&caller, &options).await?;
    Ok(Field {
        options,
        services,
        provider,
        fleet,
        caller,
        look,
        id,
        overdrawn: 0,
    })
}

impl Field {
    /// Lets faults happen until a quarter of the cells is left; gives the jobs that the last kill
    /// orphaned.
    async fn rage(&mut self, storm: &mut Storm) -> anyhow::Result<Vec<String>> {
        let cells = self.options.cells();
        let pause = Duration::from_millis(self.options.kill_every_ms);
        let mut turn = 0;
        loop {
            tokio::time::sleep(pause).await;
            turn += 1;
            let done = cells - self.open_cells().await?;
            // The first blow after a quarter of the cells, the second in their middle.
            while !storm.is_over() && done * 4 >= cells * (1 + storm.struck()) {
                storm.strike(&mut self.fleet).await?;
            }
            if done * 4 >= cells * 3 {
                break;
            }
            match (self.options.signal(), turn % 3) {
                (Signal::Kill, _) => storm.kill_a_worker(&mut self.fleet).await?,
                (Signal::Term, 0) => storm.replace_a_server(&mut self.fleet).await?,
                (Signal::Term, _) => storm.replace_a_worker(&mut self.fleet).await?,
            }
            let path = format!("/api/runs/{}", self.id);
            self.caller.get(&path).await?;
        }
        self.look = Look::at(&self.services.database_url).await?;
        match self.options.signal() {
            Signal::Kill => {
                storm
                    .kill_the_busiest(&mut self.fleet, &mut self.look)
                    .await
            }
            Signal::Term => Ok(Vec::new()),
        }
    }

    /// How many cells have no end yet; looks on the way whether the budget is kept.
    async fn open_cells(&mut self) -> anyhow::Result<usize> {
        let overdrawn = "runs WHERE spent + reserved + unresolved > budget";
        let open = "SELECT open_cells::bigint AS number FROM runs";
        loop {
            let found = async {
                let overdrawn = self.look.count(overdrawn).await?;
                anyhow::Ok((overdrawn, self.look.number(open).await?))
            };
            if let Ok((overdrawn, open)) = found.await {
                self.overdrawn += overdrawn;
                return Ok(usize::try_from(open)?);
            }
            // Postgres went away meanwhile.
            self.look = Look::at(&self.services.database_url).await?;
        }
    }

    /// Waits until no cell and no lane is left, as long as something happens.
    async fn await_end(&mut self, storm: &mut Storm) -> anyhow::Result<()> {
        let (mut moved, mut before) = (Instant::now(), usize::MAX);
        while moved.elapsed() < PATIENCE {
            let open = self.open_cells().await?;
            let lanes = "jobs WHERE kind = 'runs.lane' AND state IN ('queued', 'running')";
            let lanes = usize::try_from(self.look.count(lanes).await?)?;
            if open + lanes == 0 {
                return Ok(());
            }
            if open + lanes != before {
                (moved, before) = (Instant::now(), open + lanes);
            }
            storm.fallen += self.fleet.replace_the_fallen()?;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let left = self.look.words(books::WAITING).await;
        let left = left.context("what waits")?.join("; ");
        anyhow::bail!("the run stands still: {left}")
    }
}
