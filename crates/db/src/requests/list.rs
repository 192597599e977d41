//! Finding requests: those that a viewer sees, newest first or in the order of their changes. What a
//! developer sees are three lists, each with an index in its order; they are asked one by one and
//! merged, since one question for all three would have Postgres walk the whole company's.

use std::{cmp::Ordering, collections::HashMap};

use chrono::{DateTime, Utc};
use diesel::{BoxableExpression, dsl, expression::SqlLiteral, pg::Pg, prelude::*, sql_types};
use diesel_async::RunQueryDsl;
use domain::{
    auth::Viewer,
    page::{Limit, Page},
    prompts::{PromptQuery, grams},
    requests::{RequestId, RequestPriority, RequestStatus, Vendor},
    users::{Role, UserId},
};
use serde::{Deserialize, Serialize};

use super::{Comment, Commented, Request, SHOWN_IN_LISTS, comments_of};
use crate::{
    Connection,
    prepared::Prepare as _,
    schema::{request_searches, requests},
};

/// About the most bytes of texts on a page: the rest follows on the next.
const PAGE_BYTES: i64 = 16 * 1024 * 1024;

diesel::define_sql_function! {
    /// Where the second text stands in the first, from 1; 0 if it does not.
    fn strpos(text: sql_types::Text, wanted: sql_types::Text) -> sql_types::Integer;
}

/// Which requests are listed.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// With this in title, description or vendor, whatever the case.
    pub text: Option<PromptQuery>,
    /// That have come so far.
    pub status: Option<RequestStatus>,
    /// This urgent.
    pub priority: Option<RequestPriority>,
    /// Of this vendor.
    pub vendor: Option<Vendor>,
    /// Assigned to this developer.
    pub assigned_to: Option<UserId>,
    /// Made by this person.
    pub created_by: Option<UserId>,
    /// Changed at or after this moment; then the list is in the order of changes.
    pub updated_since: Option<DateTime<Utc>>,
    /// Behind this one in the list.
    pub after: Option<Place>,
}

/// Where a request stands in a list, in either order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Its number.
    pub number: i32,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Itself.
    pub id: RequestId,
}

impl Place {
    fn of(request: &Request) -> Self {
        Self {
            number: request.number,
            updated_at: request.updated_at,
            id: request.id,
        }
    }
}

/// A request that was found, and what it may weigh on a page.
#[derive(Clone, Copy, Queryable)]
struct Found {
    id: RequestId,
    number: i32,
    updated_at: DateTime<Utc>,
    weight: i64,
}

impl Filter {
    fn order(&self, one: &Found, other: &Found) -> Ordering {
        if self.updated_since.is_some() {
            (one.updated_at, one.id).cmp(&(other.updated_at, other.id))
        } else {
            other.number.cmp(&one.number)
        }
    }
}

/// Those a viewer sees, as lists that have an index each.
#[derive(Clone, Copy)]
enum Share {
    All,
    Made,
    Assigned,
    InReview,
}

impl Share {
    fn of(viewer: &Viewer) -> &'static [Self] {
        match viewer.role {
            Role::Requester => &[Self::Made],
            Role::Developer => &[Self::Assigned, Self::InReview, Self::Made],
            Role::Lead | Role::Admin => &[Self::All],
        }
    }
}

pub(super) type Condition =
    Box<dyn BoxableExpression<requests::table, Pg, SqlType = sql_types::Bool>>;

impl Share {
    fn condition(self, viewer: &Viewer) -> Condition {
        let company = requests::company_id.eq(viewer.company_id);
        let assigned = requests::assigned_to.assume_not_null();
        match self {
            Self::All => Box::new(company),
            Self::Made => Box::new(company.and(requests::created_by.eq(viewer.user_id))),
            Self::Assigned => Box::new(company.and(assigned.eq(viewer.user_id))),
            Self::InReview => {
                Box::new(company.and(requests::status.eq(RequestStatus::EngineeringReview)))
            }
        }
    }
}

/// All that a viewer sees, where order does not matter.
pub(super) fn visible_to(viewer: &Viewer) -> Condition {
    let shares = Share::of(viewer)
        .iter()
        .map(|share| share.condition(viewer));
    let either = |one: Condition, other| -> Condition { Box::new(one.or(other)) };
    shares
        .reduce(either)
        .unwrap_or_else(|| Box::new(false.into_sql::<sql_types::Bool>()))
}

/// Lists requests with their newest comments: newest first, or, when asked for changes, in the order
/// of the changes, up to the moment before which no commit can still appear.
pub async fn list(
    conn: &mut Connection,
    viewer: &Viewer,
    filter: &Filter,
    limit: Limit,
) -> QueryResult<Page<Commented, Place>> {
    // Finding and reading are of one moment.
    conn.build_transaction()
        .repeatable_read()
        .read_only()
        .run(async |conn| {
            let found = find(conn, viewer, filter, limit).await?;
            let (ids, more) = page_of(&found, limit);
            let rows = read(conn, &ids).await?;
            let last = rows.last().map(|row| Place::of(&row.request));
            Ok(Page {
                rows,
                next: last.filter(|_| more),
            })
        })
        .await
}

