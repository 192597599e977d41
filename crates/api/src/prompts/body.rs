//! A prompt as it is sent and as it is shown.

use db::prompts::{Prompt, PromptChanges};
use deserr::Deserr;
use domain::{
    prompts::{
        ExampleOutput, ExpectedOutput, Metadata, PromptKind, PromptNotes, PromptText, PromptTitle,
        PromptVersionId, SflField, SflMode, SflTenor, SourceDocument, placeholders,
    },
    users::Visibility,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::extract::{Faults, Member};

/// A prompt to be created, or the members of one to be changed. To create one, `title` and
/// `promptText` are needed. Members of the SFL objects that are left out are empty.
#[derive(Debug, Clone, Deserr, ToSchema)]
#[deserr(error = Faults, rename_all = camelCase)]
#[schema(rename_all = "camelCase")]
pub struct PromptBody {
    /// What it is called, 1 to 255 characters.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255)]
    #[deserr(default)]
    title: Member<PromptTitle>,
    /// What the model is told, 1 to 200 000 characters; `{{name}}` is where a value goes.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200_000)]
    #[deserr(default)]
    prompt_text: Member<PromptText>,
    /// What it is for; a generator, unless said otherwise.
    #[schema(value_type = Option<PromptKind>)]
    #[deserr(default)]
    kind: Option<PromptKind>,
    /// The subject matter.
    #[schema(value_type = Option<SflField>)]
    #[deserr(default)]
    sfl_field: Member<SflField>,
    /// Who is taking part. A single audience may be sent as a text.
    #[schema(value_type = Option<SflTenor>)]
    #[deserr(default)]
    sfl_tenor: Member<SflTenor>,
    /// The form of the answer.
    #[schema(value_type = Option<SflMode>)]
    #[deserr(default)]
    sfl_mode: Member<SflMode>,
    /// An example of an answer, at most 200 000 characters.
    #[schema(value_type = Option<String>, max_length = 200_000)]
    #[deserr(default)]
    example_output: Member<ExampleOutput>,
    /// Notes for people, at most 200 000 characters.
    #[schema(value_type = Option<String>, max_length = 200_000)]
    #[deserr(default)]
    notes: Member<PromptNotes>,
    /// What it was made from.
    #[schema(value_type = Option<SourceDocument>)]
    #[deserr(default)]
    source_document: Member<SourceDocument>,
    /// Temperature, model and the like: any object of at most 64 KiB.
    #[schema(value_type = Option<Object>)]
    #[deserr(default)]
    metadata: Member<Metadata>,
    /// Who besides you may see it; nobody, unless said otherwise.
    #[schema(value_type = Option<Visibility>)]
    #[deserr(default)]
    visibility: Option<Visibility>,
}

impl PromptBody {
    /// The members to be changed. What a prompt cannot be without is not taken away by `null`.
    pub fn changes(self) -> PromptChanges {
        PromptChanges {
            kind: self.kind,
            title: self.title.or_remove().flatten(),
            prompt_text: self.prompt_text.or_remove().flatten(),
            sfl_field: self.sfl_field.or_empty(),
            sfl_tenor: self.sfl_tenor.or_empty(),
            sfl_mode: self.sfl_mode.or_empty(),
            example_output: self.example_output.or_remove(),
            notes: self.notes.or_remove(),
            source_document: self.source_document.or_remove(),
            metadata: self.metadata.or_empty(),
            visibility: self.visibility,
        }
    }
}

/// A prompt.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PromptView {
    #[serde(flatten)]
    prompt: Prompt,
    /// The names of the values that go into the text, in their order.
    placeholders: Vec<String>,
    /// What is taken from a model's output, by what the text asks for.
    expected_output: ExpectedOutput,
    /// The version whose words these are, when asked for by a label; `currentVersion` is its
    /// number.
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_version_id: Option<PromptVersionId>,
}

impl PromptView {
    /// Of a prompt as it is.
    pub fn of(prompt: Prompt) -> Self {
        Self {
            placeholders: placeholders::names(prompt.prompt_text.as_str()),
            expected_output: ExpectedOutput::of(prompt.prompt_text.as_str()),
            prompt,
            prompt_version_id: None,
        }
    }

    /// Of a prompt that says what this version says.
    pub fn of_version(prompt: Prompt, version: Option<PromptVersionId>) -> Self {
        Self {
            prompt_version_id: version,
            ..Self::of(prompt)
        }
    }
}
