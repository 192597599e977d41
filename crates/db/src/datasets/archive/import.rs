//! Taking datasets in. The rows of one go to a table of this transaction first, since there may be a
//! million of them; there they are checked and compared as a whole. A dataset that is here keeps its
//! versions; those that follow on them are added.

use diesel::{prelude::*, sql_types};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use domain::{
    datasets::{DatasetId, Limits},
    users::Role,
};
use uuid::Uuid;

use super::{ArchivedDataset, ArchivedDatasetVersion, ArchivedRow};
use crate::{
    Connection,
    archive::{HIGHEST_NUMBER, Import, Outcome, derived, now_at_most},
    datasets::{Batch, Dataset, find},
    schema::{dataset_versions, datasets},
};

const AREA: &str = "datasets";
const VERSIONS: &str = "datasetVersions";
const ROWS: &str = "datasetRows";

/// A dataset with its versions.
#[derive(Debug, Clone)]
pub struct Imported {
    /// Its place in its file.
    pub index: usize,
    /// The dataset.
    pub row: ArchivedDataset,
    /// Its versions, each with its place.
    pub versions: Vec<(usize, ArchivedDatasetVersion)>,
    /// What holds for datasets here.
    pub limits: Limits,
}

/// A dataset whose rows are coming.
#[derive(Debug)]
pub struct Coming {
    imported: Imported,
    found: Option<Dataset>,
    faults: usize,
}

#[derive(QueryableByName)]
struct Wrong {
    #[diesel(sql_type = sql_types::Integer)]
    number: i32,
}

/// Makes room for the rows of a dataset.
pub(crate) async fn begin(
    conn: &mut Connection,
    import: &mut Import<'_>,
    mut imported: Imported,
) -> QueryResult<()> {
    conn.batch_execute(include_str!("stage.sql")).await?;
    let faults = import.report.faults.len();
    imported.versions.sort_by_key(|(_, row)| row.version);
    check(import, &imported);
    let found = place(conn, import, &mut imported).await?;
    import.dataset = Some(Coming {
        imported,
        found,
        faults,
    });
    Ok(())
}

/// The dataset under the id that it has here, which goes into `imported`.
async fn place(
    conn: &mut Connection,
    import: &mut Import<'_>,
    imported: &mut Imported,
) -> QueryResult<Option<Dataset>> {
    for id in [
        imported.row.id,
        DatasetId(derived(import.viewer, imported.row.id.0)),
    ] {
        let taken: Option<DatasetId> = datasets::table
            .find(id)
            .select(datasets::id)
            .for_update()
            .first(conn)
            .await
            .optional()?;
        let found = find(conn, import.viewer, id).await.optional()?;
        if taken.is_none() || found.is_some() {
            imported.row.id = id;
            return Ok(found);
        }
    }
    let message = "has an id that is taken";
    import.report.fault(AREA, imported.index, message);
    Ok(None)
}

fn check(import: &mut Import<'_>, imported: &Imported) {
    let (row, limits) = (&imported.row, &imported.limits);
    let columns = row.headers.len();
    if columns == 0 || columns > limits.columns {
        let message = format!("must have 1 to {} headers", limits.columns);
        import.report.fault(AREA, imported.index, message);
    }
    let is_header = |name: &String| domain::datasets::header(name).as_ref() == Ok(name);
    if !row.headers.iter().all(is_header) {
        let message =
            "must have headers of 1 to 200 characters, trimmed and none of them for control";
        import.report.fault(AREA, imported.index, message);
    }
    let mut names = row.headers.clone();
    names.sort();
    names.dedup();
    if names.len() != columns {
        import
            .report
            .fault(AREA, imported.index, "has a header twice");
    }
    if usize::try_from(row.row_count).map_or(true, |rows| rows > limits.rows) {
        let message = format!("must have at most {} rows", limits.rows);
        import.report.fault(AREA, imported.index, message);
    }
    for (due, (place, version)) in (1..).zip(&imported.versions) {
        if version.version != due || due > HIGHEST_NUMBER {
            let message = "must have the next number of its dataset, from 1 without gaps";
            import.report.fault(VERSIONS, *place, message);
            break;
        }
    }
    let newest = imported.versions.last().map(|(_, newest)| newest);
    if newest.map(|newest| (newest.version, newest.row_count)) != Some((row.version, row.row_count))
    {
        let message = "must have the version and rowCount of its newest version";
        import.report.fault(AREA, imported.index, message);
    }
}

/// Takes some of the rows.
pub(crate) async fn add(
    conn: &mut Connection,
    import: &mut Import<'_>,
    rows: Vec<(usize, ArchivedRow)>,
) -> QueryResult<()> {
    let Some(coming) = &import.dataset else {
        return Ok(());
    };
    let (row, limits) = (&coming.imported.row, coming.imported.limits);
    let (columns, version, next_row) = (row.headers.len(), row.version, row.next_row);
    let (mut batch, mut sinces, mut untils) = (Batch::default(), Vec::new(), Vec::new());
    for (place, row) in rows {
        let until = row.until.unwrap_or(version + 1);
        let lengths = row.cells.iter().flatten().map(String::len);
        let message = if row.cells.len() != columns {
            "must have a cell for each header"
        } else if !(0..next_row).contains(&row.row_index) {
            "must have a rowIndex below the nextRow of its dataset"
        } else if row.since < 1 || row.since > version || until <= row.since || until > version + 1
        {
            "must have a since and an until among the versions of its dataset"
        } else if lengths.clone().any(|bytes| bytes > limits.value_bytes)
            || lengths.sum::<usize>() > limits.row_bytes
        {
            "is larger than a row or a value may be here"
        } else {
            batch.push(row.row_index, &row.cells);
            sinces.push(row.since);
            untils.push(row.until);
            continue;
        };
        import.report.fault(ROWS, place, message);
    }
    batch.stage(conn, sinces, untils).await
}

