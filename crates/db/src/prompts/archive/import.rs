//! Taking prompts in.

mod parts;

use chrono::{DateTime, Utc};
use diesel::{dsl::max, prelude::*};
use diesel_async::RunQueryDsl;
use domain::{
    auth::Viewer,
    prompts::{ArchivedLabelMove, ArchivedVersion, PromptId},
    requests::RequestId,
    templates::TemplateId,
    trackers::IssueId,
};
use uuid::Uuid;

use crate::{
    Connection,
    archive::{Import, Outcome, derived},
    prompts::{
        ChangeError, PromptChanges, Stored, change::write, labels, lock, merge::NewPrompt, stored,
    },
    requests,
    schema::{issues, prompt_versions, prompts},
    templates,
};

/// A prompt to be taken in.
#[derive(Debug, Clone)]
pub struct ImportedPrompt {
    /// Its place in its file, from 0.
    pub index: usize,
    /// Its id where it comes from.
    pub id: PromptId,
    /// Its members; all that it has.
    pub members: PromptChanges,
    /// What it was generated from.
    pub origin: Origin,
    /// Which numbering of versions was the present one.
    pub lineage: i32,
    /// When it was created.
    pub created_at: Option<DateTime<Utc>>,
}

/// What a prompt was generated from, by the ids of where it comes from.
#[derive(Debug, Clone, Copy, Default)]
pub struct Origin {
    /// The issue.
    pub issue: Option<IssueId>,
    /// The request.
    pub request: Option<RequestId>,
    /// The template.
    pub template: Option<TemplateId>,
}

/// A prompt with what belongs to it.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The prompt.
    pub prompt: ImportedPrompt,
    /// Its versions, each with its place.
    pub versions: Vec<(usize, ArchivedVersion)>,
    /// The moves of its labels, each with its place.
    pub moves: Vec<(usize, ArchivedLabelMove)>,
}

/// Every id that a prompt may get here.
pub fn here(id: PromptId, viewer: &Viewer) -> [PromptId; 2] {
    [id, PromptId(derived(viewer, id.0))]
}

/// Takes a prompt in.
pub(crate) async fn take_in(
    conn: &mut Connection,
    import: &mut Import<'_>,
    imported: Imported,
) -> QueryResult<()> {
    let id = imported.prompt.id;
    let mut parts = Parts {
        viewer: import.viewer,
        import: &mut *import,
        versions: imported.versions,
        moves: imported.moves,
    };
    if let Some(here) = parts.take_in(conn, imported.prompt).await? {
        import.prompts.hold(id.0, here.0);
    }
    Ok(())
}

/// Why a part of a prompt is refused to those who may see the prompt and not change it.
const NOT_YOURS: &str = "is new here, and the prompt is not yours to change";

/// What belongs to a prompt that is taken in.
struct Parts<'a, 'v> {
    viewer: &'v Viewer,
    import: &'a mut Import<'v>,
    versions: Vec<(usize, ArchivedVersion)>,
    moves: Vec<(usize, ArchivedLabelMove)>,
}

impl Parts<'_, '_> {
    /// The prompt's id here, unless it cannot be taken in.
    async fn take_in(
        &mut self,
        conn: &mut Connection,
        imported: ImportedPrompt,
    ) -> QueryResult<Option<PromptId>> {
        let (index, lineage) = (imported.index, imported.lineage);
        let Some((prompt, outcome)) = self.take_in_row(conn, imported).await? else {
            return Ok(None);
        };
        let id = prompt.prompt.id;
        let ids = self.take_in_versions(conn, &prompt).await?;
        let moved = self.take_in_moves(conn, &prompt, &ids).await?;
        let (lineage_before, lineage) = (prompt.lineage, prompt.lineage.max(lineage));
        let current: Option<i32> = prompt_versions::table
            .filter(prompt_versions::prompt_id.eq(id))
            .filter(prompt_versions::lineage.eq(lineage))
            .select(max(prompt_versions::version))
            .first(conn)
            .await?;
        if lineage != lineage_before || current != prompt.prompt.current_version {
            if !prompt.may_be_changed_by(self.viewer) {
                self.import.report.fault("prompts", index, NOT_YOURS);
                return Ok(None);
            }
            diesel::update(prompts::table.find(id))
                .set((
                    prompts::lineage.eq(lineage),
                    prompts::current_version.eq(current),
                ))
                .execute(conn)
                .await?;
        }
        if moved && labels::count(conn, id).await? > labels::MAX_LABELS {
            let fault = format!("would have more than {} labels", labels::MAX_LABELS);
            self.import.report.fault("prompts", index, fault);
            return Ok(None);
        }
        if moved {
            labels::show(conn, id).await?;
        }
        self.import.report.row("prompts", index, id.0, outcome);
        Ok(Some(id))
    }

