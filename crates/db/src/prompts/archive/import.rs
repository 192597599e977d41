//! Taking prompts in, all of them or none. Ids are kept where they are free or the viewer's own; a
//! row that somebody else has under the same id, on an installation shared by several companies,
//! gets an id derived from it, the same at every import, so that importing twice adds once.

mod parts;

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use diesel::{dsl::max, prelude::*};
use diesel_async::{AsyncConnection, RunQueryDsl};
use domain::{
    auth::Viewer,
    documents::Sha256,
    prompts::{ArchivedLabelMove, ArchivedVersion, PromptId},
    users::{Role, UserId},
};
use uuid::Uuid;

use super::report::{Outcome, Report};
use crate::{
    Connection,
    prompts::{
        ChangeError, PromptChanges, Stored, change::write, labels, lock, merge::NewPrompt, stored,
    },
    schema::{prompt_versions, prompts, users},
    workflows::{self, ImportedWorkflow},
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
    /// Which numbering of versions was the present one.
    pub lineage: i32,
    /// When it was created.
    pub created_at: Option<DateTime<Utc>>,
}

/// Everything to be taken in.
#[derive(Debug, Clone, Default)]
pub struct Import {
    /// Prompts.
    pub prompts: Vec<ImportedPrompt>,
    /// Their versions, each with its place.
    pub versions: Vec<(usize, ArchivedVersion)>,
    /// The moves of their labels, each with its place.
    pub moves: Vec<(usize, ArchivedLabelMove)>,
    /// Workflows.
    pub workflows: Vec<ImportedWorkflow>,
}

/// Every id that a prompt of an import may get here.
pub fn ids(import: &Import, viewer: &Viewer) -> Vec<PromptId> {
    let prompts = import.prompts.iter();
    prompts
        .flat_map(|prompt| [prompt.id, PromptId(derived(viewer, prompt.id.0))])
        .collect()
}

/// Takes everything in, or, with faults or for trying only, nothing; says what became or would
/// become of each row.
pub async fn import(
    conn: &mut Connection,
    viewer: &Viewer,
    import: Import,
    only_try: bool,
) -> QueryResult<Report> {
    let mut report = Report::default();
    let taken = conn
        .transaction(async |conn| {
            take_in(conn, viewer, import, &mut report).await?;
            if only_try || !report.faults.is_empty() {
                return Err(diesel::result::Error::RollbackTransaction);
            }
            Ok(())
        })
        .await;
    report.sort();
    match taken {
        Ok(()) | Err(diesel::result::Error::RollbackTransaction) => Ok(report),
        Err(cause) => Err(cause),
    }
}

async fn take_in(
    conn: &mut Connection,
    viewer: &Viewer,
    import: Import,
    report: &mut Report,
) -> QueryResult<()> {
    let people = colleagues(conn, viewer, &import).await?;
    let mut versions: HashMap<PromptId, Vec<_>> = HashMap::new();
    for (index, version) in import.versions {
        versions
            .entry(version.prompt_id)
            .or_default()
            .push((index, version));
    }
    let mut moves: HashMap<PromptId, Vec<_>> = HashMap::new();
    for (index, moved) in import.moves {
        moves
            .entry(moved.prompt_id)
            .or_default()
            .push((index, moved));
    }
    let (mut seen, mut prompts) = (HashSet::new(), import.prompts);
    let mut renamed = HashMap::new();
    // In one order for everybody: two imports at once must not wait for each other's locks.
    prompts.sort_by_key(|imported| imported.id);
    for imported in prompts {
        if !seen.insert(imported.id) {
            report.fault("prompts", imported.index, "has the id of an earlier one");
            continue;
        }
        let mut parts = Parts {
            viewer,
            people: &people,
            versions: versions.remove(&imported.id).unwrap_or_default(),
            moves: moves.remove(&imported.id).unwrap_or_default(),
        };
        let id = imported.id;
        if let Some(here) = parts.take_in(conn, imported, report).await? {
            renamed.insert(id, here);
        }
    }
    for (index, _) in versions.into_values().flatten() {
        report.fault(
            "promptVersions",
            index,
            "belongs to no prompt of this import",
        );
    }
    for (index, _) in moves.into_values().flatten() {
        report.fault(
            "promptLabelMoves",
            index,
            "belongs to no prompt of this import",
        );
    }
    take_in_workflows(conn, viewer, import.workflows, &renamed, report).await
}

