//! The facts from which is computed why jobs wait: what is paused, what is under way, and how many
//! places there are. The rules are those of `domain::jobs::waiting`.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use diesel::{prelude::*, sql_types};
use diesel_async::RunQueryDsl;
use domain::{
    jobs::{
        JobKind, JobState,
        waiting::{Facts, Load, Paused, Why, why},
    },
    models::ProviderKeyId,
    users::CompanyId,
};
use uuid::Uuid;

use super::list::JobRow;
use crate::{
    Connection,
    schema::{company_job_pauses, job_pauses, provider_keys},
    workers::{self, ServedKind},
};

/// What holds while jobs are looked at.
pub(super) struct Circumstances {
    now: DateTime<Utc>,
    everywhere: HashSet<JobKind>,
    for_companies: HashSet<(CompanyId, JobKind)>,
    keys: HashMap<ProviderKeyId, String>,
    under_way: HashMap<(JobKind, Uuid), UnderWay>,
    running: HashMap<JobKind, i64>,
    served: HashMap<String, Served>,
}

/// What the workers that are heard of do of a kind.
#[derive(Default)]
struct Served {
    places: i64,
    each: Option<i64>,
}

#[derive(QueryableByName)]
struct UnderWay {
    #[diesel(sql_type = sql_types::Text)]
    kind: JobKind,
    #[diesel(sql_type = sql_types::Uuid)]
    fair_key: Uuid,
    #[diesel(sql_type = sql_types::BigInt)]
    running: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    jobs: i64,
}

impl Circumstances {
    /// Looks around. What runs and what is handed out is little, however much waits.
    pub(super) async fn now(conn: &mut Connection) -> QueryResult<Self> {
        let everywhere: Vec<JobKind> = job_pauses::table
            .select(job_pauses::kind)
            .load(conn)
            .await?;
        let for_companies: Vec<(CompanyId, JobKind)> = company_job_pauses::table
            .select((company_job_pauses::company_id, company_job_pauses::kind))
            .load(conn)
            .await?;
        let keys: Vec<(ProviderKeyId, String)> = provider_keys::table
            .filter(provider_keys::paused_at.is_not_null())
            .select((provider_keys::id, provider_keys::label))
            .load(conn)
            .await?;
        let under_way: Vec<UnderWay> = diesel::sql_query(include_str!("under_way.sql"))
            .load(conn)
            .await?;
        let mut running = HashMap::new();
        for row in &under_way {
            *running.entry(row.kind).or_default() += row.running;
        }
        Ok(Self {
            now: Utc::now(),
            everywhere: everywhere.into_iter().collect(),
            for_companies: for_companies.into_iter().collect(),
            keys: keys.into_iter().collect(),
            running,
            under_way: under_way
                .into_iter()
                .map(|row| ((row.kind, row.fair_key), row))
                .collect(),
            served: added_up(workers::serving(conn).await?),
        })
    }

    /// Why this job waits, if it does.
    pub(super) fn why(&self, row: &JobRow) -> Option<Why> {
        (row.state == JobState::Queued).then(|| {
            why(&Facts {
                kind: row.kind,
                run_at: row.run_at,
                now: self.now,
                is_handed_out: row.dispatched_at.is_some(),
                said: row.wait_reason.as_deref(),
                paused: self.paused(row),
                load: self.load(row),
            })
        })
    }

    fn paused(&self, row: &JobRow) -> Option<Paused<'_>> {
        let key = row.wait_key.and_then(|key| self.keys.get(&key));
        let of_company = row.company_id.map(|company| (company, row.kind));
        if self.everywhere.contains(&row.kind) {
            Some(Paused::Everywhere)
        } else if of_company.is_some_and(|pause| self.for_companies.contains(&pause)) {
            Some(Paused::ForCompany)
        } else {
            key.map(|label| Paused::Key(label))
        }
    }

    fn load(&self, row: &JobRow) -> Load {
        let served = self.served.get(row.kind.as_str());
        let of_owner = self.under_way.get(&(row.kind, row.fair_key));
        Load {
            places: served.map_or(0, |served| served.places),
            running: self.running.get(&row.kind).copied().unwrap_or_default(),
            each: served.and_then(|served| served.each),
            of_owner: of_owner.map_or(0, |row| row.jobs),
        }
    }
}

fn added_up(workers: Vec<Vec<ServedKind>>) -> HashMap<String, Served> {
    let mut served: HashMap<String, Served> = HashMap::new();
    for kind in workers.into_iter().flatten() {
        let sum = served.entry(kind.kind).or_default();
        sum.places += kind.concurrency;
        sum.each = kind.each.max(sum.each);
    }
    served
}
