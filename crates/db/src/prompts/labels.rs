//! Labels: names that point at one version each. A move is one transaction under the lock of the
//! prompt, and is remembered.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncConnection, RunQueryDsl};
use domain::{
    auth::Viewer,
    page::{Limit, Page},
    prompts::{LabelMoveId, LabelName, PromptId, PromptVersionId},
    revision::Expected,
    users::UserId,
};
use serde::{Deserialize, Serialize};

use super::{
    ChangeError, Stored, lock_own,
    versions::{self, PromptVersion, Which},
};
use crate::{
    Connection,
    schema::{prompt_label_moves, prompt_labels, prompt_versions, prompts, users},
};

/// A label and where it points.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, Deserialize, utoipa::ToSchema)]
#[diesel(table_name = prompt_labels)]
#[serde(rename_all = "camelCase")]
pub struct PromptLabel {
    /// Its name.
    pub name: LabelName,
    /// The version it points at.
    pub version_id: PromptVersionId,
    /// Who pointed it there.
    pub moved_by: UserId,
    /// When.
    pub moved_at: DateTime<Utc>,
}

/// The most labels of a prompt: copies are kept by label.
pub const MAX_LABELS: i64 = 50;

/// One move of a label.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, utoipa::ToSchema)]
#[diesel(table_name = prompt_label_moves)]
#[serde(rename_all = "camelCase")]
pub struct LabelMove {
    /// Its id.
    #[serde(skip)]
    pub id: LabelMoveId,
    /// Which label.
    pub name: LabelName,
    /// Where it pointed from then on; `null` when it was taken away.
    pub version_id: Option<PromptVersionId>,
    /// Who moved it.
    pub moved_by: UserId,
    /// When.
    pub moved_at: DateTime<Utc>,
}

/// Points a label at a version of the prompt, and gives the prompt's revision after that. Pointing
/// it where it points changes nothing.
pub async fn point(
    conn: &mut Connection,
    viewer: &Viewer,
    id: PromptId,
    name: &LabelName,
    which: Which,
    expected: &Expected,
) -> Result<(PromptLabel, DateTime<Utc>), ChangeError> {
    conn.transaction(async |conn| {
        let stored = lock_own(conn, viewer, id, expected).await?;
        let version = versions::of(conn, id, which)
            .await?
            .ok_or(ChangeError::NoVersion)?;
        match current(conn, id, name).await? {
            Some(label) if label.version_id == version.id => {
                return Ok((label, stored.prompt.updated_at));
            }
            None if count(conn, id).await? >= MAX_LABELS => return Err(ChangeError::TooManyLabels),
            _ => {}
        }
        let moved = record(conn, viewer, id, name, Some(version.id)).await?;
        let place = (
            prompt_labels::version_id.eq(version.id),
            prompt_labels::moved_by.eq(viewer.user_id),
            prompt_labels::moved_at.eq(moved.moved_at),
        );
        let label = diesel::insert_into(prompt_labels::table)
            .values((
                prompt_labels::prompt_id.eq(id),
                prompt_labels::name.eq(name),
                prompt_labels::company_id.eq(stored.company_id),
                place,
            ))
            .on_conflict((prompt_labels::prompt_id, prompt_labels::name))
            .do_update()
            .set(place)
            .returning(PromptLabel::as_returning())
            .get_result(conn)
            .await?;
        Ok((label, show(conn, id).await?))
    })
    .await
}

/// How many labels a prompt has.
pub(super) async fn count(conn: &mut Connection, id: PromptId) -> QueryResult<i64> {
    prompt_labels::table
        .filter(prompt_labels::prompt_id.eq(id))
        .count()
        .get_result(conn)
        .await
}

/// Takes a label away.
pub async fn remove(
    conn: &mut Connection,
    viewer: &Viewer,
    id: PromptId,
    name: &LabelName,
    expected: &Expected,
) -> Result<(), ChangeError> {
    conn.transaction(async |conn| {
        lock_own(conn, viewer, id, expected).await?;
        let removed = diesel::delete(prompt_labels::table.find((id, name)))
            .execute(conn)
            .await?;
        if removed == 0 {
            return Err(ChangeError::NoLabel);
        }
        record(conn, viewer, id, name, None).await?;
        show(conn, id).await?;
        Ok(())
    })
    .await
}

