//! Cells as CSV: the columns of the dataset first, under their own headers, then [`MEMBERS`]. A header
//! that is also a member's name is written as `input.` and the header.
//!
//! **Formulas.** A spreadsheet runs what begins with `=`, `+`, `-` or `@`, and what models write is not
//! to be trusted with that. Such a text gets an apostrophe in front, which spreadsheets take for *this
//! is a text*; a plain number keeps its sign. Headers and inputs are treated likewise, being as foreign.
//! Who wants texts unchanged takes JSON Lines.

use std::borrow::Cow;

use super::ExportCell;
use crate::datasets::export::csv_line;

/// The columns that follow those of the dataset.
pub const MEMBERS: [&str; 22] = [
    "runId",
    "version",
    "columnIndex",
    "model",
    "rowIndex",
    "repeat",
    "status",
    "outputRaw",
    "outputParsed",
    "grade",
    "gradeSource",
    "checks",
    "tokensIn",
    "tokensOut",
    "tokensThinking",
    "cost",
    "latencyMs",
    "cached",
    "attemptCount",
    "errorCode",
    "errorMessage",
    "modelVersion",
];

/// Appends the line of headers.
pub fn head(out: &mut Vec<u8>, headers: &[String]) {
    let inputs = headers.iter().map(|header| {
        let mut name = header.clone();
        while MEMBERS.contains(&name.as_str()) || (name != *header && headers.contains(&name)) {
            name.insert_str(0, "input.");
        }
        harmless(&name).into_owned()
    });
    let inputs: Vec<String> = inputs.collect();
    let all = inputs.iter().map(String::as_str).chain(MEMBERS);
    csv_line(out, all.map(Some));
}

/// Appends the line of a cell; its inputs must have the headers that [`head`] was told.
pub fn line(out: &mut Vec<u8>, cell: &ExportCell<'_>) -> serde_json::Result<()> {
    let given = cell.inputs.cells.iter().map(Option::as_deref);
    let inputs = given.chain(std::iter::repeat(None));
    let inputs = inputs
        .take(cell.inputs.headers.len())
        .map(|value| value.map(harmless));
    let line: Vec<Option<Cow<'_, str>>> = inputs.chain(members(cell)?).collect();
    csv_line(out, line.iter().map(Option::as_deref));
    Ok(())
}

fn members<'a>(cell: &ExportCell<'a>) -> serde_json::Result<[Option<Cow<'a, str>>; MEMBERS.len()]> {
    let own = |value: &dyn ToString| Some(Cow::Owned(value.to_string()));
    let word = |word: &'static str| Some(Cow::Borrowed(word));
    let foreign = |text: Option<&'a str>| text.map(harmless);
    Ok([
        own(&cell.run_id),
        foreign(Some(cell.version)),
        own(&cell.column_index),
        foreign(Some(cell.model)),
        own(&cell.row_index),
        own(&cell.repeat),
        own(&cell.status),
        foreign(cell.output_raw),
        foreign(cell.output_parsed),
        cell.grade.and_then(|grade| own(&grade.share())),
        cell.grade_source.and_then(|source| own(&source)),
        cell.checks
            .map(serde_json::to_string)
            .transpose()?
            .map(Cow::Owned),
        own(&cell.tokens_in),
        own(&cell.tokens_out),
        own(&cell.tokens_thinking),
        own(&cell.cost),
        cell.latency_ms.and_then(|latency| own(&latency)),
        word(if cell.cached { "true" } else { "false" }),
        own(&cell.attempt_count),
        foreign(cell.error_code),
        foreign(cell.error_message),
        foreign(cell.model_version),
    ])
}

/// A text that no spreadsheet takes for a formula. Blank space in front does not keep all of them from
/// it, and some of them know the wide signs too.
fn harmless(text: &str) -> Cow<'_, str> {
    let begins = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    if begins && !is_number(text) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

fn is_number(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
    text.chars().all(plain) && text.parse::<f64>().is_ok()
}
