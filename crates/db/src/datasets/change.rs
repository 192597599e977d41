//! Changing datasets: their names and readers, and their rows, which makes a new version.

use std::collections::BTreeMap;

use diesel::{dsl, prelude::*};
use diesel_async::{AsyncConnection, RunQueryDsl};
use domain::{
    auth::Viewer,
    datasets::{
        Cells, DatasetId, DatasetName, Limits,
        change::{ChangeFault, Changed, RowChanges},
    },
    revision::Expected,
    users::{Role, Visibility},
};

use super::{Batch, Dataset, find, visible_to};
use crate::{
    Connection,
    schema::{dataset_rows, dataset_versions, datasets},
};

/// What its owner changes of a dataset.
#[derive(Debug, Clone, Default)]
pub struct DatasetChanges {
    /// Another name.
    pub name: Option<DatasetName>,
    /// Another circle of readers.
    pub visibility: Option<Visibility>,
    /// Other rows.
    pub rows: RowChanges,
}

/// Why a dataset was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// There is none that the viewer may see.
    #[error("not found")]
    NotFound,
    /// It has no such version.
    #[error("no such version")]
    NoVersion,
    /// The viewer may see but not change it.
    #[error("only its owner or an admin may change it")]
    Forbidden,
    /// It changed since the viewer read it.
    #[error("it changed in the meantime")]
    Stale,
    /// A run on it is not over.
    #[error("a run uses it")]
    InUse,
    /// The rows cannot be changed like this.
    #[error("rows cannot be changed like this")]
    Rows(Vec<ChangeFault>),
    /// Postgres failed.
    #[error(transparent)]
    Database(#[from] diesel::result::Error),
}

/// What runs make of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// No run was ever made on it.
    Never,
    /// All runs on it are over; they still show its rows.
    Before,
    /// A run on it is queued or running.
    Now,
}

/// What runs make of a dataset that is locked: whoever starts a run locks it too.
pub async fn in_use(conn: &mut Connection, id: DatasetId) -> QueryResult<Use> {
    use crate::schema::runs;
    let open: Option<bool> = runs::table
        .filter(runs::dataset_id.eq(id))
        .select(runs::open_cells.gt(0))
        .order(runs::open_cells.gt(0).desc())
        .first(conn)
        .await
        .optional()?;
    Ok(match open {
        None => Use::Never,
        Some(false) => Use::Before,
        Some(true) => Use::Now,
    })
}

/// Locks a dataset that the viewer may change, as it was when they read it.
async fn lock_own(
    conn: &mut Connection,
    viewer: &Viewer,
    id: DatasetId,
    expected: &Expected,
) -> Result<Dataset, ChangeError> {
    // Without the owner's row, which would be locked too.
    datasets::table
        .filter(datasets::id.eq(id))
        .filter(visible_to(viewer.company_id, viewer.user_id))
        .select(datasets::id)
        .for_update()
        .first::<DatasetId>(conn)
        .await
        .optional()?
        .ok_or(ChangeError::NotFound)?;
    let dataset = find(conn, viewer, id).await?;
    if dataset.owner.id != viewer.user_id && viewer.role != Role::Admin {
        return Err(ChangeError::Forbidden);
    }
    if !expected.accepts(dataset.updated_at) {
        return Err(ChangeError::Stale);
    }
    Ok(dataset)
}

/// Changes what is given; if rows are other than before, as a new version.
pub async fn update(
    conn: &mut Connection,
    viewer: &Viewer,
    id: DatasetId,
    changes: DatasetChanges,
    limits: &Limits,
    expected: &Expected,
) -> Result<Dataset, ChangeError> {
    conn.transaction(async |conn| {
        let dataset = lock_own(conn, viewer, id, expected).await?;
        let effect = changed_rows(conn, &dataset, changes.rows, limits).await?;
        let name = changes.name.filter(|name| *name != dataset.name);
        let visibility = changes
            .visibility
            .filter(|visibility| *visibility != dataset.visibility);
        if name.is_some() || visibility.is_some() {
            diesel::update(datasets::table.find(id))
                .set((
                    name.map(|name| datasets::name.eq(name)),
                    visibility.map(|visibility| datasets::visibility.eq(visibility)),
                ))
                .execute(conn)
                .await?;
        }
        if !effect.is_nothing() {
            make_version(conn, viewer, &dataset, effect).await?;
        }
        Ok(find(conn, viewer, id).await?)
    })
    .await
}

