//! Runs: a lane takes cells of a run, has several under way at once, and goes on until none waits.
//!
//! What a cell does is written down in [`cell`] as if it were alone; [`batch`] gathers what the
//! cells of a lane want written while one statement is under way, and writes it with the next. So
//! the statements of a cell cost little, and the more there is to do, the less.

mod batch;
mod callee;
mod cell;
mod flow;
mod ledger;
mod outcome;
mod request;
mod verdict;

use std::{
    sync::atomic::{AtomicBool, AtomicI32, Ordering},
    time::Duration,
};

use chrono::{DateTime, Utc};
use db::runs::{
    Target,
    lane::{self, Claimed, Rest},
};
use domain::{
    jobs::{Claim, Lease, Outcome, Wait},
    providers::ProviderError,
    runs::{WorkLane, checks::Compiled},
};
use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use tokio::{
    sync::OnceCell,
    time::{Instant, sleep, sleep_until},
};

use crate::{Worker, patience::insist, perform::stopped};
use callee::Callees;
use ledger::Ledger;

/// After this long a lane goes back to the queue and comes again: a lane is a job, and jobs end.
const TURN: Duration = Duration::from_secs(10 * 60);

/// How long a lane has its place for itself before it makes room for other runs that wait.
const UNDISTURBED: Duration = Duration::from_millis(100);

/// How long a lane with calls under way that found no cell takes none to be there.
const GLANCE: Duration = Duration::from_millis(250);

/// How often a lane looks for cells from the first row on: some may wait again.
const AROUND: Duration = Duration::from_secs(2);

/// A wait shorter than this is waited for where the lane is.
const SHORT: Duration = Duration::from_secs(2);

/// What the cells of a lane share.
struct Lane<'a> {
    worker: &'a Worker,
    held: Lease,
    target: Target,
    width: usize,
    callees: Callees,
    /// The rules that outputs are held against, if there are any.
    checks: Option<Compiled>,
    ledger: Ledger,
    /// Whether cells that were not asked yet are given back, for another run to have the place.
    makes_room: AtomicBool,
    /// The row at which the next cells are looked for.
    next_row: AtomicI32,
    /// Set when the run's budget was found spent.
    exhausted: OnceCell<()>,
}

/// Why a lane takes no more cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Halt {
    /// None waits at present.
    Dry,
    /// Others are to have its place.
    Turn,
}

/// Works on cells until none waits.
pub async fn lane(worker: &Worker, claim: &Claim, job: &WorkLane) -> anyhow::Result<Outcome> {
    let held = claim.lease;
    let patience = worker.config.lease();
    let target = insist(patience, || async {
        let mut conn = worker.pool.get().await?;
        lane::recover(&mut conn, held, job.run_id).await?;
        Ok(db::runs::target(&mut conn, job.run_id).await?)
    });
    let Some(target) = target.await? else {
        return Ok(Outcome::Done);
    };
    let callees = insist(patience, || Callees::of(worker, &target)).await?;
    let (ledger, books) = Ledger::open(usize::from(job.width));
    let checks = &target.plan.checks;
    let checks = if checks.0.is_empty() {
        None
    } else {
        Some(Compiled::new(checks)?)
    };
    let lane = Lane {
        worker,
        held,
        target,
        checks,
        width: usize::from(job.width.max(1)),
        callees,
        ledger,
        makes_room: AtomicBool::new(false),
        next_row: AtomicI32::new(0),
        exhausted: OnceCell::new(),
    };
    tokio::select! {
        outcome = lane.work() => {
            worker.news.tell(job.run_id.0);
            outcome
        }
        cause = books.keep(&lane) => Err(cause),
    }
}

