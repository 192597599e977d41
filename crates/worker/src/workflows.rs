//! Workflows: a worker takes up an execution, performs its tasks side by side as far as they wait for
//! nobody, and books each step. What happens next is decided in [`domain::workflows::engine`].

mod entry;

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use db::workflows::course::{self, Booking, Course};
use domain::{
    auth::{Via, Viewer},
    jobs::{Claim, Lease, Outcome},
    users::Role,
    workflows::{
        Engine, ExecuteWorkflow, ExecutionStatus, Graph,
        engine::{Event, Step},
    },
};
use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use serde_json::Value;
use tasks::{Directly, Ended, Means, Performer, whole};
use tokio::time::{Instant, sleep, sleep_until};

use crate::{Worker, patience::insist, perform::stopped};

/// About the most bytes of everything that an execution was given and made, as JSON.
const MOST_BYTES: usize = 32 * 1024 * 1024;

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
        let gone = "Whoever started it may no longer work here.";
        let mut progress = Progress {
            engine: Engine::resumed(self.graph.clone(), &self.course.statuses),
            results: self.course.results.clone(),
            bytes: self.course.results.values().map(entry::weight).sum(),
            asleep: Vec::new(),
            halted: self.course.role.is_none().then_some(gone),
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
            match next {
                // No call is begun any more: whoever takes the execution up next tries again.
                _ if self.worker.stop.is_cancelled() => std::future::pending().await,
                Some(until) => sleep((until - Utc::now()).to_std().unwrap_or_default()).await,
                None => std::future::pending().await,
            }
        };
        let first = tokio::select! {
            first = under_way.next() => first,
            () = sleep_until(self.deadline) => {
                under_way.clear();
                progress.halted = Some("It took longer than an execution may.");
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
            return Word::Awake(progress.asleep.swap_remove(number).1);
        }
        let mut ended: Vec<(usize, Ended)> = first.into_iter().collect();
        while let Some(Some(more)) = under_way.next().now_or_never() {
            ended.push(more);
        }
        Word::Ended(ended)
    }

    /// What is to be booked about what happened.
    fn advance(&self, progress: &mut Progress, word: Word) -> Booking {
        let mut booking = Booking {
            skipped_because: progress
                .halted
                .unwrap_or("Skipped due to dependency failure."),
            ..Booking::default()
        };
        let Word::Ended(ended) = word else {
            gather(&mut booking, progress.engine.next(Event::Halted));
            booking.error = progress.halted.map(entry::halted);
            return booking;
        };
        if progress.halted.is_none() {
            gather(&mut booking, progress.engine.next(Event::Begun));
        }
        for (place, ended) in ended {
            if let Some(until) = ended.result.as_ref().err().and_then(tasks::Failure::until) {
                progress.asleep.push((until, place, ended));
                continue;
            }
            let event = progress.settle(&mut booking, place, ended);
            gather(&mut booking, progress.engine.next(event));
        }
        if let Some(why) = progress.halted {
            gather(&mut booking, progress.engine.next(Event::Halted));
            booking.error = Some(entry::halted(why));
        } else if booking.end == Some(ExecutionStatus::Failed) {
            booking.error = Some(entry::failed(&booking, &self.course.pinned.tasks));
        }
        if self.worker.stop.is_cancelled() {
            booking.begun.clear();
        }
        booking
    }

    /// Gives the execution back while none of its tasks is under way.
    async fn rest(&self, progress: Progress) -> anyhow::Result<Outcome> {
        let ended = progress
            .asleep
            .iter()
            .map(|(_, place, ended)| entry::put_off(*place, ended));
        let booking = Booking {
            ended: ended.collect(),
            ..Booking::default()
        };
        self.book(&booking).await?;
        let first = progress.asleep.into_iter().min_by_key(|(until, ..)| *until);
        match first {
            _ if self.worker.stop.is_cancelled() => Ok(stopped()),
            Some((until, _, ended)) => {
                let why = ended.result.err().map(|cause| cause.to_string());
                Ok(Outcome::Snooze(until, why.unwrap_or_default()))
            }
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
        let store = whole::seen_of(pinned, &self.graph, place, &self.course.input, results);
        async move {
            let performer = Performer {
                means: self.worker.means(),
                viewer: &self.viewer,
                asks: Directly(&self.worker.pool),
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
    /// Enters how a task ended, and says what that means for the others.
    fn settle(&mut self, booking: &mut Booking, place: usize, ended: Ended) -> Event {
        let mut row = entry::ended(place, &ended);
        let event = match ended.result {
            Ok(made) => {
                self.bytes += entry::weight(&made.value);
                if self.bytes > MOST_BYTES {
                    entry::crowded(&mut row);
                    Event::Failed(place)
                } else {
                    self.results.insert(place, made.value);
                    Event::Completed(place)
                }
            }
            Err(cause) => {
                if let tasks::Failure::Internal(cause) = &cause {
                    tracing::warn!(error = format!("{cause:#}"), "task failed");
                }
                Event::Failed(place)
            }
        };
        booking.ended.push(row);
        event
    }
}

/// Enters what a step says. What is given up is booked as failed if it had begun; what begins and is
/// given up in one step never began.
fn gather(booking: &mut Booking, step: Step) {
    let because = booking.skipped_because;
    booking.begun.extend(step.start);
    for place in step.fail {
        match booking.begun.iter().position(|begun| *begun == place) {
            Some(number) => {
                booking.begun.remove(number);
                booking.skipped.push(place);
            }
            None => booking.ended.push(entry::given_up(place, because)),
        }
    }
    booking.skipped.extend(step.skip);
    booking.end = step.end.or(booking.end);
}
