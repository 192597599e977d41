//! What is wrong with the tasks of a workflow: everything at once, each fault with the member it
//! is about. Of a task alone in [`member`].

mod member;

pub use member::task;

use super::{
    Graph, MOST_TASKS, Task, TaskKind,
    graph::Set,
    scope::USER_INPUT,
    task::{DataPath, TaskId},
    template,
};

/// A member of the workflow and a sentence.
pub type MemberFault = (String, String);

/// Everything that is wrong with these tasks as a workflow.
pub fn faults(tasks: &[Task]) -> Vec<MemberFault> {
    if !(1..=MOST_TASKS).contains(&tasks.len()) {
        let sentence = format!("must have 1 to {MOST_TASKS} items");
        return vec![("tasks".into(), sentence)];
    }
    let mut found = names(tasks);
    match Graph::new(tasks) {
        Ok(graph) if found.is_empty() => found.extend(data(tasks, &graph)),
        Ok(_) => {}
        Err(cycle) => found.push(("tasks".into(), round(tasks, &cycle))),
    }
    for (place, task) in tasks.iter().enumerate() {
        let own = self::task(task).into_iter();
        found.extend(own.map(|(member, sentence)| (format!("tasks[{place}].{member}"), sentence)));
    }
    found
}

/// Tasks that are called alike, and dependencies on tasks that are not there.
fn names(tasks: &[Task]) -> Vec<MemberFault> {
    let mut found = Vec::new();
    for (place, task) in tasks.iter().enumerate() {
        if tasks[..place].iter().any(|other| other.id == task.id) {
            let sentence = format!("is `{}`, as an earlier task is called already", task.id);
            found.push((format!("tasks[{place}].id"), sentence));
        }
        let unknown = (0..)
            .zip(&task.dependencies)
            .filter(|(_, id)| !is_there(tasks, id));
        found.extend(unknown.map(|(number, id): (usize, _)| {
            (
                format!("tasks[{place}].dependencies[{number}]"),
                format!("names no task of this workflow: `{id}`"),
            )
        }));
    }
    found
}

fn is_there(tasks: &[Task], id: &TaskId) -> bool {
    tasks.iter().any(|task| task.id == *id)
}

fn round(tasks: &[Task], cycle: &[usize]) -> String {
    let names: Vec<&str> = cycle
        .iter()
        .chain(cycle.first())
        .map(|place| tasks[*place].id.as_str())
        .collect();
    format!(
        "Cycle detected: {}. None of these tasks could ever begin",
        names.join(" → ")
    )
}

/// Values that nobody makes in time, and results that would overwrite each other at random.
fn data(tasks: &[Task], graph: &Graph) -> Vec<MemberFault> {
    let mut found = Vec::new();
    for (place, task) in tasks.iter().enumerate() {
        let at = |member: &str| format!("tasks[{place}].{member}");
        if task.output_key.as_str() == USER_INPUT {
            found.push((
                at("outputKey"),
                "is where the input of the execution stands".into(),
            ));
        }
        let is_read = tasks
            .iter()
            .any(|reader| reader.reads(None).contains(task.output_key.as_str()));
        let rival = (0..place).filter(|_| is_read).find(|other| {
            tasks[*other].output_key == task.output_key
                && !graph.ancestors(place).has(*other)
                && !graph.ancestors(*other).has(place)
        });
        if let Some(rival) = rival {
            let sentence = format!(
                "is also where `{}` keeps its result: rename one, or let one depend on the other",
                tasks[rival].id
            );
            found.push((at("outputKey"), sentence));
        }
        for (number, path) in (0..)
            .zip(&task.input_keys)
            .filter(|(_, path)| path.root().is_some())
        {
            let fault = source_fault(
                tasks,
                graph.ancestors(place),
                path.root().unwrap_or_default(),
                true,
            );
            found.extend(fault.map(|sentence| (at(&format!("inputKeys[{number}]")), sentence)));
        }
        found.extend(
            read_in_texts(task)
                .into_iter()
                .filter_map(|(member, root)| {
                    let is_input = task.inputs().any(|path| path.last() == root);
                    let is_needed = member == "dataKey";
                    let sentence = source_fault(tasks, graph.ancestors(place), root, is_needed)
                        .filter(|_| !is_input)?;
                    Some((at(member), sentence))
                }),
        );
    }
    found
}

