//! Templates on the move, with their versions. [`import`] takes them in.

mod import;

use deserr::Deserr;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    auth::Viewer,
    templates::{BodyMd, TemplateId, TemplateName, TemplateVersionId},
    users::UserId,
};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::{living, templates, versions};
use crate::{
    Connection,
    archive::{At, Out, ROWS},
};
pub use import::Imported;
pub(crate) use import::take_in;

/// A line of `templates.jsonl`.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Serialize, Deserr)]
#[diesel(table_name = templates)]
#[serde(rename_all = "camelCase")]
#[deserr(rename_all = camelCase)]
pub struct ArchivedTemplate {
    /// Its id.
    pub id: TemplateId,
    /// What it is called.
    pub name: TemplateName,
    /// What it says.
    pub body_md: BodyMd,
    /// The JSON Schema of its variables.
    #[diesel(column_name = lint)]
    #[serde(rename = "lintJson")]
    #[deserr(rename = "lintJson")]
    pub lint: Value,
    /// The number of its newest version.
    pub version: i32,
    /// Who created it.
    #[diesel(column_name = creator_id)]
    #[serde(rename = "createdBy")]
    #[deserr(rename = "createdBy")]
    pub creator_id: UserId,
    /// When it was created.
    pub created_at: At,
    /// When it last changed.
    pub updated_at: At,
}

/// A line of `template_versions.jsonl`.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Serialize, Deserr)]
#[diesel(table_name = versions)]
#[serde(rename_all = "camelCase")]
#[deserr(rename_all = camelCase)]
pub struct ArchivedTemplateVersion {
    /// Its id.
    pub id: TemplateVersionId,
    /// Of which template.
    pub template_id: TemplateId,
    /// Its number.
    pub version: i32,
    /// What it says.
    pub body_md: BodyMd,
    /// The JSON Schema of its variables.
    #[diesel(column_name = lint)]
    #[serde(rename = "lintJson")]
    #[deserr(rename = "lintJson")]
    pub lint: Value,
    /// Who saved it.
    pub created_by: UserId,
    /// When.
    pub created_at: At,
}

/// Which of these templates the viewer sees.
pub(crate) async fn seen(
    conn: &mut Connection,
    viewer: &Viewer,
    ids: &[TemplateId],
) -> QueryResult<Vec<TemplateId>> {
    templates::table
        .filter(templates::id.eq_any(ids))
        .filter(living(viewer.company_id))
        .select(templates::id)
        .load(conn)
        .await
}

/// Sends the templates of the viewer's company.
pub(crate) async fn export(
    conn: &mut Connection,
    viewer: &Viewer,
    out: &mut Out,
) -> QueryResult<()> {
    let mut after = TemplateId(Uuid::nil());
    loop {
        let page: Vec<ArchivedTemplate> = templates::table
            .filter(living(viewer.company_id))
            .filter(templates::id.gt(after))
            .order(templates::id)
            .limit(ROWS)
            .select(ArchivedTemplate::as_select())
            .load(conn)
            .await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = last.id;
        out.meet(page.iter().map(|row| row.creator_id));
        out.rows("templates.jsonl", &page).await?;
        let ids: Vec<TemplateId> = page.iter().map(|row| row.id).collect();
        send_versions(conn, &ids, out).await?;
    }
}

async fn send_versions(conn: &mut Connection, of: &[TemplateId], out: &mut Out) -> QueryResult<()> {
    let mut after = TemplateVersionId(Uuid::nil());
    loop {
        let page: Vec<ArchivedTemplateVersion> = versions::table
            .filter(versions::template_id.eq_any(of))
            .filter(versions::id.gt(after))
            .order(versions::id)
            .limit(ROWS)
            .select(ArchivedTemplateVersion::as_select())
            .load(conn)
            .await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = last.id;
        out.meet(page.iter().map(|row| row.created_by));
        out.rows("template_versions.jsonl", &page).await?;
    }
}
