//! Prompts as they are worked on. What they said at a time is in [`versions`], which of that is
//! released in [`labels`], finding them in [`list`], moving them in [`archive`].
//!
//! Every change of a prompt, its versions or its labels locks the prompt's row first and writes
//! it: changes take turns, and `updated_at` is the revision of everything that is shown of it.

pub mod archive;
pub(crate) mod bounded;
mod change;
pub mod labels;
mod list;
mod merge;
pub mod versions;

use chrono::{DateTime, Utc};
use diesel::{dsl, prelude::*};
use diesel_async::{AsyncConnection, RunQueryDsl};
use domain::{
    auth::Viewer,
    prompts::{
        Body, ExampleOutput, Metadata, PromptId, PromptKind, PromptNotes, PromptText, PromptTitle,
        SflField, SflMode, SflTenor, SourceDocument,
    },
    requests::RequestId,
    revision::Expected,
    templates::TemplateId,
    trackers::IssueId,
    users::{CompanyId, PersonName, Role, UserId, Visibility},
};
use serde::{Deserialize, Serialize};

use crate::{
    Connection,
    schema::{prompts, users},
};
pub use change::{delete, put, update};
pub use list::{Filter, list, vocabulary};
pub use merge::{NewPrompt, PromptChanges};

/// Whose a prompt is.
#[derive(
    Debug, Clone, PartialEq, Eq, Queryable, Selectable, Serialize, Deserialize, utoipa::ToSchema,
)]
#[diesel(table_name = users)]
pub struct Owner {
    /// The person.
    pub id: UserId,
    /// What they are called.
    pub name: PersonName,
}

/// A prompt.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, Deserialize, utoipa::ToSchema)]
#[diesel(table_name = prompts)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::struct_field_names,
    reason = "they are named as the members on the wire"
)]
pub struct Prompt {
    /// Its id.
    pub id: PromptId,
    /// What it is for.
    pub kind: PromptKind,
    /// What it is called.
    pub title: PromptTitle,
    /// What the model is told, with `{{name}}` where values go.
    pub prompt_text: PromptText,
    /// The subject matter.
    pub sfl_field: SflField,
    /// Who is taking part.
    pub sfl_tenor: SflTenor,
    /// The form of the answer.
    pub sfl_mode: SflMode,
    /// An example of an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example_output: Option<ExampleOutput>,
    /// What people note about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<PromptNotes>,
    /// What it was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_document: Option<SourceDocument>,
    /// Temperature, model and the like.
    pub metadata: Metadata,
    /// Whose it is.
    #[diesel(embed)]
    pub owner: Owner,
    /// Who besides may see it.
    pub visibility: Visibility,
    /// The issue that it was generated for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issue_id: Option<IssueId>,
    /// The request that it was generated for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<RequestId>,
    /// The template that it was generated with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template_id: Option<TemplateId>,
    /// The number of its newest version, if the present numbering has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_version: Option<i32>,
    /// The labels that point at a version of it.
    pub labels: Vec<String>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it, its versions or its labels last changed.
    pub updated_at: DateTime<Utc>,
}

impl Prompt {
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

    /// The prompt as it reads with what a version kept.
    #[must_use]
    pub fn with(self, body: Body) -> Self {
        Self {
            kind: body.kind,
            prompt_text: body.prompt_text,
            sfl_field: body.sfl_field,
            sfl_tenor: body.sfl_tenor,
            sfl_mode: body.sfl_mode,
            example_output: body.example_output,
            source_document: body.source_document,
            metadata: body.metadata,
            ..self
        }
    }
}

/// A prompt, and what is not shown of it.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, Deserialize)]
#[diesel(table_name = prompts)]
pub struct Stored {
    /// What is shown.
    #[diesel(embed)]
    pub prompt: Prompt,
    /// Its company.
    pub company_id: CompanyId,
    /// Which numbering of versions is the present one.
    pub lineage: i32,
}

impl Stored {
    /// Whether they may see it: the rule of `visible_to`, for a row that is at hand.
    pub fn is_visible_to(&self, viewer: &Viewer) -> bool {
        self.company_id == viewer.company_id
            && (self.prompt.owner.id == viewer.user_id
                || self.prompt.visibility == Visibility::Company)
    }

    fn may_be_changed_by(&self, viewer: &Viewer) -> bool {
        self.prompt.owner.id == viewer.user_id || viewer.role == Role::Admin
    }
}

