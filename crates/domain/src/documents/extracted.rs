//! What extraction yields, whatever the file was: one text, and where its headings and pages are.

use serde::{Deserialize, Serialize};

/// The text of a document and its structure. All offsets count characters (Unicode scalar
/// values) of `text`, in growing order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extracted {
    /// The text, in reading order.
    pub text: String,
    /// Its headings.
    pub headings: Vec<Heading>,
    /// Where each page starts; empty when the format has no pages. The first page is number 1.
    pub pages: Vec<usize>,
}

/// A heading within the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heading {
    /// Where it starts, in characters.
    pub at: usize,
    /// Its depth, from 1.
    pub level: u8,
    /// Its words.
    pub title: String,
}

/// Why a file has no usable text: told to its owner, and final.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum ExtractFault {
    /// No bytes at all.
    #[error("The file is empty. Upload a file with content.")]
    Empty,
    /// A password is needed.
    #[error("The file is encrypted. Remove its password and upload it again.")]
    Encrypted,
    /// Pictures of text only.
    #[error(
        "The file holds images but no text. Run text recognition (OCR) on it and upload the result."
    )]
    NoText,
    /// It breaks its own format.
    #[error("The file is damaged or incomplete: {0}. Export it again and upload the new file.")]
    Broken(String),
    /// It would need more memory, time or output than is allowed.
    #[error("The file is too large to process safely: {0}. Split it and upload the parts.")]
    TooLarge(String),
}