/// Workflows, after the prompts that they are linked to.
async fn take_in_workflows(
    conn: &mut Connection,
    viewer: &Viewer,
    mut imported: Vec<ImportedWorkflow>,
    renamed: &HashMap<PromptId, PromptId>,
    report: &mut Report,
) -> QueryResult<()> {
    imported.sort_by_key(|workflow| workflow.id);
    let mut seen = HashSet::new();
    for workflow in imported {
        if seen.insert(workflow.id) {
            workflows::take_in(conn, viewer, workflow, renamed, report).await?;
        } else {
            report.fault("workflows", workflow.index, "has the id of an earlier one");
        }
    }
    Ok(())
}

/// Those named in the import who are people of the viewer's company; for others the viewer stands.
async fn colleagues(
    conn: &mut Connection,
    viewer: &Viewer,
    import: &Import,
) -> QueryResult<HashSet<UserId>> {
    let makers = import
        .versions
        .iter()
        .map(|(_, version)| version.created_by);
    let movers = import.moves.iter().map(|(_, moved)| moved.moved_by);
    let named: BTreeSet<UserId> = makers.chain(movers).collect();
    let named: Vec<UserId> = named.into_iter().collect();
    let found: Vec<UserId> = users::table
        .filter(users::company_id.eq(viewer.company_id))
        .filter(users::id.eq_any(named))
        .select(users::id)
        .load(conn)
        .await?;
    Ok(found.into_iter().collect())
}

/// An id for a row whose own is taken: the same whenever the same person imports the same row.
pub(crate) fn derived(viewer: &Viewer, id: Uuid) -> Uuid {
    let mut bytes = Vec::with_capacity(48);
    for part in [viewer.company_id.0, viewer.user_id.0, id] {
        bytes.extend_from_slice(part.as_bytes());
    }
    let Sha256(hash) = Sha256::of(&bytes);
    let mut start = [0; 16];
    start.copy_from_slice(&hash[..16]);
    uuid::Builder::from_custom_bytes(start).into_uuid()
}

/// Why a part of a prompt is refused to those who may see the prompt and not change it.
const NOT_YOURS: &str = "is new here, and the prompt is not yours to change";

/// What belongs to a prompt that is taken in.
struct Parts<'a> {
    viewer: &'a Viewer,
    people: &'a HashSet<UserId>,
    versions: Vec<(usize, ArchivedVersion)>,
    moves: Vec<(usize, ArchivedLabelMove)>,
}

impl Parts<'_> {
    /// Who made something: whom an admin's file names. What others' files say is not taken on trust,
    /// or anybody could put words into a colleague's mouth.
    fn person(&self, id: UserId) -> UserId {
        if self.viewer.role == Role::Admin && self.people.contains(&id) {
            id
        } else {
            self.viewer.user_id
        }
    }

    /// The prompt's id here, unless it cannot be taken in.
    async fn take_in(
        &mut self,
        conn: &mut Connection,
        imported: ImportedPrompt,
        report: &mut Report,
    ) -> QueryResult<Option<PromptId>> {
        let (index, lineage) = (imported.index, imported.lineage);
        let Some((prompt, outcome)) = self.take_in_row(conn, imported, report).await? else {
            return Ok(None);
        };
        let id = prompt.prompt.id;
        let ids = self.take_in_versions(conn, &prompt, report).await?;
        let moved = self.take_in_moves(conn, &prompt, &ids, report).await?;
        let (lineage_before, lineage) = (prompt.lineage, prompt.lineage.max(lineage));
        let current: Option<i32> = prompt_versions::table
            .filter(prompt_versions::prompt_id.eq(id))
            .filter(prompt_versions::lineage.eq(lineage))
            .select(max(prompt_versions::version))
            .first(conn)
            .await?;
        if lineage != lineage_before || current != prompt.prompt.current_version {
            if !prompt.may_be_changed_by(self.viewer) {
                report.fault("prompts", index, NOT_YOURS);
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
            report.fault("prompts", index, fault);
            return Ok(None);
        }
        if moved {
            labels::show(conn, id).await?;
        }
        report.row("prompts", index, id.0, outcome);
        Ok(Some(id))
    }

    /// The prompt's own row. Nothing if it cannot be taken in; the report says why.
    async fn take_in_row(
        &self,
        conn: &mut Connection,
        imported: ImportedPrompt,
        report: &mut Report,
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
                report.fault("prompts", imported.index, "has an id that is taken");
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
                        report.fault("prompts", imported.index, cause.to_string());
                        Ok(None)
                    }
                }
            }
            Some(_) => {
                let message = "is somebody else's here, differs, and is not yours to change";
                report.fault("prompts", imported.index, message);
                Ok(None)
            }
        }
    }

    async fn create(
        &self,
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
        diesel::insert_into(prompts::table)
            .values(new)
            .execute(conn)
            .await?;
        Ok((stored(conn, id).await?, Outcome::Created))
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
