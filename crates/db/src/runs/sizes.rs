//! How large the calls of a run would be, without making one.

use std::{collections::BTreeMap, pin::pin};

use diesel::{prelude::*, sql_types};
use diesel_async::RunQueryDsl;
use domain::{auth::Viewer, prompts::placeholders};
use futures::TryStreamExt as _;

use super::start::{Generator, NewRun, Prepared, Rows, StartError, prepared};
use crate::{Connection, prepared::Prepare as _};

/// How large the calls of a run would be: bytes of text, row by row.
#[derive(Debug, Clone, Default)]
pub struct Sizes {
    /// What the models of the columns are sent.
    pub generator: Vec<u64>,
    /// What the grader is sent, less the output; empty without one.
    pub grader: Vec<u64>,
}

/// How large the calls of this run would be, or every reason why it could not be started.
pub async fn sizes(
    conn: &mut Connection,
    viewer: &Viewer,
    new: &NewRun,
) -> Result<Sizes, StartError> {
    let Prepared {
        generator,
        grader,
        rows,
        count,
    } = prepared(conn, viewer, new).await?;
    let rows = rows.as_ref();
    let Generator::Prompt(generator) = generator else {
        let sentence = "has no estimate: what a task is asked depends on what others make of it";
        return Err(StartError::Faults(vec![("workflowId", sentence.into())]));
    };
    Ok(Sizes {
        generator: of_text(conn, new, generator.text(), rows, count).await?,
        grader: match &grader {
            Some(grader) => of_text(conn, new, grader.text(), rows, count).await?,
            None => Vec::new(),
        },
    })
}

#[derive(QueryableByName)]
struct Bytes {
    #[diesel(sql_type = sql_types::BigInt)]
    bytes: i64,
}

/// How long a text is with the values of each row.
async fn of_text(
    conn: &mut Connection,
    new: &NewRun,
    text: &str,
    rows: Option<&Rows>,
    count: i32,
) -> QueryResult<Vec<u64>> {
    let (fixed, places) = shape(text, rows.map_or(&[], |rows| rows.headers.as_slice()));
    let Some((dataset, rows)) = new.dataset_id.zip(rows) else {
        return Ok(vec![fixed; usize::try_from(count).unwrap_or_default()]);
    };
    let (places, times): (Vec<i32>, Vec<i64>) = places.into_iter().unzip();
    let stream = diesel::sql_query(include_str!("sizes.sql"))
        .bind::<sql_types::Uuid, _>(dataset)
        .bind::<sql_types::Integer, _>(rows.version)
        .bind::<sql_types::Integer, _>(count)
        .bind::<sql_types::Array<sql_types::Integer>, _>(places)
        .bind::<sql_types::Array<sql_types::BigInt>, _>(times)
        .prepared()
        .load_stream::<Bytes>(conn)
        .await?;
    let mut stream = pin!(stream);
    let mut sizes = Vec::new();
    while let Some(row) = stream.try_next().await? {
        sizes.push(fixed + row.bytes.unsigned_abs());
    }
    Ok(sizes)
}

/// How long a text is without its values, and how often it names each column; columns count from 1,
/// as Postgres does.
fn shape(text: &str, headers: &[String]) -> (u64, Vec<(i32, i64)>) {
    let names = placeholders::names(text);
    let length = |filled: Option<&String>| {
        let value = |name: &String| if Some(name) == filled { "x" } else { "" };
        let values = names
            .iter()
            .map(|name| (name.clone(), value(name).to_owned()));
        let values: BTreeMap<String, String> = values.collect();
        placeholders::render(text, &values).map_or(text.len(), |rendered| rendered.text.len())
    };
    let fixed = length(None);
    let count = |name: &String| {
        let place = headers.iter().position(|header| header == name)?;
        let times = length(Some(name)).saturating_sub(fixed);
        Some((i32::try_from(place + 1).ok()?, i64::try_from(times).ok()?))
    };
    (fixed as u64, names.iter().filter_map(count).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_as_long_as_its_words_and_the_values_it_names() {
        let headers = ["a".to_owned(), "b".to_owned()];
        assert_eq!(
            shape("x {{b}} y {{b}}{{a}}", &headers),
            (5, vec![(2, 2), (1, 1)])
        );
        assert_eq!(shape("nothing", &headers), (7, vec![]));
        assert_eq!(shape("{{output}}", &headers), (0, vec![]));
    }
}
