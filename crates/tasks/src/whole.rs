//! Performing a whole workflow at once and without a trace: its result, or the first failure.

use std::collections::BTreeMap;

use domain::workflows::{
    Engine, Graph, Pinned, Task,
    engine::Event,
    graph::Set,
    scope::{self, Store},
};
use futures::{StreamExt, stream::FuturesUnordered};
use serde_json::Value;

use crate::{Asks, Failure, Performer};

/// What the tasks at their end make: of one such task its result, of several an object of their
/// results. `Err` is the first task that failed, by its place; what was under way beside it comes to
/// its end, and nothing more begins.
pub async fn perform<A: Asks>(
    performer: &Performer<'_, A>,
    tasks: &[Task],
    input: &Value,
) -> Result<Value, (usize, Failure)> {
    let Ok(graph) = Graph::new(tasks) else {
        return Err((0, Failure::of("cycle", "The workflow has a cycle.")));
    };
    let mut engine = Engine::new(graph.clone());
    let (mut results, mut failed) = (BTreeMap::new(), None);
    let mut under_way = FuturesUnordered::new();
    let mut step = engine.next(Event::Begun);
    loop {
        if failed.is_none() {
            for place in std::mem::take(&mut step.start) {
                let task = &tasks[place];
                let linked = linked(performer, task);
                let store = seen(tasks, &graph, place, linked, input, &results);
                under_way.push(async move { (place, performer.perform(task, &store).await) });
            }
        }
        let Some((place, ended)) = under_way.next().await else {
            break;
        };
        match ended.result {
            Ok(made) => {
                results.insert(place, made.value);
                step = engine.next(Event::Completed(place));
            }
            Err(cause) => {
                failed.get_or_insert((place, cause));
            }
        }
    }
    match failed {
        Some(failed) => Err(failed),
        None => Ok(result(tasks, &graph, results)),
    }
}

fn linked<'a, A>(performer: &Performer<'a, A>, task: &Task) -> Option<&'a str> {
    let linked = task.prompt().and_then(|id| performer.prompts.get(&id));
    linked.map(|linked| linked.text.as_str())
}

/// What a task sees: of the input and of what its ancestors made, as much as it reads. Nothing else is
/// sure to be there.
pub fn seen(
    tasks: &[Task],
    graph: &Graph,
    place: usize,
    linked: Option<&str>,
    input: &Value,
    results: &BTreeMap<usize, Value>,
) -> Store {
    let read = tasks[place].reads(linked);
    let before: Set = graph.ancestors(place);
    let is_seen =
        |other: usize| before.has(other) && read.contains(tasks[other].output_key.as_str());
    let results = results.iter().filter(|(other, _)| is_seen(**other));
    let results = results
        .map(|(other, value)| (*other, value.clone()))
        .collect();
    let input = if read.contains(scope::USER_INPUT) {
        input
    } else {
        &Value::Null
    };
    scope::store(input, tasks, graph, results)
}

/// The same for a task of what is pinned.
pub fn seen_of(
    pinned: &Pinned,
    graph: &Graph,
    place: usize,
    input: &Value,
    results: &BTreeMap<usize, Value>,
) -> Store {
    let linked = pinned.tasks[place]
        .prompt()
        .and_then(|id| pinned.prompts.get(&id));
    let linked = linked.map(|linked| linked.text.as_str());
    seen(&pinned.tasks, graph, place, linked, input, results)
}

fn result(tasks: &[Task], graph: &Graph, mut results: BTreeMap<usize, Value>) -> Value {
    let sinks: Vec<usize> = graph.sinks().collect();
    if let [only] = sinks.as_slice() {
        return results.remove(only).unwrap_or_default();
    }
    let named = sinks.into_iter().map(|place| {
        let key = tasks[place].output_key.as_str().to_owned();
        (key, results.remove(&place).unwrap_or_default())
    });
    named.collect()
}
