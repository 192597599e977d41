//! Trying a connection, having a tracker read, and what became of it.

use actix_web::{HttpRequest, HttpResponse, get, http::header, post, web::Json};
use db::trackers::syncs::{BeginError, TrackerSync};
use deserr::Deserr;
use domain::{
    page::Limit,
    trackers::{TrackerError, TrackerId, TrackerSyncId},
};
use serde::Serialize;
use tasks::trackers::ConnectError;
use utoipa::{IntoParams, ToSchema};

use super::missing;
use crate::{
    context::{Admin, Context},
    error::{ApiError, ApiResult, Code},
    extract::{Faults, Path, Query},
    page::Listing,
    telemetry,
};

impl From<BeginError> for ApiError {
    fn from(cause: BeginError) -> Self {
        match cause {
            BeginError::NotFound => Self::not_found("tracker"),
            BeginError::NotActive(state) => Self::new(
                Code::Conflict,
                format!("The tracker is not read at present: it is {state}. Change that first."),
            ),
            BeginError::Database(cause) => cause.into(),
        }
    }
}

/// What a trial of a connection found.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Trial {
    /// Whether the tracker lets us in.
    ok: bool,
    /// Why not: a stable name such as `tracker_unauthorized`.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// The same in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// As whom it is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    account_name: Option<String>,
    /// What the tracker says it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<String>,
    /// The time zone of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    time_zone: Option<String>,
    /// The field of acceptance criteria, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    criteria_field: Option<String>,
}

impl Trial {
    fn failed(code: &str, message: String) -> Self {
        Self {
            ok: false,
            code: Some(code.to_owned()),
            message: Some(message),
            account_name: None,
            product: None,
            time_zone: None,
            criteria_field: None,
        }
    }
}

/// Tries the connection: signs in to the tracker, and keeps what it says of the account.
#[utoipa::path(tag = "Trackers", params(("id" = TrackerId, Path, description = "The tracker")),
    responses((status = 200, body = Trial)))]
#[post("/trackers/{id}/test")]
pub async fn test(context: Context<Admin>, Path(id): Path<TrackerId>) -> ApiResult<Json<Trial>> {
    let app = context.app();
    let company = context.who.company_id;
    let tracker = {
        let mut conn = context.db().await?;
        db::trackers::find(&mut conn, company, id)
            .await
            .map_err(missing)?;
        db::trackers::work::find(&mut conn, id).await?
    };
    let tracker = tracker.ok_or_else(|| ApiError::not_found("tracker"))?;
    let client = tasks::trackers::connect(&app.pool, &app.gateway.trackers, &tracker).await;
    let client = match client {
        Ok(client) => client,
        Err(ConnectError::Gate(cause)) => {
            return Ok(Json(Trial::failed(
                "tracker_misconfigured",
                cause.to_string(),
            )));
        }
        Err(ConnectError::Database(cause)) => return Err(cause.into()),
        Err(ConnectError::Pool(cause)) => return Err(cause.into()),
    };
    let account = match client.check().await {
        Ok(account) => account,
        Err(cause) => return Ok(Json(refused(&cause))),
    };
    let mut conn = context.db().await?;
    db::trackers::checked(&mut conn, id, tracker.version, &account).await?;
    Ok(Json(Trial {
        ok: true,
        code: None,
        message: None,
        account_name: Some(account.person.name),
        product: Some(account.product),
        time_zone: account.time_zone,
        criteria_field: account.criteria_field,
    }))
}

fn refused(cause: &TrackerError) -> Trial {
    Trial::failed(cause.class(), cause.to_string())
}

/// A round that was asked for.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Asked {
    /// The job.
    job_id: TrackerSyncId,
    /// The round, which goes by the same id.
    sync_id: TrackerSyncId,
    /// Where it stands.
    #[serde(flatten)]
    sync: TrackerSync,
}

/// Has a tracker read now; answers with the round that is under way, if one is.
#[utoipa::path(tag = "Trackers", params(("id" = TrackerId, Path, description = "The tracker")),
    responses((status = 202, body = Asked)))]
#[post("/trackers/{id}/sync")]
pub async fn sync(context: Context<Admin>, Path(id): Path<TrackerId>) -> ApiResult<HttpResponse> {
    let company = context.who.company_id;
    let request = Some(telemetry::request_id());
    let mut conn = context.db().await?;
    let sync = db::trackers::syncs::ask(&mut conn, company, id, request).await?;
    context.app().wake.notify_one();
    Ok(HttpResponse::Accepted()
        .insert_header((header::LOCATION, format!("/api/trackers/{id}/syncs")))
        .json(Asked {
            job_id: sync.id,
            sync_id: sync.id,
            sync,
        }))
}

#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SyncsQuery {
    /// The most rounds to answer, 1 to 1000.
    #[deserr(default)]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    limit: Limit,
    /// Where the page starts, from the `Link` of the one before.
    #[deserr(default)]
    cursor: Option<String>,
}

/// What was read of a tracker when, newest first: the last 200 rounds.
#[utoipa::path(tag = "Trackers", params(("id" = TrackerId, Path, description = "The tracker"), SyncsQuery),
    responses((status = 200, body = [TrackerSync])))]
#[get("/trackers/{id}/syncs")]
pub async fn list(
    context: Context<Admin>,
    request: HttpRequest,
    Path(id): Path<TrackerId>,
    Query(query): Query<SyncsQuery>,
) -> ApiResult<HttpResponse> {
    let listing = Listing::new(&request, &context.who);
    let before = listing.start(query.cursor.as_deref())?;
    let (mut conn, company) = (context.db().await?, context.who.company_id);
    let page = db::trackers::syncs::list(&mut conn, company, id, before, query.limit);
    Ok(listing.answer(&page.await.map_err(missing)?))
}
