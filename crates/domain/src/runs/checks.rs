//! Checks of an output in code: what one is, and the rules it obeys at the edge. [`Compiled`] puts
//! them to an output.
//!
//! **What an output is held against** is the check's `value` or, without one, what the expected
//! column of the row says. A check that has neither fails and says so.
//!
//! **What is held against it** is the output as it was taken ([`super::parsing`]), or the one value
//! in it that `path` selects: a text as it is, anything else as JSON.
//!
//! **`tolerance`** is how far an output may be away: from the number (`numeric`, 0 if absent), in edits
//! or, below 1, as a share of the longer text (`levenshtein`, 5 if absent), from a cosine of 1
//! (`similarity`, 0.25 if absent). Nothing else has one.
//!
//! Neither a check nor an output can make judging expensive: texts are bounded, regular expressions
//! run in linear time, and what walks through JSON counts its steps ([`fuel`]).

mod against;
mod compiled;
mod faults;
pub(crate) mod fuel;
mod json;
mod json_path;
pub(crate) mod json_schema;
mod levenshtein;
mod rule;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use compiled::{Compiled, Subject};
pub use faults::faults;

use super::grade::Grade;

text_enum!(
    /// What a check asks of an output.
    CheckType {
        /// It is this text; blank space around it does not matter.
        Equals = "equals",
        /// The same, whatever the case.
        IEquals = "iequals",
        /// This text is in it.
        Contains = "contains",
        /// This text is not in it.
        NotContains = "notContains",
        /// A regular expression finds something in it.
        Regex = "regex",
        /// It begins with this text, behind blank space.
        StartsWith = "startsWith",
        /// It is JSON of this value, in whatever order the members stand.
        JsonEquals = "jsonEquals",
        /// It is JSON that fits this JSON Schema (2020-12; what is not understood is refused).
        JsonSchema = "jsonSchema",
        /// The path finds something in it that is this value, or anything where none is known.
        JsonPath = "jsonPath",
        /// It is this number, give or take the tolerance.
        Numeric = "numeric",
        /// It is not more edits away from this text than the tolerance says.
        Levenshtein = "levenshtein",
        /// It means about the same as this text.
        Similarity = "similarity",
        /// The answer took at most so many milliseconds.
        MaxLatencyMs = "maxLatencyMs",
        /// The answer cost at most so many US dollars.
        MaxCost = "maxCost",
    }
);

/// A check of an output in code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema, deserr::Deserr)]
pub struct Check {
    /// What is asked.
    #[serde(rename = "type")]
    #[deserr(rename = "type")]
    pub kind: CheckType,
    /// What the output is held against; what the row's expected column says, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[deserr(default)]
    pub value: Option<serde_json::Value>,
    /// A JSONPath (RFC 9535, without its functions) to the part of the output that is meant, at most
    /// 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[deserr(default)]
    #[schema(max_length = 500)]
    pub path: Option<String>,
    /// How far the output may be away: a number, edits (below 1: a share of the text), or what a
    /// cosine may lack to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[deserr(default)]
    #[schema(minimum = 0)]
    pub tolerance: Option<f64>,
    /// What it counts beside the others, 0 to 1000; 1 if absent. At 0 it is told and does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[deserr(default)]
    #[schema(minimum = 0, maximum = 1000)]
    pub weight: Option<f64>,
    /// What people call it, at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[deserr(default)]
    #[schema(max_length = 200)]
    pub name: Option<String>,
}

/// The checks of a run, at most 20. In Postgres they are `jsonb`.
#[derive(
    Debug,
    Clone,
    PartialEq,
    Default,
    Serialize,
    Deserialize,
    ToSchema,
    diesel::expression::AsExpression,
    diesel::deserialize::FromSqlRow,
)]
#[diesel(sql_type = diesel::sql_types::Jsonb)]
#[serde(transparent)]
pub struct Checks(pub Vec<Check>);

/// How an output fared in a check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CheckResult {
    /// What was asked.
    #[serde(rename = "type")]
    pub kind: CheckType,
    /// What the check is called, if it has a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether the output passed.
    pub passed: bool,
    /// Why it did not, or how close it was, in a sentence.
    pub detail: Option<String>,
    /// What the check counts beside the others.
    pub weight: f64,
}

/// How the cell of one row and column fared in all checks of its run.
#[derive(
    Debug,
    Clone,
    PartialEq,
    Default,
    Serialize,
    Deserialize,
    ToSchema,
    diesel::expression::AsExpression,
    diesel::deserialize::FromSqlRow,
)]
#[diesel(sql_type = diesel::sql_types::Jsonb)]
#[serde(transparent)]
pub struct CheckResults(pub Vec<CheckResult>);

jsonb!(Checks, CheckResults);

/// The share of the weights that passed. `None` where nothing has a weight, as without checks.
pub fn grade(results: &[CheckResult]) -> Option<Grade> {
    let weight = |of: &dyn Fn(&&CheckResult) -> bool| -> f64 {
        results.iter().filter(of).map(|result| result.weight).sum()
    };
    let all = weight(&|_| true);
    if all > 0.0 {
        Grade::from_share((weight(&|result| result.passed) / all).min(1.0))
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
