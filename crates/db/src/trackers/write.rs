//! Connecting trackers, changing them and taking them away.

use chrono::{DateTime, Utc};
use diesel::{
    dsl,
    prelude::*,
    result::{DatabaseErrorKind, Error as DieselError},
};
use diesel_async::{AsyncConnection, RunQueryDsl};
use domain::{
    audit::Actor,
    revision::Expected,
    trackers::{
        Account, AuthKind, Cursor, TrackerGrantId, TrackerId, TrackerKind, TrackerName,
        TrackerState, is_same_site,
    },
    users::CompanyId,
};
use uuid::Uuid;

use super::{
    TrackerView, find, grants, living,
    secrets::{self, SealedText},
};
use crate::{Connection, issues, jobs, schema::trackers};

/// A tracker to be connected.
pub struct NewTracker {
    /// Its id: the seals are bound to it.
    pub id: TrackerId,
    /// What it is.
    pub kind: TrackerKind,
    /// What it is called.
    pub name: TrackerName,
    /// Where people find it.
    pub base_url: String,
    /// How it is signed in to.
    pub auth_kind: AuthKind,
    /// The projects to read; none are all.
    pub projects: Vec<String>,
    /// What it is signed in to with, and what proves its webhooks.
    pub secrets: Vec<SealedText>,
    /// The sign-in that is used up with it.
    pub grant: Option<TrackerGrantId>,
}

/// What a sign-in says of the site that it is to.
#[derive(Debug, Default)]
pub enum Site {
    /// Nothing: its address alone tells.
    #[default]
    Untold,
    /// It is the one that was at this address, by its id.
    Same(String),
    /// It is another one, by its id.
    Other,
}

impl Site {
    /// Whether issues from now on would be of another site than those before.
    fn is_other(&self, before: &str, now: Option<&str>) -> bool {
        match self {
            Self::Other => true,
            Self::Same(seen) if seen == before => false,
            _ => now.is_some_and(|now| !is_same_site(before, now)),
        }
    }
}

/// What is to become of a tracker. What is `None` stays.
#[derive(Default)]
pub struct TrackerChanges {
    /// What it is called.
    pub name: Option<TrackerName>,
    /// Where people find it.
    pub base_url: Option<String>,
    /// What the new sign-in says of the site.
    pub site: Site,
    /// The projects to read.
    pub projects: Option<Vec<String>>,
    /// Whether it is read.
    pub state: Option<TrackerState>,
    /// How it is signed in to from now on; the secret is among [`secrets`](Self::secrets).
    pub auth_kind: Option<AuthKind>,
    /// Secrets in the place of those before.
    pub secrets: Vec<SealedText>,
    /// Whether its webhooks are no longer believed.
    pub forget_hooks: bool,
    /// The sign-in that is used up with it.
    pub grant: Option<TrackerGrantId>,
}

/// Why a tracker was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// There is none.
    #[error("not found")]
    NotFound,
    /// It changed since it was read.
    #[error("it changed in the meantime")]
    Stale,
    /// Another one is called so.
    #[error("another tracker has this name")]
    NameTaken,
    /// It cannot be read before it is signed in to anew.
    #[error("it has to be signed in to anew")]
    NeedsAuth,
    /// Issues of another site would come under the ids of those that are here.
    #[error("it has issues of another site")]
    OtherSite {
        /// Whether a sign-in chose the site.
        by_sign_in: bool,
    },
    /// The sign-in to Jira was used up meanwhile.
    #[error("the sign-in was used")]
    GrantSpent,
    /// Postgres failed.
    #[error(transparent)]
    Database(DieselError),
}

impl From<DieselError> for ChangeError {
    fn from(cause: DieselError) -> Self {
        match cause {
            DieselError::NotFound => Self::NotFound,
            DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, report)
                if report.constraint_name() == Some("trackers_name") =>
            {
                Self::NameTaken
            }
            cause => Self::Database(cause),
        }
    }
}

