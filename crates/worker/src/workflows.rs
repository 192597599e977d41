//! Workflows: a worker takes up an execution, performs its tasks side by side as far as they wait for
//! nobody, and books each step. What happens next is decided in [`domain::workflows::engine`].

mod entry;

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use db::workflows::course::{self, Booking, Course};
use domain::{
    auth::{Via, Viewer},
    jobs::{Claim, Lease, Outcome},
    providers::generate::Request,
    users::Role,
    workflows::{Engine, ExecuteWorkflow, ExecutionStatus, Graph, engine::Event},
};
use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use serde_json::Value;
use tasks::{Answer, Asks, Callee, Directly, Ended, Failure, Means, Performer, whole};
use tokio::time::{Instant, sleep, sleep_until};

use crate::{Worker, patience::insist, perform::stopped};
use entry::Carried;

/// About the most bytes of everything that an execution was given and made, as JSON.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// What is said of an execution whose time is over.
const OVERDUE: &str = "It took longer than an execution may.";

/// A task under way: its place, and what it will have come to.
type UnderWay<'a> = FuturesUnordered<BoxFuture<'a, (usize, Ended)>>;

impl Worker {
    /// What tasks are performed with.
    pub fn means(&self) -> Means<'_> {
        Means {
            pool: &self.pool,
            gateway: &self.gateway,
            embedder: &self.embedder,
            sandbox: &self.sandbox,
        }
    }
}

/// Performs the tasks of an execution until each has its end.
pub async fn execute(
    worker: &Worker,
    claim: &Claim,
    job: &ExecuteWorkflow,
) -> anyhow::Result<Outcome> {
    let held = claim.lease;
    let taken_up = insist(worker.config.lease(), || async {
        let mut conn = worker.pool.get().await?;
        Ok(course::take_up(&mut conn, held, job.execution_id).await?)
    });
    let Some(course) = taken_up.await? else {
        return Ok(Outcome::Done);
    };
    worker.news.tell(course.id.0);
    let Ok(graph) = Graph::new(&course.pinned.tasks) else {
        anyhow::bail!("a workflow with a cycle was started");
    };
    Execution::new(worker, held, &course, graph).work().await
}

/// An execution in the hands of this worker.
struct Execution<'a> {
    worker: &'a Worker,
    held: Lease,
    course: &'a Course,
    graph: Graph,
    viewer: Viewer,
    deadline: Instant,
}

/// How far it has come.
struct Progress {
    engine: Engine,
    results: BTreeMap<usize, Value>,
    bytes: usize,
    /// Tasks that wait for a time which was named to them, and how they said so.
    asleep: Vec<(DateTime<Utc>, usize, Ended)>,
    /// What those took that were tried again since, and how often.
    carried: BTreeMap<usize, Carried>,
    /// Why it is to end before its tasks do.
    halted: Option<&'static str>,
}

/// What a wait came to.
enum Word {
    /// These tasks ended.
    Ended(Vec<(usize, Ended)>),
    /// This task may be tried again.
    Awake(usize),
    /// Its time is over.
    Overdue,
    /// Its time will be over before any of its tasks may be tried again.
    TooLate,
}

impl<'a> Execution<'a> {
    fn new(worker: &'a Worker, held: Lease, course: &'a Course, graph: Graph) -> Self {
        let limit = Duration::from_secs(worker.config.workflow_seconds.into());
        let spent = (Utc::now() - course.started_at)
            .to_std()
            .unwrap_or_default();
        Self {
            worker,
            held,
            course,
            graph,
            viewer: Viewer {
                user_id: course.owner_id,
                company_id: course.company_id,
                role: course.role.unwrap_or(Role::Requester),
                // They proved it when they started it.
                via: Via::SingleUser,
            },
            deadline: Instant::now() + limit.saturating_sub(spent),
        }
    }

