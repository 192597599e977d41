//! Cells of runs as files: CSV for spreadsheets, JSON Lines for programs, `JUnit` XML for what builds
//! and tests by itself. Cells are appended one at a time to a buffer that the caller empties, so that
//! a run of any size is written in little memory.
//!
//! JSON Lines is the form that loses nothing. CSV keeps spreadsheets from taking a text for a formula
//! ([`csv`]), XML cannot hold control characters ([`junit`]).

pub mod csv;
pub mod junit;

use serde::Serialize;

use super::{CellStatus, Grade, GradeSource, RunId, checks::CheckResults};
use crate::{datasets::export::Object, models::Usd};

/// A cell to be written.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportCell<'a> {
    /// Its run.
    pub run_id: RunId,
    /// What the version of the prompt is called.
    pub version: &'a str,
    /// Its column.
    pub column_index: i16,
    /// What the column's model is called.
    pub model: &'a str,
    /// Its row.
    pub row_index: i32,
    /// Which of the repetitions it is.
    pub repeat: i16,
    /// Where it stands.
    pub status: CellStatus,
    /// The row of the dataset; of a run without one, nothing.
    pub inputs: Object<'a>,
    /// What the model answered.
    pub output_raw: Option<&'a str>,
    /// What was taken from it.
    pub output_parsed: Option<&'a str>,
    /// The grade that holds.
    pub grade: Option<Grade>,
    /// Who gave that grade.
    pub grade_source: Option<GradeSource>,
    /// How the output fared in the checks.
    pub checks: Option<&'a CheckResults>,
    /// Tokens of the input.
    pub tokens_in: i64,
    /// Tokens of the output.
    pub tokens_out: i64,
    /// Those of them that were thought.
    pub tokens_thinking: i64,
    /// What it cost.
    pub cost: Usd,
    /// How long the answer took.
    pub latency_ms: Option<i32>,
    /// Whether a kept response took the place of a call.
    pub cached: bool,
    /// How often a model was asked.
    pub attempt_count: i32,
    /// What failed, as a code.
    pub error_code: Option<&'a str>,
    /// What failed, as a sentence.
    pub error_message: Option<&'a str>,
    /// The version of the model that answered, in its provider's words.
    pub model_version: Option<&'a str>,
}

/// Appends a cell as a line of JSON Lines; `inputs` is an object of its own, so that no header clashes
/// with a member.
pub fn json_line(out: &mut Vec<u8>, cell: &ExportCell<'_>) -> serde_json::Result<()> {
    serde_json::to_writer(&mut *out, cell)?;
    out.push(b'\n');
    Ok(())
}

#[cfg(test)]
mod tests;
