//! Requests on the move, with their comments and what happened to them. [`import`] takes them in.

mod import;

use deserr::Deserr;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    auth::Viewer,
    requests::{
        ActivityId, CommentId, CommentText, RequestAction, RequestDescription, RequestId,
        RequestPriority, RequestStatus, RequestTitle, Vendor,
    },
    users::{PersonName, Role, UserId},
};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Connection,
    archive::{At, Out, ROWS},
    schema::{request_activity, request_comments, requests},
};
pub use import::Imported;
pub(crate) use import::take_in;

/// A line of `requests.jsonl`.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Serialize, Deserr)]
#[diesel(table_name = requests)]
#[serde(rename_all = "camelCase")]
#[deserr(rename_all = camelCase)]
pub struct ArchivedRequest {
    /// Its id.
    pub id: RequestId,
    /// Its number, which it keeps where that is free; 0 for any.
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
    #[deserr(default)]
    pub assigned_to: Option<UserId>,
    /// What they were called when it was assigned.
    #[deserr(default)]
    pub assigned_to_name: Option<PersonName>,
    /// How long they will need, in hours.
    #[deserr(default)]
    pub estimated_hours: Option<i32>,
    /// When it was made.
    pub created_at: At,
    /// When it, its comments or its activity last changed.
    pub updated_at: At,
}

/// A line of `request_comments.jsonl`.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Serialize, Deserr)]
#[diesel(table_name = request_comments)]
#[serde(rename_all = "camelCase")]
#[deserr(rename_all = camelCase)]
pub struct ArchivedComment {
    /// Its id.
    pub id: CommentId,
    /// The request.
    pub request_id: RequestId,
    /// Its number within the request, from 1 without gaps.
    pub number: i32,
    /// Who wrote it.
    pub author_id: UserId,
    /// What they were called then.
    pub author_name: PersonName,
    /// What they were then.
    pub author_role: Role,
    /// What they say.
    pub content: CommentText,
    /// When they wrote it.
    pub created_at: At,
}

/// A line of `request_activity.jsonl`.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Serialize, Deserr)]
#[diesel(table_name = request_activity)]
#[serde(rename_all = "camelCase")]
#[deserr(rename_all = camelCase)]
pub struct ArchivedActivity {
    /// Its id.
    pub id: ActivityId,
    /// The request.
    pub request_id: RequestId,
    /// Its number within the request, from 1 without gaps.
    pub number: i32,
    /// Who did it.
    pub user_id: UserId,
    /// What they were called then.
    pub user_name: PersonName,
    /// What they did.
    pub action: RequestAction,
    /// Particulars, by action.
    pub details: Value,
    /// When.
    pub created_at: At,
}

/// Which of these requests the viewer sees.
pub(crate) async fn seen(
    conn: &mut Connection,
    viewer: &Viewer,
    ids: &[RequestId],
) -> QueryResult<Vec<RequestId>> {
    let found: Vec<super::Request> = requests::table
        .filter(requests::id.eq_any(ids))
        .filter(requests::company_id.eq(viewer.company_id))
        .select(super::Request::as_select())
        .load(conn)
        .await?;
    let seen = found.into_iter().filter(|row| row.is_visible_to(viewer));
    Ok(seen.map(|row| row.id).collect())
}

/// Sends the requests that the viewer sees.
pub(crate) async fn export(
    conn: &mut Connection,
    viewer: &Viewer,
    out: &mut Out,
) -> QueryResult<()> {
    let mut after = RequestId(Uuid::nil());
    loop {
        let page: Vec<ArchivedRequest> = requests::table
            .filter(requests::company_id.eq(viewer.company_id))
            .filter(requests::id.gt(after))
            .order(requests::id)
            .limit(ROWS)
            .select(ArchivedRequest::as_select())
            .load(conn)
            .await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = last.id;
        let ids: Vec<RequestId> = page.iter().map(|row| row.id).collect();
        let seen = seen(conn, viewer, &ids).await?;
        let page: Vec<ArchivedRequest> = page
            .into_iter()
            .filter(|row| seen.contains(&row.id))
            .collect();
        for row in &page {
            out.meet([row.created_by]);
            out.meet(row.assigned_to);
        }
        out.rows("requests.jsonl", &page).await?;
        send_comments(conn, &seen, out).await?;
        send_activity(conn, &seen, out).await?;
    }
}

async fn send_comments(conn: &mut Connection, of: &[RequestId], out: &mut Out) -> QueryResult<()> {
    let mut after = CommentId(Uuid::nil());
    loop {
        let page: Vec<ArchivedComment> = request_comments::table
            .filter(request_comments::request_id.eq_any(of))
            .filter(request_comments::id.gt(after))
            .order(request_comments::id)
            .limit(1000)
            .select(ArchivedComment::as_select())
            .load(conn)
            .await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = last.id;
        out.meet(page.iter().map(|row| row.author_id));
        out.rows("request_comments.jsonl", &page).await?;
    }
}

async fn send_activity(conn: &mut Connection, of: &[RequestId], out: &mut Out) -> QueryResult<()> {
    let mut after = ActivityId(Uuid::nil());
    loop {
        let page: Vec<ArchivedActivity> = request_activity::table
            .filter(request_activity::request_id.eq_any(of))
            .filter(request_activity::id.gt(after))
            .order(request_activity::id)
            .limit(1000)
            .select(ArchivedActivity::as_select())
            .load(conn)
            .await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = last.id;
        for row in &page {
            out.meet([row.user_id]);
            let engineer = row.details["engineerId"].as_str();
            out.meet(engineer.and_then(|id| id.parse().ok()));
        }
        out.rows("request_activity.jsonl", &page).await?;
    }
}
