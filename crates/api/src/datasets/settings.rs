//! How large datasets may be.

use domain::datasets::Limits;

/// The limits of datasets.
#[derive(Debug, Clone, clap::Args)]
#[expect(
    clippy::struct_field_names,
    reason = "they are named as the environment variables"
)]
#[group(skip)]
pub struct DatasetSettings {
    /// The most bytes of a file that becomes a dataset.
    #[arg(long, env = "DATASET_FILE_BYTES", default_value_t = 100 * 1024 * 1024)]
    pub dataset_file_bytes: usize,
    /// The most rows of a dataset.
    #[arg(long, env = "DATASET_ROWS", default_value_t = 1_000_000)]
    pub dataset_rows: usize,
    /// The most columns of a dataset.
    #[arg(long, env = "DATASET_COLUMNS", default_value_t = 200)]
    pub dataset_columns: usize,
    /// The most bytes of a value.
    #[arg(long, env = "DATASET_VALUE_BYTES", default_value_t = 1024 * 1024)]
    pub dataset_value_bytes: usize,
    /// The most bytes of a row.
    #[arg(long, env = "DATASET_ROW_BYTES", default_value_t = 4 * 1024 * 1024)]
    pub dataset_row_bytes: usize,
}

impl DatasetSettings {
    /// What holds for tables.
    pub fn limits(&self) -> Limits {
        Limits {
            rows: self.dataset_rows,
            columns: self.dataset_columns,
            value_bytes: self.dataset_value_bytes,
            row_bytes: self.dataset_row_bytes,
        }
    }

    /// Everything that is wrong with the settings, a sentence each.
    pub fn faults(&self) -> Vec<String> {
        // Indexes of rows are 32 bits wide, and a value has to fit into a message to Postgres.
        let bounds = [
            ("DATASET_FILE_BYTES", self.dataset_file_bytes, usize::MAX),
            ("DATASET_ROWS", self.dataset_rows, 1_000_000_000),
            ("DATASET_COLUMNS", self.dataset_columns, 10_000),
            ("DATASET_VALUE_BYTES", self.dataset_value_bytes, 64 << 20),
            ("DATASET_ROW_BYTES", self.dataset_row_bytes, 128 << 20),
        ];
        bounds
            .into_iter()
            .filter(|(_, value, most)| !(1..=*most).contains(value))
            .map(|(name, _, most)| format!("{name} must be between 1 and {most}"))
            .collect()
    }
}
