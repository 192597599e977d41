//! Webhooks that came. A delivery is taken once; what it says is fetched by a job.

use diesel::{dsl, prelude::*, sql_types};
use diesel_async::{AsyncConnection, RunQueryDsl};
use domain::{
    jobs::JobKind,
    trackers::{
        AuthKind, SyncKind, TrackerId, TrackerKind, TrackerState, hooks::Notice, jobs::FetchIssue,
    },
    users::CompanyId,
};

use super::syncs;
use crate::{
    Connection,
    jobs::{NewJob, enqueue},
    schema::{jobs, tracker_deliveries, trackers},
};

/// What has to be known of a tracker whose webhook came.
#[derive(Debug, Clone, Queryable)]
pub struct Hooked {
    /// Which.
    pub id: TrackerId,
    /// Whose.
    pub company_id: CompanyId,
    /// What it is.
    pub kind: TrackerKind,
    /// Whether it is read.
    pub state: TrackerState,
    /// The projects that are read.
    pub projects: Vec<String>,
    /// Whether it was granted to the OAuth app.
    pub is_granted: bool,
}

/// A tracker that is not deleted, whoever asks: a webhook names it, and has to prove itself.
pub async fn find(conn: &mut Connection, id: TrackerId) -> QueryResult<Option<Hooked>> {
    trackers::table
        .find(id)
        .filter(trackers::deleted_at.is_null())
        .select((
            trackers::id,
            trackers::company_id,
            trackers::kind,
            trackers::state,
            trackers::projects,
            trackers::auth_kind.eq(AuthKind::Grant),
        ))
        .first(conn)
        .await
        .optional()
}

/// Takes a delivery: has the issue fetched that it names. `false` if it was taken before. Where a task
/// does not say of which project it is, and only some are read, what changed is read instead.
pub async fn take(
    conn: &mut Connection,
    hooked: &Hooked,
    notice: &Notice,
    request_id: Option<String>,
) -> QueryResult<bool> {
    conn.transaction(async |conn| {
        if !is_first(conn, hooked.id, notice).await? {
            return Ok(false);
        }
        if hooked.state != TrackerState::Active {
            return Ok(true);
        }
        if hooked.kind == TrackerKind::Teamwork && !hooked.projects.is_empty() {
            syncs::begin(
                conn,
                hooked.company_id,
                hooked.id,
                SyncKind::Webhook,
                request_id,
            )
            .await?;
            return Ok(true);
        }
        have_fetched(conn, hooked, notice, request_id).await?;
        Ok(true)
    })
    .await
}

/// Has an issue fetched, unless a fetch of it waits. One that runs is not enough, as it may have read the
/// issue already: each that runs has a name of its own, and the next one takes the first that is free.
async fn have_fetched(
    conn: &mut Connection,
    hooked: &Hooked,
    notice: &Notice,
    request_id: Option<String>,
) -> QueryResult<()> {
    let job = FetchIssue {
        tracker_id: hooked.id,
        external_id: notice.external_id.clone(),
    };
    let subject = format!("{}:{}", hooked.id, notice.external_id);
    let mut name = subject.clone();
    for number in 2.. {
        let new = NewJob::new(&job)
            .of(hooked.company_id, hooked.id.0)
            .once(name.as_str())
            .caused_by(request_id.clone());
        if enqueue(conn, &[new]).await? > 0 || waits(conn, &name).await? {
            break;
        }
        name = format!("{subject}:{number}");
    }
    Ok(())
}

async fn waits(conn: &mut Connection, name: &str) -> QueryResult<bool> {
    let waiting = jobs::table
        .filter(jobs::kind.eq(JobKind::TrackersFetch))
        .filter(jobs::dedupe_key.eq(name))
        .filter(jobs::state.eq("queued"));
    diesel::select(dsl::exists(waiting)).get_result(conn).await
}

async fn is_first(conn: &mut Connection, id: TrackerId, notice: &Notice) -> QueryResult<bool> {
    let taken = diesel::sql_query(
        "INSERT INTO tracker_deliveries (tracker_id, delivery, expires_at)
         VALUES ($1, $2, clock_timestamp() + $3 * interval '1 second')
         ON CONFLICT (tracker_id, delivery) DO UPDATE SET expires_at = excluded.expires_at
         WHERE tracker_deliveries.expires_at < clock_timestamp()",
    )
    .bind::<sql_types::Uuid, _>(id)
    .bind::<sql_types::Text, _>(&notice.delivery)
    .bind::<sql_types::BigInt, _>(notice.remembered.num_seconds())
    .execute(conn)
    .await?;
    Ok(taken > 0)
}

/// Forgets deliveries that are too old to be repeated.
pub async fn prune(conn: &mut Connection) -> QueryResult<usize> {
    diesel::delete(tracker_deliveries::table.filter(tracker_deliveries::expires_at.lt(dsl::now)))
        .execute(conn)
        .await
}
