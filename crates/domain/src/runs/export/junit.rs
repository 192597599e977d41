//! Cells as `JUnit` XML: a suite for each column, a case for each cell. Written in this order:
//! [`open`], then for each column [`open_suite`], its cells by [`case`], [`close_suite`], and [`close`].
//!
//! **How a case ends.** A failure is a grade that does not pass, and a malformed cell that nobody graded
//! better. An error is a failed cell. Skipped is what has no end yet or was given up. A completed cell
//! without a grade passes: nothing was asked of it.
//!
//! A suite says in its opening how many cases end how, before any is written. These numbers come from
//! the counters of the column, which the caller reads together with the cells.
//!
//! Characters that XML cannot hold are left out.

mod escape;

use std::fmt::Write as _;

use escape::{Attribute, Text};

use super::ExportCell;
use crate::runs::{CellStatus, Grade, checks::CheckResult, summary::Counters};

/// What is said of a column before its cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suite {
    /// The column and its model.
    pub name: String,
    /// All of its cells.
    pub tests: u64,
    /// Those whose answers do not pass.
    pub failures: u64,
    /// Those without an answer.
    pub errors: u64,
    /// Those without an end.
    pub skipped: u64,
}

impl Suite {
    /// A column by its counters.
    pub fn of(column_index: i16, model: &str, counters: &Counters) -> Self {
        let counts = counters.counts;
        let skipped = counts.queued + counts.running + counts.cancelled;
        Self {
            name: name(column_index, model),
            tests: skipped + counts.completed + counts.malformed + counts.failed,
            failures: counters.graded.saturating_sub(counters.passed) + counters.malformed_ungraded,
            errors: counts.failed,
            skipped,
        }
    }

    fn counts(&self) -> String {
        let Self {
            tests,
            failures,
            errors,
            skipped,
            ..
        } = self;
        format!(
            "tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\""
        )
    }
}

/// A model may stand in several columns.
fn name(column_index: i16, model: &str) -> String {
    format!("{model} (column {column_index})")
}

/// Begins the document of a run.
pub fn open(out: &mut String, run: &str, suites: &[Suite]) {
    let sum = |of: fn(&Suite) -> u64| suites.iter().map(of).sum();
    let all = Suite {
        name: run.to_owned(),
        tests: sum(|suite| suite.tests),
        failures: sum(|suite| suite.failures),
        errors: sum(|suite| suite.errors),
        skipped: sum(|suite| suite.skipped),
    };
    out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    begin(out, "testsuites", &all);
}

/// Begins a column.
pub fn open_suite(out: &mut String, suite: &Suite) {
    begin(out, "testsuite", suite);
}

fn begin(out: &mut String, element: &str, suite: &Suite) {
    let (name, counts) = (Attribute(&suite.name), suite.counts());
    // Writing to a text cannot fail.
    let _ = writeln!(out, "<{element} name=\"{name}\" {counts}>");
}

/// Ends a column.
pub fn close_suite(out: &mut String) {
    out.push_str("</testsuite>\n");
}

/// Ends the document.
pub fn close(out: &mut String) {
    out.push_str("</testsuites>\n");
}

/// Appends a cell. The output stands in it only where it did not pass.
pub fn case(out: &mut String, cell: &ExportCell<'_>) {
    let class = name(cell.column_index, cell.model);
    let (class, row, repeat) = (Attribute(&class), cell.row_index, cell.repeat);
    let seconds = f64::from(cell.latency_ms.unwrap_or(0)) / 1000.0;
    let _ = write!(
        out,
        "<testcase classname=\"{class}\" name=\"row {row}, repeat {repeat}\" time=\"{seconds:.3}\">"
    );
    match cell.status {
        CellStatus::Queued | CellStatus::Running | CellStatus::Cancelled => {
            let _ = write!(out, "<skipped message=\"{}\"/>", cell.status);
        }
        CellStatus::Failed => ended(
            out,
            "error",
            cell.error_code.unwrap_or("failed"),
            cell.error_message.unwrap_or("No output was to be had."),
            cell,
        ),
        CellStatus::Malformed | CellStatus::Completed => answered(out, cell),
    }
    out.push_str("</testcase>\n");
}

fn answered(out: &mut String, cell: &ExportCell<'_>) {
    match cell.grade {
        None if cell.status == CellStatus::Malformed => {
            let otherwise = "The output is not of the form that the prompt asks for.";
            let message = cell.error_message.unwrap_or(otherwise);
            ended(out, "failure", "malformed", message, cell);
        }
        Some(grade) if !grade.passes() => {
            let (share, least) = (grade.share(), Grade::PASS.share());
            let message = format!("The grade is {share}; {least} passes.");
            ended(out, "failure", "grade", &message, cell);
        }
        _ => {}
    }
}

/// Why a case did not pass, with the checks that failed and what was answered.
fn ended(out: &mut String, element: &str, kind: &str, message: &str, cell: &ExportCell<'_>) {
    let (kind, message) = (Attribute(kind), Attribute(message));
    let _ = write!(out, "<{element} type=\"{kind}\" message=\"{message}\">");
    let results = cell.checks.iter().flat_map(|results| &results.0);
    for result in results.filter(|result| !result.passed) {
        let _ = writeln!(out, "{}", Text(&told(result)));
    }
    let _ = write!(out, "</{element}>");
    if let Some(output) = cell.output_parsed.or(cell.output_raw) {
        let _ = write!(out, "<system-out>{}</system-out>", Text(output));
    }
}

fn told(result: &CheckResult) -> String {
    let name = result.name.as_deref().unwrap_or_default();
    let detail = result.detail.as_deref().unwrap_or_default();
    let told = format!("{} {name}: {detail}", result.kind);
    told.replacen(" :", ":", 1)
}
