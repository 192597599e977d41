//! Taking requests in. Their past is what an admin's file says; others may bring what they could make
//! themselves, requests that were just submitted, and these are theirs.
//!
//! A past only grows. Where a request is here already, one past must be the beginning of the other,
//! and the longer one stands.

mod past;

use diesel::{dsl::exists, prelude::*, select};
use diesel_async::RunQueryDsl;
use domain::requests::{RequestAction, RequestId, RequestStatus};

use super::{ArchivedActivity, ArchivedComment, ArchivedRequest};
use crate::{
    Connection,
    archive::{HIGHEST_NUMBER, Import, Outcome, derived, now_at_most},
    requests::create::{keep_texts, name_of},
    schema::{request_numbers, requests},
};
use past::{add, compare_activity, compare_comments};

const AREA: &str = "requests";
const COMMENTS: &str = "requestComments";
const ACTIVITY: &str = "requestActivity";

/// A request with what belongs to it.
#[derive(Debug, Clone)]
pub struct Imported {
    /// Its place in its file.
    pub index: usize,
    /// The request.
    pub row: ArchivedRequest,
    /// What was said of it, each with its place.
    pub comments: Vec<(usize, ArchivedComment)>,
    /// What happened to it, each with its place.
    pub activity: Vec<(usize, ArchivedActivity)>,
}

/// Takes a request in.
pub(crate) async fn take_in(
    conn: &mut Connection,
    import: &mut Import<'_>,
    mut imported: Imported,
) -> QueryResult<()> {
    imported.comments.sort_by_key(|(_, row)| row.number);
    imported.activity.sort_by_key(|(_, row)| row.number);
    if !check(import, &imported) {
        return Ok(());
    }
    let there = imported.row.id;
    let Some(found) = place(conn, import, &mut imported).await? else {
        return Ok(());
    };
    import.requests.hold(there.0, imported.row.id.0);
    match found {
        Some(found) => merge(conn, import, imported, found).await,
        None => create(conn, import, imported).await,
    }
}

/// Whether what belongs to a request is whole; if not, it is said.
fn check(import: &mut Import<'_>, imported: &Imported) -> bool {
    let faults = import.report.faults.len();
    let in_order = |numbers: Vec<(usize, i32)>| {
        let wrong = (1..).zip(numbers).find(|(due, (_, is))| due != is);
        wrong.map(|(_, (place, _))| place)
    };
    let comments = imported.comments.iter();
    let comments = in_order(comments.map(|(place, row)| (*place, row.number)).collect());
    let activity = imported.activity.iter();
    let activity = in_order(activity.map(|(place, row)| (*place, row.number)).collect());
    let message = "must have the next number of its request, from 1 without gaps";
    for (area, place) in [(COMMENTS, comments), (ACTIVITY, activity)] {
        if let Some(place) = place {
            import.report.fault(area, place, message);
        }
    }
    let created = imported.activity.iter().map(|(_, row)| row.action).next();
    if created != Some(RequestAction::Created) {
        let message = "must begin with its creation, in requestActivity";
        import.report.fault(AREA, imported.index, message);
    }
    if !(0..=HIGHEST_NUMBER).contains(&imported.row.number) {
        let message = format!("must have a number of at most {HIGHEST_NUMBER}");
        import.report.fault(AREA, imported.index, message);
    }
    let hours = imported.row.estimated_hours;
    if hours.is_some_and(|hours| !(1..=1000).contains(&hours)) {
        let message = "must have estimatedHours of 1 to 1000";
        import.report.fault(AREA, imported.index, message);
    }
    import.report.faults.len() == faults
}

/// A request that is here.
type Found = (ArchivedRequest, i32, i32);

/// The row under the id that it has here, which goes into `imported`; `None` if there is no place.
async fn place(
    conn: &mut Connection,
    import: &mut Import<'_>,
    imported: &mut Imported,
) -> QueryResult<Option<Option<Found>>> {
    for id in [
        imported.row.id,
        RequestId(derived(import.viewer, imported.row.id.0)),
    ] {
        let found: Option<Found> = requests::table
            .find(id)
            .select((
                ArchivedRequest::as_select(),
                requests::comment_count,
                requests::activity_count,
            ))
            .for_no_key_update()
            .first(conn)
            .await
            .optional()?;
        let is_seen = !super::seen(conn, import.viewer, &[id]).await?.is_empty();
        if found.is_none() || is_seen {
            imported.row.id = id;
            return Ok(Some(found));
        }
    }
    let message = "has an id that is taken";
    import.report.fault(AREA, imported.index, message);
    Ok(None)
}

