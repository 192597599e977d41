//! Reading rows of datasets. What a version consists of never changes, so that a reader may come
//! back for more as often as they like and sees one table.

use std::pin::pin;

use diesel::{prelude::*, sql_types};
use diesel_async::RunQueryDsl;
use domain::{
    auth::Viewer,
    datasets::{Cells, DatasetId},
    page::{Limit, Page},
};
use futures::TryStreamExt as _;

use super::{ChangeError, Dataset, find};
use crate::{Connection, prepared::Prepare as _, schema::dataset_rows};

/// About as many bytes of values a page has at most: rows may be large.
const PAGE_BYTES: usize = 8 * 1024 * 1024;

/// A row of a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = dataset_rows)]
pub struct Row {
    /// Which one, from 0, through all versions.
    pub row_index: i32,
    /// Its values, in the order of the headers.
    pub cells: Cells,
}

/// A page of rows of a version (the newest if none is named) from after `after` on, and the
/// dataset.
pub async fn page(
    conn: &mut Connection,
    viewer: &Viewer,
    id: DatasetId,
    version: Option<i32>,
    after: Option<i32>,
    limit: Limit,
) -> Result<(Dataset, Page<Row, i32>), ChangeError> {
    let dataset = find(conn, viewer, id).await.optional()?;
    let dataset = dataset.ok_or(ChangeError::NotFound)?;
    let version = version.unwrap_or(dataset.version);
    if !(1..=dataset.version).contains(&version) {
        return Err(ChangeError::NoVersion);
    }
    let page = rows(conn, id, version, after, limit).await?;
    Ok((dataset, page))
}

/// A page of rows of a version from after `after` on, for who was let in already. It ends early
/// when its rows are large.
pub async fn rows(
    conn: &mut Connection,
    id: DatasetId,
    version: i32,
    after: Option<i32>,
    limit: Limit,
) -> QueryResult<Page<Row, i32>> {
    let until = dataset_rows::until;
    let stream = dataset_rows::table
        .filter(dataset_rows::dataset_id.eq(id))
        .filter(dataset_rows::row_index.gt(after.unwrap_or(-1)))
        .filter(dataset_rows::since.le(version))
        .filter(until.is_null().or(until.gt(version)))
        .order(dataset_rows::row_index)
        .limit(limit.rows() + 1)
        .select(Row::as_select())
        .load_stream::<Row>(conn)
        .await?;
    let mut stream = pin!(stream);
    let (mut rows, mut bytes) = (Vec::new(), 0);
    while let Some(row) = stream.try_next().await? {
        if bytes > PAGE_BYTES {
            let next = rows.last().map(|row: &Row| row.row_index);
            return Ok(Page { rows, next });
        }
        bytes += row.cells.iter().flatten().map(String::len).sum::<usize>();
        rows.push(row);
    }
    Ok(Page::from_surplus(rows, limit, |row| row.row_index))
}

#[derive(QueryableByName)]
struct Without {
    #[diesel(sql_type = sql_types::Integer)]
    place: i32,
    #[diesel(sql_type = sql_types::BigInt)]
    count: i64,
}

/// How many rows of the newest version have no value in each of these columns, of which those
/// that every row has a value in are left out.
pub async fn without_value(
    conn: &mut Connection,
    dataset: &Dataset,
    columns: &[String],
) -> QueryResult<Vec<(String, i64)>> {
    let places = columns.iter().filter_map(|name| {
        let place = dataset.headers.iter().position(|header| header == name);
        // Postgres counts from 1.
        place.and_then(|place| i32::try_from(place + 1).ok())
    });
    let counts: Vec<Without> = diesel::sql_query(include_str!("without_value.sql"))
        .bind::<sql_types::Uuid, _>(dataset.id)
        .bind::<sql_types::Integer, _>(dataset.version)
        .bind::<sql_types::Array<sql_types::Integer>, _>(places.collect::<Vec<_>>())
        .prepared()
        .load(conn)
        .await?;
    let named = |without: Without| {
        let place = usize::try_from(without.place - 1).ok()?;
        Some((dataset.headers.get(place)?.clone(), without.count))
    };
    Ok(counts.into_iter().filter_map(named).collect())
}
