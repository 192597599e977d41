//! Moving prompts: all that somebody may see, as it was at one moment, and back in, whole or not
//! at all.

mod import;
mod report;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    auth::Viewer,
    prompts::{ArchivedLabelMove, ArchivedPrompt, ArchivedVersion, LabelMoveId, PromptId},
};
use futures::channel::mpsc;

use super::{Stored, versions::PromptVersion, visible_to};
use crate::{
    Connection,
    schema::{prompt_label_moves, prompt_versions, prompts, users},
};
pub(crate) use import::derived;
pub use import::{Import, ImportedPrompt, ids, import};
pub use report::{Outcome, Report, RowFault, RowReport};

/// Rows read at once: at their largest some 60 MB.
const ROWS: i64 = 50;

/// Rows on their way into an archive.
#[derive(Debug)]
pub enum Batch {
    /// Prompts.
    Prompts(Vec<ArchivedPrompt>),
    /// Their versions.
    Versions(Vec<ArchivedVersion>),
    /// The moves of their labels.
    Moves(Vec<ArchivedLabelMove>),
}

/// Sends all prompts that the viewer may see, with versions and labels, as they are at one moment.
/// Stops early when nobody listens any more.
pub async fn export(
    conn: &mut Connection,
    viewer: &Viewer,
    mut to: mpsc::Sender<Batch>,
) -> QueryResult<()> {
    conn.build_transaction()
        .repeatable_read()
        .read_only()
        .run(async |conn| {
            let mut after = None;
            loop {
                let page = page(conn, viewer, after).await?;
                let Some(last) = page.last() else {
                    return Ok(());
                };
                after = Some(last.prompt.id);
                let ids: Vec<PromptId> = page.iter().map(|stored| stored.prompt.id).collect();
                let batch = Batch::Prompts(page.into_iter().map(archived).collect());
                if !send(&mut to, batch).await
                    || !send_versions(conn, &ids, &mut to).await?
                    || !send_moves(conn, &ids, &mut to).await?
                {
                    return Ok(());
                }
            }
        })
        .await
}

async fn page(
    conn: &mut Connection,
    viewer: &Viewer,
    after: Option<PromptId>,
) -> QueryResult<Vec<Stored>> {
    let mut query = prompts::table
        .inner_join(users::table)
        .filter(visible_to(viewer.company_id, viewer.user_id))
        .select(Stored::as_select())
        .order(prompts::id)
        .limit(ROWS)
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(prompts::id.gt(after));
    }
    query.load(conn).await
}

async fn send(to: &mut mpsc::Sender<Batch>, batch: Batch) -> bool {
    use futures::SinkExt as _;
    to.send(batch).await.is_ok()
}

async fn send_versions(
    conn: &mut Connection,
    of: &[PromptId],
    to: &mut mpsc::Sender<Batch>,
) -> QueryResult<bool> {
    let mut after = None;
    loop {
        let mut query = prompt_versions::table
            .filter(prompt_versions::prompt_id.eq_any(of))
            .select(PromptVersion::as_select())
            .order(prompt_versions::id)
            .limit(ROWS)
            .into_boxed();
        if let Some(after) = after {
            query = query.filter(prompt_versions::id.gt(after));
        }
        let page: Vec<PromptVersion> = query.load(conn).await?;
        let Some(last) = page.last() else {
            return Ok(true);
        };
        after = Some(last.id);
        let versions = page.into_iter().map(archived_version).collect();
        if !send(to, Batch::Versions(versions)).await {
            return Ok(false);
        }
    }
}

/// A move with the prompt it belongs to.
#[derive(Queryable, Selectable)]
#[diesel(table_name = prompt_label_moves)]
struct Moved {
    prompt_id: PromptId,
    #[diesel(embed)]
    moved: super::labels::LabelMove,
}

async fn send_moves(
    conn: &mut Connection,
    of: &[PromptId],
    to: &mut mpsc::Sender<Batch>,
) -> QueryResult<bool> {
    let mut after: Option<LabelMoveId> = None;
    loop {
        let mut query = prompt_label_moves::table
            .filter(prompt_label_moves::prompt_id.eq_any(of))
            .select(Moved::as_select())
            .order(prompt_label_moves::id)
            .limit(1000)
            .into_boxed();
        if let Some(after) = after {
            query = query.filter(prompt_label_moves::id.gt(after));
        }
        let page: Vec<Moved> = query.load(conn).await?;
        let Some(last) = page.last() else {
            return Ok(true);
        };
        after = Some(last.moved.id);
        let moves = page.into_iter().map(|row| ArchivedLabelMove {
            id: row.moved.id,
            prompt_id: row.prompt_id,
            name: row.moved.name,
            version_id: row.moved.version_id,
            moved_by: row.moved.moved_by,
            moved_at: row.moved.moved_at,
        });
        if !send(to, Batch::Moves(moves.collect())).await {
            return Ok(false);
        }
    }
}

fn archived(stored: Stored) -> ArchivedPrompt {
    let prompt = stored.prompt;
    ArchivedPrompt {
        id: prompt.id,
        kind: prompt.kind,
        title: prompt.title,
        prompt_text: prompt.prompt_text,
        sfl_field: prompt.sfl_field,
        sfl_tenor: prompt.sfl_tenor,
        sfl_mode: prompt.sfl_mode,
        example_output: prompt.example_output,
        notes: prompt.notes,
        source_document: prompt.source_document,
        metadata: prompt.metadata,
        visibility: prompt.visibility,
        lineage: stored.lineage,
        created_at: prompt.created_at,
        updated_at: prompt.updated_at,
    }
}

fn archived_version(version: PromptVersion) -> ArchivedVersion {
    ArchivedVersion {
        id: version.id,
        prompt_id: version.prompt_id,
        lineage: version.lineage,
        version: version.version,
        label: version.label,
        body: version.body,
        sha256: version.sha256,
        created_by: version.created_by,
        created_at: version.created_at,
    }
}
