//! What an import answers.

use db::archive::{Dropped, Outcome, Report, RowReport};
use serde::Serialize;
use utoipa::ToSchema;

use super::found::{FAULTS, Found};
use crate::error::FieldFault;

/// The most empty references that an answer lists.
const DROPPED: usize = 1000;

/// How many rows became what.
#[derive(Debug, Default, Serialize, ToSchema)]
struct ImportCounts {
    created: usize,
    updated: usize,
    unchanged: usize,
    faults: usize,
}

/// What became of an import, or would become of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportReport {
    /// Whether it was only tried.
    dry_run: bool,
    /// How many rows became what.
    counts: ImportCounts,
    /// Row by row.
    rows: Vec<RowReport>,
    /// What stands in the way of an import; only when it was tried.
    pub faults: Vec<FieldFault>,
    /// References to what is neither in the import nor here, which were left empty; the first 1000.
    dropped: Vec<Dropped>,
    /// What is in the import and not known here.
    ignored: Vec<String>,
}

impl ImportReport {
    /// Whether there is a fault.
    pub fn is_refused(&self) -> bool {
        self.counts.faults > 0
    }
}

/// What `db` says, with what was found before.
pub fn shown(report: Report, found: Found, dry_run: bool) -> ImportReport {
    let Found {
        mut faults,
        fault_count,
        ignored,
        ..
    } = found;
    let fault_count = fault_count + report.faults.len();
    let told = report.faults.iter().map(|fault| FieldFault {
        field: format!("{}[{}]", fault.area, fault.index),
        message: fault.message.clone(),
    });
    faults.extend(told.take(FAULTS.saturating_sub(faults.len())));
    let count = |outcome| {
        report
            .rows
            .iter()
            .filter(|row| row.outcome == outcome)
            .count()
    };
    let counts = ImportCounts {
        created: count(Outcome::Created),
        updated: count(Outcome::Updated),
        unchanged: count(Outcome::Unchanged),
        faults: fault_count,
    };
    let mut dropped = report.dropped;
    dropped.truncate(DROPPED);
    ImportReport {
        dry_run,
        counts,
        rows: report.rows,
        faults,
        dropped,
        ignored,
    }
}
