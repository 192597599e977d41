//! What the audit log costs: the same changes with its triggers and without them, in turns.

use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{
    float, median, quantile,
    report::Report,
    stand::{Person, Stand},
    taken,
};

/// What is measured.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Changes one after another, and as many at once, in each turn.
    #[arg(long, default_value_t = 600)]
    changes: usize,
    /// Writers at once.
    #[arg(long, default_value_t = 32)]
    parallel: usize,
    /// Turns of each side.
    #[arg(long, default_value_t = 7)]
    turns: usize,
}

/// A side of the comparison, turn by turn.
#[derive(Default)]
struct Side {
    alone: Vec<f64>,
    at_once: Vec<f64>,
    cpu: Vec<f64>,
}

/// Runs it.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut report = Report::new("audit");
    let mut stand = Stand::new().await?;
    stand.start_api().await?;
    let person = stand.register().await?;
    let mut prompts = Vec::new();
    for n in 0..arguments.parallel {
        let body = json!({"title": format!("Prompt {n}"), "promptText": "Say {{a}}. ".repeat(40)});
        let made = person.post("/api/prompts", &body).await?;
        prompts.push(format!(
            "/api/prompts/{}",
            made["id"].as_str().unwrap_or_default()
        ));
    }
    let (mut with, mut without) = (Side::default(), Side::default());
    for _ in 0..arguments.turns {
        for (is_on, side) in [("ENABLE", &mut with), ("DISABLE", &mut without)] {
            let sql = format!("ALTER TABLE prompts {is_on} TRIGGER prompts_audit");
            stand.database.run(&sql).await;
            turn(&stand, &person, &prompts, arguments, side).await?;
        }
    }
    for (name, of) in [
        (
            "a change, one after another",
            (|side| &side.alone) as fn(&Side) -> &Vec<f64>,
        ),
        ("a change, at once (p95)", |side| &side.at_once),
        ("CPU of all processes", |side| &side.cpu),
    ] {
        let ms = |side: &Side| median(of(side)) * 1e3;
        let ratios: Vec<_> = of(&with)
            .iter()
            .zip(of(&without))
            .map(|(with, without)| with / without)
            .collect();
        report.line(
            name,
            format!(
                "{:.2} ms with, {:.2} ms without: {:.2} times",
                ms(&with),
                ms(&without),
                median(&ratios)
            ),
        );
    }
    report.finish()
}

async fn turn(
    stand: &Stand,
    person: &Person,
    prompts: &[String],
    arguments: &Arguments,
    side: &mut Side,
) -> anyhow::Result<()> {
    let count = AtomicUsize::new(0);
    let change = async || {
        let n = count.fetch_add(1, Ordering::Relaxed);
        let body = json!({"notes": format!("Change {n}")});
        person.put(&prompts[n % prompts.len()], &body).await
    };
    taken(arguments.parallel, 4, &change).await?;
    let before = stand.cpu();
    let alone = taken(arguments.changes, 1, &change).await?;
    let at_once = taken(arguments.changes, arguments.parallel, &change).await?;
    side.cpu
        .push(stand.cpu().since(&before).product() / float(2 * arguments.changes));
    side.alone.push(median(&alone));
    side.at_once.push(quantile(&at_once, 0.95));
    Ok(())
}