/// What comes of changes of rows.
async fn changed_rows(
    conn: &mut Connection,
    dataset: &Dataset,
    changes: RowChanges,
    limits: &Limits,
) -> Result<Changed, ChangeError> {
    let named = changes.named();
    let known: Vec<(i32, Cells)> = if named.is_empty() {
        Vec::new()
    } else {
        dataset_rows::table
            .filter(dataset_rows::dataset_id.eq(dataset.id))
            .filter(dataset_rows::row_index.eq_any(named))
            .filter(dataset_rows::until.is_null())
            .select((dataset_rows::row_index, dataset_rows::cells))
            .load(conn)
            .await?
    };
    let known: BTreeMap<i32, Cells> = known.into_iter().collect();
    let effect = changes
        .onto(&dataset.headers, known, limits)
        .map_err(ChangeError::Rows)?;
    let most = limits.rows;
    if rows_after(dataset, &effect) > most {
        let message = format!("would make more than {most} rows");
        return Err(ChangeError::Rows(vec![ChangeFault {
            field: "rows.add".into(),
            message,
        }]));
    }
    Ok(effect)
}

fn rows_after(dataset: &Dataset, effect: &Changed) -> usize {
    let before = usize::try_from(dataset.row_count).unwrap_or_default();
    before + effect.added.len() - effect.deleted.len()
}

async fn make_version(
    conn: &mut Connection,
    viewer: &Viewer,
    before: &Dataset,
    effect: Changed,
) -> QueryResult<()> {
    let row_count = i32::try_from(rows_after(before, &effect)).unwrap_or(i32::MAX);
    let version = before.version + 1;
    let of_others = effect.altered.iter().map(|(index, _)| *index);
    let gone: Vec<i32> = effect.deleted.iter().copied().chain(of_others).collect();
    diesel::update(dataset_rows::table)
        .filter(dataset_rows::dataset_id.eq(before.id))
        .filter(dataset_rows::row_index.eq_any(gone))
        .filter(dataset_rows::until.is_null())
        .set(dataset_rows::until.eq(version))
        .execute(conn)
        .await?;
    let mut next_row = before.next_row;
    let mut batch = Batch::default();
    for (index, cells) in &effect.altered {
        batch.push(*index, cells);
    }
    for cells in &effect.added {
        batch.push(next_row, cells);
        next_row += 1;
    }
    if !batch.is_empty() {
        batch.insert(conn, before.id, version).await?;
    }
    diesel::insert_into(dataset_versions::table)
        .values((
            dataset_versions::dataset_id.eq(before.id),
            dataset_versions::version.eq(version),
            dataset_versions::row_count.eq(row_count),
            dataset_versions::created_by.eq(viewer.user_id),
        ))
        .execute(conn)
        .await?;
    diesel::update(datasets::table.find(before.id))
        .set((
            datasets::version.eq(version),
            datasets::row_count.eq(row_count),
            datasets::next_row.eq(next_row),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Deletes a dataset with all its versions. While a run uses it that is refused; if runs were made
/// on it, it is archived for their sake.
pub async fn delete(
    conn: &mut Connection,
    viewer: &Viewer,
    id: DatasetId,
    expected: &Expected,
) -> Result<(), ChangeError> {
    conn.transaction(async |conn| {
        lock_own(conn, viewer, id, expected).await?;
        let row = datasets::table.find(id);
        match in_use(conn, id).await? {
            Use::Now => return Err(ChangeError::InUse),
            Use::Before => {
                diesel::update(row)
                    .set(datasets::archived_at.eq(dsl::now))
                    .execute(conn)
                    .await?
            }
            Use::Never => diesel::delete(row).execute(conn).await?,
        };
        Ok(())
    })
    .await
}