/// Connects a tracker. The clock has it read soon.
pub async fn create(
    conn: &mut Connection,
    new: &NewTracker,
    actor: &Actor,
) -> Result<TrackerView, ChangeError> {
    conn.transaction(async |conn| {
        spend(conn, new.grant).await?;
        diesel::insert_into(trackers::table)
            .values((
                trackers::id.eq(new.id),
                trackers::company_id.eq(actor.company_id),
                trackers::created_by.eq(actor.user_id),
                trackers::name.eq(&new.name),
                trackers::kind.eq(new.kind),
                trackers::base_url.eq(&new.base_url),
                trackers::auth_kind.eq(new.auth_kind),
                trackers::projects.eq(&new.projects),
            ))
            .execute(conn)
            .await?;
        for secret in &new.secrets {
            secrets::put(conn, secret).await?;
        }
        Ok(find(conn, actor.company_id, new.id).await?)
    })
    .await
}

/// Uses up a sign-in: two trackers under one pair of tokens would end the grant for each other.
async fn spend(conn: &mut Connection, grant: Option<TrackerGrantId>) -> Result<(), ChangeError> {
    match grant {
        Some(id) if !grants::spend(conn, id).await? => Err(ChangeError::GrantSpent),
        _ => Ok(()),
    }
}

/// Locks a tracker, as it was when it was read.
async fn lock(
    conn: &mut Connection,
    company: CompanyId,
    id: TrackerId,
    expected: &Expected,
) -> Result<TrackerView, ChangeError> {
    trackers::table
        .filter(trackers::id.eq(id))
        .filter(living(company))
        .select(trackers::id)
        .for_no_key_update()
        .first::<TrackerId>(conn)
        .await?;
    let tracker = find(conn, company, id).await?;
    if expected.accepts(tracker.tracker.updated_at) {
        Ok(tracker)
    } else {
        Err(ChangeError::Stale)
    }
}

/// Changes a tracker. Whatever is read otherwise from now on is read from the beginning, and what is under
/// way for the tracker as it was is not stored.
pub async fn update(
    conn: &mut Connection,
    company: CompanyId,
    id: TrackerId,
    changes: &TrackerChanges,
    expected: &Expected,
) -> Result<TrackerView, ChangeError> {
    conn.transaction(async |conn| {
        let before = lock(conn, company, id, expected).await?.tracker;
        spend(conn, changes.grant).await?;
        let reads =
            |new: &Option<Vec<String>>| new.as_ref().is_some_and(|new| *new != before.projects);
        let address = changes.base_url.as_deref();
        let moves = address.is_some_and(|new| new != before.base_url);
        let is_elsewhere = changes.site.is_other(&before.base_url, address);
        let reads_otherwise = moves || is_elsewhere || reads(&changes.projects);
        let signs_in_anew = changes.auth_kind.is_some();
        // Who asked saw another address: what it is signed in to with must not go to this one.
        if moves && !signs_in_anew {
            return Err(ChangeError::Stale);
        }
        if is_elsewhere && issues::any(conn, id).await? {
            let by_sign_in = changes.auth_kind == Some(AuthKind::Grant);
            return Err(ChangeError::OtherSite { by_sign_in });
        }
        let state = match (before.state, changes.state) {
            // Whoever signs in anew wants it to be read, unless they say otherwise.
            (TrackerState::ReconnectNeeded, None) if signs_in_anew => Some(TrackerState::Active),
            (TrackerState::ReconnectNeeded, Some(TrackerState::Active)) if !signs_in_anew => {
                return Err(ChangeError::NeedsAuth);
            }
            (_, state) => state,
        };
        let row = trackers::table.find(id);
        if let Some(name) = &changes.name {
            diesel::update(row)
                .set(trackers::name.eq(name))
                .execute(conn)
                .await?;
        }
        if let Some(state) = state {
            let soon = (
                trackers::state.eq(state),
                trackers::next_sync_at.eq(dsl::now),
            );
            diesel::update(row).set(soon).execute(conn).await?;
        }
        if reads_otherwise || signs_in_anew {
            begin_anew(conn, id, changes, reads_otherwise).await?;
        }
        for secret in &changes.secrets {
            secrets::put(conn, secret).await?;
        }
        if changes.forget_hooks {
            secrets::remove(conn, id, secrets::HOOKS).await?;
        }
        if changes.forget_hooks || !changes.secrets.is_empty() {
            // Whether it has them is shown: that is another revision.
            let touched = trackers::name.eq(trackers::name);
            diesel::update(row).set(touched).execute(conn).await?;
        }
        Ok(find(conn, company, id).await?)
    })
    .await
}

