//! What a run is to be, in the words of the API.

use std::path::Path;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{arguments::Run, datasets, failure::Failure, server::Server};

/// The request that starts the run.
pub fn of(wanted: &Run, dataset: Option<&str>, checks: &[Value]) -> Value {
    let visibility = wanted.company_visible.then_some("company");
    let members = [
        ("promptId", json!(wanted.prompt)),
        ("promptVersionId", json!(wanted.prompt_version)),
        ("datasetId", json!(dataset)),
        ("modelIds", json!(wanted.models)),
        ("params", json!(wanted.params)),
        ("graderPromptId", json!(wanted.grader)),
        ("graderModelId", json!(wanted.grader_model)),
        ("checks", json!(checks)),
        ("expectedColumn", json!(wanted.expected_column)),
        ("repeats", json!(wanted.repeats)),
        ("concurrency", json!(wanted.concurrency)),
        ("budgetUsd", json!(wanted.budget)),
        (
            "cache",
            json!(wanted.cache.map(crate::arguments::Cache::name)),
        ),
        ("rowLimit", json!(wanted.row_limit)),
        ("allowUnpriced", json!(wanted.allow_unpriced)),
        ("visibility", json!(visibility)),
    ];
    let said = members.into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(said.map(|(name, value)| (name.to_owned(), value)).collect())
}

/// The dataset that is meant; a file is uploaded.
pub async fn dataset(server: &Server, wanted: &Run) -> Result<Option<String>, Failure> {
    let Some(named) = &wanted.dataset else {
        return Ok(None);
    };
    if named.parse::<Uuid>().is_ok() {
        return Ok(Some(named.clone()));
    }
    let dataset = datasets::upload(server, Path::new(named), wanted.company_visible).await?;
    Ok(dataset["id"].as_str().map(str::to_owned))
}

/// The checks of the file, then those of the command line.
pub fn checks(wanted: &Run) -> Result<Vec<Value>, Failure> {
    let mut checks = match &wanted.checks {
        Some(file) => listed(file)?,
        None => Vec::new(),
    };
    checks.extend(wanted.check.iter().map(|text| check(text)));
    Ok(checks)
}

fn listed(file: &Path) -> Result<Vec<Value>, Failure> {
    let fault = |cause: String| Failure::Undecided(format!("{}: {cause}", file.display()));
    let text = std::fs::read(file).map_err(|cause| fault(cause.to_string()))?;
    serde_json::from_slice(&text).map_err(|cause| fault(cause.to_string()))
}

/// A check as it is typed. What a check is held against is a text, except where the type asks for
/// numbers or JSON; whether it makes sense is the server's to say.
fn check(text: &str) -> Value {
    let (kind, value) = match text.split_once(':') {
        Some((kind, value)) => (kind, Some(value)),
        None => (text, None),
    };
    let mut check = Map::from_iter([("type".to_owned(), json!(kind))]);
    let takes_json = ["numeric", "maxLatencyMs", "maxCost", "jsonEquals"].contains(&kind);
    let read = |value: &str| match serde_json::from_str(value) {
        Ok(read) if takes_json => read,
        _ => json!(value),
    };
    // A path is what that check is about; what it is to find comes from the expected column.
    let member = if kind == "jsonPath" { "path" } else { "value" };
    check.extend(value.map(|value| (member.to_owned(), read(value))));
    Value::Object(check)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_are_typed_as_type_and_value() {
        let typed = [
            "equals",
            "contains:a: b",
            "maxLatencyMs:2000",
            "equals:42",
            "jsonPath:$.a",
        ];
        let read: Vec<_> = typed.into_iter().map(check).collect();
        let expected = json!([
            {"type": "equals"},
            {"type": "contains", "value": "a: b"},
            {"type": "maxLatencyMs", "value": 2000},
            {"type": "equals", "value": "42"},
            {"type": "jsonPath", "path": "$.a"},
        ]);
        assert_eq!(Value::Array(read), expected);
    }
}
