//! Runs: starting them, following them, calling them off and taking them up again.

mod cells;
mod compare;
mod estimate;
mod events;
mod export;
mod start;
mod view;

use actix_web::{HttpRequest, HttpResponse, get, post, put};
use db::runs::control::{self, ControlError};
use deserr::Deserr;
use domain::{
    models::Usd,
    page::{Limit, Moment},
    prompts::PromptId,
    runs::{CellId, ManualGrade, RunId, RunStatus},
};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    context::{Access, Context, Developer, Runner},
    error::{ApiError, ApiResult, Code},
    etag,
    extract::{Body, Faults, Path, Paths, Query},
    page::Listing,
};
pub use start::RunLimits;
use view::RunView;

/// The routes of this area.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(start::start)
        .service(list)
        .service(find)
        .service(cells::list)
        .service(cells::find)
        .service(events::follow)
        .service(compare::compare)
        .service(export::export)
        .service(estimate::estimate)
        .service(cancel)
        .service(resume)
        .service(rerun_failed)
        .service(rerun)
        .service(judge);
}

impl From<ControlError> for ApiError {
    fn from(cause: ControlError) -> Self {
        match cause {
            ControlError::NotFound => Self::not_found("run or cell"),
            ControlError::Forbidden => Self::new(
                Code::Forbidden,
                "Only its owner or an admin may change this run.",
            ),
            ControlError::WrongState(sentence) => Self::new(Code::Conflict, sentence),
            ControlError::BudgetTooSmall(promised) => Self::invalid(
                "budgetUsd",
                format!("must be at least {promised}, which is spent or promised already"),
            ),
            ControlError::Database(cause) => cause.into(),
        }
    }
}

fn missing(cause: diesel::result::Error) -> ApiError {
    match cause {
        diesel::result::Error::NotFound => ApiError::not_found("run or cell"),
        cause => cause.into(),
    }
}

/// A column of a run in a query.
#[derive(Debug, Clone, Copy)]
struct Column(i16);

impl<E: deserr::DeserializeError> Deserr<E> for Column {
    fn deserialize_from_value<V: deserr::IntoValue>(
        value: deserr::Value<V>,
        location: deserr::ValuePointerRef<'_>,
    ) -> Result<Self, E> {
        let text = String::deserialize_from_value(value, location)?;
        let index = text.parse().ok().filter(|index| *index >= 0);
        index.map(Self).ok_or_else(|| {
            let msg = "must be the index of a column, from 0".to_owned();
            let kind = deserr::ErrorKind::Unexpected { msg };
            deserr::take_cf_content(E::error::<V>(None, kind, location))
        })
    }
}

/// Which runs are listed.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
struct ListQuery {
    /// Only in this state.
    #[param(inline)]
    #[deserr(default)]
    status: Option<RunStatus>,
    /// Only of this prompt.
    #[param(value_type = Option<uuid::Uuid>)]
    #[deserr(default)]
    prompt_id: Option<PromptId>,
    /// Only what changed at or after this moment, in the order of the changes.
    #[param(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    #[deserr(default)]
    updated_since: Option<Moment>,
    /// The most runs to answer, 1 to 1000.
    #[deserr(default)]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    limit: Limit,
    /// Where the page starts, from the `Link` of the one before.
    #[deserr(default)]
    cursor: Option<String>,
}

/// Lists the runs you may see, newest first.
#[utoipa::path(tag = "Runs", params(ListQuery), responses((status = 200, body = [RunView])))]
#[get("/runs")]
async fn list(
    context: Context<Developer>,
    request: HttpRequest,
    Query(query): Query<ListQuery>,
) -> ApiResult<HttpResponse> {
    let listing = Listing::new(&request, &context.who);
    let filter = db::runs::Filter {
        status: query.status,
        prompt_id: query.prompt_id,
        updated_since: query.updated_since.map(|moment| moment.0),
        after: listing.start(query.cursor.as_deref())?,
    };
    let mut conn = context.db().await?;
    let page = db::runs::list(&mut conn, &context.who, &filter, query.limit).await?;
    let ids: Vec<RunId> = page.rows.iter().map(|run| run.id).collect();
    let mut sums = db::runs::sums(&mut conn, &ids).await?;
    let view = |run: db::runs::Run| {
        let sums = sums.remove(&run.id).unwrap_or_default();
        RunView::of(run, sums)
    };
    let views: Vec<_> = page.rows.into_iter().map(view).collect();
    Ok(listing.answer_with(page.next.as_ref(), &views))
}

/// One run with what its columns come to.
#[utoipa::path(tag = "Runs", params(("id" = RunId, Path, description = "The run")),
    responses((status = 200, body = RunView), (status = 304, description = "Unchanged")))]
#[get("/runs/{id}")]
async fn find(
    context: Context<Developer>,
    request: HttpRequest,
    Path(id): Path<RunId>,
) -> ApiResult<HttpResponse> {
    let view = view(&context, id).await?;
    Ok(etag::answer(&request, view.updated_at, &view))
}