/// What stands in the list, and one more if more follow.
async fn find(
    conn: &mut Connection,
    viewer: &Viewer,
    filter: &Filter,
    limit: Limit,
) -> QueryResult<Vec<Found>> {
    let mut found = Vec::new();
    for share in Share::of(viewer) {
        let query = matching(share.condition(viewer), viewer, filter);
        let query = in_order(query, filter).limit(limit.rows() + 1);
        found.extend(query.prepared().load::<Found>(conn).await?);
    }
    found.sort_by(|one, other| filter.order(one, other));
    found.dedup_by_key(|row| row.id);
    found.truncate(usize::try_from(limit.rows() + 1).unwrap_or(usize::MAX));
    Ok(found)
}

/// As many as a page has room for, at least one; and whether more follow.
fn page_of(found: &[Found], limit: Limit) -> (Vec<RequestId>, bool) {
    let (mut ids, mut weight) = (Vec::new(), 0);
    for row in found {
        weight += row.weight;
        let is_full = i64::try_from(ids.len()).is_ok_and(|count| count >= limit.rows());
        if is_full || weight > PAGE_BYTES && !ids.is_empty() {
            return (ids, true);
        }
        ids.push(row.id);
    }
    (ids, false)
}

/// These requests with their newest comments, in this order.
async fn read(conn: &mut Connection, ids: &[RequestId]) -> QueryResult<Vec<Commented>> {
    let rows: Vec<Request> = requests::table
        .filter(requests::id.eq_any(ids))
        .select(Request::as_select())
        .load(conn)
        .await?;
    let mut rows: HashMap<_, _> = rows.into_iter().map(|row| (row.id, row)).collect();
    let mut comments: HashMap<RequestId, Vec<Comment>> = HashMap::new();
    for comment in comments_of(conn, ids, SHOWN_IN_LISTS).await? {
        comments
            .entry(comment.request_id)
            .or_default()
            .push(comment);
    }
    let in_order = ids.iter().filter_map(|id| rows.remove(id));
    let commented = in_order.map(|request| Commented {
        comments: comments.remove(&request.id).unwrap_or_default(),
        request,
    });
    Ok(commented.collect())
}

type Columns = (
    requests::id,
    requests::number,
    requests::updated_at,
    SqlLiteral<sql_types::BigInt>,
);

type Query<'a> = dsl::IntoBoxed<'a, dsl::Select<requests::table, Columns>, Pg>;

/// The rows of a share that a filter lets through.
fn matching<'a>(share: Condition, viewer: &Viewer, filter: &'a Filter) -> Query<'a> {
    // Lengths of texts are told without reading them. Of comments not all may be shown.
    let weight =
        dsl::sql("octet_length(description)::bigint + least(comment_bytes, 800000) + 1000");
    let mut query = requests::table
        .select((requests::id, requests::number, requests::updated_at, weight))
        .filter(share)
        .into_boxed();
    if let Some(status) = filter.status {
        query = query.filter(requests::status.eq(status));
    }
    if let Some(priority) = filter.priority {
        query = query.filter(requests::priority.eq(priority));
    }
    if let Some(vendor) = &filter.vendor {
        query = query.filter(requests::vendor.eq(vendor));
    }
    if let Some(developer) = filter.assigned_to {
        query = query.filter(requests::assigned_to.eq(developer));
    }
    if let Some(creator) = filter.created_by {
        query = query.filter(requests::created_by.eq(creator));
    }
    if let Some(text) = &filter.text {
        let folded = grams::fold(text.as_str());
        let containing = request_searches::table
            .filter(request_searches::grams.contains(grams::of_query(viewer.company_id, &folded)))
            .filter(strpos(request_searches::folded_text, folded).gt(0))
            .select(request_searches::request_id);
        query = query.filter(requests::id.eq_any(containing));
    }
    query
}

fn in_order<'a>(query: Query<'a>, filter: &Filter) -> Query<'a> {
    let (changed, id) = (requests::updated_at, requests::id);
    if let Some(since) = filter.updated_since {
        let horizon = dsl::sql::<sql_types::Timestamptz>("changes_horizon()");
        let query = query
            .filter(changed.ge(since))
            .filter(changed.lt(horizon))
            .order((changed, id));
        return match filter.after {
            // The first condition is the second one's shadow, for the index.
            Some(last) => query
                .filter(changed.ge(last.updated_at))
                .filter(changed.gt(last.updated_at).or(id.gt(last.id))),
            None => query,
        };
    }
    let query = query.order(requests::number.desc());
    match filter.after {
        Some(last) => query.filter(requests::number.lt(last.number)),
        None => query,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(weights: &[i64]) -> Vec<Found> {
        let row = |weight: &i64| Found {
            id: RequestId::new(),
            number: 1,
            updated_at: DateTime::UNIX_EPOCH,
            weight: *weight,
        };
        weights.iter().map(row).collect()
    }

    fn page(weights: &[i64], limit: i64) -> (usize, bool) {
        let (ids, more) = page_of(&found(weights), limit.try_into().expect("a limit"));
        (ids.len(), more)
    }

    #[test]
    fn a_page_ends_by_count_and_by_weight_but_never_empty() {
        assert_eq!(page(&[1, 1, 1], 2), (2, true));
        assert_eq!(page(&[1, 1], 2), (2, false));
        assert_eq!(page(&[PAGE_BYTES, 1, 1], 3), (1, true));
        assert_eq!(page(&[PAGE_BYTES + 1], 3), (1, false));
        assert_eq!(page(&[], 3), (0, false));
    }
}
