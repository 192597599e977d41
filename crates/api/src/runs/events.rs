//! Following a run: every event once and in order, from the beginning or from after the one that
//! `Last-Event-ID` names.

use actix_web::{HttpRequest, HttpResponse, get};
use domain::runs::RunId;

use super::missing;
use crate::{
    context::{Context, Developer},
    error::ApiResult,
    extract::Path,
    feed::{self, Subject},
};

/// Follows a run: each event with its number as `id`, and `{kind, cellId, rowIndex, columnIndex, at}`.
/// Ends with the run; 204 to who has seen its end already. Events that are kept no longer are left out.
#[utoipa::path(tag = "Runs", params(("id" = RunId, Path, description = "The run"),
    ("Last-Event-ID" = Option<i64>, Header, description = "The last event you have seen")),
    responses((status = 200, description = "The events as they come",
        content((String = "text/event-stream"))),
        (status = 204, description = "The run is over, and you have seen everything")))]
#[get("/runs/{id}/events")]
pub async fn follow(
    context: Context<Developer>,
    request: HttpRequest,
    Path(id): Path<RunId>,
) -> ApiResult<HttpResponse> {
    let mut conn = context.db().await?;
    let run = db::runs::find(&mut conn, &context.who, id).await;
    run.map_err(missing)?;
    let reach = Subject::Run(id).reach(&mut conn).await?;
    drop(conn);
    let reach = reach.ok_or_else(|| missing(diesel::result::Error::NotFound))?;
    feed::follow(&context, &request, Subject::Run(id), reach)
}
