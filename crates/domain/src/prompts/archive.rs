//! Prompts in an archive: one JSON object per line, whole enough to be the same prompts elsewhere.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use super::{
    Body, LabelMoveId, LabelName, Metadata, PromptId, PromptKind, PromptNotes, PromptText,
    PromptTitle, PromptVersionId, SflField, SflMode, SflTenor, SourceDocument,
};
use crate::{
    documents::Sha256,
    requests::RequestId,
    templates::TemplateId,
    trackers::IssueId,
    users::{UserId, Visibility},
};

/// The highest lineage and the highest number of a version that an archive may have: numbering goes
/// on from there, and must not run out.
pub const HIGHEST_NUMBER: i32 = 1_000_000;

/// A line of `prompts.jsonl`: what is read is any prompt with these members.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ArchivedPrompt {
    /// Its id.
    pub id: PromptId,
    /// What it is for.
    pub kind: PromptKind,
    /// What it is called.
    pub title: PromptTitle,
    /// What the model is told.
    pub prompt_text: PromptText,
    /// The subject matter.
    pub sfl_field: SflField,
    /// Who is taking part.
    pub sfl_tenor: SflTenor,
    /// The form of the answer.
    pub sfl_mode: SflMode,
    /// An example of an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example_output: Option<super::ExampleOutput>,
    /// What people note about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<PromptNotes>,
    /// What it was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_document: Option<SourceDocument>,
    /// Temperature, model and the like.
    pub metadata: Metadata,
    /// Who besides its owner may see it.
    pub visibility: Visibility,
    /// The issue that it was generated for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issue_id: Option<IssueId>,
    /// The request that it was generated for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<RequestId>,
    /// The template that it was generated with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template_id: Option<TemplateId>,
    /// Which numbering of versions is the present one.
    pub lineage: i32,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last changed. The place it is imported to has a time of its own.
    pub updated_at: DateTime<Utc>,
}

/// A line of `prompt_versions.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ArchivedVersion {
    /// Its id.
    pub id: PromptVersionId,
    /// Of which prompt.
    pub prompt_id: PromptId,
    /// In which numbering.
    pub lineage: i32,
    /// Its number there.
    pub version: i32,
    /// What it is called.
    pub label: String,
    /// What it says.
    #[serde(deserialize_with = "body")]
    pub body: Body,
    /// The SHA-256 of the body, hexadecimal.
    pub sha256: Sha256,
    /// Who made it.
    pub created_by: UserId,
    /// When.
    #[serde(deserialize_with = "moment")]
    pub created_at: DateTime<Utc>,
}

/// A line of `prompt_label_moves.jsonl`. Where a label points now is where it was moved last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ArchivedLabelMove {
    /// Its id.
    pub id: LabelMoveId,
    /// Of which prompt.
    pub prompt_id: PromptId,
    /// Which label.
    pub name: LabelName,
    /// Where to; nowhere if it was taken away.
    #[serde(default)]
    pub version_id: Option<PromptVersionId>,
    /// Who moved it.
    pub moved_by: UserId,
    /// When.
    #[serde(deserialize_with = "moment")]
    pub moved_at: DateTime<Utc>,
}

/// A body with metadata as the API takes them.
fn body<'de, D: Deserializer<'de>>(from: D) -> Result<Body, D::Error> {
    let mut body = Body::deserialize(from)?;
    let metadata = std::mem::take(&mut body.metadata).checked();
    let metadata = metadata.map_err(|fault| D::Error::custom(format!("metadata {fault}")))?;
    Ok(Body { metadata, ..body })
}

/// A time from 1970: Postgres has none long before our era.
fn moment<'de, D: Deserializer<'de>>(from: D) -> Result<DateTime<Utc>, D::Error> {
    let at = DateTime::deserialize(from)?;
    if at < DateTime::UNIX_EPOCH {
        return Err(D::Error::custom("a time must be from 1970"));
    }
    Ok(at)
}