    /// The prompt's own row. Nothing if it cannot be taken in; the report says why.
    async fn take_in_row(
        &mut self,
        conn: &mut Connection,
        imported: ImportedPrompt,
    ) -> QueryResult<Option<(Stored, Outcome)>> {
        let mut id = imported.id;
        let mut found = lock(conn, id).await?;
        if found
            .as_ref()
            .is_some_and(|row| !row.is_visible_to(self.viewer))
        {
            id = PromptId(derived(self.viewer, id.0));
            found = lock(conn, id).await?;
        }
        match found {
            None => self.create(conn, id, imported).await.map(Some),
            // Somebody foresaw the id that the row would get.
            Some(row) if !row.is_visible_to(self.viewer) => {
                self.import
                    .report
                    .fault("prompts", imported.index, "has an id that is taken");
                Ok(None)
            }
            Some(row) if is_as_imported(&row, &imported.members) => {
                Ok(Some((row, Outcome::Unchanged)))
            }
            Some(row) if row.may_be_changed_by(self.viewer) => {
                let changed = write(conn, row, &imported.members).await;
                match changed {
                    Ok(row) => Ok(Some((row, Outcome::Updated))),
                    Err(ChangeError::Database(cause)) => Err(cause),
                    Err(cause) => {
                        self.import
                            .report
                            .fault("prompts", imported.index, cause.to_string());
                        Ok(None)
                    }
                }
            }
            Some(_) => {
                let message = "is somebody else's here, differs, and is not yours to change";
                self.import.report.fault("prompts", imported.index, message);
                Ok(None)
            }
        }
    }

    async fn create(
        &mut self,
        conn: &mut Connection,
        id: PromptId,
        imported: ImportedPrompt,
    ) -> QueryResult<(Stored, Outcome)> {
        let new = imported
            .members
            .into_new(self.viewer, id)
            .map_err(|cause| diesel::result::Error::SerializationError(Box::new(cause)))?;
        let created_at = imported.created_at.map(|at| at.min(Utc::now()));
        let new = NewPrompt { created_at, ..new };
        let origin = self.origin(conn, imported.index, imported.origin).await?;
        diesel::insert_into(prompts::table)
            .values((
                new,
                prompts::issue_id.eq(origin.issue),
                prompts::request_id.eq(origin.request),
                prompts::template_id.eq(origin.template),
            ))
            .execute(conn)
            .await?;
        Ok((stored(conn, id).await?, Outcome::Created))
    }

    /// What it was generated from, as that is called here; what is not here is left out, and said.
    async fn origin(
        &mut self,
        conn: &mut Connection,
        index: usize,
        named: Origin,
    ) -> QueryResult<Origin> {
        let mut origin = Origin::default();
        if let Some(id) = named.template {
            let here = [TemplateId(self.import.templates.here(id.0).unwrap_or(id.0))];
            let seen = templates::archive::seen(conn, self.viewer, &here);
            origin.template = seen.await?.pop();
            self.dropped(index, "templateId", id.0, origin.template.is_none());
        }
        if let Some(id) = named.request {
            let here = [RequestId(self.import.requests.here(id.0).unwrap_or(id.0))];
            let seen = requests::archive::seen(conn, self.viewer, &here);
            origin.request = seen.await?.pop();
            self.dropped(index, "requestId", id.0, origin.request.is_none());
        }
        if let Some(id) = named.issue {
            origin.issue = issues::table
                .filter(issues::id.eq(id))
                .filter(issues::company_id.eq(self.viewer.company_id))
                .select(issues::id)
                .first(conn)
                .await
                .optional()?;
            self.dropped(index, "issueId", id.0, origin.issue.is_none());
        }
        Ok(origin)
    }

    fn dropped(&mut self, index: usize, member: &str, id: Uuid, is_dropped: bool) {
        if is_dropped {
            let report = &mut self.import.report;
            report.drop_reference("prompts", index, member, id);
        }
    }
}

fn same<T: PartialEq>(here: &T, there: Option<&T>) -> bool {
    there.is_none_or(|there| here == there)
}

/// Whether a row has the members of an import; what the import leaves out does not count.
fn is_as_imported(row: &Stored, members: &PromptChanges) -> bool {
    let prompt = &row.prompt;
    same(&prompt.kind, members.kind.as_ref())
        && same(&prompt.title, members.title.as_ref())
        && same(&prompt.prompt_text, members.prompt_text.as_ref())
        && same(&prompt.sfl_field, members.sfl_field.as_ref())
        && same(&prompt.sfl_tenor, members.sfl_tenor.as_ref())
        && same(&prompt.sfl_mode, members.sfl_mode.as_ref())
        && same(&prompt.example_output, members.example_output.as_ref())
        && same(&prompt.notes, members.notes.as_ref())
        && same(&prompt.source_document, members.source_document.as_ref())
        && same(&prompt.metadata, members.metadata.as_ref())
        && same(&prompt.visibility, members.visibility.as_ref())
}
