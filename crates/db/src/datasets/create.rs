//! Making datasets: the table, its first version and all its rows in one transaction.

use std::io;

use diesel::{prelude::*, sql_types};
use diesel_async::{AsyncConnection, RunQueryDsl};
use domain::{
    datasets::{Cells, DatasetId, DatasetName, DatasetSource},
    documents::{FileName, Sha256},
    users::{CompanyId, UserId, Visibility},
};
use futures::{Stream, StreamExt as _};

use super::Dataset;
use crate::{
    Connection,
    prepared::Prepare as _,
    schema::{dataset_versions, datasets, users},
};

/// How much is sent to Postgres at once.
const BATCH_BYTES: usize = 512 * 1024;

/// The most rows that are sent at once.
const BATCH_ROWS: usize = 5_000;

/// A dataset to be made.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = datasets)]
pub struct NewDataset {
    /// Its id.
    pub id: DatasetId,
    /// Its company.
    pub company_id: CompanyId,
    /// Its owner.
    pub owner_id: UserId,
    /// Who besides may see it.
    pub visibility: Visibility,
    /// What it is called.
    pub name: DatasetName,
    /// Where it comes from.
    pub source: DatasetSource,
    /// The file it comes from.
    pub file_name: Option<FileName>,
    /// Its columns.
    pub headers: Vec<String>,
    /// How many rows will come.
    pub row_count: i32,
    /// Of the file it comes from.
    pub sha256: Sha256,
}

/// Why a dataset was not made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// Its rows could not be read.
    #[error("the rows could not be read: {0}")]
    Rows(#[from] io::Error),
    /// Postgres failed.
    #[error(transparent)]
    Database(#[from] diesel::result::Error),
}

/// Rows on their way to Postgres.
#[derive(Debug, Default)]
pub struct Batch {
    indexes: Vec<i32>,
    lists: Vec<String>,
    bytes: usize,
}

impl Batch {
    /// Adds a row.
    pub fn push(&mut self, index: i32, cells: &Cells) {
        let list = list(cells);
        self.bytes += list.len();
        self.indexes.push(index);
        self.lists.push(list);
    }

    /// Whether it is time to send it.
    pub fn is_full(&self) -> bool {
        self.bytes >= BATCH_BYTES || self.lists.len() >= BATCH_ROWS
    }

    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.lists.is_empty()
    }

    /// Sends it to the rows that wait to be taken in, each with the versions that it holds for.
    pub(super) async fn stage(
        self,
        conn: &mut Connection,
        since: Vec<i32>,
        until: Vec<Option<i32>>,
    ) -> QueryResult<()> {
        diesel::sql_query(include_str!("archive/stage_rows.sql"))
            .bind::<sql_types::Array<sql_types::Integer>, _>(self.indexes)
            .bind::<sql_types::Array<sql_types::Text>, _>(self.lists)
            .bind::<sql_types::Array<sql_types::Integer>, _>(since)
            .bind::<sql_types::Array<sql_types::Nullable<sql_types::Integer>>, _>(until)
            .execute(conn)
            .await?;
        Ok(())
    }

    /// Sends it, as rows that first belong to this version.
    pub(super) async fn insert(
        self,
        conn: &mut Connection,
        id: DatasetId,
        version: i32,
    ) -> QueryResult<usize> {
        diesel::sql_query(include_str!("insert_rows.sql"))
            .bind::<sql_types::Uuid, _>(id)
            .bind::<sql_types::Integer, _>(version)
            .bind::<sql_types::Array<sql_types::Integer>, _>(self.indexes)
            .bind::<sql_types::Array<sql_types::Text>, _>(self.lists)
            .prepared()
            .execute(conn)
            .await
    }
}

/// Values as Postgres writes a list of texts.
fn list(cells: &Cells) -> String {
    let size: usize = cells.iter().flatten().map(|text| text.len() + 3).sum();
    let mut list = String::with_capacity(size + 2 + 5 * cells.len());
    list.push('{');
    for (place, cell) in cells.iter().enumerate() {
        if place > 0 {
            list.push(',');
        }
        let Some(text) = cell else {
            list.push_str("NULL");
            continue;
        };
        list.push('"');
        for part in text.split_inclusive(['"', '\\']) {
            match part.as_bytes().last() {
                Some(mark @ (b'"' | b'\\')) => {
                    list.push_str(&part[..part.len() - 1]);
                    list.extend(['\\', char::from(*mark)]);
                }
                _ => list.push_str(part),
            }
        }
        list.push('"');
    }
    list.push('}');
    list
}

/// The dataset that this owner made of the same file under the same name and never changed.
pub async fn find_same(
    conn: &mut Connection,
    owner_id: UserId,
    name: &DatasetName,
    sha256: Sha256,
) -> QueryResult<Option<Dataset>> {
    datasets::table
        .inner_join(users::table)
        .filter(datasets::owner_id.eq(owner_id))
        .filter(datasets::sha256.eq(sha256))
        .filter(datasets::name.eq(name))
        .filter(datasets::version.eq(1))
        .filter(datasets::archived_at.is_null())
        .select(Dataset::as_select())
        .first(conn)
        .await
        .optional()
}

/// Makes a dataset of rows as they come, all or nothing; the second value is `false` when this
/// owner has the same one already, and that one is given.
pub async fn create(
    conn: &mut Connection,
    new: &NewDataset,
    rows: impl Stream<Item = io::Result<Batch>> + Unpin + Send,
) -> Result<(Dataset, bool), CreateError> {
    conn.transaction(async |conn| {
        lock_content(conn, new.owner_id, new.sha256).await?;
        if let Some(known) = find_same(conn, new.owner_id, &new.name, new.sha256).await? {
            return Ok((known, false));
        }
        diesel::insert_into(datasets::table)
            .values((new, datasets::next_row.eq(new.row_count)))
            .execute(conn)
            .await?;
        diesel::insert_into(dataset_versions::table)
            .values((
                dataset_versions::dataset_id.eq(new.id),
                dataset_versions::version.eq(1),
                dataset_versions::row_count.eq(new.row_count),
                dataset_versions::created_by.eq(new.owner_id),
            ))
            .execute(conn)
            .await?;
        insert_all(conn, new, rows).await?;
        let created = datasets::table
            .inner_join(users::table)
            .filter(datasets::id.eq(new.id))
            .select(Dataset::as_select())
            .first(conn)
            .await?;
        Ok((created, true))
    })
    .await
}

async fn insert_all(
    conn: &mut Connection,
    new: &NewDataset,
    mut rows: impl Stream<Item = io::Result<Batch>> + Unpin,
) -> Result<(), CreateError> {
    let mut count = 0;
    while let Some(batch) = rows.next().await {
        count += batch?.insert(conn, new.id, 1).await?;
    }
    if i32::try_from(count) != Ok(new.row_count) {
        let message = format!("{count} rows came instead of {}", new.row_count);
        return Err(io::Error::other(message).into());
    }
    Ok(())
}

/// Until the end of the transaction, nobody else makes a dataset of this content for this owner.
async fn lock_content(conn: &mut Connection, owner: UserId, sha256: Sha256) -> QueryResult<()> {
    diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
        .bind::<sql_types::Text, _>(format!("dataset {owner} {sha256}"))
        .prepared()
        .execute(conn)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_postgres_reads_them() {
        let cells = vec![
            Some(r#"a "b" \ c"#.into()),
            None,
            Some(String::new()),
            Some("NULL,{}\n".into()),
        ];
        assert_eq!(
            list(&cells),
            "{\"a \\\"b\\\" \\\\ c\",NULL,\"\",\"NULL,{}\n\"}"
        );
    }
}