    async fn work(&self) -> anyhow::Result<Outcome> {
        let halted = match self.course.role {
            None => Some("Whoever started it may no longer work here."),
            Some(_) if self.deadline <= Instant::now() => Some(OVERDUE),
            Some(_) => None,
        };
        let mut progress = Progress {
            engine: Engine::resumed(self.graph.clone(), &self.course.statuses),
            results: self.course.results.clone(),
            bytes: self.course.results.values().map(entry::weight).sum(),
            asleep: Vec::new(),
            carried: BTreeMap::new(),
            halted,
        };
        let mut under_way = UnderWay::new();
        let mut word = Word::Ended(Vec::new());
        loop {
            if let Word::Awake(place) = word {
                under_way.push(self.perform(place, &progress.results));
            } else {
                let booking = self.advance(&mut progress, word);
                self.book(&booking).await?;
                if booking.end.is_some() {
                    return Ok(Outcome::Done);
                }
                let begun = booking.begun.into_iter();
                under_way.extend(begun.map(|place| self.perform(place, &progress.results)));
            }
            if under_way.is_empty() && self.wakes_too_late(&progress) {
                word = Word::TooLate;
                continue;
            }
            if under_way.is_empty() {
                return self.rest(progress).await;
            }
            word = self.wait(&mut under_way, &mut progress).await;
        }
    }

    /// Waits until something ended, and takes whatever ended with it.
    async fn wait(&self, under_way: &mut UnderWay<'_>, progress: &mut Progress) -> Word {
        let next = progress.asleep.iter().map(|(until, ..)| *until).min();
        let awake = async {
            match next.filter(|_| !self.worker.stop.is_cancelled()) {
                Some(until) => sleep((until - Utc::now()).to_std().unwrap_or_default()).await,
                None => std::future::pending().await,
            }
        };
        let first = tokio::select! {
            first = under_way.next() => first,
            () = sleep_until(self.deadline) => {
                under_way.clear();
                progress.halted = Some(OVERDUE);
                return Word::Overdue;
            }
            () = awake => None,
        };
        if first.is_none()
            && let Some(number) = progress
                .asleep
                .iter()
                .position(|(until, ..)| Some(*until) == next)
        {
            let (_, place, ended) = progress.asleep.swap_remove(number);
            progress
                .carried
                .insert(place, (ended.spent, ended.retries + 1));
            return Word::Awake(place);
        }
        let mut ended: Vec<(usize, Ended)> = first.into_iter().collect();
        while let Some(Some(more)) = under_way.next().now_or_never() {
            ended.push(more);
        }
        Word::Ended(ended)
    }

    /// What is to be booked about what happened.
    fn advance(&self, progress: &mut Progress, word: Word) -> Booking {
        let is_too_late = matches!(word, Word::TooLate);
        let mut booking = Booking {
            skipped_because: progress
                .halted
                .unwrap_or("Skipped due to dependency failure."),
            ..Booking::default()
        };
        let ended = match word {
            Word::Ended(ended) => ended,
            Word::TooLate => std::mem::take(&mut progress.asleep)
                .into_iter()
                .map(|(_, place, ended)| (place, ended))
                .collect(),
            Word::Awake(_) | Word::Overdue => Vec::new(),
        };
        if progress.halted.is_none() && !is_too_late {
            progress.gather(&mut booking, Event::Begun);
        }
        for (place, ended) in ended {
            let ended = progress.with_carried(place, ended);
            let until = entry::until(&ended);
            match until.filter(|_| !is_too_late) {
                Some(until) => progress.asleep.push((until, place, ended)),
                None => progress.settle(&mut booking, place, ended),
            }
        }
        if let Some(why) = progress.halted {
            progress.gather(&mut booking, Event::Halted);
            booking.error = Some(entry::halted(why));
        } else if booking.end == Some(ExecutionStatus::Failed) {
            booking.error = Some(entry::failed(&booking, &self.course.pinned.tasks));
        }
        if self.worker.stop.is_cancelled() {
            booking.begun.clear();
        }
        booking
    }

    /// Whether all that is left to do waits for a time at which the execution is over.
    fn wakes_too_late(&self, progress: &Progress) -> bool {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let next = progress.asleep.iter().map(|(until, ..)| *until).min();
        next.is_some_and(|until| until > Utc::now() + left)
    }

