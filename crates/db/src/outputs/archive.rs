//! Outputs on the move, with their bytes.

use chrono::{DateTime, Utc};
use deserr::Deserr;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    auth::Viewer,
    documents::{FileName, Sha256},
    jobs::JobId,
    outputs::{OutputId, OutputType},
    prompts::PromptVersionId,
    users::UserId,
};
use serde::Serialize;
use uuid::Uuid;

use super::{NewOutput, Row, find, lock_prompt, same};
use crate::{
    Connection,
    archive::{At, Import, Out, Outcome, ROWS, StoredFile, derived, now_at_most},
    jobs::renounce,
    prompts::visible_to,
    schema::{outputs, prompts},
};

const AREA: &str = "outputs";

/// A line of `outputs.jsonl`.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Serialize, Deserr)]
#[diesel(table_name = outputs)]
#[serde(rename_all = "camelCase")]
#[deserr(rename_all = camelCase)]
pub struct ArchivedOutput {
    /// Its id.
    pub id: OutputId,
    /// What it was made of.
    pub prompt_version_id: PromptVersionId,
    /// Who kept it.
    #[diesel(column_name = creator_id)]
    #[serde(rename = "createdBy")]
    #[deserr(rename = "createdBy")]
    pub creator_id: UserId,
    /// The name it was sent under.
    pub file_name: FileName,
    /// What it is, by its content.
    pub content_type: OutputType,
    /// Its size.
    pub size_bytes: i64,
    /// The SHA-256 of its bytes, which are in `files/` under it.
    pub sha256: Sha256,
    /// The malware scanner that found nothing. Where it arrives it is scanned anew.
    #[deserr(default)]
    pub scanner: Option<String>,
    /// When that was.
    #[deserr(default)]
    pub scanned_at: Option<At>,
    /// When it was kept.
    pub created_at: At,
    /// When it last came into sight.
    pub updated_at: At,
}

/// An output to be taken in.
#[derive(Debug, Clone)]
pub struct Imported {
    /// Its place in its file.
    pub index: usize,
    /// The output.
    pub row: ArchivedOutput,
    /// The scanner here that found nothing, and when.
    pub scan: Option<(String, DateTime<Utc>)>,
    /// Where its bytes are stored, and the promise that they are removed; none if it is only tried, or
    /// was here.
    pub stored: Option<(String, JobId)>,
}

/// Sends the outputs of prompts that the viewer may see.
pub(crate) async fn export(
    conn: &mut Connection,
    viewer: &Viewer,
    out: &mut Out,
) -> QueryResult<()> {
    let mut after = OutputId(Uuid::nil());
    loop {
        let page: Vec<(ArchivedOutput, String)> = outputs::table
            .inner_join(prompts::table)
            .filter(visible_to(viewer.company_id, viewer.user_id))
            .filter(outputs::id.gt(after))
            .order(outputs::id)
            .limit(ROWS)
            .select((ArchivedOutput::as_select(), outputs::storage_key))
            .load(conn)
            .await?;
        let Some((last, _)) = page.last() else {
            return Ok(());
        };
        after = last.id;
        let (rows, keys): (Vec<_>, Vec<_>) = page.into_iter().unzip();
        let files = rows.iter().zip(keys).map(|(row, storage_key)| StoredFile {
            sha256: row.sha256,
            storage_key,
        });
        out.meet(rows.iter().map(|row| row.creator_id));
        out.files(files.collect()).await?;
        out.rows("outputs.jsonl", &rows).await?;
    }
}

/// Whether this output is here, under one of the ids that it may have.
pub async fn is_here(
    conn: &mut Connection,
    viewer: &Viewer,
    row: &ArchivedOutput,
) -> QueryResult<bool> {
    for id in [row.id, OutputId(derived(viewer, row.id.0))] {
        let found = find(conn, viewer, id).await.optional()?;
        if found.is_some_and(|found| found.sha256 == row.sha256) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Takes an output in.
pub(crate) async fn take_in(
    conn: &mut Connection,
    import: &mut Import<'_>,
    imported: Imported,
) -> QueryResult<()> {
    let (index, row, viewer) = (imported.index, &imported.row, import.viewer);
    let named = row.prompt_version_id;
    let version = PromptVersionId(import.versions.here(named.0).unwrap_or(named.0));
    let Some(prompt) = lock_prompt(conn, viewer, version).await.optional()? else {
        let message =
            "belongs to no version of a prompt of this import, nor to one that you see here";
        import.report.fault(AREA, index, message);
        return Ok(());
    };
    if let Some(here) = same(conn, version, row.sha256).await.optional()? {
        import
            .report
            .row(AREA, index, here.id.0, Outcome::Unchanged);
        return Ok(());
    }
    if !import.has_bytes(AREA, index, imported.stored.is_some()) {
        return Ok(());
    }
    let ids = [row.id.0, derived(viewer, row.id.0)];
    let taken: Vec<OutputId> = outputs::table
        .filter(outputs::id.eq_any(ids))
        .select(outputs::id)
        .load(conn)
        .await?;
    let free = ids.into_iter().map(OutputId).find(|id| !taken.contains(id));
    let (storage_key, promise) = imported.stored.unzip();
    let new = NewOutput {
        id: free.unwrap_or_else(OutputId::new),
        prompt_version_id: version,
        file_name: row.file_name.clone(),
        content_type: row.content_type,
        size_bytes: row.size_bytes,
        sha256: row.sha256,
        storage_key: storage_key.unwrap_or_default(),
        scan: imported.scan,
    };
    let creator_id = import.person(row.creator_id);
    let values = Row {
        creator_id,
        ..Row::of(&new, viewer, prompt)
    };
    diesel::insert_into(outputs::table)
        .values((values, outputs::created_at.eq(now_at_most(row.created_at))))
        .execute(conn)
        .await?;
    if let Some(promise) = promise {
        renounce(conn, promise).await?;
    }
    import.report.row(AREA, index, new.id.0, Outcome::Created);
    Ok(())
}
