//! Documents: files whose text is cut into chunks, embedded and found again.

mod chunking;
mod extracted;
pub mod terms;

pub use chunking::{CHUNKER_VERSION, Chunk, chunk};
pub use extracted::{Extracted, ExtractFault, Heading};

use crate::{Fault, codec::trimmed};

id!(
    /// An uploaded document.
    DocumentId,
    /// A passage of a document.
    ChunkId,
);

text_enum!(
    /// How far a document has come.
    DocumentStatus {
        /// Stored; nothing read yet.
        Pending = "pending",
        /// Being extracted or embedded.
        Processing = "processing",
        /// Every chunk can be found.
        Completed = "completed",
        /// Ended with a reason a person can act on.
        Failed = "failed",
    }
);

text_enum!(
    /// What a file is, told by its content and not by its name.
    DocumentType {
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
        /// Comma-separated values.
        Csv = "text/csv",
        /// JSON.
        Json = "application/json",
    }
);

text_enum!(
    /// How passages are looked for.
    SearchMode {
        /// By meaning: nearest vectors.
        Semantic = "semantic",
        /// By words.
        Keyword = "keyword",
        /// Both lists, merged by rank.
        Hybrid = "hybrid",
    }
);

checked_text!(
    /// A file's name as its sender gave it, without any path, 1 to 255 characters.
    FileName,
    |text| {
        let name = text.rsplit(['/', '\\']).next().unwrap_or_default();
        let name: String = name.chars().filter(|c| !c.is_control()).collect();
        trimmed(&name, 1, 255).and_then(|name| match name.as_str() {
            "." | ".." => Err(Fault("must be a file name".into())),
            _ => Ok(name),
        })
    }
);

checked_text!(
    /// What is looked for, 1 to 2000 characters.
    SearchQuery,
    |text| trimmed(text, 1, 2000)
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_loses_its_path_and_its_control_characters() {
        let name = |text: &str| text.parse::<FileName>().map(|name| name.as_str().to_owned());
        assert_eq!(name("../../etc/passwd").as_deref(), Ok("passwd"));
        assert_eq!(name("C:\\notes\\plan\r\n.md").as_deref(), Ok("plan.md"));
        assert!(name("..").is_err() && name("dir/").is_err());
    }
}
