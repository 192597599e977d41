//! Storing what trackers sent. Whoever calls these has locked the tracker in the same transaction, so
//! that two never store issues of one at once.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::{dsl, prelude::*, sql_types};
use diesel_async::RunQueryDsl;
use domain::{
    trackers::{Issue, IssueId, IssuePriority, IssueRef, Person, TrackerId},
    users::CompanyId,
};
use serde::Serialize;
use serde_json::Value;

use crate::{Connection, prepared::Prepare as _, schema::issues};

#[diesel::declare_sql_function]
extern "SQL" {
    /// The present time, also in the middle of a transaction.
    fn clock_timestamp() -> diesel::sql_types::Timestamptz;
}

/// What came of issues that were to be stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stored {
    /// Issues that are new or were changed.
    pub written: usize,
    /// Those that stood as they came, or newer.
    pub unchanged: usize,
}

/// An issue as `store.sql` reads it.
#[derive(Serialize)]
struct Sent<'a> {
    id: IssueId,
    external_id: &'a str,
    ext_key: &'a str,
    url: &'a str,
    title: &'a str,
    description: &'a str,
    status: &'static str,
    status_name: &'a str,
    priority: Option<&'static str>,
    priority_name: Option<&'a str>,
    labels: &'a [String],
    acceptance_criteria: Option<&'a str>,
    assignee_id: Option<&'a str>,
    assignee_name: Option<&'a str>,
    assignee_email: Option<String>,
    reporter_id: Option<&'a str>,
    reporter_name: Option<&'a str>,
    reporter_email: Option<String>,
    tracker_created_at: Option<DateTime<Utc>>,
    tracker_updated_at: DateTime<Utc>,
    payload: &'a Value,
}

impl<'a> From<&'a Issue> for Sent<'a> {
    fn from(issue: &'a Issue) -> Self {
        let (assignee, reporter) = (issue.assignee.as_ref(), issue.reporter.as_ref());
        Self {
            id: IssueId::new(),
            external_id: &issue.external_id,
            ext_key: &issue.ext_key,
            url: &issue.url,
            title: &issue.title,
            description: &issue.description,
            status: issue.status.as_str(),
            status_name: &issue.status_name,
            priority: issue.priority.as_ref().map(IssuePriority::as_str),
            priority_name: issue.priority_name.as_deref(),
            labels: &issue.labels,
            acceptance_criteria: issue.acceptance_criteria.as_deref(),
            assignee_id: assignee.map(|person| person.external_id.as_str()),
            assignee_name: assignee.map(|person| person.name.as_str()),
            assignee_email: assignee.and_then(address),
            reporter_id: reporter.map(|person| person.external_id.as_str()),
            reporter_name: reporter.map(|person| person.name.as_str()),
            reporter_email: reporter.and_then(address),
            tracker_created_at: issue.created_at,
            tracker_updated_at: issue.updated_at,
            payload: &issue.payload,
        }
    }
}

/// An address as addresses of users are written.
fn address(person: &Person) -> Option<String> {
    let email = person.email.as_deref()?.trim().to_lowercase();
    (!email.is_empty()).then_some(email)
}

/// Stores issues: each under its id in the tracker, and none over a newer state of it, or where it was
/// found to be gone after the tracker was asked.
pub async fn store(
    conn: &mut Connection,
    company: CompanyId,
    tracker: TrackerId,
    sent: &[Issue],
    asked_at: DateTime<Utc>,
) -> QueryResult<Stored> {
    // Of an issue that came twice the newest state counts, and of two under one key the newer issue.
    let mut newest: HashMap<&str, &Issue> = HashMap::new();
    for issue in sent {
        let kept = newest.entry(&issue.external_id).or_insert(issue);
        if kept.updated_at <= issue.updated_at {
            *kept = issue;
        }
    }
    let mut rows: Vec<&Issue> = newest.into_values().collect();
    rows.sort_by_key(|issue| (issue.updated_at, issue.external_id.clone()));
    let distinct = rows.len();
    let rows: Vec<Sent<'_>> = rows.into_iter().map(Sent::from).collect();
    let rows = serde_json::to_value(rows).unwrap_or_default();
    free_keys(conn, tracker, &rows, asked_at).await?;
    let written = diesel::sql_query(include_str!("store.sql"))
        .bind::<sql_types::Uuid, _>(tracker)
        .bind::<sql_types::Uuid, _>(company)
        .bind::<sql_types::Jsonb, _>(rows)
        .bind::<sql_types::Timestamptz, _>(asked_at)
        .prepared()
        .execute(conn)
        .await?;
    Ok(Stored {
        written,
        unchanged: distinct - written,
    })
}

