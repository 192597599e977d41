//! What a task sees: the values it needs, under the last name of their paths, and below them
//! everything that was given and made so far.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Graph, Task};

/// The name under which stands what an execution was started with.
pub const USER_INPUT: &str = "userInput";

/// Values by their names, as executions keep them.
pub type Store = Map<String, Value>;

/// What was given, and what the completed tasks made: each under its output key, in the order of the
/// work, so that of two that write to one key the later one stands.
pub fn store(
    input: &Value,
    tasks: &[Task],
    graph: &Graph,
    mut results: BTreeMap<usize, Value>,
) -> Store {
    let mut store = Store::from_iter([(USER_INPUT.to_owned(), input.clone())]);
    for place in graph.order() {
        if let Some(result) = results.remove(place) {
            store.insert(tasks[*place].output_key.as_str().to_owned(), result);
        }
    }
    store
}

/// What there is at a path, following members, places in lists and `length`; `None` if there is
/// nothing.
pub fn at<'a>(store: &'a Store, path: &str) -> Option<std::borrow::Cow<'a, Value>> {
    use std::borrow::Cow;
    let mut names = path.split('.');
    let mut value = Cow::Borrowed(store.get(names.next()?)?);
    for name in names {
        value = match value {
            Cow::Borrowed(value) => member(value, name)?,
            // A length has no members.
            Cow::Owned(_) => return None,
        };
    }
    Some(value)
}

fn member<'a>(value: &'a Value, name: &str) -> Option<std::borrow::Cow<'a, Value>> {
    use std::borrow::Cow;
    match value {
        Value::Object(members) => members.get(name).map(Cow::Borrowed),
        Value::Array(items) if name == "length" => Some(Cow::Owned(items.len().into())),
        Value::Array(items) => items.get(name.parse::<usize>().ok()?).map(Cow::Borrowed),
        // As JavaScript counts it.
        Value::String(text) if name == "length" => {
            Some(Cow::Owned(text.encode_utf16().count().into()))
        }
        _ => None,
    }
}

/// The members of the input that these tasks cannot do without, each once, in their order.
pub fn needed(tasks: &[Task]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for path in tasks.iter().flat_map(Task::inputs) {
        let mut parts = path.as_str().split('.');
        if parts.next() == Some(USER_INPUT)
            && let Some(name) = parts.next()
            && !names.iter().any(|known| known == name)
        {
            names.push(name.to_owned());
        }
    }
    names
}

/// A value that a task needs and that is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Missing required input key \"{0}\".")]
pub struct MissingInput(pub String);

/// What a task sees.
#[derive(Debug, Clone)]
pub struct Scope<'a> {
    /// The values it needs, each under the last name of its path.
    pub inputs: Store,
    store: &'a Store,
}

impl<'a> Scope<'a> {
    /// What this task sees of the store; `Err` if something it needs is not there.
    pub fn of(task: &Task, store: &'a Store) -> Result<Self, MissingInput> {
        let mut inputs = Store::new();
        for path in task.inputs() {
            let value = at(store, path.as_str()).ok_or_else(|| MissingInput(path.to_string()))?;
            inputs.insert(path.last().to_owned(), value.into_owned());
        }
        Ok(Self { inputs, store })
    }

    /// What there is at a path: among its inputs first.
    pub fn at(&self, path: &str) -> Option<std::borrow::Cow<'_, Value>> {
        at(&self.inputs, path).or_else(|| at(self.store, path))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn store() -> Store {
        let value =
            json!({"userInput": {"text": "héllo", "image": null}, "list": [{"name": "a"}], "n": 0});
        value.as_object().cloned().expect("an object")
    }

    #[test]
    fn a_path_goes_through_members_places_and_lengths() {
        let store = store();
        let found = |path| at(&store, path).map(std::borrow::Cow::into_owned);
        assert_eq!(found("userInput.text"), Some(json!("héllo")));
        assert_eq!(found("userInput.text.length"), Some(json!(5)));
        assert_eq!(found("list.0.name"), Some(json!("a")));
        assert_eq!(found("list.length"), Some(json!(1)));
        assert_eq!(found("n"), Some(json!(0)));
        for nothing in [
            "nobody",
            "userInput.nobody",
            "list.1",
            "n.length",
            "list.length.length",
            "userInput.image.name",
        ] {
            assert_eq!(found(nothing), None, "{nothing}");
        }
        assert_eq!(found("userInput.image"), Some(Value::Null));
    }

    #[test]
    fn inputs_are_seen_under_their_last_name_and_hide_what_else_is_called_so() {
        let task: Task = serde_json::from_value(json!({
            "id": "t", "name": "T", "type": "GEMINI_PROMPT", "outputKey": "o",
            "inputKeys": ["userInput.text", "", "list.0.name"],
        }))
        .expect("a task");
        let mut store = store();
        store.insert("text".into(), json!("another"));
        let scope = Scope::of(&task, &store).expect("all there");
        assert_eq!(scope.at("text").as_deref(), Some(&json!("héllo")));
        assert_eq!(scope.at("name").as_deref(), Some(&json!("a")));
        assert_eq!(scope.at("list.0.name").as_deref(), Some(&json!("a")));
        store.remove("list");
        assert_eq!(
            Scope::of(&task, &store)
                .expect_err("one is missing")
                .to_string(),
            "Missing required input key \"list.0.name\"."
        );
    }
}
