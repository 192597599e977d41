//! Finding requests: those that a viewer sees, newest first or in the order of their changes. What a
//! developer sees are three lists, each with an index in its order; they are asked one by one and
//! merged, since one question for all three would have Postgres walk the whole company's.

use std::{
    cmp::Ordering,
    collections::{HashMap, HashSet},
};

use chrono::{DateTime, Utc};
use diesel::{BoxableExpression, dsl, pg::Pg, prelude::*, sql_types};
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
    horizon::horizon,
    prepared::Prepare as _,
    schema::{request_searches, requests},
};

/// About the most bytes of texts on a page: the rest follows on the next.
const PAGE_BYTES: i64 = 16 * 1024 * 1024;

/// The most bytes of the comments that a request shows in a list.
const MOST_COMMENTS: i64 = SHOWN_IN_LISTS as i64 * 8000;

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

/// A request that was found, and what its comments weigh.
#[derive(Queryable)]
struct Found {
    request: Request,
    comment_bytes: i64,
}

impl Found {
    /// What it may weigh on a page, where not all comments may be shown.
    fn weight(&self) -> i64 {
        let description = self.request.description.as_str().len();
        let description = i64::try_from(description).unwrap_or(i64::MAX);
        description
            .saturating_add(self.comment_bytes.min(MOST_COMMENTS))
            .saturating_add(1000)
    }
}

impl Filter {
    fn order(&self, one: &Request, other: &Request) -> Ordering {
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
    // One for all shares: what one of them shows is not behind what another leaves for later.
    let horizon = match filter.updated_since {
        Some(_) => Some(horizon(conn).await?),
        None => None,
    };
    let mut found = Vec::new();
    for share in Share::of(viewer) {
        let asked = Asked {
            share: *share,
            viewer,
            filter,
            horizon,
        };
        found.extend(asked.rows(conn, limit).await?);
        in_front(&mut found, filter, limit);
    }
    let end = end_of_page(&found, limit);
    let more = found.len() > end;
    found.truncate(end);
    let next = found.last().filter(|_| more);
    let next = next.map(|row| Place::of(&row.request));
    let rows = with_comments(conn, found).await?;
    Ok(Page { rows, next })
}

/// Brings what was found into the order of the list, and leaves what is on the page, with one more if
/// more follow.
fn in_front(found: &mut Vec<Found>, filter: &Filter, limit: Limit) {
    let mut seen = HashSet::new();
    found.retain(|row| seen.insert(row.request.id));
    found.sort_by(|one, other| filter.order(&one.request, &other.request));
    found.truncate(end_of_page(found, limit) + 1);
}

/// How many a page has room for, at least one.
fn end_of_page(found: &[Found], limit: Limit) -> usize {
    let most = usize::try_from(limit.rows()).unwrap_or(usize::MAX);
    let mut weight = 0;
    let fits = found.iter().take(most).take_while(|row| {
        weight += row.weight();
        weight <= PAGE_BYTES
    });
    fits.count().max(1).min(found.len())
}

/// These requests with their newest comments.
async fn with_comments(conn: &mut Connection, found: Vec<Found>) -> QueryResult<Vec<Commented>> {
    let ids: Vec<_> = found.iter().map(|row| row.request.id).collect();
    let mut comments: HashMap<RequestId, Vec<Comment>> = HashMap::new();
    for comment in comments_of(conn, &ids, SHOWN_IN_LISTS).await? {
        comments
            .entry(comment.request_id)
            .or_default()
            .push(comment);
    }
    let commented = found.into_iter().map(|row| Commented {
        comments: comments.remove(&row.request.id).unwrap_or_default(),
        request: row.request,
    });
    Ok(commented.collect())
}

type Columns = (dsl::AsSelect<Request, Pg>, requests::comment_bytes);

type Query<'a> = dsl::IntoBoxed<'a, dsl::Select<requests::table, Columns>, Pg>;

/// What is asked of one share.
#[derive(Clone, Copy)]
struct Asked<'a> {
    share: Share,
    viewer: &'a Viewer,
    filter: &'a Filter,
    horizon: Option<DateTime<Utc>>,
}