/// Takes keys from issues that are called otherwise by now: keys change when issues move.
async fn free_keys(
    conn: &mut Connection,
    tracker: TrackerId,
    rows: &Value,
    asked_at: DateTime<Utc>,
) -> QueryResult<usize> {
    diesel::sql_query(include_str!("free_keys.sql"))
        .bind::<sql_types::Uuid, _>(tracker)
        .bind::<sql_types::Jsonb, _>(rows)
        .bind::<sql_types::Timestamptz, _>(asked_at)
        .prepared()
        .execute(conn)
        .await
}

/// Whether any issue of a tracker was ever stored.
pub async fn any(conn: &mut Connection, tracker: TrackerId) -> QueryResult<bool> {
    let stored = issues::table.filter(issues::tracker_id.eq(tracker));
    diesel::select(dsl::exists(stored)).get_result(conn).await
}

/// What is stored of an issue.
#[derive(Debug, Clone)]
pub struct Known {
    /// Its id, key and time. The key is empty if it was lost.
    pub issue: IssueRef,
    /// When it was last asked for because no page showed it.
    pub asked_at: Option<DateTime<Utc>>,
}

type KnownRow = (String, String, bool, DateTime<Utc>, Option<DateTime<Utc>>);

/// What is stored of a tracker and not gone, by id.
pub async fn known(
    conn: &mut Connection,
    tracker: TrackerId,
) -> QueryResult<HashMap<String, Known>> {
    let rows: Vec<KnownRow> = issues::table
        .filter(issues::tracker_id.eq(tracker))
        .filter(issues::gone_at.is_null())
        .select((
            issues::external_id,
            issues::ext_key,
            issues::key_lost,
            issues::tracker_updated_at,
            issues::asked_at,
        ))
        .load(conn)
        .await?;
    let known = |(external_id, ext_key, lost, at, asked_at): KnownRow| {
        let issue = IssueRef {
            external_id: external_id.clone(),
            ext_key: if lost { String::new() } else { ext_key },
            updated_at: Some(at),
        };
        (external_id, Known { issue, asked_at })
    };
    Ok(rows.into_iter().map(known).collect())
}

/// How many issues were asked for since a time because no page showed them, those that were gone too.
pub async fn asked_since(
    conn: &mut Connection,
    tracker: TrackerId,
    time: DateTime<Utc>,
) -> QueryResult<i64> {
    issues::table
        .filter(issues::tracker_id.eq(tracker))
        .filter(issues::asked_at.ge(time))
        .count()
        .get_result(conn)
        .await
}

/// Keeps that these were asked for because no page showed them.
pub async fn asked(
    conn: &mut Connection,
    tracker: TrackerId,
    ids: &[String],
) -> QueryResult<usize> {
    let asked = issues::table
        .filter(issues::tracker_id.eq(tracker))
        .filter(issues::external_id.eq_any(ids));
    diesel::update(asked)
        .set(issues::asked_at.eq(clock_timestamp().nullable()))
        .execute(conn)
        .await
}

/// Gives an issue another key, until it is read anew.
pub async fn move_key(
    conn: &mut Connection,
    tracker: TrackerId,
    moved: &IssueRef,
) -> QueryResult<usize> {
    let rows = serde_json::json!([{
        "external_id": moved.external_id,
        "ext_key": moved.ext_key,
        "tracker_updated_at": moved.updated_at,
    }]);
    free_keys(conn, tracker, &rows, Utc::now()).await?;
    let issue = issues::table
        .filter(issues::tracker_id.eq(tracker))
        .filter(issues::external_id.eq(&moved.external_id));
    diesel::update(issue)
        .set((
            issues::ext_key.eq(&moved.ext_key),
            issues::key_lost.eq(false),
        ))
        .execute(conn)
        .await
}

/// Marks an issue as gone; how many there were that were not.
pub async fn gone(
    conn: &mut Connection,
    tracker: TrackerId,
    external_id: &str,
) -> QueryResult<usize> {
    let issue = issues::table
        .filter(issues::tracker_id.eq(tracker))
        .filter(issues::external_id.eq(external_id))
        .filter(issues::gone_at.is_null());
    diesel::update(issue)
        .set(issues::gone_at.eq(clock_timestamp().nullable()))
        .execute(conn)
        .await
}
