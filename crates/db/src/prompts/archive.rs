//! Prompts on the move, with their versions and the moves of their labels.

mod import;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    auth::Viewer,
    prompts::{ArchivedLabelMove, ArchivedPrompt, ArchivedVersion, LabelMoveId, PromptId},
    requests::RequestId,
    templates::TemplateId,
};

use super::{Stored, versions::PromptVersion, visible_to};
use crate::{
    Connection,
    archive::{Out, ROWS},
    schema::{prompt_label_moves, prompt_versions, prompts, users},
};
pub(crate) use import::take_in;
pub use import::{Imported, ImportedPrompt, Origin, here};

/// Sends the prompts that the viewer may see.
pub(crate) async fn export(
    conn: &mut Connection,
    viewer: &Viewer,
    out: &mut Out,
) -> QueryResult<()> {
    let mut after = None;
    loop {
        let mut page = page(conn, viewer, after).await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = Some(last.prompt.id);
        hide_origins(conn, viewer, &mut page).await?;
        let ids: Vec<PromptId> = page.iter().map(|stored| stored.prompt.id).collect();
        let rows: Vec<ArchivedPrompt> = page.into_iter().map(archived).collect();
        out.rows("prompts.jsonl", &rows).await?;
        send_versions(conn, &ids, out).await?;
        send_moves(conn, &ids, out).await?;
    }
}

/// Leaves out what the viewer does not see of where prompts come from.
async fn hide_origins(
    conn: &mut Connection,
    viewer: &Viewer,
    page: &mut [Stored],
) -> QueryResult<()> {
    let templates: Vec<TemplateId> = page
        .iter()
        .filter_map(|row| row.prompt.template_id)
        .collect();
    let requests: Vec<RequestId> = page
        .iter()
        .filter_map(|row| row.prompt.request_id)
        .collect();
    let templates = crate::templates::archive::seen(conn, viewer, &templates).await?;
    let requests = crate::requests::archive::seen(conn, viewer, &requests).await?;
    for Stored { prompt, .. } in page {
        prompt.template_id = prompt.template_id.filter(|id| templates.contains(id));
        prompt.request_id = prompt.request_id.filter(|id| requests.contains(id));
    }
    Ok(())
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

async fn send_versions(conn: &mut Connection, of: &[PromptId], out: &mut Out) -> QueryResult<()> {
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
            return Ok(());
        };
        after = Some(last.id);
        out.meet(page.iter().map(|version| version.created_by));
        let rows: Vec<ArchivedVersion> = page.into_iter().map(archived_version).collect();
        out.rows("prompt_versions.jsonl", &rows).await?;
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

async fn send_moves(conn: &mut Connection, of: &[PromptId], out: &mut Out) -> QueryResult<()> {
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
            return Ok(());
        };
        after = Some(last.moved.id);
        out.meet(page.iter().map(|row| row.moved.moved_by));
        let moves = page.into_iter().map(|row| ArchivedLabelMove {
            id: row.moved.id,
            prompt_id: row.prompt_id,
            name: row.moved.name,
            version_id: row.moved.version_id,
            moved_by: row.moved.moved_by,
            moved_at: row.moved.moved_at,
        });
        let rows: Vec<ArchivedLabelMove> = moves.collect();
        out.rows("prompt_label_moves.jsonl", &rows).await?;
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
        issue_id: prompt.issue_id,
        request_id: prompt.request_id,
        template_id: prompt.template_id,
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
