//! Documents: files whose text is cut into chunks, embedded and found again.

mod chunking;
mod extracted;
pub mod terms;

pub use chunking::{CHUNK_TOKENS, CHUNKER_VERSION, Chunk, MAX_CHUNK_BYTES, chunk, estimate_tokens};
pub use extracted::{ExtractFault, Extracted, Heading};

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

/// The SHA-256 of some bytes; hexadecimal in JSON.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    diesel::expression::AsExpression,
    diesel::deserialize::FromSqlRow,
)]
#[diesel(sql_type = diesel::sql_types::Binary)]
pub struct Sha256(pub [u8; 32]);

impl Sha256 {
    /// Of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest;
        Self(sha2::Sha256::digest(bytes).into())
    }
}

impl std::fmt::Display for Sha256 {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(to, "{byte:02x}"))
    }
}

impl std::fmt::Debug for Sha256 {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, to)
    }
}

impl serde::Serialize for Sha256 {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl std::str::FromStr for Sha256 {
    type Err = Fault;
    fn from_str(text: &str) -> Result<Self, Fault> {
        let wrong = || Fault("must be 64 hexadecimal digits".into());
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        for (place, byte) in bytes.iter_mut().enumerate() {
            let digits = &text[2 * place..2 * place + 2];
            *byte = u8::from_str_radix(digits, 16).map_err(|_| wrong())?;
        }
        Ok(Self(bytes))
    }
}

impl<'de> serde::Deserialize<'de> for Sha256 {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl<E: deserr::DeserializeError> deserr::Deserr<E> for Sha256 {
    fn deserialize_from_value<V: deserr::IntoValue>(
        value: deserr::Value<V>,
        location: deserr::ValuePointerRef<'_>,
    ) -> Result<Self, E> {
        crate::codec::parse_at(value, location)
    }
}

impl diesel::serialize::ToSql<diesel::sql_types::Binary, diesel::pg::Pg> for Sha256 {
    fn to_sql<'b>(
        &'b self,
        out: &mut diesel::serialize::Output<'b, '_, diesel::pg::Pg>,
    ) -> diesel::serialize::Result {
        std::io::Write::write_all(out, &self.0)?;
        Ok(diesel::serialize::IsNull::No)
    }
}

impl diesel::deserialize::FromSql<diesel::sql_types::Binary, diesel::pg::Pg> for Sha256 {
    fn from_sql(value: diesel::pg::PgValue<'_>) -> diesel::deserialize::Result<Self> {
        Ok(Self(value.as_bytes().try_into()?))
    }
}

/// Extracts a document's text and cuts it into chunks.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct ExtractDocument {
    /// Which one.
    pub document_id: DocumentId,
}

impl crate::jobs::Job for ExtractDocument {
    const KIND: crate::jobs::JobKind = crate::jobs::JobKind::DocumentsExtract;
}

/// Embeds the chunks of a document that have no vector yet.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct EmbedDocument {
    /// Which one.
    pub document_id: DocumentId,
    /// Which set of its passages; a newer one has a job of its own.
    pub generation: i32,
}

impl crate::jobs::Job for EmbedDocument {
    const KIND: crate::jobs::JobKind = crate::jobs::JobKind::DocumentsEmbed;
}

/// Removes a file whose document or output is deleted.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct DiscardFile {
    /// Its key in the storage.
    pub storage_key: String,
}

impl crate::jobs::Job for DiscardFile {
    const KIND: crate::jobs::JobKind = crate::jobs::JobKind::DocumentsDiscardFile;
}

/// Builds the approximate index of the partition that holds a company's vectors.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct IndexPartition {
    /// The company that has grown large.
    pub company_id: crate::users::CompanyId,
}

impl crate::jobs::Job for IndexPartition {
    const KIND: crate::jobs::JobKind = crate::jobs::JobKind::DocumentsIndex;
}

/// Makes documents anew that were made with another embedding model, or cut by older rules.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct RefreshDocuments {}

impl crate::jobs::Job for RefreshDocuments {
    const KIND: crate::jobs::JobKind = crate::jobs::JobKind::DocumentsRefresh;
}

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
        let name = |text: &str| {
            text.parse::<FileName>()
                .map(|name| name.as_str().to_owned())
        };
        assert_eq!(name("../../etc/passwd").as_deref(), Ok("passwd"));
        assert_eq!(name("C:\\notes\\plan\r\n.md").as_deref(), Ok("plan.md"));
        assert!(name("..").is_err() && name("dir/").is_err());
    }
}