async fn current(
    conn: &mut Connection,
    id: PromptId,
    name: &LabelName,
) -> QueryResult<Option<PromptLabel>> {
    prompt_labels::table
        .find((id, name))
        .select(PromptLabel::as_select())
        .first(conn)
        .await
        .optional()
}

async fn record(
    conn: &mut Connection,
    viewer: &Viewer,
    id: PromptId,
    name: &LabelName,
    version_id: Option<PromptVersionId>,
) -> QueryResult<LabelMove> {
    diesel::insert_into(prompt_label_moves::table)
        .values((
            prompt_label_moves::id.eq(LabelMoveId::new()),
            prompt_label_moves::company_id.eq(viewer.company_id),
            prompt_label_moves::prompt_id.eq(id),
            prompt_label_moves::name.eq(name),
            prompt_label_moves::version_id.eq(version_id),
            prompt_label_moves::moved_by.eq(viewer.user_id),
        ))
        .returning(LabelMove::as_returning())
        .get_result(conn)
        .await
}

/// Writes the names of the labels to the prompt's row; gives its new revision.
pub(super) async fn show(conn: &mut Connection, id: PromptId) -> QueryResult<DateTime<Utc>> {
    let names: Vec<LabelName> = prompt_labels::table
        .filter(prompt_labels::prompt_id.eq(id))
        .order(prompt_labels::name)
        .select(prompt_labels::name)
        .load(conn)
        .await?;
    let names: Vec<&str> = names.iter().map(LabelName::as_str).collect();
    diesel::update(prompts::table.find(id))
        .set(prompts::labels.eq(names))
        .returning(prompts::updated_at)
        .get_result(conn)
        .await
}

/// A prompt with the text of the version its label points at, whoever asks: one look, so that
/// both are of one moment. Without a version if there is no such label.
pub async fn find(
    conn: &mut Connection,
    id: PromptId,
    name: &LabelName,
) -> QueryResult<Option<(Stored, Option<PromptVersionId>)>> {
    let pointed = prompt_versions::id
        .eq(prompt_labels::version_id)
        .and(prompt_versions::prompt_id.eq(prompts::id));
    let labelled = prompt_labels::prompt_id
        .eq(prompts::id)
        .and(prompt_labels::name.eq(name.clone()));
    let found: Option<(Stored, Option<PromptVersion>)> = prompts::table
        .inner_join(users::table)
        .left_join(prompt_labels::table.on(labelled))
        .left_join(prompt_versions::table.on(pointed))
        .filter(prompts::id.eq(id))
        .select((Stored::as_select(), Option::<PromptVersion>::as_select()))
        .first(conn)
        .await
        .optional()?;
    Ok(found.map(|(stored, version)| match version {
        None => (stored, None),
        Some(version) => {
            let mut prompt = stored.prompt.with(version.body);
            prompt.current_version = Some(version.version);
            (Stored { prompt, ..stored }, Some(version.id))
        }
    }))
}

/// The labels of a prompt, by name.
pub async fn list(
    conn: &mut Connection,
    viewer: &Viewer,
    id: PromptId,
) -> QueryResult<Vec<PromptLabel>> {
    versions::require_visible(conn, viewer, id).await?;
    prompt_labels::table
        .filter(prompt_labels::prompt_id.eq(id))
        .order(prompt_labels::name)
        .select(PromptLabel::as_select())
        .load(conn)
        .await
}

/// The moves of a label, newest first.
pub async fn history(
    conn: &mut Connection,
    viewer: &Viewer,
    id: PromptId,
    name: &LabelName,
    after: Option<(DateTime<Utc>, LabelMoveId)>,
    limit: Limit,
) -> QueryResult<Page<LabelMove, (DateTime<Utc>, LabelMoveId)>> {
    versions::require_visible(conn, viewer, id).await?;
    let (at, key) = (prompt_label_moves::moved_at, prompt_label_moves::id);
    let mut query = prompt_label_moves::table
        .filter(prompt_label_moves::prompt_id.eq(id))
        .filter(prompt_label_moves::name.eq(name))
        .select(LabelMove::as_select())
        .order((at.desc(), key.desc()))
        .limit(limit.rows() + 1)
        .into_boxed();
    if let Some((moved_at, last)) = after {
        query = query.filter(at.lt(moved_at).or(at.eq(moved_at).and(key.lt(last))));
    }
    let rows = query.load(conn).await?;
    Ok(Page::from_surplus(rows, limit, |row: &LabelMove| {
        (row.moved_at, row.id)
    }))
}
