//! Reading cells page by page, in the order of the rows or of their changes; one alone with all that is
//! known of it in [`detail`].

use std::{collections::HashMap, pin::pin};

use chrono::{DateTime, Utc};
use diesel::{dsl, expression::SqlLiteral, prelude::*, sql_types};
use diesel_async::RunQueryDsl;
use domain::{
    auth::Viewer,
    datasets::Cells,
    models::Usd,
    page::{Limit, Page},
    runs::{
        CellId, CellStatus, Grade, GradeSource, ManualGrade, RunId,
        checks::{CheckResult, CheckResults},
    },
};
use futures::TryStreamExt as _;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Run, find};
use crate::{
    Connection,
    horizon::horizon,
    schema::{cells, dataset_rows, datasets},
};

mod detail;

pub use detail::{Attempt, CellEvent, Detail, Judgement, detail};

/// About as many bytes of texts a page has at most: outputs may be large.
const PAGE_BYTES: usize = 8 * 1024 * 1024;

/// What the grader, else the checks, made of a cell. Where a person's grade is in effect it is looked
/// up among the judgements of the cell's round.
fn machine_grade() -> SqlLiteral<sql_types::Nullable<sql_types::Integer>> {
    dsl::sql(
        "CASE WHEN cells.grade_source = 'manual' THEN (
             SELECT g.grade FROM grades g
             WHERE g.cell_id = cells.id AND g.round = cells.round AND g.source <> 'manual'
             ORDER BY g.source = 'grader' DESC, g.id DESC LIMIT 1)
         ELSE cells.grade END",
    )
}

/// One answer of a run: a row of its dataset, a model, a repetition.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = cells)]
#[serde(rename_all = "camelCase")]
#[schema(rename_all = "camelCase")]
pub struct Cell {
    /// Which.
    pub id: CellId,
    /// Its run.
    pub run_id: RunId,
    /// Its column, from 0.
    pub column_index: i16,
    /// Its row of the dataset.
    pub row_index: i32,
    /// Its repetition, from 0.
    pub repeat: i16,
    /// Where it stands.
    #[schema(inline)]
    pub status: CellStatus,
    /// The output as it came.
    pub output_raw: Option<String>,
    /// The part of it that the prompt asked for.
    pub output_parsed: Option<String>,
    /// What the grader wrote.
    pub grader_output: Option<String>,
    /// What the grader, else the checks, made of it.
    #[diesel(
        select_expression = machine_grade(),
        select_expression_type = SqlLiteral<sql_types::Nullable<sql_types::Integer>>
    )]
    pub grade: Option<Grade>,
    /// Whose the effective grade is.
    #[schema(inline)]
    pub grade_source: Option<GradeSource>,
    /// What a person said of it.
    #[schema(inline)]
    pub manual_grade: ManualGrade,
    /// The grade that counts: a person's, else the grader's, else that of the checks.
    #[diesel(column_name = grade)]
    pub effective_grade: Option<Grade>,
    /// How it fared in the run's checks.
    #[serde(serialize_with = "none_as_empty")]
    #[schema(value_type = Vec<CheckResult>)]
    pub checks: Option<CheckResults>,
    /// Tokens of the inputs of all calls for its output.
    pub tokens_in: i64,
    /// Tokens of the outputs, thoughts included.
    pub tokens_out: i64,
    /// Tokens that were thoughts.
    pub tokens_thinking: i64,
    /// What the calls for its output cost.
    pub cost: Usd,
    /// What judging it cost.
    pub grader_cost: Usd,
    /// How long the call took that brought the output.
    pub latency_ms: Option<i32>,
    /// Whether a kept response took the place of a call.
    pub cached: bool,
    /// How many calls were made for it.
    pub attempt_count: i32,
    /// Why it failed or is malformed; on a completed cell, why its grader gave no grade.
    pub error_code: Option<String>,
    /// The same in a sentence.
    pub error_message: Option<String>,
    /// The model that answered, as it names itself.
    pub model_version: Option<String>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

#[expect(clippy::ref_option, reason = "as serde calls it")]
fn none_as_empty<S: serde::Serializer>(
    results: &Option<CheckResults>,
    to: S,
) -> Result<S::Ok, S::Error> {
    let results = results.as_ref().map(|results| results.0.as_slice());
    results.unwrap_or_default().serialize(to)
}

impl Cell {
    /// Bytes of its texts.
    fn weight(&self) -> usize {
        let texts = [
            &self.output_raw,
            &self.output_parsed,
            &self.grader_output,
            &self.error_message,
        ];
        texts.into_iter().flatten().map(String::len).sum()
    }

    fn place(&self, by_change: bool) -> Place {
        if by_change {
            Place::Change(self.updated_at, self.id)
        } else {
            Place::Identity(self.row_index, self.repeat, self.column_index)
        }
    }
}

/// Where in a list of cells a page ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    /// At this row, repetition and column.
    Identity(i32, i16, i16),
    /// At this change.
    Change(DateTime<Utc>, CellId),
}

