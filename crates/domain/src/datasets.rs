//! Datasets: tables of texts that prompts are tried on, row by row. How files become tables is in
//! [`import`], how tables become files in [`export`], how rows are changed by hand in [`change`].

pub mod change;
pub mod export;
pub mod import;

use crate::{Fault, codec::trimmed};

id!(
    /// A dataset, whatever its version.
    DatasetId,
);

text_enum!(
    /// Where a dataset came from.
    DatasetSource {
        /// From a file.
        Upload = "upload",
        /// From members that were sent.
        Manual = "manual",
    }
);

text_enum!(
    /// What a dataset is written as.
    ExportFormat {
        /// Comma-separated values.
        Csv = "csv",
        /// An object per line.
        JsonLines = "jsonl",
    }
);

checked_text!(
    /// What a dataset is called, 1 to 200 characters.
    DatasetName,
    |text| trimmed(text, 1, 200)
);

/// One value for each header; `None` where the row has no value, which is not an empty text.
pub type Cells = Vec<Option<String>>;

/// How large a dataset may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most rows.
    pub rows: usize,
    /// The most columns.
    pub columns: usize,
    /// The most bytes of a value.
    pub value_bytes: usize,
    /// The most bytes of a row, as it is written.
    pub row_bytes: usize,
}

/// What a column is called: trimmed, 1 to 200 characters, none of them a control character.
pub fn header(text: &str) -> Result<String, Fault> {
    let name = trimmed(text, 1, 200)?;
    if name.chars().any(char::is_control) {
        return Err(Fault("must not contain control characters".into()));
    }
    Ok(name)
}