impl Lane<'_> {
    /// Whether no further call is to be begun here.
    fn is_ending(&self) -> bool {
        self.worker.stop.is_cancelled() || self.makes_room.load(Ordering::Relaxed)
    }

    async fn work(&self) -> anyhow::Result<Outcome> {
        let deadline = Instant::now() + TURN;
        loop {
            let halt = self.take_cells(deadline).await?;
            if self.worker.stop.is_cancelled() {
                return self.come_again(stopped()).await;
            }
            match (self.end().await?, halt) {
                (Rest::None, _) => return Ok(Outcome::Done),
                (Rest::Asleep(due), _) => return Ok(Outcome::Snooze(due, self.wait().await)),
                (Rest::Until(_), Halt::Turn) => {
                    return Ok(Outcome::Snooze(
                        Utc::now(),
                        "takes turns with other runs".into(),
                    ));
                }
                (Rest::Until(due), Halt::Dry) => sleep(until(due)).await,
            }
        }
    }

    /// A lane that ends although cells may wait; where none does, it is done.
    async fn come_again(&self, outcome: Outcome) -> anyhow::Result<Outcome> {
        match self.end().await? {
            Rest::None => Ok(Outcome::Done),
            Rest::Asleep(due) => Ok(Outcome::Snooze(due, self.wait().await)),
            Rest::Until(_) => Ok(outcome),
        }
    }

    /// What the lane waits for if it has to: a key that is paused is told before a time that was named.
    async fn wait(&self) -> Wait {
        for key in self.callees.keys() {
            if let Err(ProviderError::Paused(paused)) = self.worker.gateway.pauses.ask(key).await {
                return Wait {
                    reason: paused.to_string(),
                    key: Some(key),
                };
            }
        }
        "waits for its provider".into()
    }

    async fn end(&self) -> anyhow::Result<Rest> {
        let wait = self.wait().await;
        insist(self.worker.config.lease(), || async {
            let mut conn = self.worker.pool.get().await?;
            Ok(lane::end(&mut conn, self.held, self.target.id, delta(SHORT), &wait).await?)
        })
        .await
    }

    /// Takes cells and sees each to its end, as many at once as the lane is wide; a few more are
    /// taken ahead, so that a place that becomes free has its next cell at hand.
    async fn take_cells(&self, deadline: Instant) -> anyhow::Result<Halt> {
        let most = 2 * self.width;
        let mut under_way = FuturesUnordered::<BoxFuture<'_, anyhow::Result<()>>>::new();
        let mut claiming: Option<BoxFuture<'_, anyhow::Result<Vec<Claimed>>>> = None;
        let (mut halt, mut next_claim) = (None, Instant::now());
        let mut back = Instant::now() + AROUND;
        // It begins with the first cells: a slow store must not keep all runs from coming to any.
        let mut look: Option<Instant> = None;
        let mut looking: Option<BoxFuture<'_, bool>> = None;
        loop {
            let room = most - under_way.len();
            let rests = next_claim > Instant::now();
            if claiming.is_none() && halt.is_none() && !rests && room * 4 >= self.width {
                if self.worker.stop.is_cancelled() || Instant::now() > deadline {
                    halt = Some(Halt::Turn);
                } else {
                    if Instant::now() > back {
                        back = Instant::now() + AROUND;
                        self.next_row.store(0, Ordering::Relaxed);
                    }
                    claiming = Some(self.claim(room).boxed());
                }
            }
            if halt.is_none() && looking.is_none() && look.is_some_and(|look| Instant::now() > look)
            {
                looking = Some(self.others_wait().boxed());
            }
            if claiming.is_none() && looking.is_none() && under_way.is_empty() {
                return Ok(halt.unwrap_or(Halt::Dry));
            }
            tokio::select! {
                taken = async { claiming.as_mut().expect("checked by the branch").await }, if claiming.is_some() => {
                    claiming = None;
                    let taken = taken?;
                    if taken.is_empty() {
                        // Others may come before the last of those under way has its answer.
                        next_claim = Instant::now() + GLANCE;
                    } else {
                        look.get_or_insert_with(|| Instant::now() + UNDISTURBED);
                    }
                    under_way.extend(taken.into_iter().map(|cell| self.see_through(cell).boxed()));
                }
                Some(ended) = under_way.next() => ended?,
                waited_for = async { looking.as_mut().expect("checked by the branch").await }, if looking.is_some() => {
                    looking = None;
                    look = Some(Instant::now() + UNDISTURBED);
                    if waited_for && halt.is_none() {
                        self.makes_room.store(true, Ordering::Relaxed);
                        halt = Some(Halt::Turn);
                    }
                }
                () = sleep_until(next_claim), if rests && claiming.is_none() && halt.is_none() => {}
            }
        }
    }

    /// Takes cells from where the last taking ended, else from the beginning. The index of what waits
    /// still holds what was taken before, and would be read through again and again.
    async fn claim(&self, limit: usize) -> anyhow::Result<Vec<Claimed>> {
        let from = self.next_row.load(Ordering::Relaxed);
        let mut taken = self.claim_from(from, limit).await?;
        if taken.is_empty() && from > 0 {
            taken = self.claim_from(0, limit).await?;
        }
        let last = taken.last().filter(|_| taken.len() == limit);
        let next = last.map_or(0, |cell| cell.row_index);
        self.next_row.store(next, Ordering::Relaxed);
        self.worker.news.tell(self.target.id.0);
        Ok(taken)
    }

    async fn claim_from(&self, row: i32, limit: usize) -> anyhow::Result<Vec<Claimed>> {
        insist(self.worker.config.lease(), || async {
            let mut conn = self.worker.pool.get().await?;
            Ok(lane::claim(&mut conn, self.held, &self.target, limit, row).await?)
        })
        .await
    }

    /// Whether this lane should make room. Where that cannot be told, it keeps its place: who waits is
    /// worth less than the calls under way, which would be lost with the lane.
    async fn others_wait(&self) -> bool {
        let asked = async {
            let mut conn = self.worker.pool.get().await?;
            anyhow::Ok(lane::others_wait(&mut conn, self.held, self.target.id).await?)
        };
        asked.await.unwrap_or_else(|cause| {
            tracing::debug!(error = format!("{cause:#}"), "kept its place");
            false
        })
    }
}

fn delta(wait: Duration) -> chrono::TimeDelta {
    chrono::TimeDelta::from_std(wait).unwrap_or(chrono::TimeDelta::MAX)
}

/// How long it is until then; a moment at least, so that nobody asks without end.
fn until(due: DateTime<Utc>) -> Duration {
    let wait = (due - Utc::now()).to_std().unwrap_or_default();
    wait.max(Duration::from_millis(20))
}
