//! Statistics over a million generations, and generating itself: one request after another and many
//! at once, with the plans of the statements behind them.

mod history;

use serde_json::{Value, json};

use super::{
    median, quantile,
    report::Report,
    stand::{Person, Stand},
    taken,
};

/// What is measured.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Generations of one company, over a year.
    #[arg(long, default_value_t = 1_000_000)]
    events: u32,
    /// Those of them that nobody has added up yet.
    #[arg(long, default_value_t = 5_000)]
    fresh: u32,
    /// Clients at once.
    #[arg(long, default_value_t = 64)]
    parallel: usize,
    /// Requests of each kind, at once.
    #[arg(long, default_value_t = 640)]
    requests: usize,
}

/// Runs it.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut report = Report::new("stats");
    let mut stand = Stand::new().await?;
    stand.start_api().await?;
    let person = stand.register().await?;
    let mut conn = stand.connect().await?;
    let viewer = stand.viewer(&person).await?;
    let history = history::fill(&mut conn, &viewer, arguments.events, arguments.fresh).await?;
    report.line(
        "events added up",
        format!("{} in {:.1} s", history.folded, history.seconds),
    );
    let year = history.first_day;
    let paths = [
        ("summary of 30 days", "/api/stats/summary".to_owned()),
        (
            "summary of the year",
            format!("/api/stats/summary?from={year}"),
        ),
        ("series of 30 days", "/api/stats/timeseries".to_owned()),
        (
            "series of 30 days by person",
            "/api/stats/timeseries?by=user".to_owned(),
        ),
        (
            "series of 40 days by hours",
            format!(
                "/api/stats/timeseries?interval=hour&from={}",
                history.forty_days
            ),
        ),
        (
            "series of the year by weeks and templates",
            format!("/api/stats/timeseries?from={year}&interval=week&by=template"),
        ),
    ];
    for (name, path) in &paths {
        asked(&mut report, name, arguments, 100.0, async || {
            person.get(path).await
        })
        .await?;
    }
    report.detail("plans", json!(history::plans(&mut conn, &viewer).await?));
    generated(&mut report, &person, arguments, &history.issue).await?;
    report.finish()
}

/// Generating, each prompt with a template of some size for an issue of some size.
async fn generated(
    report: &mut Report,
    person: &Person,
    arguments: &Arguments,
    issue: &str,
) -> anyhow::Result<()> {
    let body = "{{issue.title}} {{upper tone}}\n{{#each issue.labels}}- {{this}}\n{{/each}}{{issue.description}}\n".repeat(10);
    let lint = json!({"properties": {"tone": {"type": "string"}}, "required": ["tone"]});
    let template = person
        .post(
            "/api/prompt-templates",
            &json!({"name": "Bench", "bodyMd": body, "lintJson": lint}),
        )
        .await?;
    let asked_for: Value =
        json!({"issueId": issue, "templateId": template["id"], "vars": {"tone": "calm"}});
    asked(report, "generation", arguments, 50.0, async || {
        person
            .post("/api/prompts/generate", &asked_for)
            .await
            .map(drop)
    })
    .await
}

async fn asked(
    report: &mut Report,
    name: &str,
    arguments: &Arguments,
    most_ms: f64,
    ask: impl AsyncFn() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    taken(20, 4, &ask).await?;
    let one = taken(arguments.requests.min(200), 1, &ask).await?;
    let many = taken(arguments.requests, arguments.parallel, &ask).await?;
    let ms = |times: &[f64], share| quantile(times, share) * 1e3;
    report.goal(
        name,
        format!(
            "{:.1}, {:.1} ms; {} at once: {:.1}, {:.1} ms",
            median(&one) * 1e3,
            ms(&one, 0.95),
            arguments.parallel,
            ms(&many, 0.5),
            ms(&many, 0.95),
        ),
        &format!("p95 < {most_ms} ms at once"),
        ms(&many, 0.95) < most_ms,
    );
    Ok(())
}
