//! Many people follow one run over two servers. Half of them break off at random and come back to
//! either server, and one server is killed in the middle: every event reaches each of them once and
//! in order, and Postgres is asked no more for many than for few.

mod account;
mod frames;
mod lags;
mod listener;

use std::{
    sync::{Arc, RwLock},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use futures::future::try_join_all;
use rand::{SeedableRng, rngs::StdRng};

use self::{
    lags::Lags,
    listener::{Heard, Listener},
};
use super::{
    caller::Caller, checks::Look, fleet::Fleet, report::Report, run, services::Services,
    storm::ports,
};
use crate::{
    bench::{float, meter},
    fakes::gemini::{self, FakeGemini},
};

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(900);

/// About the bytes of all events of a cell.
const CELL_BYTES: usize = 350;

/// How many servers there are.
const SERVERS: usize = 2;

/// What is listened to, and by whom.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// What everything random is drawn from
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Rows of the dataset; each is a cell in four columns
    #[arg(long, default_value_t = 5000)]
    pub rows: usize,
    /// Calls that the run has under way at once
    #[arg(long, default_value_t = 100)]
    pub concurrency: usize,
    /// Listeners, every other of which breaks off at random
    #[arg(long, default_value_t = 200)]
    pub listeners: usize,
    /// Workers that run at once
    #[arg(long, default_value_t = 2)]
    pub workers: usize,
    /// Milliseconds that the provider takes for a call
    #[arg(long, default_value_t = 5)]
    pub latency_ms: u64,
    /// Keep the folder with logs and data, and say where it is
    #[arg(long)]
    pub keep: bool,
}

impl Options {
    /// The run that is listened to.
    fn run(&self) -> run::Options {
        run::Options {
            seed: self.seed,
            rows: self.rows,
            concurrency: self.concurrency,
            workers: self.workers,
            servers: SERVERS,
            kill_every_ms: 0,
            latency_ms: self.latency_ms,
            term: false,
            keep: self.keep,
        }
    }
}

/// What the listening works with.
struct Field {
    options: Options,
    /// They go with this.
    _services: Services,
    /// It answers for as long as it is held.
    _provider: FakeGemini,
    fleet: Fleet,
    caller: Arc<Caller>,
    look: Look,
    /// The run.
    id: String,
    /// Where the servers listen at the moment.
    doors: Arc<RwLock<Vec<u16>>>,
    steady: Arc<Lags>,
    fickle: Arc<Lags>,
    /// CPU seconds of servers that are gone, less those from before anybody listened.
    cpu: f64,
    /// The most MiB of each server.
    peaks: Vec<f64>,
}

/// Runs it and says what came of it.
pub async fn run(options: Options) -> anyhow::Result<Report> {
    ensure!(
        options.workers > 0 && options.rows > 0 && options.listeners > 0,
        "somebody has to work and somebody to listen"
    );
    let mut field = Field::prepare(options).await?;
    let began = Instant::now();
    let listening = tokio::spawn(try_join_all(field.listeners().map(Listener::listen)));
    field.replace_a_server_in_the_middle().await?;
    let heard: Vec<Heard> = tokio::time::timeout(PATIENCE, listening)
        .await
        .context("not every listener got to the end")???;
    field.account(began.elapsed(), &heard).await
}

impl Field {
    async fn prepare(options: Options) -> anyhow::Result<Self> {
        let services = Services::start(options.keep).await?;
        let provider = FakeGemini::start_with(gemini::Options {
            latency: Duration::from_millis(options.latency_ms),
            ..gemini::Options::default()
        })
        .await;
        let mut fleet = Fleet::prepare(&services, &provider.url)?;
        for _ in 0..SERVERS {
            fleet.start_server().await?;
        }
        for _ in 0..options.workers {
            fleet.start_worker()?;
        }
        let caller = Arc::new(Caller::register(ports(&fleet.servers)).await?);
        let look = Look::at(&services.database_url).await?;
        let id = run::plan::start(&caller, &options.run()).await?;
        let mut field = Self {
            doors: Arc::new(RwLock::new(ports(&fleet.servers))),
            options,
            _services: services,
            _provider: provider,
            fleet,
            caller,
            look,
            id,
            steady: Arc::default(),
            fickle: Arc::default(),
            cpu: 0.0,
            peaks: Vec::new(),
        };
        field.cpu = -meter::cpu_seconds(&field.servers());
        Ok(field)
    }

    /// The processes of the servers.
    fn servers(&self) -> Vec<u32> {
        let servers = self.fleet.servers.iter();
        servers.filter_map(super::fleet::Process::id).collect()
    }

    fn listeners(&self) -> impl Iterator<Item = Listener> + use<> {
        let bytes = float(self.options.rows * 4 * CELL_BYTES);
        let (seed, run, caller) = (self.options.seed, self.id.clone(), self.caller.clone());
        let (doors, steady, fickle) =
            (self.doors.clone(), self.steady.clone(), self.fickle.clone());
        (0..self.options.listeners).map(move |number| {
            // As many of either kind at each server.
            let is_fickle = number / SERVERS % 2 == 1;
            Listener {
                number,
                is_fickle,
                run: run.clone(),
                caller: caller.clone(),
                doors: doors.clone(),
                bytes,
                dice: StdRng::seed_from_u64(seed ^ ((number as u64 + 1) << 32)),
                lags: if is_fickle {
                    fickle.clone()
                } else {
                    steady.clone()
                },
                heard: Heard::default(),
            }
        })
    }

    /// Kills a server when half of the cells are done, and starts another.
    async fn replace_a_server_in_the_middle(&mut self) -> anyhow::Result<()> {
        let cells = i64::try_from(self.options.rows * 4)?;
        let open = "SELECT open_cells::bigint AS number FROM runs";
        while self.look.number(open).await? * 2 > cells {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let mut victim = self.fleet.servers.remove(0);
        self.route();
        self.part_with(victim.id());
        victim.kill().await?;
        self.fleet.start_server().await?;
        self.route();
        Ok(())
    }

    /// Tells everybody where the servers are.
    fn route(&self) {
        let ports = ports(&self.fleet.servers);
        self.caller.route_to(ports.clone());
        *self
            .doors
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = ports;
    }

    /// Takes down what a server has taken that is about to end.
    fn part_with(&mut self, server: Option<u32>) {
        if let Some(id) = server {
            self.cpu += meter::cpu_seconds(&[id]);
            self.peaks.push(meter::peak_mib(id));
        }
    }
}
