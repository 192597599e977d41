//! Datasets: tables of texts that prompts are tried on, row by row.

use crate::codec::trimmed;

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

checked_text!(
    /// What a dataset is called, 1 to 200 characters.
    DatasetName,
    |text| trimmed(text, 1, 200)
);
