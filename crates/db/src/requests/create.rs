//! Making requests: each with the next number of its company, what it is searched by, and its first
//! activity.

use diesel::prelude::*;
use diesel_async::{AsyncConnection as _, RunQueryDsl};
use domain::{
    auth::Viewer,
    prompts::grams,
    requests::{
        ActivityId, RequestAction, RequestDescription, RequestId, RequestPriority, RequestTitle,
        Vendor,
    },
    users::{PersonName, UserId},
};
use serde_json::{Value, json};

use super::{Commented, Request};
use crate::{
    Connection,
    schema::{request_activity, request_numbers, request_searches, requests, users},
};

/// A request to be made.
#[derive(Debug, Clone)]
pub struct NewRequest {
    /// What it is about.
    pub title: RequestTitle,
    /// What is asked for.
    pub description: RequestDescription,
    /// Whose product it concerns.
    pub vendor: Vendor,
    /// How urgent it is.
    pub priority: RequestPriority,
}

/// Makes a request of the viewer's.
pub async fn create(
    conn: &mut Connection,
    viewer: &Viewer,
    new: &NewRequest,
) -> QueryResult<Commented> {
    create_as(conn, viewer, RequestId::new(), new).await
}

/// The same with an id that is known before.
pub async fn create_as(
    conn: &mut Connection,
    viewer: &Viewer,
    id: RequestId,
    new: &NewRequest,
) -> QueryResult<Commented> {
    conn.transaction(async |conn| {
        let name = name_of(conn, viewer.user_id).await?;
        let number = next_number(conn, viewer).await?;
        let request = insert(conn, viewer, (id, number, &name), new).await?;
        keep_search(conn, viewer, id, new).await?;
        let details = json!({ "title": new.title });
        record(
            conn,
            viewer,
            (id, 1, &name),
            RequestAction::Created,
            details,
        )
        .await?;
        Ok(Commented {
            request,
            comments: Vec::new(),
        })
    })
    .await
}

/// What somebody is called.
pub(super) async fn name_of(conn: &mut Connection, id: UserId) -> QueryResult<PersonName> {
    users::table.find(id).select(users::name).first(conn).await
}

/// Takes the company's next number. Whoever comes next waits for the end of this transaction, so that
/// no number is lost if it fails.
async fn next_number(conn: &mut Connection, viewer: &Viewer) -> QueryResult<i32> {
    diesel::insert_into(request_numbers::table)
        .values((
            request_numbers::company_id.eq(viewer.company_id),
            request_numbers::last.eq(1),
        ))
        .on_conflict(request_numbers::company_id)
        .do_update()
        .set(request_numbers::last.eq(request_numbers::last + 1))
        .returning(request_numbers::last)
        .get_result(conn)
        .await
}

async fn insert(
    conn: &mut Connection,
    viewer: &Viewer,
    (id, number, name): (RequestId, i32, &PersonName),
    new: &NewRequest,
) -> QueryResult<Request> {
    diesel::insert_into(requests::table)
        .values((
            requests::id.eq(id),
            requests::company_id.eq(viewer.company_id),
            requests::number.eq(number),
            requests::title.eq(&new.title),
            requests::description.eq(&new.description),
            requests::vendor.eq(&new.vendor),
            requests::priority.eq(new.priority),
            requests::created_by.eq(viewer.user_id),
            requests::created_by_name.eq(name),
            requests::activity_count.eq(1),
        ))
        .returning(Request::as_returning())
        .get_result(conn)
        .await
}

/// Keeps what a request is searched by. It never changes, as its texts do not.
async fn keep_search(
    conn: &mut Connection,
    viewer: &Viewer,
    id: RequestId,
    new: &NewRequest,
) -> QueryResult<usize> {
    keep_texts(
        conn,
        viewer,
        id,
        (&new.title, &new.vendor, &new.description),
    )
    .await
}

/// The same of its texts.
pub(super) async fn keep_texts(
    conn: &mut Connection,
    viewer: &Viewer,
    id: RequestId,
    (title, vendor, description): (&RequestTitle, &Vendor, &RequestDescription),
) -> QueryResult<usize> {
    let (title, vendor) = (title.as_str(), vendor.as_str());
    let folded = grams::fold(&format!("{title}\n{vendor}\n{}", description.as_str()));
    diesel::insert_into(request_searches::table)
        .values((
            request_searches::request_id.eq(id),
            request_searches::company_id.eq(viewer.company_id),
            request_searches::grams.eq(grams::of_text(viewer.company_id, &folded)),
            request_searches::folded_text.eq(folded),
        ))
        .execute(conn)
        .await
}

/// Writes down what happened to a request, whose row is locked or new.
pub(super) async fn record(
    conn: &mut Connection,
    viewer: &Viewer,
    (id, number, name): (RequestId, i32, &PersonName),
    action: RequestAction,
    details: Value,
) -> QueryResult<usize> {
    diesel::insert_into(request_activity::table)
        .values((
            request_activity::id.eq(ActivityId::new()),
            request_activity::company_id.eq(viewer.company_id),
            request_activity::request_id.eq(id),
            request_activity::number.eq(number),
            request_activity::user_id.eq(viewer.user_id),
            request_activity::user_name.eq(name),
            request_activity::action.eq(action),
            request_activity::details.eq(details),
        ))
        .execute(conn)
        .await
}
