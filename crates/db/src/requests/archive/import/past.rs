//! The past of requests: comments, and what happened. It is held against what is here, and what is new
//! is added.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{requests::RequestId, users::UserId};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    super::{ArchivedActivity, ArchivedComment},
    ACTIVITY, COMMENTS,
};
use crate::{
    Connection,
    archive::{Import, Outcome, free_ids, now_at_most},
    requests::create::name_of,
    schema::{request_activity, request_comments, requests},
};

/// Rows written at once.
const BATCH: usize = 500;

/// Holds comments against those that are here.
pub(super) async fn compare_comments(
    conn: &mut Connection,
    import: &mut Import<'_>,
    id: RequestId,
    rows: &[(usize, ArchivedComment)],
) -> QueryResult<()> {
    for some in rows.chunks(BATCH) {
        let numbers: Vec<i32> = some.iter().map(|(_, row)| row.number).collect();
        let here: Vec<ArchivedComment> = request_comments::table
            .filter(request_comments::request_id.eq(id))
            .filter(request_comments::number.eq_any(numbers))
            .select(ArchivedComment::as_select())
            .load(conn)
            .await?;
        let here: HashMap<i32, ArchivedComment> =
            here.into_iter().map(|row| (row.number, row)).collect();
        for (place, row) in some {
            match here.get(&row.number) {
                None => {}
                Some(same)
                    if (&same.content, &same.author_name) == (&row.content, &row.author_name) =>
                {
                    let report = &mut import.report;
                    report.row(COMMENTS, *place, same.id.0, Outcome::Unchanged);
                }
                Some(_) => {
                    let message = "differs from the comment of this number here";
                    import.report.fault(COMMENTS, *place, message);
                }
            }
        }
    }
    Ok(())
}

/// Holds what happened against what is known here.
pub(super) async fn compare_activity(
    conn: &mut Connection,
    import: &mut Import<'_>,
    id: RequestId,
    rows: &[(usize, ArchivedActivity)],
) -> QueryResult<()> {
    for some in rows.chunks(BATCH) {
        let numbers: Vec<i32> = some.iter().map(|(_, row)| row.number).collect();
        let here: Vec<ArchivedActivity> = request_activity::table
            .filter(request_activity::request_id.eq(id))
            .filter(request_activity::number.eq_any(numbers))
            .select(ArchivedActivity::as_select())
            .load(conn)
            .await?;
        let here: HashMap<i32, ArchivedActivity> =
            here.into_iter().map(|row| (row.number, row)).collect();
        for (place, row) in some {
            match here.get(&row.number) {
                None => {}
                Some(same) if is_same_act(same, row, import.is_trusted()) => {
                    let report = &mut import.report;
                    report.row(ACTIVITY, *place, same.id.0, Outcome::Unchanged);
                }
                Some(_) => {
                    let message = "differs from what happened under this number here";
                    import.report.fault(ACTIVITY, *place, message);
                }
            }
        }
    }
    Ok(())
}

/// Whether the same happened. Whoever is not trusted stands for others in what they took in.
fn is_same_act(here: &ArchivedActivity, there: &ArchivedActivity, is_trusted: bool) -> bool {
    here.action == there.action
        && here.details["status"] == there.details["status"]
        && (!is_trusted || here.user_name == there.user_name)
}

