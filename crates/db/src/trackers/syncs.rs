//! Rounds of reading a tracker: begun by the clock, by somebody or by a webhook, and what became of each. A
//! round goes by the id of its job, and follows its state by a trigger.

use chrono::{DateTime, Utc};
use diesel::{prelude::*, sql_types};
use diesel_async::{AsyncConnection, RunQueryDsl};
use domain::{
    page::{Limit, Page},
    trackers::{
        SyncKind, SyncState, TrackerId, TrackerState, TrackerSyncId,
        jobs::{SweepTracker, SyncTracker},
    },
    users::CompanyId,
};
use serde::Serialize;
use serde_json::Value;

use crate::{
    Connection,
    jobs::{NewJob, enqueue},
    schema::{tracker_syncs as syncs, trackers},
};

/// Rounds of a tracker that are kept.
const KEPT: i64 = 200;

/// Trackers that one tick of the clock takes up.
const AT_ONCE: i64 = 200;

/// A round.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, utoipa::ToSchema)]
#[diesel(table_name = syncs)]
#[serde(rename_all = "camelCase")]
pub struct TrackerSync {
    /// Its id, and that of its job.
    pub id: TrackerSyncId,
    /// Of which tracker.
    pub tracker_id: TrackerId,
    /// Why it was begun.
    pub kind: SyncKind,
    /// Where it stands.
    pub state: SyncState,
    /// Issues that came so far; keys, where all are gone through.
    pub fetched: i32,
    /// Issues of these that were new or had changed.
    pub stored: i32,
    /// Issues that stood as they came.
    pub unchanged: i32,
    /// Issues that could not be read.
    pub unreadable: i32,
    /// Issues that were found to be gone.
    pub gone: i32,
    /// Calls of the tracker.
    pub requests: i32,
    /// The first issues that could not be read, each with its key and the reason.
    #[schema(value_type = Vec<Object>)]
    pub broken: Value,
    /// What it waits for.
    pub wait_reason: Option<String>,
    /// Until when it waits.
    pub run_at: Option<DateTime<Utc>>,
    /// Why it or its last attempt failed: a stable name.
    pub error_code: Option<String>,
    /// The same in a sentence.
    pub error_message: Option<String>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it was begun.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

/// Why no round was begun.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// There is no such tracker.
    #[error("not found")]
    NotFound,
    /// It is not read at present.
    #[error("it is {0}")]
    NotActive(TrackerState),
    /// Postgres failed.
    #[error(transparent)]
    Database(diesel::result::Error),
}

impl From<diesel::result::Error> for BeginError {
    fn from(cause: diesel::result::Error) -> Self {
        match cause {
            diesel::result::Error::NotFound => Self::NotFound,
            cause => Self::Database(cause),
        }
    }
}

/// Begins a round because somebody asked for it; or answers with the one that is under way. The tracker is
/// not locked for it, as whoever ends a job locks that first: a job of one that is stopped or deleted at
/// this moment ends by that.
pub async fn ask(
    conn: &mut Connection,
    company: CompanyId,
    tracker: TrackerId,
    request_id: Option<String>,
) -> Result<TrackerSync, BeginError> {
    conn.transaction(async |conn| {
        let state: TrackerState = trackers::table
            .filter(trackers::id.eq(tracker))
            .filter(super::living(company))
            .select(trackers::state)
            .first(conn)
            .await?;
        if state != TrackerState::Active {
            return Err(BeginError::NotActive(state));
        }
        Ok(begin(conn, company, tracker, SyncKind::Manual, request_id).await?)
    })
    .await
}

/// Begins a round of a tracker, unless one of its sort is under way; answers with that one then.
pub(super) async fn begin(
    conn: &mut Connection,
    company: CompanyId,
    tracker: TrackerId,
    kind: SyncKind,
    request_id: Option<String>,
) -> QueryResult<TrackerSync> {
    let id = TrackerSyncId::new();
    let job = match kind {
        SyncKind::Sweep => NewJob::new(&SweepTracker {
            tracker_id: tracker,
        }),
        _ => NewJob::new(&SyncTracker {
            tracker_id: tracker,
        }),
    };
    let job = job
        .of(company, tracker.0)
        .on(tracker.0)
        .identified(id.0)
        .caused_by(request_id);
    if enqueue(conn, &[job]).await? == 0 {
        return under_way(conn, tracker, kind).await;
    }
    supersede(conn, tracker, kind).await?;
    diesel::insert_into(syncs::table)
        .values((
            syncs::id.eq(id),
            syncs::company_id.eq(company),
            syncs::tracker_id.eq(tracker),
            syncs::kind.eq(kind),
        ))
        .returning(TrackerSync::as_returning())
        .get_result(conn)
        .await
}

async fn under_way(
    conn: &mut Connection,
    tracker: TrackerId,
    kind: SyncKind,
) -> QueryResult<TrackerSync> {
    let rows = syncs::table
        .filter(syncs::tracker_id.eq(tracker))
        .order(syncs::id.desc())
        .select(TrackerSync::as_select());
    if kind == SyncKind::Sweep {
        rows.filter(syncs::kind.eq(SyncKind::Sweep))
            .first(conn)
            .await
    } else {
        rows.filter(syncs::kind.ne(SyncKind::Sweep))
            .first(conn)
            .await
    }
}

