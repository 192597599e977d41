//! Workflows on the move. Those that every company starts with stay behind while nobody has changed
//! them; a changed one goes to the one of its name.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    auth::Viewer,
    documents::DocumentId,
    prompts::PromptId,
    users::Visibility,
    workflows::{Description, Task, Tasks, WorkflowId, WorkflowName},
};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::{
    ChangeError, NewWorkflow, Workflow, WorkflowChanges, builtin, change, find, visible_to,
};
use crate::{
    Connection,
    archive::{At, Import, Out, Outcome, ROWS, derived},
    schema::{users, workflows},
};

/// A line of `workflows.jsonl`: what is read is any workflow with these members.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Serialize)]
#[diesel(table_name = workflows)]
#[serde(rename_all = "camelCase")]
pub struct ArchivedWorkflow {
    /// Its id.
    pub id: WorkflowId,
    /// What it is called.
    pub name: WorkflowName,
    /// What it is for.
    pub description: Description,
    /// Its tasks.
    pub tasks: Tasks,
    /// The state of a canvas.
    pub graph_data: Option<Value>,
    /// Whether it came with the company.
    pub is_default: bool,
    /// Who besides its owner may see it.
    pub visibility: Visibility,
    /// When it was created.
    pub created_at: At,
    /// When it last changed.
    pub updated_at: At,
}

/// A workflow to be taken in.
#[derive(Debug, Clone)]
pub struct Imported {
    /// Its place in its list, from 0.
    pub index: usize,
    /// Its id where it comes from.
    pub id: WorkflowId,
    /// Its members; all that it has.
    pub members: WorkflowChanges,
    /// Whether it came with the company.
    pub is_default: bool,
    /// When it was created.
    pub created_at: Option<DateTime<Utc>>,
}

/// What the import calls these rows.
const AREA: &str = "workflows";

/// Sends the workflows that the viewer may see.
pub(crate) async fn export(
    conn: &mut Connection,
    viewer: &Viewer,
    out: &mut Out,
) -> QueryResult<()> {
    let mut after = WorkflowId(Uuid::nil());
    loop {
        let page: Vec<ArchivedWorkflow> = workflows::table
            .filter(visible_to(viewer.company_id, viewer.user_id))
            .filter(workflows::id.gt(after))
            .order(workflows::id)
            .limit(ROWS)
            .select(ArchivedWorkflow::as_select())
            .load(conn)
            .await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = last.id;
        let rows: Vec<ArchivedWorkflow> = page
            .into_iter()
            .filter(|row| !builtin::is_as_given(row))
            .collect();
        out.rows("workflows.jsonl", &rows).await?;
    }
}

/// Takes a workflow in: links lead to prompts and documents as they are called here.
pub(crate) async fn take_in(
    conn: &mut Connection,
    import: &mut Import<'_>,
    mut imported: Imported,
) -> QueryResult<()> {
    let viewer = import.viewer;
    let tasks = imported.members.tasks.iter_mut();
    tasks
        .flat_map(|tasks| &mut tasks.0)
        .for_each(|task| follow(task, import));
    let mut id = imported.id;
    if is_taken(conn, viewer, id).await? {
        id = WorkflowId(derived(viewer, id.0));
    }
    let mut found = find(conn, viewer, id).await.optional()?;
    if found.is_none() && imported.is_default {
        found = builtin_of_this_name(conn, viewer, imported.members.name.as_ref()).await?;
        id = found.as_ref().map_or(id, |row| row.id);
    }
    let index = imported.index;
    let done = match found {
        None if is_taken(conn, viewer, id).await? => {
            import.report.fault(AREA, index, "has an id that is taken");
            return Ok(());
        }
        None => create(conn, viewer, id, imported).await,
        Some(row) if is_as_imported(&row, &imported.members) => Ok(Outcome::Unchanged),
        Some(row) if row.may_be_changed_by(viewer) => {
            let changed = change(conn, viewer, id, &imported.members).await;
            changed.map(|_| Outcome::Updated)
        }
        Some(_) => Err(ChangeError::Forbidden),
    };
    match done {
        Ok(outcome) => import.report.row(AREA, index, id.0, outcome),
        Err(ChangeError::Database(cause)) => return Err(cause),
        Err(ChangeError::Forbidden) => {
            let message = "is somebody else's here, differs, and is not yours to change";
            import.report.fault(AREA, index, message);
        }
        Err(cause) => import.report.fault(AREA, index, cause.to_string()),
    }
    Ok(())
}

/// The workflow that came with the company under this name.
async fn builtin_of_this_name(
    conn: &mut Connection,
    viewer: &Viewer,
    name: Option<&WorkflowName>,
) -> QueryResult<Option<Workflow>> {
    let Some(name) = name else {
        return Ok(None);
    };
    workflows::table
        .inner_join(users::table)
        .filter(visible_to(viewer.company_id, viewer.user_id))
        .filter(workflows::is_default)
        .filter(workflows::name.eq(name))
        .order(workflows::id)
        .select(Workflow::as_select())
        .first(conn)
        .await
        .optional()
}

fn follow(task: &mut Task, import: &Import<'_>) {
    let here = task
        .prompt()
        .and_then(|id: PromptId| import.prompts.here(id.0));
    if let Some(here) = here {
        task.prompt_id = here.to_string().parse().ok();
    }
    for id in task.document_ids.iter_mut().flatten() {
        *id = import.documents.here(id.0).map_or(*id, DocumentId);
    }
}

/// Whether somebody has this id whom the viewer does not see.
async fn is_taken(conn: &mut Connection, viewer: &Viewer, id: WorkflowId) -> QueryResult<bool> {
    let there: i64 = workflows::table.find(id).count().get_result(conn).await?;
    Ok(there > 0 && find(conn, viewer, id).await.optional()?.is_none())
}

async fn create(
    conn: &mut Connection,
    viewer: &Viewer,
    id: WorkflowId,
    imported: Imported,
) -> Result<Outcome, ChangeError> {
    let created_at = imported.created_at.map(|at| at.min(Utc::now()));
    let new = NewWorkflow {
        is_default: imported.is_default,
        ..imported.members.into_new(viewer, id)?
    };
    let times = created_at.map(|at| workflows::created_at.eq(at));
    diesel::insert_into(workflows::table)
        .values((new, times))
        .execute(conn)
        .await?;
    Ok(Outcome::Created)
}

/// Whether a row has the members of an import; what the import leaves out does not count.
fn is_as_imported(row: &Workflow, members: &WorkflowChanges) -> bool {
    fn same<T: PartialEq>(here: &T, there: Option<&T>) -> bool {
        there.is_none_or(|there| here == there)
    }
    same(&row.name, members.name.as_ref())
        && same(&row.description, members.description.as_ref())
        && same(&row.tasks, members.tasks.as_ref())
        && same(&row.graph_data, members.graph_data.as_ref())
        && same(&row.visibility, members.visibility.as_ref())
}
