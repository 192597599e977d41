//! Finding issues.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    auth::Viewer,
    page::{Limit, Page},
    prompts::PromptQuery,
    trackers::{AssigneeQuery, IssueId, IssueStatus, TrackerId},
};

use super::{Issue, Named, Row, living, people, weight};
use crate::{
    Connection,
    horizon::horizon,
    like,
    prompts::bounded::Filling,
    schema::{issues, trackers, users},
};

/// Which issues are listed.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// In this state.
    pub status: Option<IssueStatus>,
    /// On which these work.
    pub assignee: Option<AssigneeQuery>,
    /// Of this tracker.
    pub tracker: Option<TrackerId>,
    /// With this in key or title, whatever the case.
    pub text: Option<PromptQuery>,
    /// Changed here at or after this moment, those that are gone too; then the list is in the order of
    /// changes.
    pub updated_since: Option<DateTime<Utc>>,
    /// Before this one in the list.
    pub after: Option<(DateTime<Utc>, IssueId)>,
}

/// Lists issues: newest change first, or, with `updated_since`, in the order of their changes. Ends
/// early where issues are large.
pub async fn list(
    conn: &mut Connection,
    viewer: &Viewer,
    filter: &Filter,
    limit: Limit,
) -> QueryResult<Page<Issue, (DateTime<Utc>, IssueId)>> {
    // Finding and reading are of one moment.
    conn.build_transaction()
        .repeatable_read()
        .read_only()
        .run(async |conn| {
            let found = found(conn, viewer, filter, limit).await?;
            let mut page = Filling::of(found, limit);
            loop {
                let ids = page.part();
                if ids.is_empty() {
                    return Ok(page.page(|row: &Issue| (row.updated_at, row.id)));
                }
                page.take(read(conn, viewer, &ids).await?);
            }
        })
        .await
}

async fn found(
    conn: &mut Connection,
    viewer: &Viewer,
    filter: &Filter,
    limit: Limit,
) -> QueryResult<Vec<(IssueId, i64)>> {
    let mut query = issues::table
        .inner_join(trackers::table)
        .filter(living(viewer.company_id))
        .select((issues::id, weight()))
        .limit(limit.rows() + 1)
        .into_boxed();
    if let Some(status) = filter.status {
        query = query.filter(issues::status.eq(status));
    }
    if let Some(tracker) = filter.tracker {
        query = query.filter(issues::tracker_id.eq(tracker));
    }
    let user = match filter.assignee {
        Some(AssigneeQuery::Me) => Some(viewer.user_id),
        Some(AssigneeQuery::User(id)) => Some(id),
        Some(AssigneeQuery::Nobody) => {
            query = query.filter(issues::assignee_name.is_null());
            None
        }
        None => None,
    };
    if let Some(id) = user {
        let email = users::table
            .filter(users::id.eq(id))
            .filter(users::company_id.eq(viewer.company_id))
            .select(users::email.nullable())
            .single_value();
        query = query.filter(issues::assignee_email.eq(email));
    }
    if let Some(text) = &filter.text {
        let pattern = like::containing(text.as_str());
        let named = issues::title.ilike(pattern.clone());
        query = query.filter(named.or(issues::ext_key.ilike(pattern)));
    }
    let (changed, id) = (issues::updated_at, issues::id);
    if let Some(since) = filter.updated_since {
        let horizon = horizon(conn).await?;
        query = query
            .filter(changed.ge(since))
            .filter(changed.lt(horizon))
            .order((changed, id));
        if let Some((at, last)) = filter.after {
            query = query.filter(changed.gt(at).or(changed.eq(at).and(id.gt(last))));
        }
    } else {
        query = query
            .filter(issues::gone_at.is_null())
            .order((changed.desc(), id.desc()));
        if let Some((at, last)) = filter.after {
            query = query
                .filter(changed.le(at))
                .filter(changed.lt(at).or(id.lt(last)));
        }
    }
    query.load(conn).await
}

/// These issues, in this order.
async fn read(conn: &mut Connection, viewer: &Viewer, ids: &[IssueId]) -> QueryResult<Vec<Issue>> {
    let mut rows: Vec<(Row, Named)> = issues::table
        .inner_join(trackers::table)
        .filter(issues::id.eq_any(ids))
        .select((Row::as_select(), (trackers::name, trackers::kind)))
        .load(conn)
        .await?;
    let place = |id: IssueId| ids.iter().position(|listed| *listed == id);
    rows.sort_by_key(|(row, _)| place(row.id));
    let people = people(conn, viewer.company_id, &rows).await?;
    let issues = rows.into_iter();
    Ok(issues
        .map(|(row, named)| Issue::of(row, named, &people))
        .collect())
}
