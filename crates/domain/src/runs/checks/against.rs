//! What an output is held against, read from the value that a check or a row of the dataset gives.

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::{
    CheckType,
    json::{self, Wanted},
    json_schema::Schema,
    rule::number_of,
};
use crate::{Fault, models::Usd};

/// The most characters of a text that an output is held against.
const MOST_TEXT: usize = 50_000;

/// The most characters of a regular expression, and the most bytes of what it becomes.
const MOST_PATTERN: usize = 1000;
const MOST_PROGRAM: usize = 1 << 19;

/// The most bytes of a JSON value that an output is held against.
const MOST_JSON: usize = 65_536;

/// What an output is held against.
#[derive(Debug)]
pub(super) enum Against {
    Text(String),
    Pattern(Regex),
    Json(Wanted),
    Schema(Schema),
    Number(f64),
    Amount(Usd),
}

impl Against {
    /// What a value means to a check of this type.
    pub(super) fn new(kind: CheckType, value: &Value) -> Result<Self, Fault> {
        match kind {
            CheckType::Equals | CheckType::IEquals | CheckType::Levenshtein => {
                text(value).map(Self::Text)
            }
            CheckType::Contains
            | CheckType::NotContains
            | CheckType::StartsWith
            | CheckType::Similarity => match text(value)? {
                blank if blank.trim().is_empty() => Err(Fault("must not be blank".into())),
                text => Ok(Self::Text(text)),
            },
            CheckType::Regex => pattern(value).map(Self::Pattern),
            CheckType::JsonEquals | CheckType::JsonPath => json_value(value).map(Self::Json),
            CheckType::JsonSchema => schema(value).map(Self::Schema),
            CheckType::Numeric => number(value).map(Self::Number),
            CheckType::MaxLatencyMs => match number(value)? {
                most if most >= 0.0 => Ok(Self::Number(most)),
                _ => Err(Fault("must be 0 or more".into())),
            },
            CheckType::MaxCost => amount(value).map(Self::Amount),
        }
    }
}

fn text(value: &Value) -> Result<String, Fault> {
    let text = match value {
        Value::String(_) | Value::Number(_) | Value::Bool(_) => json::text_of(value),
        _ => return Err(Fault("must be a text, a number, true or false".into())),
    };
    if text.contains('\0') {
        return Err(Fault("must not contain the NUL character".into()));
    }
    if text.chars().count() > MOST_TEXT {
        return Err(Fault(format!("must have at most {MOST_TEXT} characters")));
    }
    Ok(text)
}

fn pattern(value: &Value) -> Result<Regex, Fault> {
    let text = text(value)?;
    if text.is_empty() || text.chars().count() > MOST_PATTERN {
        return Err(Fault(format!("must have 1 to {MOST_PATTERN} characters")));
    }
    RegexBuilder::new(&text)
        .size_limit(MOST_PROGRAM)
        .build()
        .map_err(|fault| Fault(format!("must be a regular expression: {fault}")))
}

fn json_value(value: &Value) -> Result<Wanted, Fault> {
    let json = value.to_string();
    if json.len() > MOST_JSON {
        return Err(Fault(format!(
            "must have at most {MOST_JSON} bytes as JSON"
        )));
    }
    if json.contains("\\u0000") {
        return Err(Fault("must not contain the NUL character".into()));
    }
    Ok(Wanted::new(value))
}

/// A schema, or the text of one, as a column of a dataset holds it.
fn schema(value: &Value) -> Result<Schema, Fault> {
    json_value(value)?;
    match value.as_str() {
        None => Schema::new(value),
        Some(text) => match serde_json::from_str(text) {
            Ok(held) => Schema::new(&held),
            Err(_) => Err(Fault("must be a JSON Schema".into())),
        },
    }
}

fn number(value: &Value) -> Result<f64, Fault> {
    number_of(&json::text_of(value)).ok_or_else(|| Fault("must be a number".into()))
}

/// US dollars as a decimal text, or as a number for those who think in numbers.
fn amount(value: &Value) -> Result<Usd, Fault> {
    let amount: Usd = json::text_of(value).parse()?;
    if amount.is_negative() {
        return Err(Fault("must be 0 or more".into()));
    }
    Ok(amount)
}
