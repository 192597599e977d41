//! What is found wrong with an import, and what is found in it and not known here.

use deserr::Deserr;
use serde_json::Value;

use super::values::MOST_VALUES;
use crate::{
    error::{ApiError, ApiResult, Code, FieldFault},
    extract::Faults,
};

/// The most faults that an answer lists.
pub const FAULTS: usize = 1000;

/// The most names of what is not known here that an answer lists.
const IGNORED: usize = 100;

/// What is found.
#[derive(Debug, Default)]
pub struct Found {
    /// The first faults.
    pub faults: Vec<FieldFault>,
    /// How many there are.
    pub fault_count: usize,
    /// Files and members that are not known here, or the first of them.
    pub ignored: Vec<String>,
    rows: usize,
}

impl Found {
    /// Remembers something that is not known here.
    pub fn ignore(&mut self, name: &str) {
        if self.ignored.len() < IGNORED {
            self.ignored.push(name.chars().take(255).collect());
        }
    }

    /// A row with too many values.
    pub fn crowded(&mut self, area: &str, index: usize) {
        let message = format!("must have at most {MOST_VALUES} values");
        self.fault(area, index, "", message);
    }

    /// Counts a row, before it is looked at.
    pub fn count(&mut self, most: usize) -> ApiResult<()> {
        self.rows += 1;
        if self.rows > most {
            return Err(too_large(&format!("{most} rows")));
        }
        Ok(())
    }

    /// A fault of a row, or of a member of it.
    pub fn fault(&mut self, area: &str, index: usize, member: &str, message: impl Into<String>) {
        self.fault_count += 1;
        if self.faults.len() == FAULTS {
            return;
        }
        let field = match member {
            "" | "body" => format!("{area}[{index}]"),
            member => format!("{area}[{index}].{member}"),
        };
        let message = message.into();
        self.faults.push(FieldFault { field, message });
    }

    /// Faults of members of a row.
    pub fn faults(&mut self, area: &str, index: usize, faults: Vec<FieldFault>) {
        for FieldFault { field, message } in faults {
            self.fault(area, index, &field, message);
        }
    }

    /// A row, if it can be read as one.
    pub fn row<T: Deserr<Faults>>(&mut self, area: &str, index: usize, value: Value) -> Option<T> {
        if domain::has_nul(&value) {
            let message = "must not contain the NUL character";
            self.fault(area, index, "", message);
            return None;
        }
        deserr::deserialize(value)
            .map_err(|faults: Faults| self.faults(area, index, faults.into_list()))
            .ok()
    }

    /// Rows with their places, those that can be read.
    pub fn rows<T: Deserr<Faults>>(
        &mut self,
        area: &str,
        values: Vec<(usize, Value)>,
    ) -> Vec<(usize, T)> {
        let rows = values.into_iter();
        rows.filter_map(|(index, value)| Some((index, self.row(area, index, value)?)))
            .collect()
    }
}

/// The answer to a body that is no import.
pub fn malformed(detail: impl Into<String>) -> ApiError {
    ApiError::new(Code::InvalidBody, detail)
}

/// The answer to an import beyond this limit.
pub fn too_large(limit: &str) -> ApiError {
    let detail = format!("An import has at most {limit}. Split it.");
    ApiError::new(Code::TooLarge, detail)
}
