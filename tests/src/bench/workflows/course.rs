//! Where workflows are measured: the product, its provider, a person with workflows.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use diesel::{QueryableByName, sql_types};
use diesel_async::RunQueryDsl;
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};

use crate::bench::{
    meter,
    stand::{Cpu, Person, Stand},
};

/// Between two looks at executions; rare enough to cost nothing.
const GLANCE: Duration = Duration::from_millis(50);

/// Starts under way at once.
const STARTS: usize = 16;

/// Executions a worker performs at once, as it comes.
pub const AT_ONCE: u16 = 32;

/// What a course is like.
#[derive(Debug, Clone, Copy)]
pub struct Setup {
    /// How long the provider takes for a call.
    pub latency: Duration,
    /// Executions that a worker performs at once.
    pub at_once: u16,
}

/// The product at work.
pub struct Course {
    pub stand: Stand,
    person: Person,
}

/// What executions took by Postgres' clock, all of them together.
#[derive(Debug, Clone, Copy, QueryableByName)]
pub struct Taken {
    #[diesel(sql_type = sql_types::BigInt)]
    completed: i64,
    /// Seconds from when the first was taken up to the end of the last.
    #[diesel(sql_type = sql_types::Double)]
    pub seconds: f64,
}

#[derive(QueryableByName)]
struct Open {
    #[diesel(sql_type = sql_types::BigInt)]
    open: i64,
}

impl Course {
    /// Starts everything but workers.
    pub async fn start(setup: Setup) -> anyhow::Result<Self> {
        let mut stand = Stand::new().await?;
        let latency = setup.latency.as_millis().to_string();
        stand.start_provider_with(&["--latency-ms", &latency, "--workers", "2"])?;
        // Neither the provider nor the governor nor a company's share sets limits here.
        stand.set("GOVERNOR_CONCURRENCY", &1000);
        stand.set("WORKFLOW_COMPANY_CONCURRENCY", &10_000);
        stand.set("WORKFLOW_CONCURRENCY", &setup.at_once);
        stand.start_api().await?;
        let person = stand.register().await?;
        Ok(Self { stand, person })
    }

    /// Keeps a workflow and gives its id.
    pub async fn workflow(&self, tasks: &[Value]) -> anyhow::Result<String> {
        let body = json!({ "name": "Measured", "tasks": tasks });
        let workflow = self.person.post("/api/workflows", &body).await?;
        Ok(workflow["id"].as_str().context("an id")?.to_owned())
    }

    /// Starts executions of a workflow, each on a text of its own; says how many seconds that took.
    pub async fn begin(&self, workflow: &str, executions: usize) -> anyhow::Result<f64> {
        let path = format!("/api/workflows/{workflow}/execute");
        let began = Instant::now();
        stream::iter(0..executions)
            .map(|number| {
                let body = json!({ "userInput": { "text": format!("text {number}") } });
                let path = &path;
                async move { self.person.post(path, &body).await }
            })
            .buffer_unordered(STARTS)
            .try_for_each(|_| async { Ok(()) })
            .await?;
        Ok(began.elapsed().as_secs_f64())
    }

    /// Waits until every execution is over, and gives what those of this workflow took.
    pub async fn end(&self, workflow: &str, executions: usize) -> anyhow::Result<Taken> {
        loop {
            let open = "SELECT count(*) AS open FROM executions WHERE finished_at IS NULL";
            let found: Open = diesel::sql_query(open)
                .get_result(&mut *self.stand.watch().await)
                .await?;
            if found.open == 0 {
                break;
            }
            tokio::time::sleep(GLANCE).await;
        }
        let sql = "SELECT count(*) FILTER (WHERE status = 'completed') AS completed,
                       extract(epoch FROM max(finished_at) - min(started_at))::double precision AS seconds
                   FROM executions WHERE workflow_id = $1";
        let taken: Taken = diesel::sql_query(sql)
            .bind::<sql_types::Uuid, _>(workflow.parse::<uuid::Uuid>()?)
            .get_result(&mut *self.stand.watch().await)
            .await?;
        let completed = usize::try_from(taken.completed)?;
        ensure!(completed == executions, "{completed} of {executions}");
        Ok(taken)
    }

    /// Performs a workflow so many times at once on what runs already, and says what it took.
    pub async fn perform(
        &self,
        tasks: &[Value],
        executions: usize,
    ) -> anyhow::Result<(Taken, Cpu)> {
        let workflow = self.workflow(tasks).await?;
        let before = self.stand.cpu();
        self.begin(&workflow, executions).await?;
        let taken = self.end(&workflow, executions).await?;
        Ok((taken, self.stand.cpu().since(&before)))
    }

    /// The most MiB that the API and the largest worker ever had.
    pub fn peak(&self) -> [f64; 2] {
        ["api", "worker"].map(|name| {
            let pids = self.stand.pids(name).into_iter();
            pids.map(meter::peak_mib).fold(0.0, f64::max)
        })
    }
}
