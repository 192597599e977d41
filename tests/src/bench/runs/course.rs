//! Where runs are measured: the product, its provider, a person with a prompt.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use diesel::{QueryableByName, sql_types};
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};

use crate::bench::{
    corpus::File,
    meter,
    stand::{Person, Stand},
};

/// The models of the columns, each with a price.
pub const MODELS: [&str; 4] = [
    "gemini-3.8-flash",
    "gemini-3.6-flash",
    "gemini-3.5-flash-lite",
    "gemini-3.1-flash-lite",
];

/// Between two looks at a run; rare enough to cost nothing.
const GLANCE: Duration = Duration::from_millis(50);

/// The words of a row.
pub fn words(row: usize) -> String {
    format!("the {row}. of many questions that nobody asks twice")
}

/// A file of so many rows.
pub fn table(rows: usize) -> String {
    (0..rows).fold("words\n".to_owned(), |mut text, row| {
        let _ = writeln!(text, "{}", words(row));
        text
    })
}

/// What a row is asked.
pub fn question(row: usize) -> String {
    format!("Answer in a word: {}", words(row))
}

/// What a course is like.
#[derive(Debug, Clone, Copy)]
pub struct Setup {
    /// How long the provider takes for a call.
    pub latency: Duration,
    /// Workers.
    pub workers: usize,
    /// Lanes that each of them works on at once.
    pub lanes: u16,
}

/// The product at work.
pub struct Course {
    pub stand: Stand,
    pub provider: String,
    person: Person,
    prompt: Value,
}

/// A run under way.
pub struct Run {
    id: String,
    /// How many cells it has.
    pub cells: usize,
    /// Seconds from the request to its answer.
    pub posted: f64,
}

/// How a run stands.
#[derive(QueryableByName)]
struct Standing {
    #[diesel(sql_type = sql_types::Bool)]
    ended: bool,
    #[diesel(sql_type = sql_types::BigInt)]
    completed: i64,
    #[diesel(sql_type = sql_types::Double)]
    seconds: f64,
}

impl Course {
    /// Starts everything, with a run as warm-up: the governor lets few calls through at first.
    pub async fn start(setup: Setup) -> anyhow::Result<Self> {
        let mut stand = Stand::new().await?;
        let latency = setup.latency.as_millis().to_string();
        let provider = stand.start_provider_with(&["--latency-ms", &latency, "--workers", "2"])?;
        // The provider sets no limits, and neither does the governor: runs are what is measured.
        stand.set("GOVERNOR_CONCURRENCY", &1000);
        stand.set("WORKER_CONCURRENCY", &setup.lanes);
        stand.start_api().await?;
        for _ in 0..setup.workers {
            stand.start_worker()?;
        }
        let person = stand.register().await?;
        let prompt = json!({ "title": "Measured", "promptText": "Answer in a word: {{words}}" });
        let prompt = person.post("/api/prompts", &prompt).await?["id"].clone();
        let course = Self {
            stand,
            provider,
            person,
            prompt,
        };
        let dataset = course.dataset(500).await?;
        let run = course.begin(&dataset, 4, 200).await?;
        course.end(&run, |_| {}).await?;
        Ok(course)
    }

    /// A dataset of so many rows.
    pub async fn dataset(&self, rows: usize) -> anyhow::Result<Value> {
        let file = File {
            name: "rows.csv".to_owned(),
            text: table(rows),
        };
        let dataset = self.person.upload_to("/api/datasets", file).await?;
        Ok(json!({ "id": dataset["id"], "rows": rows }))
    }

    /// Starts a run on a dataset with so many columns.
    pub async fn begin(
        &self,
        dataset: &Value,
        columns: usize,
        concurrency: u16,
    ) -> anyhow::Result<Run> {
        let models: Vec<String> = MODELS[..columns]
            .iter()
            .map(|model| format!("gemini/{model}"))
            .collect();
        let body = json!({
            "promptId": self.prompt, "datasetId": dataset["id"], "modelIds": models,
            "concurrency": concurrency, "cache": "off",
        });
        let started = Instant::now();
        let run = self.person.post("/api/runs", &body).await?;
        Ok(Run {
            posted: started.elapsed().as_secs_f64(),
            id: run["id"].as_str().context("an id")?.to_owned(),
            cells: usize::try_from(run["cellCount"].as_u64().context("a count")?)?,
        })
    }

    /// Waits until a run is over, and gives the seconds that it took by Postgres' clock. `look` is
    /// called now and then with the share of its cells that are done.
    pub async fn end(&self, run: &Run, mut look: impl FnMut(f64)) -> anyhow::Result<f64> {
        loop {
            tokio::time::sleep(GLANCE).await;
            let standing = self.standing(run).await?;
            #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
            look(standing.completed as f64 / run.cells as f64);
            if standing.ended {
                let completed = usize::try_from(standing.completed)?;
                ensure!(completed == run.cells, "{completed} of {} cells", run.cells);
                return Ok(standing.seconds);
            }
        }
    }

    async fn standing(&self, run: &Run) -> anyhow::Result<Standing> {
        let sql = "SELECT finished_at IS NOT NULL AS ended,
                       (SELECT sum(completed) FROM run_columns WHERE run_id = runs.id)::bigint AS completed,
                       coalesce(extract(epoch FROM finished_at - created_at), 0)::double precision AS seconds
                   FROM runs WHERE id = $1";
        Ok(diesel::sql_query(sql)
            .bind::<sql_types::Uuid, _>(run.id.parse::<uuid::Uuid>()?)
            .get_result(&mut *self.stand.watch().await)
            .await?)
    }

    /// Resident MiB of the API and of the largest worker.
    pub fn resident(&self) -> [f64; 2] {
        ["api", "worker"].map(|name| self.largest(name, meter::resident_mib))
    }

    /// The most they ever had.
    pub fn peak(&self) -> [f64; 2] {
        ["api", "worker"].map(|name| self.largest(name, meter::peak_mib))
    }

    fn largest(&self, name: &str, of: fn(u32) -> f64) -> f64 {
        self.stand
            .pids(name)
            .into_iter()
            .map(of)
            .fold(0.0, f64::max)
    }
}
