//! The rows of an archive, each with what belongs to it: first looked through for every fault and for
//! the bytes they need, then passed on. No more of them is in memory than one with its parts.

mod bundle;
mod prompts;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use db::archive::Bundle;
use domain::{auth::Viewer, datasets::Limits as DatasetLimits};
use serde_json::Value;
use uuid::Uuid;

use super::{
    files::{Kept, Needed},
    format::{AREAS, Area, Table},
    found::{Found, malformed},
    unpack::Unpacked,
    values,
};
use crate::error::ApiResult;
pub use prompts::{id_of, prompt, workflow};

/// The most bytes of what belongs to one row.
const PARTS_BYTES: u64 = 256 * 1024 * 1024;

/// Rows of a dataset that are passed on at once.
const STREAMED_ROWS: usize = 1000;

/// The most bytes of these, unless a single row has more.
const STREAMED_BYTES: usize = 1024 * 1024;

/// What is asked while rows are read.
pub struct Reader<'a> {
    /// What is found wrong.
    pub found: &'a mut Found,
    /// Who imports.
    pub viewer: &'a Viewer,
    /// What holds for datasets.
    pub limits: DatasetLimits,
    /// What is known of the bytes of rows, by area and id.
    pub kept: Arc<HashMap<(&'static str, Uuid), Kept>>,
    /// Whose bytes were missing where the archive was made.
    pub missing: HashSet<String>,
    /// The rows that need bytes.
    pub needed: Vec<Needed>,
    /// Every prompt.
    pub prompts: Vec<Uuid>,
}

/// What belongs to a row, table by table, each with its place.
pub type Parts = Vec<Vec<(usize, Value)>>;

impl Reader<'_> {
    /// Passes on everything in an archive, as long as somebody listens.
    pub fn read(
        &mut self,
        archive: &Unpacked,
        send: &mut dyn FnMut(Bundle) -> bool,
    ) -> ApiResult<()> {
        let people = self.found.rows("people", archive.people.clone());
        let people = people.into_iter().map(|(_, person)| person).collect();
        if !send(Bundle::People(people)) {
            return Ok(());
        }
        for area in AREAS {
            self.strays(archive, area);
            if !self.area(archive, area, send)? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Says of rows that what they belong to is not there.
    fn strays(&mut self, archive: &Unpacked, area: &Area) {
        let heads = &archive.rows[area.head.file];
        for table in area.parts.iter().chain(area.stream.as_ref()) {
            let runs = archive.rows[table.file].runs();
            for run in runs.iter().filter(|run| heads.of(run.key).is_empty()) {
                let kind = area.head.area.trim_end_matches('s');
                let message = format!("belongs to no {kind} of this import");
                self.found.fault(table.area, run.index, "", message);
            }
        }
    }

    fn area(
        &mut self,
        archive: &Unpacked,
        area: &'static Area,
        send: &mut dyn FnMut(Bundle) -> bool,
    ) -> ApiResult<bool> {
        let heads = &archive.rows[area.head.file];
        let mut before = None;
        for run in heads.runs() {
            if before == Some(run.key) {
                let message = "has the id of an earlier one";
                self.found.fault(area.head.area, run.index, "", message);
                continue;
            }
            before = Some(run.key);
            let mut head = Vec::new();
            for (index, line) in heads.read(*run)? {
                self.line(&area.head, index, &line, &mut head);
            }
            let mut parts = Vec::new();
            let bytes: u64 = area
                .parts
                .iter()
                .map(|table| archive.rows[table.file].bytes(run.key))
                .sum();
            if bytes > PARTS_BYTES {
                let message =
                    format!("must have at most {PARTS_BYTES} bytes of rows that belong to it");
                self.found.fault(area.head.area, run.index, "", message);
                continue;
            }
            for table in area.parts {
                parts.push(self.parts(archive, table, run.key)?);
            }
            let row = head.pop();
            let bundle =
                row.and_then(|(index, value)| bundle::of(self, area, (index, value), parts));
            let is_read = bundle.is_some();
            if bundle.is_some_and(|bundle| !send(bundle)) {
                return Ok(false);
            }
            if let Some(table) = &area.stream {
                let mut pass = |bundle| !is_read || send(bundle);
                if !self.stream(archive, table, run.key, &mut pass)? || !pass(Bundle::DatasetEnd) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn parts(
        &mut self,
        archive: &Unpacked,
        table: &Table,
        key: Uuid,
    ) -> ApiResult<Vec<(usize, Value)>> {
        let rows = &archive.rows[table.file];
        let (mut parts, mut ids) = (Vec::new(), HashSet::new());
        for run in rows.of(key) {
            for (index, line) in rows.read(*run)? {
                self.line(table, index, &line, &mut parts);
                // Ids that do not last may be repeated.
                let is_again = !table.varies.contains(&"id")
                    && parts.last().is_some_and(|(_, row): &(usize, Value)| {
                        row["id"]
                            .as_str()
                            .is_some_and(|id| !ids.insert(id.to_owned()))
                    });
                if is_again {
                    parts.pop();
                    let message = "has the id of an earlier one";
                    self.found.fault(table.area, index, "", message);
                }
            }
        }
        Ok(parts)
    }

    fn line(&mut self, table: &Table, index: usize, line: &[u8], to: &mut Vec<(usize, Value)>) {
        match values::from_slice(line) {
            Ok(Some(value)) => to.push((index, value)),
            Ok(None) => self.found.crowded(table.area, index),
            // That was said when it was unpacked.
            Err(_) => {}
        }
    }

    /// Rows that follow on another, some at a time.
    fn stream(
        &mut self,
        archive: &Unpacked,
        table: &Table,
        key: Uuid,
        send: &mut dyn FnMut(Bundle) -> bool,
    ) -> ApiResult<bool> {
        let rows = &archive.rows[table.file];
        let (mut some, mut bytes) = (Vec::new(), 0);
        for run in rows.of(key) {
            for (index, line) in rows.read(*run)? {
                let mut value = Vec::new();
                self.line(table, index, &line, &mut value);
                bytes += line.len();
                some.extend(self.found.rows(table.area, value));
                if some.len() >= STREAMED_ROWS || bytes >= STREAMED_BYTES {
                    bytes = 0;
                    if !send(Bundle::DatasetRows(std::mem::take(&mut some))) {
                        return Ok(false);
                    }
                }
            }
        }
        Ok(some.is_empty() || send(Bundle::DatasetRows(some)))
    }

    /// Notes that the bytes of a row are needed; says whether they can be had.
    pub fn needs(&mut self, area: &'static str, needed: Needed) -> bool {
        let is_missing = self.missing.contains(&needed.sha256.to_string());
        if is_missing {
            let name = format!(
                "{area}[{}]: its bytes were lost before the export",
                needed.index
            );
            self.found.ignore(&name);
        } else {
            self.needed.push(needed);
        }
        !is_missing
    }
}

/// The answer to rows that could not be passed on to their end.
pub fn broken_off() -> crate::error::ApiError {
    malformed("The archive is broken.")
}
