//! Prompts to be written: whole ones, and members to be changed. Both keep what search looks into
//! in step with the rest.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    auth::Viewer,
    prompts::{
        Body, ExampleOutput, Metadata, PromptId, PromptKind, PromptNotes, PromptText, PromptTitle,
        SflField, SflMode, SflTenor, SourceDocument, grams,
    },
    users::{CompanyId, UserId, Visibility},
};

use super::{ChangeError, Stored};
use crate::schema::prompts;

/// A prompt to be created.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = prompts)]
pub struct NewPrompt {
    /// Its id.
    pub id: PromptId,
    /// Its company.
    pub company_id: CompanyId,
    /// Its owner.
    pub owner_id: UserId,
    /// Who besides may see it.
    pub visibility: Visibility,
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
    pub example_output: Option<ExampleOutput>,
    /// What people note about it.
    pub notes: Option<PromptNotes>,
    /// What it was made from.
    pub source_document: Option<SourceDocument>,
    /// Temperature, model and the like.
    pub metadata: Metadata,
    /// What search looks into.
    #[diesel(embed)]
    pub search: Search,
    /// When it was created, unless now.
    pub created_at: Option<DateTime<Utc>>,
}

impl NewPrompt {
    /// What a version would keep of it.
    pub fn body(&self) -> Body {
        Body {
            kind: self.kind,
            prompt_text: self.prompt_text.clone(),
            sfl_field: self.sfl_field.clone(),
            sfl_tenor: self.sfl_tenor.clone(),
            sfl_mode: self.sfl_mode.clone(),
            example_output: self.example_output.clone(),
            source_document: self.source_document.clone(),
            metadata: self.metadata.clone(),
        }
    }
}

/// What search looks into.
#[derive(Debug, Clone, PartialEq, Eq, Insertable, AsChangeset)]
#[diesel(table_name = prompts)]
pub struct Search {
    folded_topic: String,
    folded_text: String,
    grams: Vec<i32>,
}

impl Search {
    /// Of a prompt of this company.
    pub fn of(
        company: CompanyId,
        title: &PromptTitle,
        text: &PromptText,
        field: &SflField,
    ) -> Self {
        let folded_topic = grams::fold(field.topic.as_str());
        let rest = [title.as_str(), field.keywords.as_str(), text.as_str()].join("\n");
        let folded_text = format!("{folded_topic}\n{}", grams::fold(&rest));
        Self {
            grams: grams::of_text(company, &folded_text),
            folded_topic,
            folded_text,
        }
    }
}

/// Members of a prompt to be changed; what is `None` stays.
#[derive(Debug, Clone, Default, AsChangeset)]
#[diesel(table_name = prompts)]
#[expect(
    clippy::option_option,
    reason = "diesel's way to tell a member that stays from one that is taken away"
)]
pub struct PromptChanges {
    /// What it is for.
    pub kind: Option<PromptKind>,
    /// What it is called.
    pub title: Option<PromptTitle>,
    /// What the model is told.
    pub prompt_text: Option<PromptText>,
    /// The subject matter.
    pub sfl_field: Option<SflField>,
    /// Who is taking part.
    pub sfl_tenor: Option<SflTenor>,
    /// The form of the answer.
    pub sfl_mode: Option<SflMode>,
    /// An example of an answer; `Some(None)` takes it away.
    pub example_output: Option<Option<ExampleOutput>>,
    /// What people note about it; `Some(None)` takes it away.
    pub notes: Option<Option<PromptNotes>>,
    /// What it was made from; `Some(None)` takes it away.
    pub source_document: Option<Option<SourceDocument>>,
    /// Temperature, model and the like.
    pub metadata: Option<Metadata>,
    /// Who besides its owner may see it.
    pub visibility: Option<Visibility>,
}

impl PromptChanges {
    /// A prompt of the viewer's with these members, the rest empty; the error names what cannot
    /// be empty.
    pub fn into_new(self, viewer: &Viewer, id: PromptId) -> Result<NewPrompt, ChangeError> {
        let (title, prompt_text) = match (self.title, self.prompt_text) {
            (Some(title), Some(text)) => (title, text),
            (title, text) => {
                let missing = [
                    title.is_none().then_some("title"),
                    text.is_none().then_some("promptText"),
                ];
                return Err(ChangeError::Incomplete(
                    missing.into_iter().flatten().collect(),
                ));
            }
        };
        let sfl_field = self.sfl_field.unwrap_or_default();
        Ok(NewPrompt {
            search: Search::of(viewer.company_id, &title, &prompt_text, &sfl_field),
            id,
            company_id: viewer.company_id,
            owner_id: viewer.user_id,
            visibility: self.visibility.unwrap_or(Visibility::Private),
            kind: self.kind.unwrap_or(PromptKind::Generator),
            title,
            prompt_text,
            sfl_field,
            sfl_tenor: self.sfl_tenor.unwrap_or_default(),
            sfl_mode: self.sfl_mode.unwrap_or_default(),
            example_output: self.example_output.flatten(),
            notes: self.notes.flatten(),
            source_document: self.source_document.flatten(),
            metadata: self.metadata.unwrap_or_default(),
            created_at: None,
        })
    }

    /// What search has to look into once these changes are made.
    pub(super) fn search_after(&self, stored: &Stored) -> Search {
        let before = &stored.prompt;
        Search::of(
            stored.company_id,
            self.title.as_ref().unwrap_or(&before.title),
            self.prompt_text.as_ref().unwrap_or(&before.prompt_text),
            self.sfl_field.as_ref().unwrap_or(&before.sfl_field),
        )
    }
}
