//! Requests: everybody makes them and follows their own, leads sort and assign them, developers do
//! them. Who may take which step is for the table in `domain` to say, not for the role a route needs.

mod change;
mod query;
mod view;

use actix_web::{HttpRequest, HttpResponse, get, http::header, post};
use db::requests::{Activity, NewRequest, Stats};
use deserr::Deserr;
use domain::{
    page::Limit,
    requests::{RequestDescription, RequestId, RequestPriority, RequestTitle, Vendor, allowed},
};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    context::{Context, Requester},
    error::{ApiError, ApiResult},
    etag,
    extract::{Body, Faults, Path, Query},
    page::Listing,
};
use query::RequestsQuery;
use view::{CommentView, OneRequest, RequestDetail, RequestList, RequestView};

/// The routes of this area.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list)
        .service(create)
        .service(stats)
        .service(find)
        .service(change::advance)
        .service(change::assign)
        .service(comments)
        .service(change::say)
        .service(activity);
}

fn missing(cause: diesel::result::Error) -> ApiError {
    match cause {
        diesel::result::Error::NotFound => ApiError::not_found("request"),
        other => other.into(),
    }
}

/// The requests you see, newest first, each with its newest hundred comments: as a requester your
/// own; as a developer also those assigned to you and those in engineering review; as a lead all.
#[utoipa::path(tag = "Requests", params(RequestsQuery), responses((status = 200, body = RequestList)))]
#[get("/requests")]
async fn list(
    context: Context<Requester>,
    request: HttpRequest,
    Query(query): Query<RequestsQuery>,
) -> ApiResult<HttpResponse> {
    let listing = Listing::new(&request, &context.who);
    let limit = query.limit.unwrap_or(Limit::MOST);
    let after = listing.start(query.cursor.as_deref())?;
    let filter = query.filter(&context.who, after);
    let mut conn = context.db().await?;
    let page = db::requests::list(&mut conn, &context.who, &filter, limit).await?;
    let requests = page.rows.into_iter().map(RequestView::from).collect();
    Ok(listing.answer_with(page.next.as_ref(), &RequestList { requests }))
}

/// A request to be made.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults)]
struct NewRequestBody {
    /// What it is about, 3 to 255 characters.
    #[schema(value_type = String, min_length = 3, max_length = 255)]
    title: RequestTitle,
    /// What is asked for, 10 to 5000 characters.
    #[schema(value_type = String, min_length = 10, max_length = 5000)]
    description: RequestDescription,
    /// Whose product it concerns, 1 to 100 characters.
    #[schema(value_type = String, min_length = 1, max_length = 100)]
    vendor: Vendor,
    /// How urgent it is.
    priority: RequestPriority,
}

/// Makes a request. It is submitted by that, and has the next number of your company.
#[utoipa::path(tag = "Requests", request_body = NewRequestBody, responses((status = 201, body = OneRequest)))]
#[post("/requests")]
async fn create(
    context: Context<Requester>,
    Body(body): Body<NewRequestBody>,
) -> ApiResult<HttpResponse> {
    let new = NewRequest {
        title: body.title,
        description: body.description,
        vendor: body.vendor,
        priority: body.priority,
    };
    let made = db::requests::create(&mut *context.db().await?, &context.who, &new).await?;
    let place = format!("/api/requests/{}", made.request.id);
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, place))
        .insert_header(header::ETag(etag::of(made.request.updated_at)))
        .json(OneRequest::from(made)))
}

/// How many requests there are of those you see, by status and by vendor.
#[utoipa::path(tag = "Requests", responses((status = 200, body = Stats)))]
#[get("/requests/stats")]
async fn stats(context: Context<Requester>) -> ApiResult<HttpResponse> {
    let counts = db::requests::stats(&mut *context.db().await?, &context.who).await?;
    Ok(HttpResponse::Ok().json(counts))
}

/// One request with its newest thousand comments, what happened to it, and where you may move it.
#[utoipa::path(tag = "Requests", params(("id" = RequestId, Path, description = "The request")),
    responses((status = 200, body = RequestDetail), (status = 304, description = "Unchanged")))]
#[get("/requests/{id}")]
async fn find(
    context: Context<Requester>,
    request: HttpRequest,
    Path(id): Path<RequestId>,
) -> ApiResult<HttpResponse> {
    let detail = db::requests::detail(&mut *context.db().await?, &context.who, id).await;
    let detail = detail.map_err(missing)?;
    let found = &detail.commented.request;
    let steps = allowed(found.status, found.standing(&context.who));
    let (updated_at, allowed_transitions) = (found.updated_at, steps.map(|step| step.to).collect());
    let request_view = RequestView::from(detail.commented);
    let answer = RequestDetail {
        comments: request_view.comments.clone(),
        request: request_view,
        activity: detail.activity,
        allowed_transitions,
    };
    Ok(etag::answer(&request, updated_at, &answer))
}

/// A page of what belongs to a request.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PartsQuery {
    /// The most rows to answer, 1 to 1000.
    #[deserr(default)]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    limit: Limit,
    /// Where the page starts, from the `Link` of the one before.
    #[deserr(default)]
    cursor: Option<String>,
}

/// What happened to a request, in the order in which it happened.
#[utoipa::path(tag = "Requests",
    params(("id" = RequestId, Path, description = "The request"), PartsQuery),
    responses((status = 200, body = [Activity])))]
#[get("/requests/{id}/activity")]
async fn activity(
    context: Context<Requester>,
    request: HttpRequest,
    Path(id): Path<RequestId>,
    Query(query): Query<PartsQuery>,
) -> ApiResult<HttpResponse> {
    let listing = Listing::new(&request, &context.who);
    let after = listing.start(query.cursor.as_deref())?;
    let (mut conn, limit) = (context.db().await?, query.limit);
    let page = db::requests::activity(&mut conn, &context.who, id, after, limit).await;
    Ok(listing.answer(&page.map_err(missing)?))
}

/// All comments on a request, oldest first.
#[utoipa::path(tag = "Requests",
    params(("id" = RequestId, Path, description = "The request"), PartsQuery),
    responses((status = 200, body = [CommentView])))]
#[get("/requests/{id}/comments")]
async fn comments(
    context: Context<Requester>,
    request: HttpRequest,
    Path(id): Path<RequestId>,
    Query(query): Query<PartsQuery>,
) -> ApiResult<HttpResponse> {
    let listing = Listing::new(&request, &context.who);
    let after = listing.start(query.cursor.as_deref())?;
    let (mut conn, limit) = (context.db().await?, query.limit);
    let page = db::requests::comments(&mut conn, &context.who, id, after, limit).await;
    let page = page.map_err(missing)?;
    let rows: Vec<_> = page.rows.into_iter().map(CommentView::from).collect();
    Ok(listing.answer_with(page.next.as_ref(), &rows))
}
