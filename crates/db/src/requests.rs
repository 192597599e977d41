//! Requests: reading one and what belongs to it. Finding them is in [`list`], making and moving them
//! in [`change`], counting them in [`stats`].
//!
//! Who sees one: its creator, whoever it is assigned to, every developer while it is in engineering
//! review, and leads and admins. Names are kept as they were, so that a revision never changes unseen.

pub mod archive;
mod change;
mod create;
mod list;
mod stats;

use chrono::{DateTime, Utc};
use diesel::{prelude::*, sql_types};
use diesel_async::RunQueryDsl;
use domain::{
    auth::Viewer,
    page::{Limit, Page},
    requests::{
        ActivityId, CommentId, CommentText, RequestAction, RequestDescription, RequestId,
        RequestPriority, RequestStatus, RequestTitle, Standing, Vendor,
    },
    users::{CompanyId, PersonName, Role, UserId},
};
use serde::Serialize;
use serde_json::Value;

use crate::{
    Connection,
    prepared::Prepare as _,
    schema::{request_activity, request_comments, requests},
};
pub use change::{Assignment, ChangeError, advance, assign, comment};
pub use create::{NewRequest, create, create_as};
pub use list::{Filter, Place, list};
pub use stats::{Stats, StatusCount, VendorCount, stats};

/// The newest comments that a request shows in a list.
const SHOWN_IN_LISTS: i32 = 100;

/// The newest comments and the newest activity that a request shows by itself.
const SHOWN: i32 = 1000;

/// A request.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, utoipa::ToSchema)]
#[diesel(table_name = requests)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// Its id.
    pub id: RequestId,
    /// Its number within the company, from 1.
    pub number: i32,
    /// What it is about.
    pub title: RequestTitle,
    /// What is asked for.
    pub description: RequestDescription,
    /// Whose product it concerns.
    pub vendor: Vendor,
    /// How far it has come.
    pub status: RequestStatus,
    /// How urgent it is.
    pub priority: RequestPriority,
    /// Who made it.
    pub created_by: UserId,
    /// What they were called then.
    pub created_by_name: PersonName,
    /// The developer it is assigned to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assigned_to: Option<UserId>,
    /// What they were called when it was assigned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assigned_to_name: Option<PersonName>,
    /// How long they will need, in hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimated_hours: Option<i32>,
    /// How many comments there are, shown or not.
    pub comment_count: i32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it, its comments or its activity last changed.
    pub updated_at: DateTime<Utc>,
}

impl Request {
    /// What somebody is to it.
    pub fn standing(&self, viewer: &Viewer) -> Standing {
        Standing {
            role: viewer.role,
            is_creator: self.created_by == viewer.user_id,
            is_assignee: self.assigned_to == Some(viewer.user_id),
        }
    }

    fn is_visible_to(&self, viewer: &Viewer) -> bool {
        let standing = self.standing(viewer);
        viewer.role >= Role::Lead
            || standing.is_creator
            || viewer.role == Role::Developer
                && (standing.is_assignee || self.status == RequestStatus::EngineeringReview)
    }
}

/// A comment on a request.
#[derive(Debug, Clone, Queryable, Selectable, QueryableByName, Serialize, utoipa::ToSchema)]
#[diesel(table_name = request_comments)]
#[serde(rename_all = "camelCase")]
pub struct Comment {
    /// Its id.
    pub id: CommentId,
    /// Its number within the request, from 1.
    pub number: i32,
    /// The request.
    #[serde(skip)]
    pub request_id: RequestId,
    /// Who wrote it.
    pub author_id: UserId,
    /// What they were called then.
    pub author_name: PersonName,
    /// What they were then.
    pub author_role: Role,
    /// What they say.
    pub content: CommentText,
    /// When they wrote it.
    pub created_at: DateTime<Utc>,
}

