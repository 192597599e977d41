//! Text out of files that strangers made. [`sniff`] tells what a file is, [`extract`] reads it,
//! and an [`Extractor`] does the reading in a child process that may panic, hang or explode in
//! memory without taking the worker down. Stores nothing and cuts nothing into chunks.

use std::{io, path::Path};

use domain::documents::{DocumentType, ExtractFault, Extracted};

mod child;
mod csv;
mod docx;
mod draft;
mod extractor;
mod html;
mod json;
mod markdown;
mod pdf;
mod sniff;
mod text;

pub use child::{ExtractCommand, child_main, confined};
pub use extractor::{Extractor, ExtractorConfig};
pub use sniff::sniff;

/// The most characters a document may yield.
pub const MAX_CHARS: usize = 30_000_000;

/// Why there is no text.
#[derive(Debug, thiserror::Error)]
pub enum ExtractError {
    /// The file is at fault: final, and told to its owner.
    #[error(transparent)]
    Fault(#[from] ExtractFault),
    /// The machine is at fault: trying again may help.
    #[error("the extraction failed: {0}")]
    Failed(#[from] io::Error),
}

/// Reads a file of a known type, in this process. Foreign files belong in an [`Extractor`].
pub fn extract(path: &Path, kind: DocumentType) -> Result<Extracted, ExtractError> {
    let bytes = std::fs::read(path)?;
    if bytes.is_empty() {
        return Err(ExtractFault::Empty.into());
    }
    Ok(match kind {
        DocumentType::Text => text::extract(&bytes)?,
        DocumentType::Markdown => markdown::extract(&bytes)?,
        DocumentType::Html => html::extract(&bytes)?,
        DocumentType::Pdf => pdf::extract(&bytes)?,
        DocumentType::Docx => docx::extract(&bytes)?,
        DocumentType::Csv => csv::extract(&bytes)?,
        DocumentType::Json => json::extract(&bytes)?,
    })
}

/// Says that a file breaks its own format.
fn broken(reason: impl Into<String>) -> ExtractFault {
    ExtractFault::Broken(reason.into())
}
