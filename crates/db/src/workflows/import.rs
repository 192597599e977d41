//! Taking workflows in, within the transaction of an import: links lead to the prompts as they are
//! called here.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    auth::Viewer,
    prompts::PromptId,
    workflows::{Task, WorkflowId},
};

use super::{ChangeError, Workflow, WorkflowChanges, change, find};
use crate::{
    Connection,
    prompts::archive::{Outcome, Report, derived},
    schema::workflows,
};

/// A workflow to be taken in.
#[derive(Debug, Clone)]
pub struct ImportedWorkflow {
    /// Its place in its list, from 0.
    pub index: usize,
    /// Its id where it comes from.
    pub id: WorkflowId,
    /// Its members; all that it has.
    pub members: WorkflowChanges,
}

/// What the import calls these rows.
const AREA: &str = "workflows";

/// Takes a workflow in and says what became of it; `renamed` are prompts that have another id here.
pub async fn take_in(
    conn: &mut Connection,
    viewer: &Viewer,
    mut imported: ImportedWorkflow,
    renamed: &HashMap<PromptId, PromptId>,
    report: &mut Report,
) -> QueryResult<()> {
    let tasks = imported
        .members
        .tasks
        .iter_mut()
        .flat_map(|tasks| &mut tasks.0);
    tasks.for_each(|task| follow(task, renamed));
    let mut id = imported.id;
    if is_taken(conn, viewer, id).await? {
        id = WorkflowId(derived(viewer, id.0));
    }
    let done = match find(conn, viewer, id).await.optional()? {
        None => create(conn, viewer, id, imported.members).await,
        Some(row) if is_as_imported(&row, &imported.members) => Ok(Outcome::Unchanged),
        Some(row) if row.may_be_changed_by(viewer) => {
            let changed = change(conn, viewer, id, &imported.members).await;
            changed.map(|_| Outcome::Updated)
        }
        Some(_) => Err(ChangeError::Forbidden),
    };
    match done {
        Ok(outcome) => report.row(AREA, imported.index, id.0, outcome),
        Err(ChangeError::Database(cause)) => return Err(cause),
        Err(ChangeError::Forbidden) => {
            let message = "is somebody else's here, differs, and is not yours to change";
            report.fault(AREA, imported.index, message);
        }
        Err(cause) => report.fault(AREA, imported.index, cause.to_string()),
    }
    Ok(())
}

fn follow(task: &mut Task, renamed: &HashMap<PromptId, PromptId>) {
    let here = task.prompt().and_then(|id| renamed.get(&id));
    if let Some(here) = here {
        task.prompt_id = here.to_string().parse().ok();
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
    members: WorkflowChanges,
) -> Result<Outcome, ChangeError> {
    let new = members.into_new(viewer, id)?;
    diesel::insert_into(workflows::table)
        .values(new)
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
