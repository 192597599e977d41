//! Performing a whole workflow at once and without a trace: its result, or the first failure.

use std::collections::BTreeMap;

use domain::workflows::{
    Engine, Graph, Pinned, Task,
    engine::Event,
    scope::{self, Store},
};
use futures::{StreamExt, stream::FuturesUnordered};
use serde_json::Value;

use crate::{Asks, Failure, Performer};

/// What the tasks at their end make: of one such task its result, of several an object of their
/// results. `Err` is a task that failed, by its place, of several the one that comes first in the
/// workflow; what was under way beside it comes to its end, and nothing more begins.
pub async fn perform<A: Asks>(
    performer: &Performer<'_, A>,
    pinned: &Pinned,
    input: &Value,
) -> Result<Value, (usize, Failure)> {
    let Ok(graph) = Graph::new(&pinned.tasks) else {
        return Err((0, Failure::of("cycle", "The workflow has a cycle.")));
    };
    let mut engine = Engine::new(graph.clone());
    let (mut results, mut failed) = (BTreeMap::new(), BTreeMap::new());
    let mut under_way = FuturesUnordered::new();
    let mut step = engine.next(Event::Begun);
    loop {
        if failed.is_empty() {
            for place in std::mem::take(&mut step.start) {
                let task = &pinned.tasks[place];
                let store = seen(pinned, &graph, place, input, &results);
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
            Err(_) if ended.is_interrupted => {
                failed.insert(place, Failure::interrupted());
            }
            Err(cause) => {
                failed.insert(place, cause);
            }
        }
    }
    match failed.pop_first() {
        Some(failed) => Err(failed),
        None => Ok(result(&pinned.tasks, &graph, results)),
    }
}

/// What a task sees: of the input and of what its ancestors made, as much as it reads. Nothing else is
/// sure to be there.
pub fn seen(
    pinned: &Pinned,
    graph: &Graph,
    place: usize,
    input: &Value,
    results: &BTreeMap<usize, Value>,
) -> Store {
    let (tasks, task) = (&pinned.tasks, &pinned.tasks[place]);
    let linked = task.prompt().and_then(|id| pinned.prompts.get(&id));
    let read = task.reads(linked.map(|linked| linked.text.as_str()));
    let before = graph.ancestors(place);
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