async fn create(
    conn: &mut Connection,
    import: &mut Import<'_>,
    imported: Imported,
) -> QueryResult<()> {
    let row = &imported.row;
    let is_new = row.status == RequestStatus::Submitted
        && imported.comments.is_empty()
        && imported.activity.len() == 1;
    if !import.is_trusted() && !is_new {
        let message = "has a past, and only admins take in requests with a past";
        import.report.fault(AREA, imported.index, message);
        return Ok(());
    }
    let number = number(conn, import, row.number).await?;
    let name = if import.is_trusted() {
        row.created_by_name.clone()
    } else {
        name_of(conn, import.viewer.user_id).await?
    };
    let assignee = row.assigned_to.and_then(|id| import.known(id));
    let assignee_name = row.assigned_to_name.clone();
    diesel::insert_into(requests::table)
        .values((
            requests::id.eq(row.id),
            requests::company_id.eq(import.viewer.company_id),
            requests::number.eq(number),
            requests::title.eq(&row.title),
            requests::description.eq(&row.description),
            requests::vendor.eq(&row.vendor),
            requests::status.eq(row.status),
            requests::priority.eq(row.priority),
            requests::created_by.eq(import.person(row.created_by)),
            requests::created_by_name.eq(name),
            requests::assigned_to.eq(assignee),
            requests::assigned_to_name.eq(assignee_name.filter(|_| import.is_trusted())),
            requests::estimated_hours.eq(row.estimated_hours.filter(|_| import.is_trusted())),
            requests::created_at.eq(now_at_most(row.created_at)),
        ))
        .execute(conn)
        .await?;
    keep_texts(
        conn,
        import.viewer,
        row.id,
        (&row.title, &row.vendor, &row.description),
    )
    .await?;
    if let (Some(id), None) = (row.assigned_to, assignee) {
        import
            .report
            .drop_reference(AREA, imported.index, "assignedTo", id.0);
    }
    let id = row.id;
    import
        .report
        .row(AREA, imported.index, id.0, Outcome::Created);
    add(conn, import, id, imported.comments, imported.activity).await
}

/// The number that a request gets: its own where that is free, else the company's next.
async fn number(conn: &mut Connection, import: &Import<'_>, wanted: i32) -> QueryResult<i32> {
    let company = import.viewer.company_id;
    let last: i32 = diesel::insert_into(request_numbers::table)
        .values((
            request_numbers::company_id.eq(company),
            request_numbers::last.eq(0),
        ))
        .on_conflict(request_numbers::company_id)
        .do_update()
        .set(request_numbers::last.eq(request_numbers::last))
        .returning(request_numbers::last)
        .get_result(conn)
        .await?;
    let same = requests::table
        .filter(requests::company_id.eq(company))
        .filter(requests::number.eq(wanted));
    let is_taken: bool = select(exists(same)).get_result(conn).await?;
    let is_own = import.is_trusted() && wanted > 0 && !is_taken;
    let number = if is_own { wanted } else { last + 1 };
    diesel::update(request_numbers::table.find(company))
        .set(request_numbers::last.eq(last.max(number)))
        .execute(conn)
        .await?;
    Ok(number)
}

/// Compares two pasts, and adds what the one here lacks.
async fn merge(
    conn: &mut Connection,
    import: &mut Import<'_>,
    mut imported: Imported,
    (found, comment_count, activity_count): Found,
) -> QueryResult<()> {
    let (index, id) = (imported.index, imported.row.id);
    let faults = import.report.faults.len();
    compare_comments(conn, import, id, &imported.comments).await?;
    compare_activity(conn, import, id, &imported.activity).await?;
    let length = |count: i32| usize::try_from(count).unwrap_or_default();
    let comments = imported
        .comments
        .split_off(length(comment_count).min(imported.comments.len()));
    let activity = imported
        .activity
        .split_off(length(activity_count).min(imported.activity.len()));
    let is_same = is_as_imported(&found, &imported.row);
    let is_longer = !comments.is_empty() || !activity.is_empty();
    let went_on = imported.activity.len() < length(activity_count);
    if import.report.faults.len() > faults {
        return Ok(());
    }
    if !is_longer && (is_same || went_on) {
        import.report.row(AREA, index, id.0, Outcome::Unchanged);
        return Ok(());
    }
    if !is_longer || went_on || !texts_are_same(&found, &imported.row) {
        let message = "differs from the request here, whose past is another";
        import.report.fault(AREA, index, message);
        return Ok(());
    }
    if !import.is_trusted() {
        let message = "has a past, and only admins take in requests with a past";
        import.report.fault(AREA, index, message);
        return Ok(());
    }
    advance(conn, import, &imported.row).await?;
    import.report.row(AREA, index, id.0, Outcome::Updated);
    add(conn, import, id, comments, activity).await
}

/// Whether two rows are the same in what may change; who does it is known by another id here.
fn is_as_imported(here: &ArchivedRequest, there: &ArchivedRequest) -> bool {
    here.status == there.status
        && here.priority == there.priority
        && here.estimated_hours == there.estimated_hours
        && texts_are_same(here, there)
}

fn texts_are_same(here: &ArchivedRequest, there: &ArchivedRequest) -> bool {
    here.title == there.title
        && here.description == there.description
        && here.vendor == there.vendor
}

/// Moves a request that is here to where the import has it.
async fn advance(
    conn: &mut Connection,
    import: &Import<'_>,
    row: &ArchivedRequest,
) -> QueryResult<()> {
    diesel::update(requests::table.find(row.id))
        .set((
            requests::status.eq(row.status),
            requests::priority.eq(row.priority),
            requests::assigned_to.eq(row.assigned_to.and_then(|id| import.known(id))),
            requests::assigned_to_name.eq(&row.assigned_to_name),
            requests::estimated_hours.eq(row.estimated_hours),
        ))
        .execute(conn)
        .await?;
    Ok(())
}
