use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// Graphs of up to fifty tasks, each depending on some of those before it.
fn graphs() -> impl Strategy<Value = Graph> {
    (1_usize..=50, any::<u64>(), 0.0..0.4_f64).prop_map(|(tasks, seed, density)| {
        let mut random = seed | 1;
        let mut chance = move || {
            // xorshift64: any sequence will do, if it is the same for the same seed.
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            #[expect(clippy::cast_precision_loss, reason = "a share needs no more")]
            let share = (random >> 11) as f64 / (1_u64 << 53) as f64;
            share
        };
        let sets = (0..tasks).map(|place| (0..place).filter(|_| chance() < density).collect());
        Graph::of(sets.collect()).expect("edges lead backwards only")
    })
}

/// What became of each task when it ended, and in which order they began and ended.
#[derive(Default)]
struct Course {
    begun: Vec<usize>,
    completed: BTreeSet<usize>,
    failed: BTreeSet<usize>,
    skipped: BTreeSet<usize>,
}

/// Performs a workflow in which these tasks fail; `choose` says which of those under way ends next.
fn perform(graph: &Graph, fails: &[bool], choices: &[usize]) -> (Course, ExecutionStatus) {
    let mut engine = Engine::new(graph.clone());
    let mut course = Course::default();
    let mut under_way: Vec<usize> = Vec::new();
    let mut event = Event::Begun;
    for turn in 0.. {
        let step = engine.next(event);
        for place in &step.start {
            let missing: Vec<_> = graph
                .dependencies(*place)
                .places()
                .filter(|other| !course.completed.contains(other))
                .collect();
            assert!(missing.is_empty(), "{place} began before {missing:?}");
        }
        course.begun.extend(&step.start);
        under_way.extend(&step.start);
        course.skipped.extend(&step.skip);
        assert_most_at_work(graph, &course, &under_way);
        if let Some(end) = step.end {
            assert!(under_way.is_empty());
            return (course, end);
        }
        let chosen = choices[turn % choices.len()] % under_way.len();
        let place = under_way.swap_remove(chosen);
        event = if fails[place] {
            course.failed.insert(place);
            Event::Failed(place)
        } else {
            course.completed.insert(place);
            Event::Completed(place)
        };
    }
    unreachable!("the loop ends with the execution")
}

/// Whatever could be under way is.
fn assert_most_at_work(graph: &Graph, course: &Course, under_way: &[usize]) {
    for place in 0..graph.len() {
        let is_over = course.begun.contains(&place) || course.skipped.contains(&place);
        let is_free = graph
            .dependencies(place)
            .places()
            .all(|other| course.completed.contains(&other));
        assert!(
            is_over || !is_free,
            "{place} waits for nobody beside {under_way:?}"
        );
    }
}

proptest! {
    #[test]
    fn every_task_ends_once_and_exactly_the_dependants_of_failures_are_skipped(
        graph in graphs(),
        fails in prop::collection::vec(prop::bool::weighted(0.15), 50),
        choices in prop::collection::vec(any::<usize>(), 1..50),
    ) {
        let (course, end) = perform(&graph, &fails, &choices);
        let ends = course.completed.len() + course.failed.len() + course.skipped.len();
        prop_assert_eq!(ends, graph.len());
        let begun: BTreeSet<_> = course.begun.iter().collect();
        prop_assert_eq!(begun.len(), course.begun.len());
        for place in 0..graph.len() {
            let after_failure = graph.ancestors(place).places().any(|other| course.failed.contains(&other));
            prop_assert_eq!(course.skipped.contains(&place), after_failure);
        }
        let whole = course.failed.is_empty();
        prop_assert_eq!(end == ExecutionStatus::Completed, whole);
    }

    #[test]
    fn an_execution_that_was_stopped_anywhere_ends_as_one_that_was_not(
        graph in graphs(),
        fails in prop::collection::vec(prop::bool::weighted(0.15), 50),
        stops in prop::collection::vec(any::<bool>(), 1..20),
    ) {
        let mut statuses = vec![TaskStatus::Pending; graph.len()];
        let mut performed = vec![0; graph.len()];
        let end = 'lives: loop {
            let mut engine = Engine::resumed(graph.clone(), &statuses);
            let mut event = Event::Begun;
            let mut under_way: Vec<usize> = Vec::new();
            for life in 0.. {
                let step = engine.next(event);
                for place in step.skip {
                    statuses[place] = TaskStatus::Skipped;
                }
                for place in &step.start {
                    statuses[*place] = TaskStatus::Running;
                }
                under_way.extend(step.start);
                if let Some(end) = step.end {
                    break 'lives end;
                }
                let so_far: usize = performed.iter().sum();
                if stops[so_far % stops.len()] && life > 0 {
                    break;
                }
                let place = under_way.pop().expect("something is under way");
                performed[place] += 1;
                statuses[place] = if fails[place] { TaskStatus::Failed } else { TaskStatus::Completed };
                event = if fails[place] { Event::Failed(place) } else { Event::Completed(place) };
            }
        };
        let (undisturbed, same) = perform(&graph, &fails, &[0]);
        prop_assert_eq!(end, same);
        for place in 0..graph.len() {
            prop_assert_eq!(statuses[place] == TaskStatus::Completed, undisturbed.completed.contains(&place));
            prop_assert_eq!(statuses[place] == TaskStatus::Skipped, undisturbed.skipped.contains(&place));
            prop_assert!(performed[place] <= 1, "what had ended was performed again");
        }
    }

    #[test]
    fn what_is_performed_anew_needs_nothing_that_is_not_there(graph in graphs(), from in any::<usize>(), done in any::<u64>()) {
        let from = from % graph.len();
        // A state that can be: whatever is completed has completed dependencies.
        let mut statuses = vec![TaskStatus::Failed; graph.len()];
        for place in graph.order() {
            let ready = graph.dependencies(*place).places().all(|other| statuses[other] == TaskStatus::Completed);
            if ready && done >> (place % 64) & 1 == 1 {
                statuses[*place] = TaskStatus::Completed;
            }
        }
        let anew = anew(&graph, &statuses, Some(from));
        prop_assert!(anew.contains(&from));
        for place in (0..graph.len()).filter(|place| !anew.contains(place)) {
            prop_assert!(graph.dependencies(place).places().all(|other| !anew.contains(&other)));
        }
    }
}

fn line() -> Graph {
    Graph::of(vec![Set::EMPTY, Set::one(0), Set::one(1), Set::EMPTY]).expect("no cycle")
}

#[test]
fn word_of_a_task_that_is_not_under_way_changes_nothing() {
    let mut engine = Engine::new(line());
    assert_eq!(engine.next(Event::Begun).start, [0, 3]);
    assert_eq!(engine.next(Event::Completed(1)), Step::default());
    assert_eq!(engine.next(Event::Completed(0)).start, [1]);
    assert_eq!(engine.next(Event::Failed(0)), Step::default());
}

#[test]
fn what_is_halted_begins_nothing_more_and_is_over() {
    let mut engine = Engine::new(line());
    engine.next(Event::Begun);
    let step = engine.next(Event::Halted);
    assert_eq!(
        (step.start, step.fail, step.skip),
        (vec![], vec![0, 3], vec![1, 2])
    );
    assert_eq!(step.end, Some(ExecutionStatus::Failed));
}
