//! A cell with everything that is known of it: its calls, what happened to it, the judgements on it.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    auth::Viewer,
    datasets::Cells,
    models::Usd,
    runs::{AttemptId, CellId, Grade, GradeId, GradeSource, RunId, Stage},
    users::UserId,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Cell, headers, inputs};
use crate::{
    Connection,
    runs::find,
    schema::{attempts, cells, grades, run_events},
};

/// A call for a cell.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = attempts)]
#[serde(rename_all = "camelCase")]
#[schema(rename_all = "camelCase")]
pub struct Attempt {
    /// Which.
    pub id: AttemptId,
    /// The cell's round: raised by each rerun.
    pub round: i16,
    /// What for.
    #[schema(inline)]
    pub stage: Stage,
    /// `open` while the call is made, then `settled`; `lost` when nobody knows how it ended.
    pub state: String,
    /// The most it may cost.
    pub reserved: Usd,
    /// What it cost.
    pub cost: Option<Usd>,
    /// Whether its price is known.
    pub priced: Option<bool>,
    /// Tokens of the input.
    pub tokens_in: Option<i32>,
    /// Tokens of the output, thoughts included.
    pub tokens_out: Option<i32>,
    /// Tokens that were thoughts.
    pub tokens_thinking: Option<i32>,
    /// How long it took.
    pub latency_ms: Option<i32>,
    /// What went wrong, as a stable name.
    pub error_code: Option<String>,
    /// The same in a sentence.
    pub error_message: Option<String>,
    /// The model that answered, as it names itself.
    pub model_version: Option<String>,
    /// The provider's name for the answer.
    pub response_id: Option<String>,
    /// What it brought, once a rerun has taken its place in the cell.
    pub output: Option<String>,
    /// When it was made.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

/// A judgement on a cell.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = grades)]
#[serde(rename_all = "camelCase")]
#[schema(rename_all = "camelCase")]
pub struct Judgement {
    /// Which.
    pub id: GradeId,
    /// The cell's round.
    pub round: i16,
    /// Whose.
    #[schema(inline)]
    pub source: GradeSource,
    /// How good; none when a person took theirs back.
    pub grade: Option<Grade>,
    /// What it rests on.
    #[schema(value_type = Option<Object>)]
    pub detail: Option<serde_json::Value>,
    /// The person.
    pub author_id: Option<UserId>,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// What happened to a cell.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = run_events)]
#[serde(rename_all = "camelCase")]
#[schema(rename_all = "camelCase")]
pub struct CellEvent {
    /// Its number among the events of the run.
    #[diesel(column_name = number)]
    pub id: i64,
    /// What.
    pub kind: String,
    /// More of it.
    #[schema(value_type = Option<Object>)]
    pub data: Option<serde_json::Value>,
    /// When.
    #[diesel(column_name = created_at)]
    pub at: DateTime<Utc>,
}

/// Everything that is known of a cell.
#[derive(Debug, Clone)]
pub struct Detail {
    /// The cell.
    pub cell: Cell,
    /// Its calls, oldest first.
    pub attempts: Vec<Attempt>,
    /// What happened to it, oldest first.
    pub events: Vec<CellEvent>,
    /// The judgements on it, oldest first.
    pub grades: Vec<Judgement>,
    /// The values of its row with their names; none without a dataset.
    pub inputs: Option<(Vec<String>, Cells)>,
}

/// Everything that is known of a cell of a run that the viewer may see.
pub async fn detail(
    conn: &mut Connection,
    viewer: &Viewer,
    run: RunId,
    id: CellId,
) -> QueryResult<Detail> {
    let run = find(conn, viewer, run).await?;
    let cell: Cell = cells::table
        .filter(cells::run_id.eq(run.id).and(cells::id.eq(id)))
        .select(Cell::as_select())
        .first(conn)
        .await?;
    let headers = headers(conn, &run).await?;
    let row = inputs(conn, &run, std::slice::from_ref(&cell)).await?;
    let row = row.into_values().next();
    Ok(Detail {
        attempts: attempts::table
            .filter(attempts::cell_id.eq(id))
            .order(attempts::id)
            .select(Attempt::as_select())
            .load(conn)
            .await?,
        events: run_events::table
            .filter(run_events::cell_id.eq(id))
            .order(run_events::number)
            .select(CellEvent::as_select())
            .load(conn)
            .await?,
        grades: grades::table
            .filter(grades::cell_id.eq(id))
            .order(grades::id)
            .select(Judgement::as_select())
            .load(conn)
            .await?,
        cell,
        inputs: row.map(|cells| (headers, cells)),
    })
}