/// The run as it stands now.
async fn view<A: Access<Who = domain::auth::Viewer>>(
    context: &Context<A>,
    id: RunId,
) -> ApiResult<RunView> {
    let mut conn = context.db().await?;
    let run = db::runs::find(&mut conn, &context.who, id).await;
    let run = run.map_err(missing)?;
    let sums = db::runs::sums(&mut conn, &[id]).await?.remove(&id);
    Ok(RunView::of(run, sums.unwrap_or_default()))
}

/// Calls a run off: cells that wait are cancelled, calls under way come to their end.
#[utoipa::path(tag = "Runs", params(("id" = RunId, Path, description = "The run")),
    responses((status = 204, description = "Called off")))]
#[post("/runs/{id}/cancel")]
async fn cancel(context: Context<Developer>, Path(id): Path<RunId>) -> ApiResult<HttpResponse> {
    control::cancel(&mut *context.db().await?, &context.who, id).await?;
    context.app().news.tell(id.0);
    Ok(HttpResponse::NoContent().finish())
}

/// How a run is taken up again.
#[derive(Debug, Default, Deserr, ToSchema)]
#[deserr(error = Faults, rename_all = camelCase)]
#[schema(rename_all = "camelCase")]
struct ResumeBody {
    /// The most that the run may cost in all, what it cost so far included.
    #[deserr(default)]
    #[schema(value_type = Option<String>, example = "2.5")]
    budget_usd: Option<Usd>,
}

/// Takes up a run that was called off, ran out of budget or failed. Cells that have an output keep it.
#[utoipa::path(tag = "Runs", params(("id" = RunId, Path, description = "The run")),
    request_body = ResumeBody, responses((status = 202, body = RunView)))]
#[post("/runs/{id}/resume")]
async fn resume(
    context: Context<Runner>,
    Path(id): Path<RunId>,
    Body(body): Body<ResumeBody>,
) -> ApiResult<HttpResponse> {
    start::check_budget(body.budget_usd)?;
    let request_id = context.actor().request_id;
    let mut conn = context.db().await?;
    control::resume(
        &mut conn,
        &context.who,
        id,
        body.budget_usd,
        request_id.as_ref(),
    )
    .await?;
    drop(conn);
    context.app().wake.notify_one();
    Ok(HttpResponse::Accepted().json(view(&context, id).await?))
}

/// How many cells are made anew.
#[derive(Debug, Serialize, ToSchema)]
struct Rerun {
    /// So many.
    cells: usize,
}

/// Has the cells that failed made anew.
#[utoipa::path(tag = "Runs", params(("id" = RunId, Path, description = "The run")),
    responses((status = 202, body = Rerun)))]
#[post("/runs/{id}/rerun-failed")]
async fn rerun_failed(context: Context<Runner>, Path(id): Path<RunId>) -> ApiResult<HttpResponse> {
    let request_id = context.actor().request_id;
    let mut conn = context.db().await?;
    let cells = control::rerun_failed(&mut conn, &context.who, id, request_id.as_ref()).await?;
    context.app().wake.notify_one();
    Ok(HttpResponse::Accepted().json(Rerun { cells }))
}

/// Has one cell made anew, past kept responses. Its earlier output stays with its attempt.
#[utoipa::path(tag = "Runs", params(("id" = RunId, Path, description = "The run"),
    ("cell_id" = CellId, Path, description = "The cell")),
    responses((status = 202, body = Rerun)))]
#[post("/runs/{id}/cells/{cell_id}/rerun")]
async fn rerun(
    context: Context<Runner>,
    Paths(id, cell): Paths<RunId, CellId>,
) -> ApiResult<HttpResponse> {
    let request_id = context.actor().request_id;
    let mut conn = context.db().await?;
    control::rerun(&mut conn, &context.who, id, cell, request_id.as_ref()).await?;
    context.app().wake.notify_one();
    Ok(HttpResponse::Accepted().json(Rerun { cells: 1 }))
}

/// What a person says of a cell.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults)]
struct ManualVerdict {
    /// It will do, it will not, or nothing.
    value: ManualGrade,
}

/// Judges a cell; with `unset` the grader's or the checks' grade counts again.
#[utoipa::path(tag = "Runs", params(("id" = RunId, Path, description = "The run"),
    ("cell_id" = CellId, Path, description = "The cell")),
    request_body = ManualVerdict, responses((status = 204, description = "Noted")))]
#[put("/runs/{id}/cells/{cell_id}/manual-grade")]
async fn judge(
    context: Context<Developer>,
    Paths(id, cell): Paths<RunId, CellId>,
    Body(verdict): Body<ManualVerdict>,
) -> ApiResult<HttpResponse> {
    let mut conn = context.db().await?;
    control::judge(&mut conn, &context.who, id, cell, verdict.value).await?;
    context.app().news.tell(id.0);
    Ok(HttpResponse::NoContent().finish())
}
