//! Statistics over a million generations, and generating itself: one request after another and many
//! at once, with the plans of the statements behind them.

mod history;

use std::sync::atomic::{AtomicU64, Ordering};

use chrono::Days;
use serde_json::{Value, json};

use super::{
    quantile,
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
    #[arg(long, default_value_t = 600)]
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
    let questions = [
        ("summary of 30 days", "summary?", 30),
        ("summary of the year", "summary?", 365),
        ("series of 30 days", "timeseries?", 30),
        ("series of 30 days by person", "timeseries?by=user&", 30),
        (
            "series of 40 days by hours",
            "timeseries?interval=hour&",
            40,
        ),
        (
            "series of the year by weeks and templates",
            "timeseries?interval=week&by=template&",
            365,
        ),
    ];
    for (name, question, days) in questions {
        let ask = async |shift| {
            let last = history.last_day - Days::new(shift);
            let first = last - Days::new(days - 1);
            let path = format!("/api/stats/{question}from={first}&to={last}");
            person.get(&path).await
        };
        asked(&mut report, name, arguments, 100.0, ask).await?;
    }
    report.detail("plans", json!(history::plans(&mut conn, &viewer).await?));
    generated(&mut report, &person, arguments, &history.issue).await?;
    report.finish()
}

/// Generating, each prompt with a template of some size for an issue of 4 KB.
async fn generated(
    report: &mut Report,
    person: &Person,
    arguments: &Arguments,
    issue: &str,
) -> anyhow::Result<()> {
    for (name, times) in [
        ("generation, 4 KB of text", 1),
        ("generation, 40 KB of text", 10),
    ] {
        let body = "{{issue.title}} {{upper tone}}\n{{#each issue.labels}}- {{this}}\n{{/each}}{{issue.description}}\n".repeat(times);
        let lint = json!({"properties": {"tone": {"type": "string"}}, "required": ["tone"]});
        let template = json!({"name": name, "bodyMd": body, "lintJson": lint});
        let template = person.post("/api/prompt-templates", &template).await?;
        let asked_for: Value =
            json!({"issueId": issue, "templateId": template["id"], "vars": {"tone": "calm"}});
        asked(report, name, arguments, 50.0, async |_| {
            person
                .post("/api/prompts/generate", &asked_for)
                .await
                .map(drop)
        })
        .await?;
    }
    Ok(())
}

/// Asks one after another, many the same at once, and many each something else: so many days before.
async fn asked(
    report: &mut Report,
    name: &str,
    arguments: &Arguments,
    most_ms: f64,
    ask: impl AsyncFn(u64) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let asked = AtomicU64::new(0);
    let differs = async || ask(asked.fetch_add(1, Ordering::Relaxed) % 64).await;
    let same = async || ask(0).await;
    taken(20, 4, &same).await?;
    let one = taken(arguments.requests.min(200), 1, &same).await?;
    let same = taken(arguments.requests, arguments.parallel, &same).await?;
    let differ = taken(arguments.requests, arguments.parallel, &differs).await?;
    let ms = |times: &[f64], share| quantile(times, share) * 1e3;
    let shown = |times: &[f64]| format!("{:.1}, {:.1}", ms(times, 0.5), ms(times, 0.95));
    report.goal(
        name,
        format!(
            "{} ms; {} at once: {} the same, {} each its own",
            shown(&one),
            arguments.parallel,
            shown(&same),
            shown(&differ),
        ),
        &format!("p95 < {most_ms} ms at once"),
        ms(&same, 0.95) < most_ms && ms(&differ, 0.95) < most_ms,
    );
    Ok(())
}
