//! The children at hand: never more than so many, each for one tenant, and none for longer than it is needed.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, sleep_until},
};
use uuid::Uuid;

use crate::process::{Process, Recipe};

/// Calls after which a child is replaced: whatever an engine in C may lose, it does not lose for long.
const CALLS: u32 = 1000;

/// After so long without a call a child ends.
const IDLE: Duration = Duration::from_secs(30);

/// Children, at work or waiting for it.
#[derive(Debug)]
pub(crate) struct Pool {
    recipe: Recipe,
    /// One permit for each call under way, given in the order of asking.
    permits: Semaphore,
    resting: Mutex<Resting>,
}

/// Children without work.
#[derive(Debug, Default)]
struct Resting {
    /// Who rested last stands last.
    processes: Vec<Process>,
    /// Whether somebody sees to it that they end.
    watched: bool,
}

impl Pool {
    pub fn new(recipe: Recipe, most: u16) -> Self {
        Self {
            recipe,
            permits: Semaphore::new(most.into()),
            resting: Mutex::default(),
        }
    }

    /// Waits for its turn.
    pub async fn turn(&self) -> SemaphorePermit<'_> {
        self.permits.acquire().await.expect("never closed")
    }

    /// A child that has served this tenant and nobody else, if there is one alive.
    pub fn used(&self, tenant: Uuid) -> Option<Process> {
        let mut resting = self.resting();
        loop {
            let at = resting
                .processes
                .iter()
                .rposition(|process| process.tenant == tenant)?;
            let mut process = resting.processes.remove(at);
            if process.is_alive() {
                return Some(process);
            }
        }
    }

    /// A new child, in the place of the one that rested longest if there are too many. To be called in one's turn.
    pub async fn fresh(&self, tenant: Uuid) -> io::Result<Process> {
        self.make_room();
        Process::start(&self.recipe, tenant).await
    }

    /// Those with a turn need a place each, and one of them is asking.
    fn make_room(&self) {
        let mut resting = self.resting();
        let places = self.permits.available_permits();
        let surplus = resting.processes.len().saturating_sub(places);
        resting.processes.drain(..surplus);
    }

    /// Lets a child rest that answered as it should.
    pub fn rest(self: &Arc<Self>, mut process: Process) {
        if process.served >= CALLS {
            return;
        }
        process.idle_since = Instant::now();
        let mut resting = self.resting();
        resting.processes.push(process);
        if !resting.watched {
            resting.watched = true;
            tokio::spawn(watch(Arc::downgrade(self)));
        }
    }

    /// Ends who rested too long, and says when to look again; nothing if nobody rests.
    fn retire(&self) -> Option<Instant> {
        let mut resting = self.resting();
        resting
            .processes
            .retain(|process| process.idle_since.elapsed() < IDLE);
        let next = resting.processes.first();
        let next = next.map(|process| process.idle_since + IDLE);
        resting.watched = next.is_some();
        next
    }

    fn resting(&self) -> MutexGuard<'_, Resting> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends children that rest too long, until none is left or the pool is gone.
async fn watch(pool: Weak<Pool>) {
    while let Some(next) = pool.upgrade().and_then(|pool| pool.retire()) {
        sleep_until(next).await;
    }
}