/// Which cells of a run a list is to hold.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    /// Only in this state.
    pub status: Option<CellStatus>,
    /// Only of this column.
    pub column: Option<i16>,
    /// Only what changed at or after this moment, in the order of the changes.
    pub updated_since: Option<DateTime<Utc>>,
    /// Only what comes after this cell.
    pub after: Option<Place>,
}

/// A page of the cells of a run that the viewer may see: by row, repetition and column, or, with
/// `updated_since`, in the order of their changes. It ends early when its texts are large.
pub async fn list(
    conn: &mut Connection,
    viewer: &Viewer,
    run: RunId,
    filter: &Filter,
    limit: Limit,
) -> QueryResult<Page<Cell, Place>> {
    find(conn, viewer, run).await?;
    page(conn, run, filter, limit).await
}

/// The same for who was let in already.
pub async fn page(
    conn: &mut Connection,
    run: RunId,
    filter: &Filter,
    limit: Limit,
) -> QueryResult<Page<Cell, Place>> {
    let by_change = filter.updated_since.is_some();
    let horizon = match filter.updated_since {
        Some(_) => horizon(conn).await?,
        None => DateTime::<Utc>::MAX_UTC,
    };
    let stream = chosen(run, filter, horizon)
        .limit(limit.rows() + 1)
        .load_stream::<Cell>(conn)
        .await?;
    let mut stream = pin!(stream);
    let (mut rows, mut bytes) = (Vec::new(), 0);
    while let Some(cell) = stream.try_next().await? {
        if bytes > PAGE_BYTES {
            let next = rows.last().map(|cell: &Cell| cell.place(by_change));
            return Ok(Page { rows, next });
        }
        bytes += cell.weight();
        rows.push(cell);
    }
    Ok(Page::from_surplus(rows, limit, |cell| {
        cell.place(by_change)
    }))
}

type Chosen =
    cells::BoxedQuery<'static, diesel::pg::Pg, dsl::SqlTypeOf<dsl::AsSelect<Cell, diesel::pg::Pg>>>;

fn chosen(run: RunId, filter: &Filter, horizon: DateTime<Utc>) -> Chosen {
    let mut query = cells::table
        .filter(cells::run_id.eq(run))
        .select(Cell::as_select())
        .into_boxed();
    if let Some(status) = filter.status {
        query = query.filter(cells::status.eq(status));
    }
    if let Some(column) = filter.column {
        query = query.filter(cells::column_index.eq(column));
    }
    query = match filter.after {
        None => query,
        Some(Place::Identity(row, repeat, column)) => query.filter(
            dsl::sql::<sql_types::Bool>("(cells.row_index, cells.repeat, cells.column_index) > (")
                .bind::<sql_types::Integer, _>(row)
                .sql(", ")
                .bind::<sql_types::SmallInt, _>(repeat)
                .sql(", ")
                .bind::<sql_types::SmallInt, _>(column)
                .sql(")"),
        ),
        Some(Place::Change(at, id)) => query.filter(
            dsl::sql::<sql_types::Bool>("(cells.updated_at, cells.id) > (")
                .bind::<sql_types::Timestamptz, _>(at)
                .sql(", ")
                .bind::<sql_types::Uuid, _>(id)
                .sql(")"),
        ),
    };
    match filter.updated_since {
        Some(since) => query
            .filter(cells::updated_at.ge(since))
            .filter(cells::updated_at.lt(horizon))
            .order((cells::updated_at, cells::id)),
        None => query.order((cells::row_index, cells::repeat, cells::column_index)),
    }
}

/// The names of the values that a run's rows have; none without a dataset.
pub async fn headers(conn: &mut Connection, run: &Run) -> QueryResult<Vec<String>> {
    let headers: Option<Vec<String>> = datasets::table
        .filter(datasets::id.nullable().eq(run.dataset_id))
        .select(datasets::headers)
        .first(conn)
        .await
        .optional()?;
    Ok(headers.unwrap_or_default())
}

/// The values of the rows of these cells, as they were when the run was started.
pub async fn inputs(
    conn: &mut Connection,
    run: &Run,
    page: &[Cell],
) -> QueryResult<HashMap<i32, Cells>> {
    let Some((dataset, version)) = run.dataset_id.zip(run.dataset_version) else {
        return Ok(HashMap::new());
    };
    let mut wanted: Vec<i32> = page.iter().map(|cell| cell.row_index).collect();
    wanted.dedup();
    let until = dataset_rows::until;
    let rows: Vec<(i32, Cells)> = dataset_rows::table
        .filter(dataset_rows::dataset_id.eq(dataset))
        .filter(dataset_rows::row_index.eq_any(wanted))
        .filter(dataset_rows::since.le(version))
        .filter(until.is_null().or(until.gt(version)))
        .select((dataset_rows::row_index, dataset_rows::cells))
        .load(conn)
        .await?;
    Ok(rows.into_iter().collect())
}