/// A new round does what a dead one left: nobody has to look at that one. And the oldest are forgotten.
async fn supersede(conn: &mut Connection, tracker: TrackerId, kind: SyncKind) -> QueryResult<()> {
    let job = if kind == SyncKind::Sweep {
        "trackers.sweep"
    } else {
        "trackers.sync"
    };
    diesel::sql_query(
        "UPDATE jobs SET state = 'cancelled', dispatched_at = NULL
         WHERE subject_id = $1 AND kind = $2 AND state = 'dead'",
    )
    .bind::<sql_types::Uuid, _>(tracker)
    .bind::<sql_types::Text, _>(job)
    .execute(conn)
    .await?;
    let old = syncs::table
        .filter(syncs::tracker_id.eq(tracker))
        .order(syncs::id.desc())
        .offset(KEPT)
        .select(syncs::id);
    let old: Vec<TrackerSyncId> = old.load(conn).await?;
    let old = syncs::table
        .filter(syncs::id.eq_any(old))
        .filter(syncs::finished_at.is_not_null());
    diesel::delete(old).execute(conn).await?;
    Ok(())
}

/// What the clock begins.
struct Clock {
    kind: SyncKind,
    /// Finds the trackers that are due, at most $1.
    due: &'static str,
    /// Puts tracker $1 off by $2, if it is due and nobody else is at it.
    put_off: &'static str,
}

const ROUNDS: Clock = Clock {
    kind: SyncKind::Delta,
    due: "SELECT id, company_id FROM trackers
         WHERE state = 'active' AND deleted_at IS NULL AND next_sync_at <= clock_timestamp()
         ORDER BY next_sync_at LIMIT $1",
    put_off: "UPDATE trackers SET next_sync_at = clock_timestamp() + $2 * interval '1 second'
         WHERE id = (SELECT id FROM trackers
             WHERE id = $1 AND state = 'active' AND deleted_at IS NULL AND next_sync_at <= clock_timestamp()
             FOR NO KEY UPDATE SKIP LOCKED)",
};

const SWEEPS: Clock = Clock {
    kind: SyncKind::Sweep,
    due: "SELECT id, company_id FROM trackers
         WHERE state = 'active' AND deleted_at IS NULL AND next_sweep_at <= clock_timestamp()
         ORDER BY next_sweep_at LIMIT $1",
    put_off: "UPDATE trackers SET next_sweep_at = clock_timestamp() + $2 * interval '1 hour'
         WHERE id = (SELECT id FROM trackers
             WHERE id = $1 AND state = 'active' AND deleted_at IS NULL AND next_sweep_at <= clock_timestamp()
             FOR NO KEY UPDATE SKIP LOCKED)",
};

/// Begins what the clock says is due: rounds each `every` seconds, and going through all keys each `sweep`
/// hours. Many workers do so side by side, and it counts once. How many rounds were begun.
pub async fn tick(conn: &mut Connection, every: f64, sweep: f64) -> QueryResult<usize> {
    let mut begun = 0;
    for (clock, until) in [(ROUNDS, every), (SWEEPS, sweep)] {
        let due: Vec<Due> = diesel::sql_query(clock.due)
            .bind::<sql_types::BigInt, _>(AT_ONCE)
            .load(conn)
            .await?;
        for tracker in due {
            begun += usize::from(take_up(conn, &clock, &tracker, until).await?);
        }
    }
    Ok(begun)
}

#[derive(QueryableByName)]
struct Due {
    #[diesel(sql_type = sql_types::Uuid)]
    id: TrackerId,
    #[diesel(sql_type = sql_types::Uuid)]
    company_id: CompanyId,
}

/// Begins the round of a tracker that is due; `false` if somebody else did. The job comes before the
/// tracker, as it does for whoever ends one.
async fn take_up(
    conn: &mut Connection,
    clock: &Clock,
    tracker: &Due,
    until: f64,
) -> QueryResult<bool> {
    let taken = conn.transaction(async |conn| {
        begin(conn, tracker.company_id, tracker.id, clock.kind, None).await?;
        let put_off = diesel::sql_query(clock.put_off)
            .bind::<sql_types::Uuid, _>(tracker.id)
            .bind::<sql_types::Double, _>(until)
            .execute(conn)
            .await?;
        match put_off {
            0 => Err(diesel::result::Error::RollbackTransaction),
            _ => Ok(true),
        }
    });
    match taken.await {
        Err(diesel::result::Error::RollbackTransaction) => Ok(false),
        taken => taken,
    }
}

/// The rounds of a tracker, newest first.
pub async fn list(
    conn: &mut Connection,
    company: CompanyId,
    tracker: TrackerId,
    before: Option<TrackerSyncId>,
    limit: Limit,
) -> QueryResult<Page<TrackerSync, TrackerSyncId>> {
    super::find(conn, company, tracker).await?;
    let mut query = syncs::table
        .filter(syncs::tracker_id.eq(tracker))
        .order(syncs::id.desc())
        .limit(limit.rows() + 1)
        .select(TrackerSync::as_select())
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(syncs::id.lt(before));
    }
    let rows = query.load(conn).await?;
    Ok(Page::from_surplus(rows, limit, |row: &TrackerSync| row.id))
}
