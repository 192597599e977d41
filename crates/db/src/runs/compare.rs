//! The grades of two runs, side by side.

use std::pin::pin;

use diesel::{prelude::*, sql_types};
use diesel_async::RunQueryDsl;
use domain::runs::{Grade, RunId, statistics::Pair};
use futures::TryStreamExt as _;

use crate::{Connection, prepared::Prepare as _};

#[derive(QueryableByName)]
struct Grades {
    #[diesel(sql_type = sql_types::Integer)]
    row_index: i32,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Integer>)]
    a: Option<Grade>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Integer>)]
    b: Option<Grade>,
}

/// The cells of one column of two runs that are of the same row and repetition. A malformed one that
/// nobody graded counts as a grade of nothing.
pub async fn pairs(
    conn: &mut Connection,
    a: RunId,
    b: RunId,
    column: i16,
) -> QueryResult<Vec<Pair>> {
    let stream = diesel::sql_query(include_str!("pairs.sql"))
        .bind::<sql_types::Uuid, _>(a)
        .bind::<sql_types::Uuid, _>(b)
        .bind::<sql_types::SmallInt, _>(column)
        .prepared()
        .load_stream::<Grades>(conn)
        .await?;
    let mut stream = pin!(stream);
    let mut pairs = Vec::new();
    while let Some(Grades { row_index, a, b }) = stream.try_next().await? {
        let row = row_index;
        pairs.push(Pair { row, a, b });
    }
    Ok(pairs)
}