/// Ends the rows of a dataset, and takes it in.
pub(crate) async fn end(conn: &mut Connection, import: &mut Import<'_>) -> QueryResult<()> {
    let Some(coming) = import.dataset.take() else {
        return Ok(());
    };
    if import.report.faults.len() > coming.faults {
        return Ok(());
    }
    if !is_whole(conn, import, &coming.imported).await? {
        return Ok(());
    }
    match coming.found {
        Some(found) => merge(conn, import, coming.imported, found).await,
        None => create(conn, import, coming.imported).await,
    }
}

/// Whether the rows are those that the versions promise.
async fn is_whole(
    conn: &mut Connection,
    import: &mut Import<'_>,
    imported: &Imported,
) -> QueryResult<bool> {
    let promised: Vec<i32> = imported
        .versions
        .iter()
        .map(|(_, row)| row.row_count)
        .collect();
    let wrong: Option<Wrong> = diesel::sql_query(include_str!("whole.sql"))
        .bind::<sql_types::Array<sql_types::Integer>, _>(promised)
        .get_result(conn)
        .await
        .optional()?;
    if let Some(Wrong { number }) = wrong {
        let message = match number {
            0 => "has rows whose versions overlap".to_owned(),
            version => format!("has not as many rows in version {version} as that says"),
        };
        import.report.fault(AREA, imported.index, message);
    }
    Ok(wrong.is_none())
}

async fn create(
    conn: &mut Connection,
    import: &mut Import<'_>,
    imported: Imported,
) -> QueryResult<()> {
    let (row, viewer) = (&imported.row, import.viewer);
    diesel::insert_into(datasets::table)
        .values((
            datasets::id.eq(row.id),
            datasets::company_id.eq(viewer.company_id),
            datasets::owner_id.eq(viewer.user_id),
            datasets::visibility.eq(row.visibility),
            datasets::name.eq(&row.name),
            datasets::source.eq(row.source),
            datasets::file_name.eq(&row.file_name),
            datasets::headers.eq(&row.headers),
            datasets::version.eq(row.version),
            datasets::row_count.eq(row.row_count),
            datasets::next_row.eq(row.next_row),
            datasets::sha256.eq(row.sha256),
            datasets::created_at.eq(now_at_most(row.created_at)),
        ))
        .execute(conn)
        .await?;
    let id = row.id.0;
    import
        .report
        .row(AREA, imported.index, id, Outcome::Created);
    store(conn, import, &imported, 0).await
}

/// Stores the versions after this one, with their rows.
async fn store(
    conn: &mut Connection,
    import: &mut Import<'_>,
    imported: &Imported,
    after: i32,
) -> QueryResult<()> {
    let id = imported.row.id;
    for (place, row) in &imported.versions {
        if row.version <= after {
            let outcome = Outcome::Unchanged;
            import.report.row(VERSIONS, *place, id.0, outcome);
            continue;
        }
        diesel::insert_into(dataset_versions::table)
            .values((
                dataset_versions::dataset_id.eq(id),
                dataset_versions::version.eq(row.version),
                dataset_versions::row_count.eq(row.row_count),
                dataset_versions::created_by.eq(import.person(row.created_by)),
                dataset_versions::created_at.eq(now_at_most(row.created_at)),
            ))
            .execute(conn)
            .await?;
        let outcome = Outcome::Created;
        import.report.row(VERSIONS, *place, id.0, outcome);
    }
    for sql in [include_str!("end_rows.sql"), include_str!("add_rows.sql")] {
        diesel::sql_query(sql)
            .bind::<sql_types::Uuid, Uuid>(id.0)
            .bind::<sql_types::Integer, _>(after)
            .execute(conn)
            .await?;
    }
    Ok(())
}

/// A dataset that is here already.
async fn merge(
    conn: &mut Connection,
    import: &mut Import<'_>,
    imported: Imported,
    found: Dataset,
) -> QueryResult<()> {
    let (index, row, viewer) = (imported.index, &imported.row, import.viewer);
    let common = row.version.min(found.version);
    let differs: Option<Wrong> = diesel::sql_query(include_str!("differs.sql"))
        .bind::<sql_types::Uuid, Uuid>(row.id.0)
        .bind::<sql_types::Integer, _>(common)
        .get_result(conn)
        .await
        .optional()?;
    if differs.is_some() || found.headers != row.headers {
        let message = "has other rows than the dataset here in a version that both have";
        import.report.fault(AREA, index, message);
        return Ok(());
    }
    let is_longer = row.version > found.version;
    let is_same = found.name == row.name && found.visibility == row.visibility;
    if is_same && !is_longer {
        let id = row.id.0;
        import.report.row(AREA, index, id, Outcome::Unchanged);
        imported.versions.iter().for_each(|(place, _)| {
            import.report.row(VERSIONS, *place, id, Outcome::Unchanged);
        });
        return Ok(());
    }
    if found.owner.id != viewer.user_id && viewer.role != Role::Admin {
        let message = "is somebody else's here, differs, and is not yours to change";
        import.report.fault(AREA, index, message);
        return Ok(());
    }
    diesel::update(datasets::table.find(row.id))
        .set((
            datasets::name.eq(&row.name),
            datasets::visibility.eq(row.visibility),
            is_longer.then(|| {
                (
                    datasets::version.eq(row.version),
                    datasets::row_count.eq(row.row_count),
                    datasets::next_row.eq(row.next_row.max(found.next_row)),
                )
            }),
        ))
        .execute(conn)
        .await?;
    let id = row.id.0;
    import.report.row(AREA, index, id, Outcome::Updated);
    store(conn, import, &imported, found.version).await
}
