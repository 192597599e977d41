//! Datasets: tables of texts with their versions. How they are made is in [`create`], reading
//! their rows in [`rows`], changing them in [`change`].

pub mod archive;
mod change;
mod create;
mod rows;

use chrono::{DateTime, Utc};
use diesel::{dsl, prelude::*};
use diesel_async::RunQueryDsl;
use domain::{
    auth::Viewer,
    datasets::{DatasetId, DatasetName, DatasetSource},
    documents::{FileName, Sha256},
    page::{Limit, Page},
    users::{CompanyId, UserId, Visibility},
};
use serde::Serialize;

use crate::{
    Connection,
    horizon::horizon,
    prompts::Owner,
    schema::{dataset_versions, datasets, users},
};
pub use change::{ChangeError, DatasetChanges, Use, delete, in_use, update};
pub use create::{Batch, CreateError, NewDataset, create, find_same};
pub use rows::{Row, page, rows, without_value};

/// A dataset, as its newest version stands.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, utoipa::ToSchema)]
#[diesel(table_name = datasets)]
#[serde(rename_all = "camelCase")]
pub struct Dataset {
    /// Its id.
    pub id: DatasetId,
    /// What it is called.
    pub name: DatasetName,
    /// Where it came from.
    pub source: DatasetSource,
    /// The name of the file it was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_name: Option<FileName>,
    /// The columns, in their order.
    pub headers: Vec<String>,
    /// How many rows it has.
    pub row_count: i32,
    /// The SHA-256 of the file it was made from, hexadecimal.
    #[schema(value_type = String)]
    pub sha256: Sha256,
    /// The number of its newest version, from 1.
    pub version: i32,
    /// Who besides its owner may see it.
    pub visibility: Visibility,
    /// Whose it is.
    #[diesel(embed)]
    pub owner: Owner,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// The index of the next row that is added.
    #[serde(skip)]
    pub next_row: i32,
}

/// A state of a dataset.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, utoipa::ToSchema)]
#[diesel(table_name = dataset_versions)]
#[serde(rename_all = "camelCase")]
pub struct DatasetVersion {
    /// Its number, from 1.
    pub version: i32,
    /// How many rows it has.
    pub row_count: i32,
    /// Who made it.
    pub created_by: UserId,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// The rows a viewer may see: their own, and those their company shares, unless archived.
#[dsl::auto_type(no_type_alias)]
fn visible_to(company_id: CompanyId, user_id: UserId) -> _ {
    let own: dsl::Eq<datasets::owner_id, UserId> = datasets::owner_id.eq(user_id);
    datasets::company_id
        .eq(company_id)
        .and(own.or(datasets::visibility.eq("company")))
        .and(datasets::archived_at.is_null())
}

/// One dataset.
pub async fn find(conn: &mut Connection, viewer: &Viewer, id: DatasetId) -> QueryResult<Dataset> {
    datasets::table
        .inner_join(users::table)
        .filter(datasets::id.eq(id))
        .filter(visible_to(viewer.company_id, viewer.user_id))
        .select(Dataset::as_select())
        .first(conn)
        .await
}

/// Which datasets are listed.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The viewer's own only.
    pub own: bool,
    /// With this in the name, whatever the case.
    pub text: Option<String>,
    /// Changed at or after this moment; then the list is in the order of changes.
    pub updated_since: Option<DateTime<Utc>>,
    /// Older than this one (or, in the order of changes, changed after it).
    pub after: Option<(DateTime<Utc>, DatasetId)>,
}

/// Lists datasets: newest first, or, when asked for changes, in the order of the changes, up to
/// the moment before which no commit can still appear.
pub async fn list(
    conn: &mut Connection,
    viewer: &Viewer,
    filter: &Filter,
    limit: Limit,
) -> QueryResult<Page<Dataset, (DateTime<Utc>, DatasetId)>> {
    let mut query = datasets::table
        .inner_join(users::table)
        .filter(visible_to(viewer.company_id, viewer.user_id))
        .select(Dataset::as_select())
        .limit(limit.rows() + 1)
        .into_boxed();
    if filter.own {
        query = query.filter(datasets::owner_id.eq(viewer.user_id));
    }
    if let Some(text) = &filter.text {
        let escaped = text
            .replace('\\', "\\\\")
            .replace('%', "\\%")
            .replace('_', "\\_");
        query = query.filter(datasets::name.ilike(format!("%{escaped}%")));
    }
    let (changed, id) = (datasets::updated_at, datasets::id);
    if let Some(since) = filter.updated_since {
        let horizon = horizon(conn).await?;
        query = query
            .filter(changed.ge(since))
            .filter(changed.lt(horizon))
            .order((changed, id));
        if let Some((at, last)) = filter.after {
            query = query.filter(changed.gt(at).or(changed.eq(at).and(id.gt(last))));
        }
    } else {
        query = query.order(id.desc());
        if let Some((_, last)) = filter.after {
            query = query.filter(id.lt(last));
        }
    }
    let rows = query.load(conn).await?;
    Ok(Page::from_surplus(rows, limit, |row: &Dataset| {
        (row.updated_at, row.id)
    }))
}

/// The versions of a dataset, newest first, from before `after` on.
pub async fn versions(
    conn: &mut Connection,
    viewer: &Viewer,
    id: DatasetId,
    after: Option<i32>,
    limit: Limit,
) -> QueryResult<Page<DatasetVersion, i32>> {
    find(conn, viewer, id).await?;
    let rows = dataset_versions::table
        .filter(dataset_versions::dataset_id.eq(id))
        .filter(dataset_versions::version.lt(after.unwrap_or(i32::MAX)))
        .order(dataset_versions::version.desc())
        .limit(limit.rows() + 1)
        .select(DatasetVersion::as_select())
        .load(conn)
        .await?;
    Ok(Page::from_surplus(rows, limit, |row: &DatasetVersion| {
        row.version
    }))
}
