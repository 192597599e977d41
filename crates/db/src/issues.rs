//! Issues of trackers, as they are read by people. A company's issues are seen by its developers; those
//! of a deleted tracker by nobody.

mod list;
mod store;

use chrono::{DateTime, Utc};
use diesel::{dsl, prelude::*, sql_types};
use diesel_async::RunQueryDsl;
use domain::{
    auth::Viewer,
    trackers::{IssueId, IssuePriority, IssueStatus, TrackerId, TrackerKind, TrackerName},
    users::{CompanyId, UserId},
};
use serde::Serialize;
use serde_json::Value;

use crate::{
    Connection,
    schema::{issues, trackers, users},
};

pub use list::{Filter, list};
pub use store::{Known, Stored, any, asked, asked_since, gone, known, move_key, store};

/// Somebody an issue names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IssuePerson {
    /// What the tracker calls them.
    pub name: String,
    /// Their address, where the tracker tells it.
    pub email: Option<String>,
    /// The user of your company who has this address.
    pub user_id: Option<UserId>,
}

/// An issue, without what the tracker sent.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Issue {
    /// Its id.
    pub id: IssueId,
    /// From which tracker it comes.
    pub tracker_id: TrackerId,
    /// What that is called.
    #[schema(value_type = String)]
    pub tracker_name: TrackerName,
    /// What that is.
    pub tracker_kind: TrackerKind,
    /// What people call it, such as `DEMO-7`; it changes when the issue moves to another project.
    pub ext_key: String,
    /// Where people read it.
    pub url: String,
    /// Its title.
    pub title: String,
    /// Its description as Markdown.
    pub description: String,
    /// Where it stands.
    pub status: IssueStatus,
    /// What the tracker calls that.
    pub status_name: String,
    /// How urgent it is, if somebody said.
    pub priority: Option<IssuePriority>,
    /// What the tracker calls that.
    pub priority_name: Option<String>,
    /// Its labels.
    pub labels: Vec<String>,
    /// When it may be called done, as Markdown.
    pub acceptance_criteria: Option<String>,
    /// Who works on it.
    pub assignee: Option<IssuePerson>,
    /// Who reported it.
    pub reporter: Option<IssuePerson>,
    /// When it was made in the tracker.
    pub tracker_created_at: Option<DateTime<Utc>>,
    /// When it last changed in the tracker.
    pub tracker_updated_at: DateTime<Utc>,
    /// When the tracker said that it is gone, or no longer shown to the account that reads it.
    pub gone_at: Option<DateTime<Utc>>,
    /// When it was first read.
    pub created_at: DateTime<Utc>,
    /// When it last changed here.
    pub updated_at: DateTime<Utc>,
}

/// An issue with what the tracker sent.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IssueDetail {
    /// The rest of it.
    #[serde(flatten)]
    pub issue: Issue,
    /// What the tracker sent, as it came.
    #[schema(value_type = Object)]
    pub payload: Value,
    /// When anything of this last changed, people and tracker included.
    #[serde(skip)]
    pub revision: DateTime<Utc>,
}

/// The row of an issue, of which [`Issue`] is made.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = issues)]
struct Row {
    id: IssueId,
    tracker_id: TrackerId,
    ext_key: String,
    url: String,
    title: String,
    description: String,
    status: IssueStatus,
    status_name: String,
    priority: Option<IssuePriority>,
    priority_name: Option<String>,
    labels: Vec<String>,
    acceptance_criteria: Option<String>,
    assignee_name: Option<String>,
    assignee_email: Option<String>,
    reporter_name: Option<String>,
    reporter_email: Option<String>,
    tracker_created_at: Option<DateTime<Utc>>,
    tracker_updated_at: DateTime<Utc>,
    gone_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// What is shown of a tracker beside its issues.
type Named = (TrackerName, TrackerKind);

/// A user by whose address an issue may name them.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = users)]
struct Addressed {
    id: UserId,
    email: String,
    updated_at: DateTime<Utc>,
}

/// The users of a company among these addresses.
async fn people(
    conn: &mut Connection,
    company: CompanyId,
    rows: &[(Row, Named)],
) -> QueryResult<Vec<Addressed>> {
    let emails = rows
        .iter()
        .flat_map(|(row, _)| [&row.assignee_email, &row.reporter_email]);
    let mut emails: Vec<&str> = emails.filter_map(Option::as_deref).collect();
    emails.sort_unstable();
    emails.dedup();
    users::table
        .filter(users::company_id.eq(company))
        .filter(users::email.eq_any(emails))
        .select(Addressed::as_select())
        .load(conn)
        .await
}

fn person(
    name: Option<String>,
    email: Option<String>,
    people: &[Addressed],
) -> Option<IssuePerson> {
    let name = name?;
    let user = people
        .iter()
        .find(|user| Some(&user.email) == email.as_ref());
    Some(IssuePerson {
        name,
        user_id: user.map(|user| user.id),
        email,
    })
}

impl Issue {
    fn of(row: Row, (tracker_name, tracker_kind): Named, people: &[Addressed]) -> Self {
        Self {
            id: row.id,
            tracker_id: row.tracker_id,
            tracker_name,
            tracker_kind,
            ext_key: row.ext_key,
            url: row.url,
            title: row.title,
            description: row.description,
            status: row.status,
            status_name: row.status_name,
            priority: row.priority,
            priority_name: row.priority_name,
            labels: row.labels,
            acceptance_criteria: row.acceptance_criteria,
            assignee: person(row.assignee_name, row.assignee_email, people),
            reporter: person(row.reporter_name, row.reporter_email, people),
            tracker_created_at: row.tracker_created_at,
            tracker_updated_at: row.tracker_updated_at,
            gone_at: row.gone_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// The issues of a company whose tracker is not deleted.
#[dsl::auto_type(no_type_alias)]
fn living(company_id: CompanyId) -> _ {
    issues::company_id
        .eq(company_id)
        .and(trackers::deleted_at.is_null())
}

/// One issue, also if its tracker said that it is gone.
pub async fn find(conn: &mut Connection, viewer: &Viewer, id: IssueId) -> QueryResult<IssueDetail> {
    let (row, named, renamed_at, payload): (Row, Named, DateTime<Utc>, Value) = issues::table
        .inner_join(trackers::table)
        .filter(issues::id.eq(id))
        .filter(living(viewer.company_id))
        .select((
            Row::as_select(),
            (trackers::name, trackers::kind),
            trackers::updated_at,
            issues::payload,
        ))
        .first(conn)
        .await?;
    let rows = [(row, named)];
    let people = people(conn, viewer.company_id, &rows).await?;
    let [(row, named)] = rows;
    let revision = people.iter().map(|user| user.updated_at).max();
    Ok(IssueDetail {
        revision: row
            .updated_at
            .max(renamed_at)
            .max(revision.unwrap_or(row.updated_at)),
        issue: Issue::of(row, named, &people),
        payload,
    })
}

/// Whether a company has this issue, for those who write to something that is made of it.
pub async fn exists(conn: &mut Connection, company: CompanyId, id: IssueId) -> QueryResult<bool> {
    let issue = issues::table
        .inner_join(trackers::table)
        .filter(issues::id.eq(id))
        .filter(living(company));
    diesel::select(dsl::exists(issue)).get_result(conn).await
}

/// What an issue weighs as a row of a list.
fn weight() -> diesel::expression::SqlLiteral<sql_types::BigInt> {
    dsl::sql(
        "octet_length(issues.description)::bigint + coalesce(octet_length(issues.acceptance_criteria), 0) + 4000",
    )
}
