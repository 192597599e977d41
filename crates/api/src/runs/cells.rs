//! Cells of a run: page by page, and one with everything that is known of it.

use actix_web::{HttpRequest, HttpResponse, get};
use db::runs::cells::{Attempt, Cell, CellEvent, Detail, Filter, Judgement};
use deserr::Deserr;
use domain::{
    datasets::export::Object,
    page::{Limit, Moment},
    runs::{CellId, CellStatus, RunId},
};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::{Column, missing};
use crate::{
    context::{Context, Developer},
    error::ApiResult,
    extract::{Faults, Path, Paths, Query},
    page::Listing,
};

/// Which cells are listed.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
struct CellsQuery {
    /// Only in this state.
    #[param(inline)]
    #[deserr(default)]
    status: Option<CellStatus>,
    /// Only of this column, from 0.
    #[param(value_type = Option<i16>, minimum = 0, maximum = 3)]
    #[deserr(default)]
    column: Option<Column>,
    /// Only what changed at or after this moment, in the order of the changes.
    #[param(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    #[deserr(default)]
    updated_since: Option<Moment>,
    /// The most cells to answer, 1 to 1000. Of large ones there may be fewer.
    #[deserr(default)]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    limit: Limit,
    /// Where the page starts, from the `Link` of the one before.
    #[deserr(default)]
    cursor: Option<String>,
}

/// The cells of a run, by row, repetition and column.
#[utoipa::path(tag = "Runs", params(("id" = RunId, Path, description = "The run"), CellsQuery),
    responses((status = 200, body = [Cell])))]
#[get("/runs/{id}/cells")]
pub async fn list(
    context: Context<Developer>,
    request: HttpRequest,
    Path(id): Path<RunId>,
    Query(query): Query<CellsQuery>,
) -> ApiResult<HttpResponse> {
    let listing = Listing::new(&request, &context.who);
    let filter = Filter {
        status: query.status,
        column: query.column.map(|column| column.0),
        updated_since: query.updated_since.map(|moment| moment.0),
        after: listing.start(query.cursor.as_deref())?,
    };
    let mut conn = context.db().await?;
    let page = db::runs::cells::list(&mut conn, &context.who, id, &filter, query.limit)
        .await
        .map_err(missing)?;
    Ok(listing.answer(&page))
}

/// A cell with everything that is known of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CellView<'a> {
    /// The cell.
    #[serde(flatten)]
    cell: &'a Cell,
    /// The values of its row by their columns; `null` without a dataset.
    #[schema(value_type = Option<HashMap<String, Option<String>>>)]
    inputs: Option<Object<'a>>,
    /// Its calls, oldest first.
    attempts: &'a [Attempt],
    /// What happened to it, oldest first.
    events: &'a [CellEvent],
    /// The judgements on it, oldest first.
    grades: &'a [Judgement],
}

/// One cell with its calls, events and judgements, and the values of its row.
#[utoipa::path(tag = "Runs", params(("id" = RunId, Path, description = "The run"),
    ("cell_id" = CellId, Path, description = "The cell")),
    responses((status = 200, body = CellView)))]
#[get("/runs/{id}/cells/{cell_id}")]
pub async fn find(
    context: Context<Developer>,
    Paths(id, cell): Paths<RunId, CellId>,
) -> ApiResult<HttpResponse> {
    let mut conn = context.db().await?;
    let detail = db::runs::cells::detail(&mut conn, &context.who, id, cell)
        .await
        .map_err(missing)?;
    let Detail {
        cell,
        attempts,
        events,
        grades,
        inputs,
    } = &detail;
    let inputs = inputs
        .as_ref()
        .map(|(headers, cells)| Object { headers, cells });
    Ok(HttpResponse::Ok().json(CellView {
        cell,
        inputs,
        attempts,
        events,
        grades,
    }))
}
