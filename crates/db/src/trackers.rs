//! Trackers that companies connected: their settings, what they are signed in to with (sealed), how far
//! they were read, and which webhooks came.

pub mod grants;
pub mod hooks;
pub mod secrets;
pub mod syncs;
pub mod work;
mod write;

use chrono::{DateTime, Utc};
use diesel::{dsl, prelude::*};
use diesel_async::RunQueryDsl;
use domain::{
    trackers::{AuthKind, TrackerId, TrackerKind, TrackerName, TrackerState},
    users::CompanyId,
};
use serde::Serialize;

use crate::{
    Connection,
    schema::{tracker_secrets, trackers},
};
pub use write::{ChangeError, NewTracker, Site, TrackerChanges, checked, create, delete, update};

/// A tracker as admins see it, without what it is signed in to with.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, utoipa::ToSchema)]
#[diesel(table_name = trackers)]
#[serde(rename_all = "camelCase")]
pub struct Tracker {
    /// Its id.
    pub id: TrackerId,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: TrackerKind,
    /// What it is called.
    #[schema(value_type = String)]
    pub name: TrackerName,
    /// Where people find it.
    pub base_url: String,
    /// How it is signed in to.
    pub auth_kind: AuthKind,
    /// The projects that are read; none are all.
    pub projects: Vec<String>,
    /// Whether it is read.
    pub state: TrackerState,
    /// As whom it is read.
    pub account_name: Option<String>,
    /// The address of that account.
    pub account_email: Option<String>,
    /// What the tracker says it is.
    pub product: Option<String>,
    /// The time zone of the account.
    pub time_zone: Option<String>,
    /// The field of acceptance criteria, if the tracker has one.
    pub criteria_field: Option<String>,
    /// When the connection was last found to work.
    pub checked_at: Option<DateTime<Utc>>,
    /// When it was last read, or tried to be.
    pub last_sync_at: Option<DateTime<Utc>>,
    /// When it was last read to the end.
    pub last_success_at: Option<DateTime<Utc>>,
    /// When it is read next.
    pub next_sync_at: DateTime<Utc>,
    /// Why it could not be read: a stable name.
    pub error_code: Option<String>,
    /// The same in a sentence.
    pub error_message: Option<String>,
    /// When it was connected.
    pub created_at: DateTime<Utc>,
    /// When any of this last changed.
    pub updated_at: DateTime<Utc>,
}

/// A tracker, and whether it can prove its webhooks.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrackerView {
    /// The rest of it.
    #[serde(flatten)]
    pub tracker: Tracker,
    /// Whether there is a secret by which its webhooks are known.
    pub has_webhook_secret: bool,
}

/// The trackers of a company that are not deleted.
#[dsl::auto_type(no_type_alias)]
fn living(company_id: CompanyId) -> _ {
    trackers::company_id
        .eq(company_id)
        .and(trackers::deleted_at.is_null())
}

#[dsl::auto_type(no_type_alias)]
fn proves_hooks() -> _ {
    dsl::exists(
        tracker_secrets::table
            .filter(tracker_secrets::tracker_id.eq(trackers::id))
            .filter(tracker_secrets::purpose.eq("hooks")),
    )
}

fn view((tracker, has_webhook_secret): (Tracker, bool)) -> TrackerView {
    TrackerView {
        tracker,
        has_webhook_secret,
    }
}

/// One tracker.
pub async fn find(
    conn: &mut Connection,
    company: CompanyId,
    id: TrackerId,
) -> QueryResult<TrackerView> {
    let row = trackers::table
        .filter(trackers::id.eq(id))
        .filter(living(company))
        .select((Tracker::as_select(), proves_hooks()))
        .first(conn)
        .await?;
    Ok(view(row))
}

/// The trackers of a company, newest first.
pub async fn list(conn: &mut Connection, company: CompanyId) -> QueryResult<Vec<TrackerView>> {
    let rows: Vec<(Tracker, bool)> = trackers::table
        .filter(living(company))
        .order(trackers::id.desc())
        .select((Tracker::as_select(), proves_hooks()))
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(view).collect())
}
