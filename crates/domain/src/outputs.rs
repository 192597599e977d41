//! Outputs: what a model made of a version of a prompt, kept as it was.

use crate::{documents::DocumentType, providers::picture};

id!(
    /// A kept output.
    OutputId,
);

/// The most bytes of an output.
pub const MOST_BYTES: usize = 5 * 1024 * 1024;

text_enum!(
    /// What an output is, told by its content and not by its name.
    OutputType {
        /// Plain text.
        Text = "text/plain",
        /// Markdown.
        Markdown = "text/markdown",
        /// HTML.
        Html = "text/html",
        /// PDF.
        Pdf = "application/pdf",
        /// Office Open XML text.
        Docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        /// A table, comma-, semicolon- or tab-separated.
        Csv = "text/csv",
        /// JSON.
        Json = "application/json",
        /// PNG.
        Png = "image/png",
        /// JPEG.
        Jpeg = "image/jpeg",
        /// GIF.
        Gif = "image/gif",
        /// WebP.
        Webp = "image/webp",
        /// Anything else.
        Binary = "application/octet-stream",
    }
);

impl OutputType {
    /// The type of a file: the one of the document that it is, or of the picture that begins with
    /// these bytes.
    pub fn of(document: Option<DocumentType>, start: &[u8]) -> Self {
        let name = match document {
            Some(document) => document.as_str(),
            None => picture::media_type(start).unwrap_or_default(),
        };
        name.parse().unwrap_or(Self::Binary)
    }

    /// What a text is called that came without a name.
    pub fn text_name(self) -> &'static str {
        match self {
            Self::Json => "output.json",
            Self::Html => "output.html",
            Self::Csv => "output.csv",
            _ => "output.txt",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_document_is_an_output_of_the_same_type() {
        for document in DocumentType::ALL {
            let output = OutputType::of(Some(*document), b"");
            assert_eq!(output.as_str(), document.as_str());
        }
    }

    #[test]
    fn a_picture_is_known_by_its_beginning_and_the_rest_is_binary() {
        let of = |start: &[u8]| OutputType::of(None, start);
        assert_eq!(of(b"\x89PNG\r\n\x1a\nIHDR"), OutputType::Png);
        assert_eq!(of(b"\xFF\xD8\xFF\xE0"), OutputType::Jpeg);
        assert_eq!(of(b"GIF89a"), OutputType::Gif);
        assert_eq!(of(b"RIFF\x24\0\0\0WEBPVP8 "), OutputType::Webp);
        assert_eq!(of(b"PK\x03\x04"), OutputType::Binary);
        assert_eq!(of(b""), OutputType::Binary);
    }
}