/// Why a prompt was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// There is none that the viewer may see.
    #[error("not found")]
    NotFound,
    /// The viewer may see but not change it.
    #[error("only its owner or an admin may change it")]
    Forbidden,
    /// It changed since the viewer read it.
    #[error("it changed in the meantime")]
    Stale,
    /// It has no such version.
    #[error("no such version")]
    NoVersion,
    /// It has no such label.
    #[error("no such label")]
    NoLabel,
    /// It has as many labels as it may have.
    #[error("too many labels")]
    TooManyLabels,
    /// To be created, it lacks these members.
    #[error("members are missing")]
    Incomplete(Vec<&'static str>),
    /// Postgres failed.
    #[error(transparent)]
    Database(#[from] diesel::result::Error),
}

/// The rows a viewer may see: their own, and those their company shares.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn visible_to(company_id: CompanyId, user_id: UserId) -> _ {
    let own: dsl::Eq<prompts::owner_id, UserId> = prompts::owner_id.eq(user_id);
    prompts::company_id
        .eq(company_id)
        .and(own.or(prompts::visibility.eq("company")))
}

/// Creates a prompt.
pub async fn create(conn: &mut Connection, new: &NewPrompt) -> QueryResult<Stored> {
    conn.transaction(async |conn| {
        diesel::insert_into(prompts::table)
            .values(new)
            .execute(conn)
            .await?;
        stored(conn, new.id).await
    })
    .await
}

/// One prompt, whoever asks: the caller looks whether they may see it.
pub async fn find(conn: &mut Connection, id: PromptId) -> QueryResult<Option<Stored>> {
    stored(conn, id).await.optional()
}

/// What tells whether a copy of a prompt is as new as the row: its revision, and what its owner is
/// called, which is no part of the row.
pub async fn revision(
    conn: &mut Connection,
    id: PromptId,
) -> QueryResult<Option<(DateTime<Utc>, PersonName)>> {
    prompts::table
        .inner_join(users::table)
        .filter(prompts::id.eq(id))
        .select((prompts::updated_at, users::name))
        .first(conn)
        .await
        .optional()
}

async fn stored(conn: &mut Connection, id: PromptId) -> QueryResult<Stored> {
    prompts::table
        .inner_join(users::table)
        .filter(prompts::id.eq(id))
        .select(Stored::as_select())
        .first(conn)
        .await
}

/// One prompt that the viewer may see.
pub async fn find_visible(
    conn: &mut Connection,
    viewer: &Viewer,
    id: PromptId,
) -> QueryResult<Stored> {
    prompts::table
        .inner_join(users::table)
        .filter(prompts::id.eq(id))
        .filter(visible_to(viewer.company_id, viewer.user_id))
        .select(Stored::as_select())
        .first(conn)
        .await
}

/// What those of these prompts say that the viewer may see.
pub(crate) async fn bodies(
    conn: &mut Connection,
    viewer: &Viewer,
    ids: &[PromptId],
) -> QueryResult<Vec<(PromptId, Body)>> {
    let found: Vec<Stored> = prompts::table
        .inner_join(users::table)
        .filter(prompts::id.eq_any(ids))
        .filter(visible_to(viewer.company_id, viewer.user_id))
        .select(Stored::as_select())
        .load(conn)
        .await?;
    let body = |stored: Stored| (stored.prompt.id, stored.prompt.body());
    Ok(found.into_iter().map(body).collect())
}

/// Locks a prompt, whosever it is.
async fn lock(conn: &mut Connection, id: PromptId) -> QueryResult<Option<Stored>> {
    // Without the join, which would lock the owner too.
    let locked = prompts::table
        .find(id)
        .select(prompts::id)
        .for_update()
        .first::<PromptId>(conn)
        .await
        .optional()?;
    match locked {
        Some(id) => stored(conn, id).await.map(Some),
        None => Ok(None),
    }
}

/// Locks a prompt that the viewer may see, for whoever makes a version of it.
pub(crate) async fn lock_visible(
    conn: &mut Connection,
    viewer: &Viewer,
    id: PromptId,
) -> QueryResult<Option<Stored>> {
    let found = lock(conn, id).await?;
    Ok(found.filter(|stored| stored.is_visible_to(viewer)))
}

/// Locks a prompt that the viewer may change, as it was when they read it.
async fn lock_own(
    conn: &mut Connection,
    viewer: &Viewer,
    id: PromptId,
    expected: &Expected,
) -> Result<Stored, ChangeError> {
    let found = lock(conn, id).await?;
    let stored = found
        .filter(|stored| stored.is_visible_to(viewer))
        .ok_or(ChangeError::NotFound)?;
    if !stored.may_be_changed_by(viewer) {
        return Err(ChangeError::Forbidden);
    }
    if !expected.accepts(stored.prompt.updated_at) {
        return Err(ChangeError::Stale);
    }
    Ok(stored)
}
