//! The API server at rest: how soon it is ready, and how much memory it holds before and after
//! some work.

use std::time::Duration;

use serde_json::json;

use super::{median, meter, report::Report, stand::Stand};

/// What is measured.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Starts.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Requests before memory is read a second time.
    #[arg(long, default_value_t = 2_000)]
    requests: usize,
}

/// Runs it.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut report = Report::new("rest");
    let mut stand = Stand::new().await?;
    let (mut ready, mut resident) = (Vec::new(), Vec::new());
    for _ in 0..arguments.rounds {
        stand.stop("api");
        ready.push(stand.start_api().await?.as_secs_f64());
        tokio::time::sleep(Duration::from_secs(1)).await;
        resident.push(meter::resident_mib(stand.pids("api")[0]));
    }
    let (start, memory) = (median(&ready), median(&resident));
    report.goal(
        "start of the API to ready",
        format!("{:.0} ms", start * 1000.0),
        "< 1 s",
        start < 1.0,
    );
    report.goal(
        "memory of the API at rest",
        format!("{memory:.1} MiB"),
        "< 40 MiB",
        memory < 40.0,
    );
    let person = stand.register().await?;
    for number in 0..arguments.requests {
        let query = format!("question {number}");
        person
            .post("/api/search", &json!({ "query": query }))
            .await?;
    }
    let after = meter::resident_mib(stand.pids("api")[0]);
    report.line(
        format!("the same after {} searches", arguments.requests),
        format!("{after:.1} MiB"),
    );
    stand.start_worker()?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let worker = meter::resident_mib(stand.pids("worker")[0]);
    report.line("memory of a worker at rest", format!("{worker:.1} MiB"));
    report.detail("readySeconds", json!(ready));
    report.detail("residentMib", json!(resident));
    report.finish()
}
