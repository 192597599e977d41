//! Questions as the wire has them: queries.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

/// Tasks on a page.
const PAGE: u32 = 100;

/// Tasks on a page of which little is wanted; there are none larger.
const REFS: u32 = 500;

/// A query.
pub(super) type Query = Vec<(&'static str, String)>;

/// The tasks that changed at or after a time, oldest change first. Finished ones are asked for by name:
/// without that they vanish.
pub(super) fn changed_since(projects: &[u64], since: Option<DateTime<Utc>>, page: u32) -> Query {
    let mut query = included();
    query.extend(all(projects, page, PAGE, "updatedat"));
    if let Some(since) = since {
        // Whether the moment itself is after itself is not said.
        let since = since - TimeDelta::seconds(1);
        let since = since.to_rfc3339_opts(SecondsFormat::Secs, true);
        query.push(("updatedAfter", since));
    }
    query
}

/// All tasks, oldest first, so that new ones come last.
pub(super) fn everything(projects: &[u64], page: u32) -> Query {
    all(projects, page, REFS, "createdat")
}

/// What tasks only name by their ids.
pub(super) fn included() -> Query {
    vec![("include", "projects,tasklists,users,tags".into())]
}

fn all(projects: &[u64], page: u32, size: u32, order: &str) -> Query {
    let mut query = vec![
        ("page", page.to_string()),
        ("pageSize", size.to_string()),
        ("includeCompletedTasks", "true".into()),
        ("showCompletedLists", "true".into()),
        ("skipCounts", "true".into()),
        ("orderBy", order.into()),
        ("orderMode", "asc".into()),
    ];
    if !projects.is_empty() {
        let ids = projects.iter().map(u64::to_string);
        query.push(("projectIds", ids.collect::<Vec<_>>().join(",")));
    }
    query
}
