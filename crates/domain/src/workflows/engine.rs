//! What happens next while a workflow is performed: a step from what has ended to what begins. It
//! knows no clock, no store and no model; who performs the tasks does what it says.

use super::{ExecutionStatus, Graph, TaskStatus, graph::Set};

/// Where the tasks of an execution stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Engine {
    graph: Graph,
    pending: Set,
    running: Set,
    completed: Set,
    failed: Set,
    skipped: Set,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Somebody looks what there is to do.
    Begun,
    /// A task brought its result.
    Completed(usize),
    /// A task failed for good.
    Failed(usize),
    /// No task is to be begun any more, and those under way are given up.
    Halted,
}

/// What is to be done about it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Step {
    /// These tasks begin.
    pub start: Vec<usize>,
    /// These are never performed.
    pub skip: Vec<usize>,
    /// These were under way, and are given up.
    pub fail: Vec<usize>,
    /// The execution is over.
    pub end: Option<ExecutionStatus>,
}

impl Engine {
    /// An execution of which nothing was done yet.
    pub fn new(graph: Graph) -> Self {
        let all = vec![TaskStatus::Pending; graph.len()];
        Self::resumed(graph, &all)
    }

    /// An execution whose tasks stood so when its worker was stopped: what was under way begins anew.
    pub fn resumed(graph: Graph, tasks: &[TaskStatus]) -> Self {
        let of = |wanted: &[TaskStatus]| {
            let places = (0..graph.len()).filter(|place| {
                tasks
                    .get(*place)
                    .is_some_and(|status| wanted.contains(status))
            });
            places.collect::<Set>()
        };
        let (completed, failed) = (of(&[TaskStatus::Completed]), of(&[TaskStatus::Failed]));
        let skipped = of(&[TaskStatus::Skipped]);
        let ended = completed.and(failed).and(skipped);
        Self {
            pending: Set::first(graph.len()).without(ended),
            running: Set::EMPTY,
            completed,
            failed,
            skipped,
            graph,
        }
    }

    /// What is to be done now that this has happened. Word of a task that is not under way changes
    /// nothing.
    pub fn next(&mut self, event: Event) -> Step {
        let mut step = Step::default();
        match event {
            Event::Begun => {}
            Event::Completed(place) => self.completed = self.completed.and(self.take(place)),
            Event::Failed(place) => self.failed = self.failed.and(self.take(place)),
            Event::Halted => {
                step.fail = self.running.places().collect();
                self.failed = self.failed.and(std::mem::take(&mut self.running));
                step.skip = self.pending.places().collect();
                self.skipped = self.skipped.and(std::mem::take(&mut self.pending));
            }
        }
        step.skip.extend(self.skip());
        step.start = self.start();
        step.end = self.end();
        step
    }

    /// Those under way.
    pub fn running(&self) -> Set {
        self.running
    }

    /// Takes a task from those under way, if it is.
    fn take(&mut self, place: usize) -> Set {
        let taken = Set::one(place).both(self.running);
        self.running = self.running.without(taken);
        taken
    }

    /// Exactly those that wait for one that failed, directly or not, are skipped.
    fn skip(&mut self) -> Vec<usize> {
        let barren = self.failed.and(self.skipped);
        let cut_off = |place: &usize| !self.graph.ancestors(*place).both(barren).is_empty();
        let skipped: Set = self.pending.places().filter(cut_off).collect();
        self.pending = self.pending.without(skipped);
        self.skipped = self.skipped.and(skipped);
        skipped.places().collect()
    }

    /// Everything that waits for nobody begins at once.
    fn start(&mut self) -> Vec<usize> {
        let is_free = |place: &usize| self.graph.dependencies(*place).is_within(self.completed);
        let free: Set = self.pending.places().filter(is_free).collect();
        self.pending = self.pending.without(free);
        self.running = self.running.and(free);
        free.places().collect()
    }

    fn end(&self) -> Option<ExecutionStatus> {
        if !self.pending.and(self.running).is_empty() {
            return None;
        }
        let is_whole = self.failed.and(self.skipped).is_empty();
        Some(if is_whole {
            ExecutionStatus::Completed
        } else {
            ExecutionStatus::Failed
        })
    }
}

/// The tasks that are performed anew when an execution is taken up: those without a result, and
/// from the task at this place on all that depends on it, the task included.
pub fn anew(graph: &Graph, tasks: &[TaskStatus], from: Option<usize>) -> Vec<usize> {
    let from = from.map_or(Set::EMPTY, |place| {
        graph.descendants(place).and(Set::one(place))
    });
    let is_anew =
        |place: &usize| from.has(*place) || tasks.get(*place) != Some(&TaskStatus::Completed);
    (0..graph.len()).filter(is_anew).collect()
}

#[cfg(test)]
mod tests;
