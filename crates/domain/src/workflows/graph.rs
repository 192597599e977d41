//! What depends on what among the tasks of a workflow. Tasks are known by their place in it, and
//! since there are at most fifty, a set of them is the bits of a number.

use super::task::{Task, TaskId};

/// A set of tasks, by their places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Set(u64);

impl Set {
    /// Nothing.
    pub const EMPTY: Self = Self(0);

    /// The first so many tasks.
    pub const fn first(count: usize) -> Self {
        if count >= 64 {
            Self(u64::MAX)
        } else {
            Self((1 << count) - 1)
        }
    }

    /// Only this one.
    pub const fn one(place: usize) -> Self {
        Self(1 << place)
    }

    /// Whether it is in here.
    pub const fn has(self, place: usize) -> bool {
        self.0 & (1 << place) != 0
    }

    /// Whether nothing is in here.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether all of these are in the others.
    pub const fn is_within(self, others: Self) -> bool {
        self.0 & !others.0 == 0
    }

    /// Those in either.
    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Those in both.
    #[must_use]
    pub const fn both(self, others: Self) -> Self {
        Self(self.0 & others.0)
    }

    /// Those that are not in the others.
    #[must_use]
    pub const fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// Their places, from the first.
    pub fn places(self) -> impl Iterator<Item = usize> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let place = rest.trailing_zeros();
            rest &= rest.wrapping_sub(1);
            (place < 64).then_some(place as usize)
        })
    }
}

impl FromIterator<usize> for Set {
    fn from_iter<I: IntoIterator<Item = usize>>(places: I) -> Self {
        places
            .into_iter()
            .fold(Self::EMPTY, |set, place| set.and(Self::one(place)))
    }
}

/// The dependencies of a workflow's tasks. Whoever makes one has seen to it that there is no cycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graph {
    dependencies: Vec<Set>,
    ancestors: Vec<Set>,
    order: Vec<usize>,
}

impl Graph {
    /// The graph of tasks without a fault: dependencies that name no task are left out. `Err` is a
    /// cycle, from a task back to it.
    pub fn new(tasks: &[Task]) -> Result<Self, Vec<usize>> {
        let place = |id: &TaskId| tasks.iter().position(|task| task.id == *id);
        let of = |task: &Task| task.dependencies.iter().filter_map(place).collect();
        Self::of(tasks.iter().take(64).map(of).collect())
    }

    /// The graph in which each task depends on these.
    pub fn of(dependencies: Vec<Set>) -> Result<Self, Vec<usize>> {
        let all = Set::first(dependencies.len());
        let (mut order, mut done) = (Vec::with_capacity(dependencies.len()), Set::EMPTY);
        let mut ancestors = vec![Set::EMPTY; dependencies.len()];
        while let Some(next) = all
            .without(done)
            .places()
            .find(|place| dependencies[*place].is_within(done))
        {
            ancestors[next] = dependencies[next]
                .places()
                .fold(dependencies[next], |set, place| set.and(ancestors[place]));
            done = done.and(Set::one(next));
            order.push(next);
        }
        if done == all {
            Ok(Self {
                dependencies,
                ancestors,
                order,
            })
        } else {
            Err(cycle(&dependencies, all.without(done)))
        }
    }

    /// How many tasks there are.
    pub fn len(&self) -> usize {
        self.dependencies.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.dependencies.is_empty()
    }

    /// What a task waits for.
    pub fn dependencies(&self, place: usize) -> Set {
        self.dependencies[place]
    }

    /// What has to be completed before a task, directly or not.
    pub fn ancestors(&self, place: usize) -> Set {
        self.ancestors[place]
    }

    /// What waits for a task, directly or not.
    pub fn descendants(&self, place: usize) -> Set {
        (0..self.len())
            .filter(|other| self.ancestors[*other].has(place))
            .collect()
    }

    /// The tasks, each after those it depends on.
    pub fn order(&self) -> &[usize] {
        &self.order
    }

    /// The tasks that no other one waits for.
    pub fn sinks(&self) -> impl Iterator<Item = usize> {
        let awaited = self
            .dependencies
            .iter()
            .fold(Set::EMPTY, |set, of| set.and(*of));
        Set::first(self.len()).without(awaited).places()
    }
}

/// A way from a task back to it, among those of which each waits for another.
fn cycle(dependencies: &[Set], rest: Set) -> Vec<usize> {
    let mut path: Vec<usize> = rest.places().take(1).collect();
    while let Some(next) = path
        .last()
        .and_then(|last| dependencies[*last].both(rest).places().next())
    {
        if let Some(start) = path.iter().position(|place| *place == next) {
            let mut found = path.split_off(start);
            found.reverse();
            return found;
        }
        path.push(next);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sets(of: &[&[usize]]) -> Vec<Set> {
        of.iter()
            .map(|places| places.iter().copied().collect())
            .collect()
    }

    #[test]
    fn every_task_comes_after_those_it_depends_on() {
        let graph = Graph::of(sets(&[&[1, 2], &[2], &[], &[0]])).expect("no cycle");
        assert_eq!(graph.order(), [2, 1, 0, 3]);
        assert_eq!(graph.ancestors(3).places().collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(graph.descendants(2).places().collect::<Vec<_>>(), [0, 1, 3]);
        assert_eq!(graph.sinks().collect::<Vec<_>>(), [3]);
    }

    #[test]
    fn a_cycle_is_named_in_the_order_of_the_work() {
        // 1 waits for 3, 2 for 1, 3 for 2; 0 is free, and 4 waits for the cycle.
        let cycle = Graph::of(sets(&[&[], &[3], &[1], &[2], &[3]])).expect_err("a cycle");
        assert_eq!(cycle, [2, 3, 1]);
        assert_eq!(Graph::of(sets(&[&[0]])), Err(vec![0]));
    }

    #[test]
    fn a_set_of_all_places_can_be_walked() {
        assert_eq!(Set::first(64).places().count(), 64);
        assert_eq!(Set::first(50).places().last(), Some(49));
        assert!(Set::EMPTY.places().next().is_none());
    }
}
