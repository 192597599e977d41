//! What jobs read and store of trackers. Each transaction with an effect holds the job, then locks the
//! tracker as it was when the work was begun: what was fetched for a tracker that was changed, stopped
//! or deleted meanwhile is not stored.

use chrono::{DateTime, Utc};
use diesel::{dsl, prelude::*, sql_types};
use diesel_async::{AsyncConnection, RunQueryDsl};
use domain::{
    jobs::Lease,
    trackers::{
        AuthKind, Cursor, Issue, IssueRef, TrackerError, TrackerId, TrackerKind, TrackerState,
        Unreadable,
    },
    users::CompanyId,
};
use serde_json::json;

use crate::{
    Connection,
    issues::{self, Stored},
    jobs::{FenceError, finish, hold},
    schema::trackers,
};

/// Issues that could not be read and are named in a round.
const NAMED: usize = 50;

/// A tracker as it is called.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = trackers)]
pub struct Connected {
    /// Which.
    pub id: TrackerId,
    /// Whose.
    pub company_id: CompanyId,
    /// What it is.
    pub kind: TrackerKind,
    /// Where people find it.
    pub base_url: String,
    /// How it is signed in to.
    pub auth_kind: AuthKind,
    /// The projects that are read.
    pub projects: Vec<String>,
    /// Whether it is read.
    pub state: TrackerState,
    /// Raised with everything that changes what is read, or as whom.
    pub version: i32,
    /// The field of acceptance criteria.
    pub criteria_field: Option<String>,
    /// When the connection was last found to work.
    pub checked_at: Option<DateTime<Utc>>,
    /// How far it was read.
    pub cursor: Cursor,
}

/// Why something was not stored.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The job or the database.
    #[error(transparent)]
    Fence(#[from] FenceError),
    /// The tracker is not what it was when the work was begun.
    #[error("the tracker was changed meanwhile")]
    Superseded,
}

impl From<diesel::result::Error> for StoreError {
    fn from(cause: diesel::result::Error) -> Self {
        Self::Fence(FenceError::Database(cause))
    }
}

/// What a step of a round counts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    /// Issues or keys that came.
    pub fetched: usize,
    /// What came of them.
    pub stored: Stored,
    /// Issues that were found to be gone.
    pub gone: usize,
    /// Calls of the tracker.
    pub requests: usize,
}

/// A tracker that is not deleted.
pub async fn find(conn: &mut Connection, id: TrackerId) -> QueryResult<Option<Connected>> {
    trackers::table
        .find(id)
        .filter(trackers::deleted_at.is_null())
        .select(Connected::as_select())
        .first(conn)
        .await
        .optional()
}

/// The present time by the clock of Postgres, by which it is told what came first.
pub async fn present(conn: &mut Connection) -> QueryResult<DateTime<Utc>> {
    diesel::select(dsl::sql::<sql_types::Timestamptz>("clock_timestamp()"))
        .get_result(conn)
        .await
}

/// What a tracker answered to a question.
#[derive(Debug, Clone, Copy)]
pub struct Sent<'a> {
    /// Issues.
    pub issues: &'a [Issue],
    /// Those that could not be read.
    pub unreadable: &'a [Unreadable],
    /// When it was asked, by [`present`].
    pub asked_at: DateTime<Utc>,
}

/// Locks the tracker if it is as it was. Jobs come first wherever both are locked.
async fn lock(conn: &mut Connection, held: Lease, tracker: &Connected) -> Result<(), StoreError> {
    hold(conn, held).await?;
    let same: Option<TrackerId> = trackers::table
        .find(tracker.id)
        .filter(trackers::version.eq(tracker.version))
        .filter(trackers::state.eq(TrackerState::Active))
        .filter(trackers::deleted_at.is_null())
        .select(trackers::id)
        .for_no_key_update()
        .first(conn)
        .await
        .optional()?;
    same.map(|_| ()).ok_or(StoreError::Superseded)
}

/// Stores a page and the cursor after it. The job is finished with the page if the round is.
pub async fn store_page(
    conn: &mut Connection,
    held: Lease,
    tracker: &Connected,
    page: Sent<'_>,
    cursor: &Cursor,
    requests: usize,
) -> Result<Stored, StoreError> {
    conn.transaction(async |conn| {
        lock(conn, held, tracker).await?;
        let (company, sent) = (tracker.company_id, page.issues);
        let stored = issues::store(conn, company, tracker.id, sent, page.asked_at).await?;
        let moved = trackers::cursor.eq(cursor);
        diesel::update(trackers::table.find(tracker.id))
            .set(moved)
            .execute(conn)
            .await?;
        let tally = Tally {
            fetched: sent.len() + page.unreadable.len(),
            stored,
            requests,
            gone: 0,
        };
        count(conn, held, tally, page.unreadable).await?;
        if cursor.round.is_none() {
            end(conn, held, tracker.id).await?;
        }
        Ok(stored)
    })
    .await
}

