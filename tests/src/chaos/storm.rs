//! What happens to the product, and when: drawn by lot before it begins.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use rand::{RngExt, rngs::StdRng};

use super::{
    caller::Caller,
    checks::Look,
    fleet::{Fleet, Process},
    services::{End, Services},
    waste::Fault,
};

/// What it is called when Redis is emptied.
pub const FLUSH: &str = "flush of Redis";

/// A blow against more than one worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blow {
    /// Redis forgets everything.
    FlushRedis,
    /// Redis ends hard and comes back.
    KillRedis,
    /// Postgres ends in order and comes back.
    RestartPostgres,
    /// Postgres ends hard and comes back.
    KillPostgres,
    /// A server is replaced.
    RestartServer,
}

impl Blow {
    /// Each once.
    pub const ALL: [Self; 5] = [
        Self::FlushRedis,
        Self::KillRedis,
        Self::RestartPostgres,
        Self::KillPostgres,
        Self::RestartServer,
    ];
}

/// Blows, in an order drawn by lot.
pub struct Storm {
    services: Arc<Services>,
    caller: Arc<Caller>,
    dice: StdRng,
    blows: Vec<Blow>,
    struck: usize,
    /// What has happened so far.
    pub faults: Vec<Fault>,
    /// Workers that ended by themselves, as when Postgres was not there at their start.
    pub fallen: usize,
    /// The slowest orderly end of a process.
    pub slowest_end: Duration,
}

impl Storm {
    /// A storm that is about to break, with these blows in an order drawn by lot.
    pub fn new(
        services: Arc<Services>,
        caller: Arc<Caller>,
        mut dice: StdRng,
        blows: &[Blow],
    ) -> Self {
        let mut blows = blows.to_vec();
        for place in (1..blows.len()).rev() {
            blows.swap(place, dice.random_range(0..=place));
        }
        Self {
            services,
            caller,
            dice,
            blows,
            struck: 0,
            faults: Vec::new(),
            fallen: 0,
            slowest_end: Duration::ZERO,
        }
    }

    /// Whether every blow has fallen.
    pub fn is_over(&self) -> bool {
        self.blows.is_empty()
    }

    /// How many blows have fallen.
    pub fn struck(&self) -> usize {
        self.struck
    }

    /// How many faults there were of each kind.
    pub fn counts(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for fault in &self.faults {
            *counts.entry(fault.what).or_default() += 1;
        }
        counts
    }

    /// How many faults there were of this kind.
    pub fn count(&self, what: &str) -> usize {
        self.faults
            .iter()
            .filter(|fault| fault.what == what)
            .count()
    }

    fn note(&mut self, what: &'static str, key: Option<String>, began: Instant) {
        self.faults.push(Fault {
            what,
            key,
            began,
            ended: Instant::now(),
        });
    }

    /// Kills a worker drawn by lot and starts another at once.
    pub async fn kill_a_worker(&mut self, fleet: &mut Fleet) -> anyhow::Result<()> {
        self.fallen += fleet.replace_the_fallen()?;
        let victim = self.dice.random_range(0..fleet.workers.len());
        self.kill(fleet, victim).await
    }

    async fn kill(&mut self, fleet: &mut Fleet, victim: usize) -> anyhow::Result<()> {
        let mut worker = fleet.workers.swap_remove(victim);
        let began = Instant::now();
        worker.kill().await?;
        self.note("kill", Some(worker.key), began);
        fleet.start_worker()
    }

    /// Kills the worker that has the most to do and says which jobs it was at.
    pub async fn kill_the_busiest(
        &mut self,
        fleet: &mut Fleet,
        look: &mut Look,
    ) -> anyhow::Result<Vec<String>> {
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            for victim in 0..fleet.workers.len() {
                let Some(name) = fleet.workers[victim].worker_name() else {
                    continue;
                };
                let held = format!(
                    "SELECT id::text AS word FROM jobs WHERE state = 'running' AND worker = '{name}'"
                );
                if look.words(&held).await?.is_empty() {
                    continue;
                }
                self.kill(fleet, victim).await?;
                return look.words(&held).await;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(Vec::new())
    }

    /// The next blow, if one is left.
    pub async fn strike(&mut self, fleet: &mut Fleet) -> anyhow::Result<()> {
        let Some(blow) = self.blows.pop() else {
            return Ok(());
        };
        self.struck += 1;
        let began = Instant::now();
        let what = match blow {
            Blow::FlushRedis => {
                self.flush().await?;
                FLUSH
            }
            Blow::KillRedis => self.restart(blow, "kill of Redis").await?,
            Blow::RestartPostgres => self.restart(blow, "restart of Postgres").await?,
            Blow::KillPostgres => self.restart(blow, "kill of Postgres").await?,
            Blow::RestartServer => return self.replace_a_server(fleet).await,
        };
        self.note(what, None, began);
        Ok(())
    }

    async fn flush(&self) -> anyhow::Result<()> {
        let client = redis::Client::open(self.services.redis_url.as_str())?;
        let mut redis = client.get_multiplexed_async_connection().await?;
        Ok(redis::cmd("FLUSHALL").exec_async(&mut redis).await?)
    }

    async fn restart(&self, blow: Blow, what: &'static str) -> anyhow::Result<&'static str> {
        let services = self.services.clone();
        let restart = move || match blow {
            Blow::KillRedis => services.restart_redis(End::Kill),
            Blow::KillPostgres => services.restart_postgres(End::Kill),
            _ => services.restart_postgres(End::Fast),
        };
        tokio::task::spawn_blocking(restart).await??;
        Ok(what)
    }

    /// Replaces the oldest server: first a new one is ready, then the old one is asked to end,
    /// while requests still come to it.
    pub async fn replace_a_server(&mut self, fleet: &mut Fleet) -> anyhow::Result<()> {
        let began = Instant::now();
        fleet.start_server().await?;
        self.caller.route_to(ports(&fleet.servers));
        let mut old = fleet.servers.remove(0);
        let took = old.terminate().await?;
        self.slowest_end = self.slowest_end.max(took);
        self.caller.route_to(ports(&fleet.servers));
        // Its own calls are searches, which are not stored: no other is excused by it.
        self.note("replacement of a server", Some(old.key), began);
        Ok(())
    }

    /// Replaces the oldest worker in the same way.
    pub async fn replace_a_worker(&mut self, fleet: &mut Fleet) -> anyhow::Result<()> {
        fleet.start_worker()?;
        let mut old = fleet.workers.remove(0);
        let began = Instant::now();
        let took = old.terminate().await?;
        self.slowest_end = self.slowest_end.max(took);
        self.note("replacement of a worker", Some(old.key), began);
        Ok(())
    }
}

/// Where the servers listen.
pub fn ports(servers: &[Process]) -> Vec<u16> {
    servers.iter().map(|server| server.port).collect()
}
