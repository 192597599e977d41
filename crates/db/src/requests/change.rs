//! Moving requests on, and commenting on them. Each change locks the request's row first; what it
//! says, what happened and what was commented are one transaction.

use diesel::prelude::*;
use diesel_async::{AsyncConnection as _, RunQueryDsl};
use domain::{
    auth::Viewer,
    requests::{
        CommentId, CommentText, EstimatedHours, Means, RequestAction, RequestId, RequestStatus,
        Transition, allowed, permits,
    },
    revision::Expected,
    users::{PersonName, Role, UserId},
};
use serde_json::{Value, json};

use super::{
    Comment, Commented, Request, SHOWN, comments_of,
    create::{name_of, record},
};
use crate::{
    Connection,
    schema::{request_comments, requests, users},
};

/// Why a request was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// There is none that the viewer may see.
    #[error("not found")]
    NotFound,
    /// It changed since the viewer read it.
    #[error("it changed in the meantime")]
    Stale,
    /// It may not be moved there by the viewer, or not by this act.
    #[error("no such step from {from} to {to}")]
    NotAllowed {
        /// Where it stands.
        from: RequestStatus,
        /// Where it was to go.
        to: RequestStatus,
        /// The steps that the viewer may make.
        allowed: Vec<Transition>,
    },
    /// Who was to do it is no active developer of the company.
    #[error("no active developer")]
    NoDeveloper,
    /// Postgres failed.
    #[error(transparent)]
    Database(diesel::result::Error),
}

impl From<diesel::result::Error> for ChangeError {
    fn from(cause: diesel::result::Error) -> Self {
        match cause {
            diesel::result::Error::NotFound => Self::NotFound,
            cause => Self::Database(cause),
        }
    }
}

/// Who is to do a request, and how long they will need.
#[derive(Debug, Clone, Copy)]
pub struct Assignment {
    /// The developer.
    pub engineer: UserId,
    /// Their hours.
    pub hours: EstimatedHours,
}

/// A request under lock, and who changes it.
struct Locked<'a> {
    request: Request,
    comment_bytes: i64,
    activity_count: i32,
    viewer: &'a Viewer,
    name: PersonName,
}

/// Locks a request that the viewer may see, as it was when they read it.
async fn lock<'a>(
    conn: &mut Connection,
    viewer: &'a Viewer,
    id: RequestId,
    expected: &Expected,
) -> Result<Locked<'a>, ChangeError> {
    let (request, comment_bytes, activity_count) = requests::table
        .find(id)
        .filter(requests::company_id.eq(viewer.company_id))
        .select((
            Request::as_select(),
            requests::comment_bytes,
            requests::activity_count,
        ))
        .for_no_key_update()
        .first::<(Request, i64, i32)>(conn)
        .await?;
    if !request.is_visible_to(viewer) {
        return Err(ChangeError::NotFound);
    }
    if !expected.accepts(request.updated_at) {
        return Err(ChangeError::Stale);
    }
    Ok(Locked {
        request,
        comment_bytes,
        activity_count,
        viewer,
        name: name_of(conn, viewer.user_id).await?,
    })
}

