//! Requests as the API shows them.

use chrono::{DateTime, Utc};
use db::requests::{Activity, Comment, Commented, Request};
use domain::requests::RequestStatus;
use serde::Serialize;
use utoipa::ToSchema;

/// A request with its newest comments.
#[derive(Debug, Serialize, ToSchema)]
pub struct RequestView {
    #[serde(flatten)]
    request: Request,
    /// The newest, oldest of them first: a hundred in a list, a thousand of a single request.
    pub comments: Vec<CommentView>,
}

/// A comment on a request.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CommentView {
    #[serde(flatten)]
    comment: Comment,
    /// The same as `createdAt`.
    timestamp: DateTime<Utc>,
}

/// Requests in the order of the list.
#[derive(Debug, Serialize, ToSchema)]
pub struct RequestList {
    /// A page of them.
    pub requests: Vec<RequestView>,
}

/// A request by itself.
#[derive(Debug, Serialize, ToSchema)]
pub struct OneRequest {
    request: RequestView,
}

/// A comment by itself.
#[derive(Debug, Serialize, ToSchema)]
pub struct OneComment {
    comment: CommentView,
}

/// A request with all that is shown of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RequestDetail {
    /// The request.
    pub request: RequestView,
    /// Its comments once more.
    pub comments: Vec<CommentView>,
    /// The newest thousand that happened to it, in the order in which it happened.
    pub activity: Vec<Activity>,
    /// Where you may move it. To `Engineering Review` it comes by an assignment.
    pub allowed_transitions: Vec<RequestStatus>,
}

impl From<Comment> for CommentView {
    fn from(comment: Comment) -> Self {
        Self {
            timestamp: comment.created_at,
            comment,
        }
    }
}

impl From<Commented> for RequestView {
    fn from(Commented { request, comments }: Commented) -> Self {
        Self {
            request,
            comments: comments.into_iter().map(CommentView::from).collect(),
        }
    }
}

impl From<Commented> for OneRequest {
    fn from(commented: Commented) -> Self {
        Self {
            request: commented.into(),
        }
    }
}

impl From<Comment> for OneComment {
    fn from(comment: Comment) -> Self {
        Self {
            comment: comment.into(),
        }
    }
}
