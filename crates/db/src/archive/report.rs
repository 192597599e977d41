//! What became of the rows of an import.

use uuid::Uuid;

/// What became, or would become, of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// It is new.
    Created,
    /// It was there and is changed.
    Updated,
    /// It was there just so.
    Unchanged,
}

/// A row and what became of it.
#[derive(Debug, Clone, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RowReport {
    /// Which part of the import, such as `prompts`.
    pub area: &'static str,
    /// Its place there, from 0.
    pub index: usize,
    /// The id it has here.
    pub id: Uuid,
    /// What became of it.
    pub outcome: Outcome,
}

/// A row that cannot be taken in.
#[derive(Debug, Clone)]
pub struct RowFault {
    /// Which part of the import.
    pub area: &'static str,
    /// Its place there, from 0.
    pub index: usize,
    /// Why not.
    pub message: String,
}

/// A reference that leads nowhere here and is left empty.
#[derive(Debug, Clone, serde::Serialize, utoipa::ToSchema)]
pub struct Dropped {
    /// Which member of which row, such as `prompts[3].issueId`.
    pub field: String,
    /// What it named.
    pub id: Uuid,
}

/// What became of everything.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Row by row.
    pub rows: Vec<RowReport>,
    /// What cannot be taken in; then nothing is.
    pub faults: Vec<RowFault>,
    /// References that were left empty.
    pub dropped: Vec<Dropped>,
}

impl Report {
    /// Puts everything in the order of the import, prompts first.
    pub(super) fn sort(&mut self) {
        let place = |area: &'static str, index: usize| (area != "prompts", area, index);
        self.rows.sort_by_key(|row| place(row.area, row.index));
        self.faults
            .sort_by_key(|fault| place(fault.area, fault.index));
    }

    pub(crate) fn row(&mut self, area: &'static str, index: usize, id: Uuid, outcome: Outcome) {
        self.rows.push(RowReport {
            area,
            index,
            id,
            outcome,
        });
    }

    pub(crate) fn fault(&mut self, area: &'static str, index: usize, message: impl Into<String>) {
        self.faults.push(RowFault {
            area,
            index,
            message: message.into(),
        });
    }

    pub(crate) fn drop_reference(&mut self, area: &str, index: usize, member: &str, id: Uuid) {
        let field = format!("{area}[{index}].{member}");
        self.dropped.push(Dropped { field, id });
    }
}
