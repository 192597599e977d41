//! Generating prompts: who asks, and keeping a prompt together with where it comes from.

use diesel::prelude::*;
use diesel_async::{AsyncConnection, RunQueryDsl};
use domain::{
    auth::Viewer,
    generation::{GenerationId, Source},
    prompts::{PromptId, PromptVersionId},
    requests::RequestId,
    templates::{TemplateId, TemplateVersionId},
    trackers::{IssueId, TrackerId},
    users::{CompanyId, Email, PersonName, UserId},
};

use crate::{
    Connection,
    prompts::{NewPrompt, versions},
    schema::{companies, generation_events, users},
    templates::Template,
};

/// Somebody, as templates know them.
#[derive(Debug, Clone, Queryable)]
pub struct Asker {
    /// What they are called.
    pub name: PersonName,
    /// Their address.
    pub email: Email,
    /// What their company is called.
    pub company: String,
}

/// The viewer, as templates know them.
pub async fn asker(conn: &mut Connection, viewer: &Viewer) -> QueryResult<Asker> {
    users::table
        .inner_join(companies::table)
        .filter(users::id.eq(viewer.user_id))
        .select((users::name, users::email, companies::name))
        .first(conn)
        .await
}

/// Where a generated prompt comes from.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// What it is for.
    pub source: Source,
    /// The tracker of the issue.
    pub tracker_id: Option<TrackerId>,
    /// The template, as it was.
    pub template: &'a Template,
    /// Whether another body took the place of the template's.
    pub is_overridden: bool,
    /// How many tokens its text has.
    pub tokens: i32,
}

#[derive(Insertable)]
#[diesel(table_name = generation_events)]
struct Event {
    id: GenerationId,
    company_id: CompanyId,
    user_id: UserId,
    prompt_id: PromptId,
    prompt_version_id: PromptVersionId,
    template_id: TemplateId,
    template_version_id: TemplateVersionId,
    is_overridden: bool,
    issue_id: Option<IssueId>,
    request_id: Option<RequestId>,
    tracker_id: Option<TrackerId>,
    tokens: i32,
}

/// Keeps a generated prompt with its first version and its origin.
pub async fn keep(
    conn: &mut Connection,
    new: &NewPrompt,
    origin: &Origin<'_>,
) -> QueryResult<PromptVersionId> {
    let (issue_id, request_id) = match origin.source {
        Source::Issue(id) => (Some(id), None),
        Source::Request(id) => (None, Some(id)),
    };
    conn.transaction(async |conn| {
        let of = (issue_id, request_id, origin.template.summary.id);
        let version = versions::create_first(conn, new, of).await?;
        diesel::insert_into(generation_events::table)
            .values(Event {
                id: GenerationId::new(),
                company_id: new.company_id,
                user_id: new.owner_id,
                prompt_id: new.id,
                prompt_version_id: version,
                template_id: origin.template.summary.id,
                template_version_id: origin.template.summary.version_id,
                is_overridden: origin.is_overridden,
                issue_id,
                request_id,
                tracker_id: origin.tracker_id,
                tokens: origin.tokens,
            })
            .execute(conn)
            .await?;
        Ok(version)
    })
    .await
}