/// Stores a cursor that was set back.
pub async fn store_cursor(
    conn: &mut Connection,
    held: Lease,
    tracker: &Connected,
    cursor: &Cursor,
) -> Result<(), StoreError> {
    conn.transaction(async |conn| {
        lock(conn, held, tracker).await?;
        let moved = trackers::cursor.eq(cursor);
        diesel::update(trackers::table.find(tracker.id))
            .set(moved)
            .execute(conn)
            .await?;
        Ok(())
    })
    .await
}

async fn end(conn: &mut Connection, held: Lease, id: TrackerId) -> QueryResult<()> {
    let none: Option<String> = None;
    diesel::update(trackers::table.find(id))
        .set((
            trackers::last_sync_at.eq(dsl::now),
            trackers::last_success_at.eq(dsl::now),
            trackers::failures.eq(0),
            trackers::error_code.eq(&none),
            trackers::error_message.eq(&none),
        ))
        .execute(conn)
        .await?;
    finish(conn, held).await
}

/// Adds what a step did to its round, which goes by the job's id.
async fn count(
    conn: &mut Connection,
    held: Lease,
    tally: Tally,
    unreadable: &[Unreadable],
) -> QueryResult<()> {
    let named = unreadable.iter().take(NAMED);
    let named: Vec<_> = named
        .map(|issue| json!({ "key": issue.key, "why": issue.why }))
        .collect();
    let number = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    diesel::sql_query(include_str!("count.sql"))
        .bind::<sql_types::Uuid, _>(held.job_id)
        .bind::<sql_types::Integer, _>(number(tally.fetched))
        .bind::<sql_types::Integer, _>(number(tally.stored.written))
        .bind::<sql_types::Integer, _>(number(tally.stored.unchanged))
        .bind::<sql_types::Integer, _>(number(unreadable.len()))
        .bind::<sql_types::Integer, _>(number(tally.gone))
        .bind::<sql_types::Integer, _>(number(tally.requests))
        .bind::<sql_types::Jsonb, _>(json!(named))
        .execute(conn)
        .await?;
    Ok(())
}

/// What a step of going through all keys is to store.
#[derive(Debug, Default)]
pub struct Findings {
    /// Keys that came.
    pub listed: usize,
    /// Calls of the tracker.
    pub requests: usize,
    /// When the first of what follows was asked for, by [`present`].
    pub asked_at: Option<DateTime<Utc>>,
    /// Issues that were read.
    pub read: Vec<Issue>,
    /// Issues that could not be read.
    pub unreadable: Vec<Unreadable>,
    /// Issues that go by another key.
    pub moved: Vec<IssueRef>,
    /// Ids of those that are gone.
    pub gone: Vec<String>,
    /// Ids of those that were asked for because no page showed them.
    pub suspects: Vec<String>,
}

/// Stores what a step of going through all keys found. With `whole` the job is finished.
pub async fn store_findings(
    conn: &mut Connection,
    held: Lease,
    tracker: &Connected,
    found: &Findings,
    whole: bool,
) -> Result<(), StoreError> {
    conn.transaction(async |conn| {
        lock(conn, held, tracker).await?;
        for moved in &found.moved {
            issues::move_key(conn, tracker.id, moved).await?;
        }
        let asked_at = found.asked_at.unwrap_or_else(Utc::now);
        let (company, read) = (tracker.company_id, found.read.as_slice());
        let mut stored = issues::store(conn, company, tracker.id, read, asked_at).await?;
        stored.written += found.moved.len();
        let mut gone = 0;
        for external_id in &found.gone {
            gone += issues::gone(conn, tracker.id, external_id).await?;
        }
        issues::asked(conn, tracker.id, &found.suspects).await?;
        let tally = Tally {
            fetched: found.listed,
            stored,
            gone,
            requests: found.requests,
        };
        count(conn, held, tally, &found.unreadable).await?;
        if whole {
            finish(conn, held).await?;
        }
        Ok(())
    })
    .await
}

/// Stops reading a tracker that does not accept the sign-in, until somebody signs in anew. If somebody
/// has meanwhile, nothing happens and `false` is the answer.
pub async fn needs_reconnect(
    conn: &mut Connection,
    held: Lease,
    tracker: &Connected,
    cause: &TrackerError,
) -> Result<bool, FenceError> {
    conn.transaction(async |conn| {
        match lock(conn, held, tracker).await {
            Ok(()) => {}
            Err(StoreError::Superseded) => return Ok(false),
            Err(StoreError::Fence(cause)) => return Err(cause),
        }
        diesel::update(trackers::table.find(tracker.id))
            .set((
                trackers::state.eq(TrackerState::ReconnectNeeded),
                trackers::error_code.eq(cause.class()),
                trackers::error_message.eq(cause.to_string()),
            ))
            .execute(conn)
            .await?;
        Ok(true)
    })
    .await
}
