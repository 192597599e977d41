//! Removing what companies have kept for long enough: each night, company by company, in small batches
//! between which others get as much time as was taken.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use db::{
    Connection,
    retention::{Old, Pace},
};
use domain::{jobs::Outcome, retention::Kept, users::CompanyId};

use crate::{Worker, config::Config};

/// After so long other jobs have their turn.
const TURN: Duration = Duration::from_secs(10 * 60);

/// Removes what is old enough, of every company.
pub async fn apply(worker: &Worker) -> anyhow::Result<Outcome> {
    let mut conn = worker.pool.get().await?;
    let mut turn = Turn::begin(worker);
    for company in db::retention::companies(&mut conn).await? {
        let rules = db::retention::rules(&mut conn, company).await?;
        for kept in Kept::ALL {
            let own = rules.iter().find(|rule| rule.kept == *kept);
            let days = own.map_or_else(|| days(&worker.config, *kept), |rule| Some(rule.days));
            let Some(before) = days.and_then(ago) else {
                continue;
            };
            remove(&mut conn, *kept, Old { company, before }, &mut turn).await?;
            if turn.is_over {
                return Ok(Outcome::Snooze(Utc::now(), "others had their turn".into()));
            }
        }
    }
    db::retention::applied(&mut conn).await?;
    Ok(Outcome::Done)
}

fn ago(days: i32) -> Option<DateTime<Utc>> {
    Utc::now().checked_sub_signed(TimeDelta::days(days.into()))
}

/// For how many days the installation keeps it; for ever without.
fn days(config: &Config, kept: Kept) -> Option<i32> {
    match kept {
        Kept::Events => config.event_keep_days,
        Kept::Attempts => config.attempt_keep_days,
        Kept::Responses => Some(config.response_keep_days),
        Kept::Audit => config.audit_keep_days,
        Kept::Jobs => Some(config.job_keep_days),
    }
}

async fn remove(
    conn: &mut Connection,
    kept: Kept,
    old: Old,
    turn: &mut Turn<'_>,
) -> anyhow::Result<()> {
    let rows = match kept {
        Kept::Events => {
            db::retention::run_events(conn, old, turn).await?
                + db::retention::execution_events(conn, old, turn).await?
                + db::retention::sign_ins(conn, old, turn).await?
        }
        Kept::Attempts => db::retention::attempts(conn, old, turn).await?,
        Kept::Responses => db::retention::responses(conn, old, turn).await?,
        Kept::Audit => db::retention::audit(conn, old, turn).await?,
        Kept::Jobs => db::retention::jobs(conn, old, turn).await?,
    };
    if rows > 0 {
        let CompanyId(company) = old.company;
        tracing::info!(company.id = %company, kept = kept.as_str(), rows, "removed what was old");
    }
    Ok(())
}

/// How much was taken, and for how long there is time.
struct Turn<'a> {
    worker: &'a Worker,
    begun: Instant,
    rested: Instant,
    is_over: bool,
}

impl<'a> Turn<'a> {
    fn begin(worker: &'a Worker) -> Self {
        let now = Instant::now();
        Self {
            worker,
            begun: now,
            rested: now,
            is_over: false,
        }
    }
}

impl Pace for Turn<'_> {
    async fn goes_on(&mut self) -> bool {
        let rest = tokio::time::sleep(self.rested.elapsed().min(Duration::from_secs(1)));
        tokio::select! {
            () = rest => {}
            () = self.worker.stop.cancelled() => {}
        }
        self.rested = Instant::now();
        self.is_over |= self.worker.stop.is_cancelled() || self.begun.elapsed() > TURN;
        !self.is_over
    }
}
