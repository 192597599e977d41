//! Reading, linting and filling in, by example and at random.

mod anything;
mod hostile;
mod linting;
mod rendering;

use serde_json::{Map, Value, json};

use super::{Body, Data, Failure, Finding, FindingCode, Linted, lint, render};

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// A schema under which everything may be there.
fn open() -> Value {
    json!({ "additionalProperties": true })
}

fn filled(body: &str, schema: &Value, vars: Value, context: Value) -> Result<String, Failure> {
    let body = Body::read(body).map_err(Failure::Body)?;
    let (vars, context) = (map(vars), map(context));
    let data = Data {
        schema,
        vars: &vars,
        context,
    };
    render(&body, data).map(|rendered| rendered.text)
}

/// A body filled in with variables that need not be declared.
fn text(body: &str, vars: Value) -> String {
    match filled(body, &open(), vars, json!({})) {
        Ok(text) => text,
        Err(failure) => panic!("{body}: {failure:?}"),
    }
}

/// What is said of a body that cannot be filled in.
fn findings(body: &str, vars: Value) -> Vec<(FindingCode, String)> {
    match filled(body, &open(), vars, json!({})) {
        Err(Failure::Body(found)) => found
            .into_iter()
            .map(|one| (one.code, one.message))
            .collect(),
        other => panic!("{body}: {other:?}"),
    }
}

fn linted(body: &str, schema: &Value) -> Linted {
    lint(&body.parse().expect("a body"), schema)
}

fn sentences(findings: &[Finding]) -> Vec<String> {
    findings
        .iter()
        .map(|one| format!("{}: {}", one.member(), one.sentence()))
        .collect()
}