impl Locked<'_> {
    /// Whether the viewer may move it there by this act.
    fn must_permit(&self, to: RequestStatus, by: Means) -> Result<(), ChangeError> {
        let (from, standing) = (self.request.status, self.request.standing(self.viewer));
        if permits(from, to, by, standing) {
            return Ok(());
        }
        Err(ChangeError::NotAllowed {
            from,
            to,
            allowed: allowed(from, standing).collect(),
        })
    }

    async fn record(
        &mut self,
        conn: &mut Connection,
        action: RequestAction,
        details: Value,
    ) -> QueryResult<()> {
        self.activity_count += 1;
        let place = (self.request.id, self.activity_count, &self.name);
        record(conn, self.viewer, place, action, details).await?;
        Ok(())
    }

    async fn comment(
        &mut self,
        conn: &mut Connection,
        content: &CommentText,
    ) -> QueryResult<Comment> {
        self.request.comment_count += 1;
        self.comment_bytes += i64::try_from(content.as_str().len()).unwrap_or(i64::MAX);
        let comment: Comment = diesel::insert_into(request_comments::table)
            .values((
                request_comments::id.eq(CommentId::new()),
                request_comments::company_id.eq(self.viewer.company_id),
                request_comments::request_id.eq(self.request.id),
                request_comments::number.eq(self.request.comment_count),
                request_comments::author_id.eq(self.viewer.user_id),
                request_comments::author_name.eq(&self.name),
                request_comments::author_role.eq(self.viewer.role),
                request_comments::content.eq(content),
            ))
            .returning(Comment::as_returning())
            .get_result(conn)
            .await?;
        let details = json!({ "commentId": comment.id });
        self.record(conn, RequestAction::Commented, details).await?;
        Ok(comment)
    }

    /// Writes the row, as every change does.
    async fn save(self, conn: &mut Connection) -> QueryResult<Request> {
        let request = self.request;
        diesel::update(requests::table.find(request.id))
            .set((
                requests::status.eq(request.status),
                requests::assigned_to.eq(request.assigned_to),
                requests::assigned_to_name.eq(request.assigned_to_name),
                requests::estimated_hours.eq(request.estimated_hours),
                requests::comment_count.eq(request.comment_count),
                requests::comment_bytes.eq(self.comment_bytes),
                requests::activity_count.eq(self.activity_count),
            ))
            .returning(Request::as_returning())
            .get_result(conn)
            .await
    }

    async fn save_and_show(self, conn: &mut Connection) -> QueryResult<Commented> {
        let request = self.save(conn).await?;
        let comments = comments_of(conn, &[request.id], SHOWN).await?;
        Ok(Commented { request, comments })
    }
}

/// Sets the status of a request, with a comment if there is one.
pub async fn advance(
    conn: &mut Connection,
    viewer: &Viewer,
    id: RequestId,
    (to, comment): (RequestStatus, Option<&CommentText>),
    expected: &Expected,
) -> Result<Commented, ChangeError> {
    conn.transaction(async |conn| {
        let mut locked = lock(conn, viewer, id, expected).await?;
        locked.must_permit(to, Means::Status)?;
        if let Some(content) = comment {
            locked.comment(conn, content).await?;
        }
        let details = json!({ "from": locked.request.status, "status": to });
        locked.request.status = to;
        locked
            .record(conn, RequestAction::StatusChanged, details)
            .await?;
        Ok(locked.save_and_show(conn).await?)
    })
    .await
}

/// Gives a request to a developer, by which it comes to engineering review.
pub async fn assign(
    conn: &mut Connection,
    viewer: &Viewer,
    id: RequestId,
    (to, comment): (Assignment, Option<&CommentText>),
    expected: &Expected,
) -> Result<Commented, ChangeError> {
    let status = RequestStatus::EngineeringReview;
    conn.transaction(async |conn| {
        let mut locked = lock(conn, viewer, id, expected).await?;
        locked.must_permit(status, Means::Assignment)?;
        let name = developer(conn, viewer, to.engineer).await?;
        if let Some(content) = comment {
            locked.comment(conn, content).await?;
        }
        let details = json!({
            "from": locked.request.status, "status": status, "engineerId": to.engineer,
            "engineerName": name, "estimatedHours": to.hours.get(),
        });
        locked.request.status = status;
        locked.request.assigned_to = Some(to.engineer);
        locked.request.assigned_to_name = Some(name);
        locked.request.estimated_hours = Some(to.hours.get());
        locked
            .record(conn, RequestAction::Assigned, details)
            .await?;
        Ok(locked.save_and_show(conn).await?)
    })
    .await
}

/// The name of an active developer of the viewer's company.
async fn developer(
    conn: &mut Connection,
    viewer: &Viewer,
    id: UserId,
) -> Result<PersonName, ChangeError> {
    users::table
        .find(id)
        .filter(users::company_id.eq(viewer.company_id))
        .filter(users::role.eq(Role::Developer))
        .filter(users::is_active)
        .select(users::name)
        .first(conn)
        .await
        .optional()?
        .ok_or(ChangeError::NoDeveloper)
}

/// Comments on a request, whatever its status.
pub async fn comment(
    conn: &mut Connection,
    viewer: &Viewer,
    id: RequestId,
    content: &CommentText,
    expected: &Expected,
) -> Result<Comment, ChangeError> {
    conn.transaction(async |conn| {
        let mut locked = lock(conn, viewer, id, expected).await?;
        let comment = locked.comment(conn, content).await?;
        locked.save(conn).await?;
        Ok(comment)
    })
    .await
}