    /// Gives the execution back while none of its tasks is under way.
    async fn rest(&self, progress: Progress) -> anyhow::Result<Outcome> {
        let asleep = progress.asleep.iter();
        let booking = Booking {
            ended: asleep
                .map(|(_, place, ended)| entry::put_off(*place, ended))
                .collect(),
            ..Booking::default()
        };
        self.book(&booking).await?;
        let first = progress.asleep.into_iter().min_by_key(|(until, ..)| *until);
        match first {
            _ if self.worker.stop.is_cancelled() => Ok(stopped()),
            Some((until, _, ended)) => Ok(Outcome::Snooze(until, entry::wait(ended))),
            None => anyhow::bail!("an execution neither goes on nor ends"),
        }
    }

    /// Performs the task at a place on what its ancestors made: nothing else is sure to be there.
    fn perform<'b>(
        &'b self,
        place: usize,
        results: &BTreeMap<usize, Value>,
    ) -> BoxFuture<'b, (usize, Ended)> {
        let pinned = &self.course.pinned;
        let task = &pinned.tasks[place];
        let store = whole::seen(pinned, &self.graph, place, &self.course.input, results);
        async move {
            let performer = Performer {
                means: self.worker.means(),
                viewer: &self.viewer,
                asks: Asking(self.worker),
                model: None,
                seed: entry::seed(self.course.id),
                prompts: &pinned.prompts,
            };
            let ended = performer.perform(task, &store).await;
            entry::measure(task, &ended);
            (place, ended)
        }
        .boxed()
    }

    async fn book(&self, booking: &Booking) -> anyhow::Result<()> {
        insist(self.worker.config.lease(), || async {
            let mut conn = self.worker.pool.get().await?;
            Ok(course::book(&mut conn, self.held, self.course.id, booking).await?)
        })
        .await?;
        self.worker.news.tell(self.course.id.0);
        Ok(())
    }
}

impl Progress {
    /// A task's end with what its earlier tries took.
    fn with_carried(&mut self, place: usize, ended: Ended) -> Ended {
        match self.carried.remove(&place) {
            Some((spent, retries)) => Ended {
                spent: spent.and(ended.spent),
                retries: retries + ended.retries,
                ..ended
            },
            None => ended,
        }
    }

    /// Enters how a task ended, and what that means for the others.
    fn settle(&mut self, booking: &mut Booking, place: usize, ended: Ended) {
        let mut row = entry::ended(place, &ended);
        let event = match ended.result {
            Ok(made) if self.bytes + entry::weight(&made.value) > MOST_BYTES => {
                entry::crowded(&mut row);
                Event::Failed(place)
            }
            Ok(made) => {
                self.bytes += entry::weight(&made.value);
                self.results.insert(place, made.value);
                Event::Completed(place)
            }
            Err(cause) => {
                if let Failure::Internal(cause) = &cause {
                    tracing::warn!(error = format!("{cause:#}"), "task failed");
                }
                Event::Failed(place)
            }
        };
        booking.ended.push(row);
        self.gather(booking, event);
    }

    /// Enters what comes of an event. What is given up is booked as failed if it had begun; what begins
    /// and is given up in one step never began.
    fn gather(&mut self, booking: &mut Booking, event: Event) {
        let step = self.engine.next(event);
        booking.begun.extend(step.start);
        for place in step.fail {
            if let Some(number) = booking.begun.iter().position(|begun| *begun == place) {
                booking.begun.remove(number);
                booking.skipped.push(place);
                continue;
            }
            let asleep = self.asleep.iter().find(|(_, other, _)| *other == place);
            let asleep = asleep.map(|(_, _, ended)| (ended.spent.clone(), ended.retries));
            let carried = asleep
                .or_else(|| self.carried.remove(&place))
                .unwrap_or_default();
            let row = entry::given_up(place, booking.skipped_because, &carried);
            booking.ended.push(row);
        }
        booking.skipped.extend(step.skip);
        booking.end = step.end.or(booking.end);
    }
}

/// Asks models for an execution: without further ado, as long as the worker goes on.
struct Asking<'a>(&'a Worker);

impl Asks for Asking<'_> {
    fn is_ending(&self) -> bool {
        self.0.stop.is_cancelled()
    }

    async fn ask(&self, callee: &Callee, request: &Request) -> Result<Answer, Failure> {
        Directly(&self.0.pool).ask(callee, request).await
    }
}
