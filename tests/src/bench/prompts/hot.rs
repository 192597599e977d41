//! The hot path of applications: a released prompt by its label, again and again, beside a server
//! that does nothing but ask the same Redis for a text of the same size. Both are processes of
//! their own, asked in turns by the same client.

use anyhow::Context as _;
use serde_json::json;

use crate::bench::{
    float, median, quantile,
    report::Report,
    stand::{Person, Stand},
    taken,
};

/// What is measured.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Requests one after another, in each turn.
    #[arg(long, default_value_t = 1_000)]
    requests: usize,
    /// Clients at once.
    #[arg(long, default_value_t = 64)]
    parallel: usize,
    /// Requests of all of them together, in each turn.
    #[arg(long, default_value_t = 6_400)]
    all: usize,
    /// Turns.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
}

/// What a turn gave: seconds of each request, and of them all.
struct Turn {
    each: Vec<f64>,
    whole: f64,
}

async fn turn(person: &Person, path: &str, count: usize, at_once: usize) -> anyhow::Result<Turn> {
    let started = std::time::Instant::now();
    let each = taken(count, at_once, async || person.get(path).await).await?;
    let whole = started.elapsed().as_secs_f64();
    Ok(Turn { each, whole })
}

/// Runs it.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut report = Report::new("prompts");
    let mut stand = Stand::new().await?;
    stand.start_api().await?;
    let person = stand.register().await?;
    let path = release(&person).await?;
    let bare = bare(&mut stand, &person, &path).await?;
    for (what, count, at_once) in [
        ("one after another", arguments.requests, 1),
        ("at once", arguments.all, arguments.parallel),
    ] {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..=arguments.rounds {
            ours.push(turn(&person, &path, count, at_once).await?);
            theirs.push(turn(&bare, "/", count, at_once).await?);
        }
        let label = format!("{at_once} {what}");
        compare(&mut report, &label, &ours[1..], &theirs[1..]);
    }
    report.finish()
}

/// Lines for both sides, and how they compare, turn by turn.
fn compare(report: &mut Report, what: &str, ours: &[Turn], theirs: &[Turn]) {
    for (who, turns) in [("a prompt by its label", ours), ("the bare GET", theirs)] {
        let over = |share| median(&each(turns, |turn| quantile(&turn.each, share))) * 1e3;
        let rate = median(&each(turns, |turn| float(turn.each.len()) / turn.whole));
        report.line(
            format!("{who}, {what}"),
            format!(
                "median {:.2} ms, p95 {:.2} ms, {rate:.0} a second",
                over(0.5),
                over(0.95)
            ),
        );
    }
    let ratio = |of: fn(&Turn) -> f64| {
        let pairs = ours.iter().zip(theirs);
        median(
            &pairs
                .map(|(our, their)| of(our) / of(their))
                .collect::<Vec<_>>(),
        )
    };
    let (middle, whole) = (ratio(|turn| median(&turn.each)), ratio(|turn| turn.whole));
    report.line(
        format!("ours by the bare GET, {what}"),
        format!("{middle:.2} times the time, {:.2} of the rate", 1.0 / whole),
    );
    report.detail(
        what,
        json!({ "timeRatio": middle, "rateRatio": 1.0 / whole }),
    );
}

fn each(turns: &[Turn], of: impl Fn(&Turn) -> f64) -> Vec<f64> {
    turns.iter().map(of).collect()
}

/// A server that gives the answer to this path from a key in Redis.
async fn bare(stand: &mut Stand, person: &Person, path: &str) -> anyhow::Result<Person> {
    let copy = person.read(path).await?;
    let key = format!("{}:bare", stand.setting("REDIS_PREFIX"));
    let mut redis = redis::Client::open(stand.setting("REDIS_URL"))?
        .get_multiplexed_async_connection()
        .await?;
    let () = redis::AsyncCommands::set_ex(&mut redis, &key, copy, 3_600).await?;
    Ok(person.at(stand.start_bare(&key).await?))
}

/// A prompt of some 1 500 characters with a version in production; gives its path.
async fn release(person: &Person) -> anyhow::Result<String> {
    let text = "Summarise {{ticket}} for a colleague. ".repeat(40);
    let body = json!({"title": "Hot", "promptText": text});
    let prompt = person.post("/api/prompts", &body).await?;
    let path = format!("/api/prompts/{}", prompt["id"].as_str().context("an id")?);
    person.post(&format!("{path}/versions"), &json!({})).await?;
    let label = format!("{path}/labels/production");
    person.put(&label, &json!({"version": 1})).await?;
    Ok(format!("{path}?label=production"))
}