async fn begin_anew(
    conn: &mut Connection,
    id: TrackerId,
    changes: &TrackerChanges,
    reads_otherwise: bool,
) -> QueryResult<()> {
    let row = trackers::table.find(id);
    let none: (Option<Uuid>, Option<DateTime<Utc>>, Option<String>) = (None, None, None);
    diesel::update(row)
        .set((
            trackers::version.eq(trackers::version + 1),
            trackers::failures.eq(0),
            trackers::error_code.eq(&none.2),
            trackers::error_message.eq(&none.2),
            trackers::checked_at.eq(none.1),
            trackers::next_sync_at.eq(dsl::now),
            // Another account may see more, or less.
            trackers::next_sweep_at.eq(dsl::now),
            // Who renews a pair that is no longer the tracker's is not to store it.
            trackers::renewing_by.eq(none.0),
            trackers::renewing_until.eq(none.1),
        ))
        .execute(conn)
        .await?;
    if let Some(kind) = changes.auth_kind {
        diesel::update(row)
            .set(trackers::auth_kind.eq(kind))
            .execute(conn)
            .await?;
    }
    if let Some(base_url) = &changes.base_url {
        diesel::update(row)
            .set(trackers::base_url.eq(base_url))
            .execute(conn)
            .await?;
    }
    if let Some(projects) = &changes.projects {
        diesel::update(row)
            .set(trackers::projects.eq(projects))
            .execute(conn)
            .await?;
    }
    if reads_otherwise {
        let start = trackers::cursor.eq(Cursor::default());
        diesel::update(row).set(start).execute(conn).await?;
    }
    Ok(())
}

/// Deletes a tracker with its secrets. Its issues stay for what was made of them, and are shown to nobody.
pub async fn delete(
    conn: &mut Connection,
    company: CompanyId,
    id: TrackerId,
    expected: &Expected,
) -> Result<(), ChangeError> {
    conn.transaction(async |conn| {
        find(conn, company, id).await?;
        // Before the tracker, as whoever ends a job locks that first.
        jobs::cancel_of(conn, id.0).await?;
        lock(conn, company, id, expected).await?;
        let row = trackers::table.find(id);
        // Whoever renews its tokens at this moment has no right to store them any more.
        let nobody: (Option<Uuid>, Option<DateTime<Utc>>) = (None, None);
        let ends = (
            trackers::renewing_by.eq(nobody.0),
            trackers::renewing_until.eq(nobody.1),
            trackers::deleted_at.eq(dsl::now),
            trackers::version.eq(trackers::version + 1),
        );
        diesel::update(row).set(ends).execute(conn).await?;
        secrets::forget(conn, id).await?;
        Ok(())
    })
    .await
}

/// Keeps what the check of a connection found out, unless the tracker was changed meanwhile.
pub async fn checked(
    conn: &mut Connection,
    id: TrackerId,
    version: i32,
    account: &Account,
) -> QueryResult<usize> {
    let row = trackers::table
        .find(id)
        .filter(trackers::version.eq(version));
    diesel::update(row)
        .set((
            trackers::account_name.eq(&account.person.name),
            trackers::account_email.eq(&account.person.email),
            trackers::product.eq(&account.product),
            trackers::time_zone.eq(&account.time_zone),
            trackers::criteria_field.eq(&account.criteria_field),
            trackers::checked_at.eq(dsl::now),
        ))
        .execute(conn)
        .await
}