/// The values that a task's texts read: by member, the first name of each path.
fn read_in_texts(task: &Task) -> Vec<(&'static str, &str)> {
    let root = |path: &'_ str| path.split('.').next().unwrap_or_default().len();
    let static_text = task
        .static_value
        .as_ref()
        .and_then(serde_json::Value::as_str);
    let texts = [
        (
            "promptTemplate",
            task.template().filter(|_| task.prompt().is_none()),
        ),
        (
            "staticValue",
            static_text.filter(|_| task.kind == TaskKind::DataInput),
        ),
    ];
    let chart = task
        .data_key
        .as_ref()
        .filter(|_| task.kind == TaskKind::DisplayChart);
    let chart = chart.and_then(DataPath::root).map(|root| ("dataKey", root));
    let mut read: Vec<(&str, &str)> = texts
        .into_iter()
        .filter_map(|(member, text)| Some((member, text?)))
        .flat_map(|(member, text)| {
            template::paths(text).map(move |path| (member, &path[..root(path)]))
        })
        .chain(chart)
        .collect();
    read.sort_unstable();
    read.dedup();
    read
}

/// Why a value cannot be counted on, if it cannot: `is_needed` says that a task fails without it.
fn source_fault(tasks: &[Task], before: Set, name: &str, is_needed: bool) -> Option<String> {
    if name == USER_INPUT {
        return None;
    }
    let makers: Vec<usize> = (0..tasks.len())
        .filter(|place| tasks[*place].output_key.as_str() == name)
        .collect();
    if makers.iter().any(|place| before.has(*place)) {
        return None;
    }
    match makers.first() {
        Some(maker) => Some(format!(
            "reads `{name}`, which is made by `{}`: add that to the dependencies",
            tasks[*maker].id
        )),
        None if is_needed => Some(format!("reads `{name}`, which no task makes")),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn tasks(written: &Value) -> Vec<Task> {
        serde_json::from_value(written.clone()).expect("tasks")
    }

    fn input(id: &str, output: &str, depends: &[&str]) -> Value {
        json!({"id": id, "name": id, "type": "DATA_INPUT", "outputKey": output, "staticValue": "x", "dependencies": depends})
    }

    fn found(written: &Value) -> Vec<MemberFault> {
        faults(&tasks(written))
    }

    fn fields(written: &Value) -> Vec<String> {
        found(written).into_iter().map(|(field, _)| field).collect()
    }

    #[test]
    fn a_cycle_is_named_by_its_path() {
        let written = json!([
            input("a", "x", &["c"]),
            input("b", "y", &["a"]),
            input("c", "z", &["b"])
        ]);
        assert_eq!(
            found(&written),
            [(
                "tasks".to_owned(),
                "Cycle detected: b → c → a → b. None of these tasks could ever begin".to_owned()
            )]
        );
    }

    #[test]
    fn all_faults_of_names_come_at_once() {
        let written = json!([input("a", "x", &["nobody"]), input("a", "y", &["a"])]);
        assert_eq!(
            fields(&written)[..2],
            ["tasks[0].dependencies[0]", "tasks[1].id"]
        );
    }

    #[test]
    fn results_of_tasks_side_by_side_have_names_of_their_own() {
        assert_eq!(
            fields(&json!([input("a", "x", &[]), input("b", "x", &[])])),
            [""; 0]
        );
        let mut reader = input("c", "y", &["a", "b"]);
        reader["staticValue"] = json!("of {{x}}");
        let read = json!([input("a", "x", &[]), input("b", "x", &[]), reader]);
        assert_eq!(fields(&read), ["tasks[1].outputKey"]);
        assert_eq!(
            fields(&json!([input("a", "x", &[]), input("b", "x", &["a"])])),
            [""; 0]
        );
        assert_eq!(
            fields(&json!([input("a", "userInput", &[])])),
            ["tasks[0].outputKey"]
        );
    }

    #[test]
    fn whoever_reads_a_result_depends_on_who_makes_it() {
        let reader = |depends: &[&str]| {
            json!([input("a", "x", &[]), {
                "id": "b", "name": "b", "type": "GEMINI_PROMPT", "outputKey": "y", "dependencies": depends,
                "inputKeys": ["x", "userInput.text", "", "nothing"], "promptTemplate": "{{ x.length }} {{ anything }} {{text}}",
            }])
        };
        assert_eq!(
            fields(&reader(&[])),
            ["tasks[1].inputKeys[0]", "tasks[1].inputKeys[3]"]
        );
        assert_eq!(fields(&reader(&["a"])), ["tasks[1].inputKeys[3]"]);
        let text = json!([input("a", "x", &[]), {"id": "b", "name": "b", "type": "GEMINI_PROMPT", "outputKey": "y", "promptTemplate": "of {{x}}"}]);
        assert_eq!(fields(&text), ["tasks[1].promptTemplate"]);
    }

    #[test]
    fn each_kind_of_task_has_what_it_needs() {
        let bare =
            |kind: &TaskKind| json!([{"id": "t", "name": "t", "type": kind, "outputKey": "o"}]);
        let wanted = |kind: &TaskKind| fields(&bare(kind));
        let table: Vec<(TaskKind, Vec<String>)> = TaskKind::ALL
            .iter()
            .map(|kind| (*kind, wanted(kind)))
            .collect();
        let owned = |fields: &[&str]| {
            fields
                .iter()
                .map(|field| format!("tasks[0].{field}"))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            table,
            [
                (TaskKind::DataInput, owned(&["staticValue"])),
                (TaskKind::GeminiPrompt, owned(&["promptTemplate"])),
                (TaskKind::GeminiGrounded, owned(&["promptTemplate"])),
                (
                    TaskKind::ImageAnalysis,
                    owned(&["promptTemplate", "inputKeys"])
                ),
                (TaskKind::TextManipulation, owned(&["functionBody"])),
                (TaskKind::DisplayChart, owned(&["dataKey"])),
                (TaskKind::SimulateProcess, owned(&[])),
                (TaskKind::DocumentSearch, owned(&["promptTemplate"])),
            ]
        );
    }

    #[test]
    fn numbers_keep_to_their_bounds_and_inputs_do_not_hide_each_other() {
        let written = json!([{
            "id": "t", "name": "t", "type": "TEXT_MANIPULATION", "outputKey": "o", "functionBody": "x",
            "agentConfig": {"temperature": 3, "topK": 0}, "retry": {"maxAttempts": 0, "backoffMs": 60001},
            "timeoutSeconds": 0, "limit": 51, "inputKeys": ["userInput.text", "userInput.other.text"],
        }]);
        assert_eq!(
            fields(&written),
            [
                "timeoutSeconds",
                "limit",
                "retry.maxAttempts",
                "retry.backoffMs",
                "agentConfig.temperature",
                "agentConfig.topK",
                "inputKeys[1]",
            ]
            .map(|field| format!("tasks[0].{field}"))
        );
    }

    #[test]
    fn there_are_one_to_fifty_tasks() {
        let many: Vec<Value> = (0..51)
            .map(|n| input(&format!("t{n}"), &format!("o{n}"), &[]))
            .collect();
        assert_eq!(fields(&json!(many)), ["tasks"]);
        assert_eq!(fields(&json!(many[..50])), [""; 0]);
        assert_eq!(fields(&json!([])), ["tasks"]);
    }
}