/// Something that happened to a request.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, utoipa::ToSchema)]
#[diesel(table_name = request_activity)]
#[serde(rename_all = "camelCase")]
pub struct Activity {
    /// Its id.
    pub id: ActivityId,
    /// Its number within the request, from 1 without gaps.
    pub number: i32,
    /// Who did it.
    pub user_id: UserId,
    /// What they were called then.
    pub user_name: PersonName,
    /// What they did.
    pub action: RequestAction,
    /// By action: `{title}`; `{from, status}`; `{from, status, engineerId, engineerName,
    /// estimatedHours}`; `{commentId}`.
    #[schema(value_type = Object)]
    pub details: Value,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// A request with its newest comments, oldest of them first.
#[derive(Debug, Clone)]
pub struct Commented {
    /// The request.
    pub request: Request,
    /// Its comments.
    pub comments: Vec<Comment>,
}

/// A request with all that is shown of it.
#[derive(Debug, Clone)]
pub struct Detail {
    /// The request with its comments.
    pub commented: Commented,
    /// The newest that happened to it, in the order in which it happened.
    pub activity: Vec<Activity>,
}

/// A request that the viewer may see.
pub async fn find(conn: &mut Connection, viewer: &Viewer, id: RequestId) -> QueryResult<Request> {
    let found = of_company(conn, viewer.company_id, id).await?;
    found
        .filter(|request| request.is_visible_to(viewer))
        .ok_or(diesel::result::Error::NotFound)
}

async fn of_company(
    conn: &mut Connection,
    company_id: CompanyId,
    id: RequestId,
) -> QueryResult<Option<Request>> {
    requests::table
        .find(id)
        .filter(requests::company_id.eq(company_id))
        .select(Request::as_select())
        .first(conn)
        .await
        .optional()
}

/// A request that the viewer may see, with its comments and what happened to it, all of one moment.
pub async fn detail(conn: &mut Connection, viewer: &Viewer, id: RequestId) -> QueryResult<Detail> {
    conn.build_transaction()
        .repeatable_read()
        .read_only()
        .run(async |conn| {
            let request = find(conn, viewer, id).await?;
            let comments = comments_of(conn, &[id], SHOWN).await?;
            let mut activity: Vec<Activity> = request_activity::table
                .filter(request_activity::request_id.eq(id))
                .order(request_activity::number.desc())
                .limit(i64::from(SHOWN))
                .select(Activity::as_select())
                .load(conn)
                .await?;
            activity.reverse();
            Ok(Detail {
                commented: Commented { request, comments },
                activity,
            })
        })
        .await
}

/// The newest comments of these requests, so many of each; of each request the oldest first.
async fn comments_of(
    conn: &mut Connection,
    ids: &[RequestId],
    most: i32,
) -> QueryResult<Vec<Comment>> {
    diesel::sql_query(include_str!("requests/comments.sql"))
        .bind::<sql_types::Array<sql_types::Uuid>, _>(ids)
        .bind::<sql_types::Integer, _>(most)
        .prepared()
        .load(conn)
        .await
}

/// What happened to a request that the viewer may see, in the order in which it happened.
pub async fn activity(
    conn: &mut Connection,
    viewer: &Viewer,
    id: RequestId,
    after: Option<i32>,
    limit: Limit,
) -> QueryResult<Page<Activity, i32>> {
    find(conn, viewer, id).await?;
    let rows = request_activity::table
        .filter(request_activity::request_id.eq(id))
        .filter(request_activity::number.gt(after.unwrap_or(0)))
        .order(request_activity::number)
        .limit(limit.rows() + 1)
        .select(Activity::as_select())
        .load(conn)
        .await?;
    Ok(Page::from_surplus(rows, limit, |row: &Activity| row.number))
}

/// The comments on a request that the viewer may see, oldest first.
pub async fn comments(
    conn: &mut Connection,
    viewer: &Viewer,
    id: RequestId,
    after: Option<i32>,
    limit: Limit,
) -> QueryResult<Page<Comment, i32>> {
    find(conn, viewer, id).await?;
    let rows = request_comments::table
        .filter(request_comments::request_id.eq(id))
        .filter(request_comments::number.gt(after.unwrap_or(0)))
        .order(request_comments::number)
        .limit(limit.rows() + 1)
        .select(Comment::as_select())
        .load(conn)
        .await?;
    Ok(Page::from_surplus(rows, limit, |row: &Comment| row.number))
}
