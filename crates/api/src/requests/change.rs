//! Moving requests on and commenting on them. Any signed-in person may ask for it: whether the step
//! is theirs to take is decided under the lock of the request.

use actix_web::{HttpRequest, HttpResponse, http::header, patch, post};
use db::requests::{Assignment, ChangeError, Commented};
use deserr::Deserr;
use domain::{
    requests::{CommentText, EstimatedHours, Means, RequestId, RequestStatus, Transition},
    users::UserId,
};
use utoipa::ToSchema;

use super::view::{OneComment, OneRequest};
use crate::{
    context::{Context, Requester},
    error::{ApiError, ApiResult, Code, More, Problem},
    etag,
    extract::{Body, Faults, Path},
};

impl From<ChangeError> for ApiError {
    fn from(cause: ChangeError) -> Self {
        match cause {
            ChangeError::NotFound => Self::not_found("request"),
            ChangeError::Stale => Self::new(
                Code::Stale,
                "The request changed in the meantime. Read it again and repeat the change.",
            ),
            ChangeError::NotAllowed { from, to, allowed } => not_allowed(from, to, &allowed),
            ChangeError::NoDeveloper => Self::invalid(
                "engineerId",
                "must be an active developer of your company; see GET /api/users?role=developer",
            ),
            ChangeError::Database(cause) => cause.into(),
        }
    }
}

/// Says where the request may go instead.
fn not_allowed(from: RequestStatus, to: RequestStatus, steps: &[Transition]) -> ApiError {
    let name = |step: &Transition| match step.by {
        Means::Status => format!("{} (by its status)", step.to),
        Means::Assignment => format!("{} (by assigning a developer)", step.to),
    };
    let rest = if steps.is_empty() {
        "There is no step from there that you may take.".to_owned()
    } else {
        let names: Vec<_> = steps.iter().map(name).collect();
        format!("You may move it to {}.", names.join(" or "))
    };
    let detail = format!("The request is at {from} and cannot be moved to {to} so. {rest}");
    ApiError::new(Code::TransitionNotAllowed, detail).with(More {
        allowed_transitions: Some(steps.iter().map(|step| step.to).collect()),
        ..More::default()
    })
}

fn moved(commented: Commented) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(header::ETag(etag::of(commented.request.updated_at)))
        .json(OneRequest::from(commented))
}

/// Where a request is to be moved.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults)]
struct StatusBody {
    /// The status it is to have.
    status: RequestStatus,
    /// What you say about it, 1 to 2000 characters: kept together with the step, or neither is.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 2000)]
    #[deserr(default)]
    comment: Option<CommentText>,
}

/// Moves a request on. Of several who try at once one succeeds; a step that is not in the table, or
/// not yours, is refused with those you may take.
#[utoipa::path(tag = "Requests", params(("id" = RequestId, Path, description = "The request")),
    request_body = StatusBody, responses((status = 200, body = OneRequest),
        (status = 409, body = Problem, content_type = "application/problem+json",
            description = "No such step, or it is not yours to take: see `allowedTransitions`")))]
#[patch("/requests/{id}/status")]
pub async fn advance(
    context: Context<Requester>,
    request: HttpRequest,
    Path(id): Path<RequestId>,
    Body(body): Body<StatusBody>,
) -> ApiResult<HttpResponse> {
    let expected = etag::expected(&request)?;
    let step = (body.status, body.comment.as_ref());
    let mut conn = context.db().await?;
    let commented = db::requests::advance(&mut conn, &context.who, id, step, &expected).await?;
    Ok(moved(commented))
}

/// Who is to do a request.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, rename_all = camelCase)]
#[schema(rename_all = "camelCase")]
struct AssignBody {
    /// An active developer of your company.
    engineer_id: UserId,
    /// How long they will need, in hours.
    #[schema(value_type = i64, minimum = 1, maximum = 1000)]
    estimated_hours: EstimatedHours,
    /// What you say about it, 1 to 2000 characters.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 2000)]
    #[deserr(default)]
    comment: Option<CommentText>,
}

/// Assigns a request to a developer, by which it comes from resource allocation to engineering
/// review: the only way there.
#[utoipa::path(tag = "Requests", params(("id" = RequestId, Path, description = "The request")),
    request_body = AssignBody, responses((status = 200, body = OneRequest),
        (status = 409, body = Problem, content_type = "application/problem+json",
            description = "It is not to be assigned, or not by you: see `allowedTransitions`")))]
#[patch("/requests/{id}/assign")]
pub async fn assign(
    context: Context<Requester>,
    request: HttpRequest,
    Path(id): Path<RequestId>,
    Body(body): Body<AssignBody>,
) -> ApiResult<HttpResponse> {
    let expected = etag::expected(&request)?;
    let to = Assignment {
        engineer: body.engineer_id,
        hours: body.estimated_hours,
    };
    let step = (to, body.comment.as_ref());
    let mut conn = context.db().await?;
    let commented = db::requests::assign(&mut conn, &context.who, id, step, &expected).await?;
    Ok(moved(commented))
}

/// What is said about a request.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults)]
struct CommentBody {
    /// 1 to 2000 characters.
    #[schema(value_type = String, min_length = 1, max_length = 2000)]
    content: CommentText,
}

/// Comments on a request that you see, whatever its status.
#[utoipa::path(tag = "Requests", params(("id" = RequestId, Path, description = "The request")),
    request_body = CommentBody, responses((status = 201, body = OneComment)))]
#[post("/requests/{id}/comments")]
pub async fn say(
    context: Context<Requester>,
    request: HttpRequest,
    Path(id): Path<RequestId>,
    Body(body): Body<CommentBody>,
) -> ApiResult<HttpResponse> {
    let expected = etag::expected(&request)?;
    let (who, mut conn) = (&context.who, context.db().await?);
    let comment = db::requests::comment(&mut conn, who, id, &body.content, &expected).await?;
    Ok(HttpResponse::Created().json(OneComment::from(comment)))
}