/// Adds to the past of a request what follows on it.
pub(super) async fn add(
    conn: &mut Connection,
    import: &mut Import<'_>,
    id: RequestId,
    comments: Vec<(usize, ArchivedComment)>,
    activity: Vec<(usize, ArchivedActivity)>,
) -> QueryResult<()> {
    let wanted: Vec<Uuid> = comments.iter().map(|(_, row)| row.id.0).collect();
    let ids = free_ids(conn, import.viewer, "request_comments", &wanted).await?;
    let bytes: usize = comments
        .iter()
        .map(|(_, row)| row.content.as_str().len())
        .sum();
    let (said, happened) = (count(comments.len()), count(activity.len()));
    for some in comments.chunks(BATCH) {
        add_comments(conn, import, id, some, &ids).await?;
    }
    for some in activity.chunks(BATCH) {
        add_activity(conn, import, id, some, &ids).await?;
    }
    diesel::update(requests::table.find(id))
        .set((
            requests::comment_count.eq(requests::comment_count + said),
            requests::comment_bytes
                .eq(requests::comment_bytes + i64::try_from(bytes).unwrap_or(i64::MAX)),
            requests::activity_count.eq(requests::activity_count + happened),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

fn count(rows: usize) -> i32 {
    i32::try_from(rows).unwrap_or(i32::MAX)
}

async fn add_comments(
    conn: &mut Connection,
    import: &mut Import<'_>,
    id: RequestId,
    rows: &[(usize, ArchivedComment)],
    ids: &HashMap<Uuid, Uuid>,
) -> QueryResult<()> {
    let values: Vec<_> = rows
        .iter()
        .map(|(_, row)| {
            (
                request_comments::id.eq(ids[&row.id.0]),
                request_comments::company_id.eq(import.viewer.company_id),
                request_comments::request_id.eq(id),
                request_comments::number.eq(row.number),
                request_comments::author_id.eq(import.person(row.author_id)),
                request_comments::author_name.eq(&row.author_name),
                request_comments::author_role.eq(row.author_role),
                request_comments::content.eq(&row.content),
                request_comments::created_at.eq(now_at_most(row.created_at)),
            )
        })
        .collect();
    diesel::insert_into(request_comments::table)
        .values(values)
        .execute(conn)
        .await?;
    for (place, row) in rows {
        let id = ids[&row.id.0];
        import.report.row(COMMENTS, *place, id, Outcome::Created);
    }
    Ok(())
}

async fn add_activity(
    conn: &mut Connection,
    import: &mut Import<'_>,
    id: RequestId,
    rows: &[(usize, ArchivedActivity)],
    comments: &HashMap<Uuid, Uuid>,
) -> QueryResult<()> {
    let wanted: Vec<Uuid> = rows.iter().map(|(_, row)| row.id.0).collect();
    let ids = free_ids(conn, import.viewer, "request_activity", &wanted).await?;
    let own_name = name_of(conn, import.viewer.user_id).await?;
    let is_trusted = import.is_trusted();
    let values: Vec<_> = rows
        .iter()
        .map(|(_, row)| {
            (
                request_activity::id.eq(ids[&row.id.0]),
                request_activity::company_id.eq(import.viewer.company_id),
                request_activity::request_id.eq(id),
                request_activity::number.eq(row.number),
                request_activity::user_id.eq(import.person(row.user_id)),
                request_activity::user_name.eq(if is_trusted {
                    &row.user_name
                } else {
                    &own_name
                }),
                request_activity::action.eq(row.action),
                request_activity::details.eq(details(import, &row.details, comments)),
                request_activity::created_at.eq(now_at_most(row.created_at)),
            )
        })
        .collect();
    diesel::insert_into(request_activity::table)
        .values(values)
        .execute(conn)
        .await?;
    for (place, row) in rows {
        let id = ids[&row.id.0];
        import.report.row(ACTIVITY, *place, id, Outcome::Created);
    }
    Ok(())
}

/// Particulars with the ids that rows and people have here.
fn details(import: &Import<'_>, details: &Value, comments: &HashMap<Uuid, Uuid>) -> Value {
    let mut details = details.clone();
    let id = |member: &Value| member.as_str().and_then(|text| text.parse::<Uuid>().ok());
    if let Some(here) = id(&details["commentId"]).and_then(|id| comments.get(&id)) {
        details["commentId"] = json!(here);
    }
    let engineer = id(&details["engineerId"]).map(UserId);
    if let Some(here) = engineer.and_then(|id| import.known(id)) {
        details["engineerId"] = json!(here);
    }
    details
}
