//! How large imports may be.

/// The limits of imports.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct ArchiveSettings {
    /// The most bytes of an archive that is imported.
    #[arg(long, env = "IMPORT_BYTES", default_value_t = 1024 * 1024 * 1024)]
    pub import_bytes: u64,
    /// The most bytes of the rows of an archive once unpacked, and of its files.
    #[arg(long, env = "IMPORT_UNPACKED_BYTES", default_value_t = 4 * 1024 * 1024 * 1024)]
    pub import_unpacked_bytes: u64,
}