impl<'a> Asked<'a> {
    /// Its first rows, one more than a page has.
    async fn rows(self, conn: &mut Connection, limit: Limit) -> QueryResult<Vec<Found>> {
        let wanted = limit.rows() + 1;
        let Some(text) = &self.filter.text else {
            return self.query().limit(wanted).prepared().load(conn).await;
        };
        let folded = grams::fold(text.as_str());
        // One snapshot for what is found and what is shown: nothing changes in between.
        let mut found = conn.build_transaction().repeatable_read().read_only();
        let found: Option<Vec<Found>> = found
            .run(async |conn| match self.walk(conn, &folded, limit).await? {
                Some(ids) => {
                    let rows = requests::table.filter(requests::id.eq_any(ids));
                    let rows = rows.select((Request::as_select(), requests::comment_bytes));
                    rows.load(conn).await.map(Some)
                }
                None => Ok(None),
            })
            .await?;
        if let Some(found) = found {
            return Ok(found);
        }
        let containing = request_searches::table
            .filter(
                request_searches::grams.contains(grams::of_query(self.viewer.company_id, &folded)),
            )
            .filter(strpos(request_searches::folded_text, folded).gt(0))
            .select(request_searches::request_id);
        let query = self.query().filter(requests::id.eq_any(containing));
        query.limit(wanted).prepared().load(conn).await
    }

    /// Looks for a text along the first rows: those that have it, if they are enough or if there are
    /// no others. The index would have Postgres sort all that contain a common word.
    async fn walk(
        self,
        conn: &mut Connection,
        folded: &str,
        limit: Limit,
    ) -> QueryResult<Option<Vec<RequestId>>> {
        let most = (limit.rows() * 25).clamp(500, 5000);
        let query = self.query().select(requests::id).limit(most);
        let first: Vec<RequestId> = query.prepared().load(conn).await?;
        let hits: HashSet<RequestId> = request_searches::table
            .filter(request_searches::request_id.eq_any(&first))
            .filter(strpos(request_searches::folded_text, folded).gt(0))
            .select(request_searches::request_id)
            .load(conn)
            .await?
            .into_iter()
            .collect();
        let wanted = usize::try_from(limit.rows()).unwrap_or(usize::MAX);
        let is_end = i64::try_from(first.len()).is_ok_and(|count| count < most);
        if hits.len() <= wanted && !is_end {
            return Ok(None);
        }
        let found = first.into_iter().filter(|id| hits.contains(id));
        Ok(Some(found.take(wanted.saturating_add(1)).collect()))
    }

    /// The rows that the filter lets through, but for the text, in the order of the list.
    fn query(self) -> Query<'a> {
        let mut query = requests::table
            .select((Request::as_select(), requests::comment_bytes))
            .filter(self.share.condition(self.viewer))
            .into_boxed();
        let filter = self.filter;
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
        self.in_order(query)
    }

    fn in_order(self, query: Query<'a>) -> Query<'a> {
        let (changed, id) = (requests::updated_at, requests::id);
        let after = self.filter.after;
        if let (Some(since), Some(horizon)) = (self.filter.updated_since, self.horizon) {
            let query = query
                .filter(changed.ge(since))
                .filter(changed.lt(horizon))
                .order((changed, id));
            return match after {
                // The first condition is the second one's shadow, for the index.
                Some(last) => query
                    .filter(changed.ge(last.updated_at))
                    .filter(changed.gt(last.updated_at).or(id.gt(last.id))),
                None => query,
            };
        }
        let query = query.order(requests::number.desc());
        match after {
            Some(last) => query.filter(requests::number.lt(last.number)),
            None => query,
        }
    }
}

#[cfg(test)]
mod tests;
