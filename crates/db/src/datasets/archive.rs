//! Datasets on the move, with all their versions. [`import`] takes them in.

mod import;

use deserr::Deserr;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    auth::Viewer,
    datasets::{DatasetId, DatasetName, DatasetSource},
    documents::{FileName, Sha256},
    users::{UserId, Visibility},
};
use serde::Serialize;
use uuid::Uuid;

use super::visible_to;
use crate::{
    Connection,
    archive::{At, Out, ROWS},
    schema::{dataset_rows, dataset_versions, datasets},
};
pub use import::{Coming, Imported};
pub(crate) use import::{add, begin, end};

/// Rows read at once: of the largest, 4 MiB each, some 200 MB.
const AT_ONCE: i64 = 50;

/// Rows read at once where they are small on average.
const SMALL_AT_ONCE: i64 = 2000;

/// A line of `datasets.jsonl`.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Serialize, Deserr)]
#[diesel(table_name = datasets)]
#[serde(rename_all = "camelCase")]
#[deserr(rename_all = camelCase)]
pub struct ArchivedDataset {
    /// Its id.
    pub id: DatasetId,
    /// What it is called.
    pub name: DatasetName,
    /// Where it came from.
    pub source: DatasetSource,
    /// The name of the file it was made from.
    #[deserr(default)]
    pub file_name: Option<FileName>,
    /// The columns, in their order.
    pub headers: Vec<String>,
    /// The number of its newest version.
    pub version: i32,
    /// How many rows that has.
    pub row_count: i32,
    /// The index of the next row that is added.
    pub next_row: i32,
    /// The SHA-256 of the file it was made from.
    pub sha256: Sha256,
    /// Who besides its owner may see it.
    pub visibility: Visibility,
    /// When it was made.
    pub created_at: At,
    /// When it last changed.
    pub updated_at: At,
}

/// A line of `dataset_versions.jsonl`.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Serialize, Deserr)]
#[diesel(table_name = dataset_versions)]
#[serde(rename_all = "camelCase")]
#[deserr(rename_all = camelCase)]
pub struct ArchivedDatasetVersion {
    /// Of which dataset.
    pub dataset_id: DatasetId,
    /// Its number, from 1 without gaps.
    pub version: i32,
    /// How many rows it has.
    pub row_count: i32,
    /// Who made it.
    pub created_by: UserId,
    /// When.
    pub created_at: At,
}

/// A line of `dataset_rows.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Serialize, Deserr)]
#[diesel(table_name = dataset_rows)]
#[serde(rename_all = "camelCase")]
#[deserr(rename_all = camelCase)]
pub struct ArchivedRow {
    /// Of which dataset.
    pub dataset_id: DatasetId,
    /// Its index, through all versions.
    pub row_index: i32,
    /// The first version with this content.
    pub since: i32,
    /// The first version without it.
    #[deserr(default)]
    pub until: Option<i32>,
    /// A value for each column.
    pub cells: Vec<Option<String>>,
}

/// Sends the datasets that the viewer may see.
pub(crate) async fn export(
    conn: &mut Connection,
    viewer: &Viewer,
    out: &mut Out,
) -> QueryResult<()> {
    let mut after = DatasetId(Uuid::nil());
    loop {
        let page: Vec<ArchivedDataset> = datasets::table
            .filter(visible_to(viewer.company_id, viewer.user_id))
            .filter(datasets::id.gt(after))
            .order(datasets::id)
            .limit(ROWS)
            .select(ArchivedDataset::as_select())
            .load(conn)
            .await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = last.id;
        out.rows("datasets.jsonl", &page).await?;
        for dataset in &page {
            send_versions(conn, dataset.id, out).await?;
            send_rows(conn, dataset, out).await?;
        }
    }
}

async fn send_versions(conn: &mut Connection, of: DatasetId, out: &mut Out) -> QueryResult<()> {
    let mut after = 0;
    loop {
        let page: Vec<ArchivedDatasetVersion> = dataset_versions::table
            .filter(dataset_versions::dataset_id.eq(of))
            .filter(dataset_versions::version.gt(after))
            .order(dataset_versions::version)
            .limit(1000)
            .select(ArchivedDatasetVersion::as_select())
            .load(conn)
            .await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = last.version;
        out.meet(page.iter().map(|row| row.created_by));
        out.rows("dataset_versions.jsonl", &page).await?;
    }
}

async fn send_rows(conn: &mut Connection, of: &ArchivedDataset, out: &mut Out) -> QueryResult<()> {
    let (mut after, mut at_once) = ((-1, 0), AT_ONCE);
    loop {
        let (index, since) = after;
        let later = dataset_rows::row_index
            .eq(index)
            .and(dataset_rows::since.gt(since));
        let page: Vec<ArchivedRow> = dataset_rows::table
            .filter(dataset_rows::dataset_id.eq(of.id))
            .filter(dataset_rows::row_index.ge(index))
            .filter(dataset_rows::row_index.gt(index).or(later))
            .order((dataset_rows::row_index, dataset_rows::since))
            .limit(at_once)
            .select(ArchivedRow::as_select())
            .load(conn)
            .await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = (last.row_index, last.since);
        at_once = next(&page);
        out.rows("dataset_rows.jsonl", &page).await?;
    }
}

/// How many rows are read after these: many while they are small.
fn next(page: &[ArchivedRow]) -> i64 {
    let bytes: usize = page
        .iter()
        .flat_map(|row| row.cells.iter().flatten().map(String::len))
        .sum();
    if bytes / page.len().max(1) < 4096 {
        SMALL_AT_ONCE
    } else {
        AT_ONCE
    }
}
