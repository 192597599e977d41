//! A prompt on every row of a table with two models, judged by rules and by a grader; then a second
//! version of it on the same rows, and what became of it.

use std::{
    io::Write,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::bail;
use serde_json::{Value, json};

use super::Api;

/// How long a run may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// The prompt that is tried. The mock is told the answer; `mock/weak-1` does not know it all the same
/// in a quarter of the cases. Other models would not be told.
const QUESTION: &str = r#"Give the chemical symbol of {{element}} and nothing else. [[mock: say="{{symbol}}", latency=25ms]]"#;

/// The same with a hint, which helps the mock as it is told to be helped.
const HINT: &str = r#"Give the chemical symbol of {{element}} and nothing else. It stands in the periodic table at place
{{number}}. [[mock: say="{{symbol}}", latency=25ms, unsure=0]]"#;

/// The prompt that judges.
const JUDGE: &str =
    "Does the output name the symbol that is expected? Answer yes or no. [[mock: judge]]
<expected>{{symbol}}</expected>
<output>{{output}}</output>";

/// The models, a column each.
const MODELS: [&str; 2] = ["mock/text-1", "mock/weak-1"];

/// Tries a prompt on a dataset, improves it, tries it again, and compares; gives the two runs.
pub async fn show(api: &Api, datasets: &Path) -> anyhow::Result<[Value; 2]> {
    let dataset = api
        .upload("/api/datasets", &datasets.join("elements.csv"))
        .await?;
    println!(
        "Trying a prompt on {} rows of {} with {}:\n",
        dataset["rowCount"],
        text(&dataset["name"]),
        MODELS.join(" and ")
    );
    let prompt = api
        .post(
            "/api/prompts",
            &json!({"title": "Chemical symbols", "promptText": QUESTION}),
        )
        .await?;
    let judge = json!({"title": "Same symbol?", "promptText": JUDGE, "kind": "grader"});
    let judge = api.post("/api/prompts", &judge).await?;
    let run = json!({
        "promptId": prompt["id"], "datasetId": dataset["id"], "modelIds": MODELS,
        "graderPromptId": judge["id"], "graderModelId": MODELS[0], "expectedColumn": "symbol",
        "checks": [{"type": "equals"}, {"type": "regex", "value": "^[A-Z][a-z]?$", "name": "looks like a symbol"}],
        "budgetUsd": "1",
    });
    let before = tried(api, &run).await?;
    println!("\nThe same with a hint in the prompt, which makes a second version of it:\n");
    let path = format!("/api/prompts/{}", text(&prompt["id"]));
    api.put(
        &path,
        &json!({"title": "Chemical symbols", "promptText": HINT}),
    )
    .await?;
    let after = tried(api, &run).await?;
    compare(api, &before, &after).await?;
    Ok([before, after])
}

/// Makes a run and prints what its columns came to.
async fn tried(api: &Api, body: &Value) -> anyhow::Result<Value> {
    let started = Instant::now();
    let run = api.post("/api/runs", body).await?;
    let run = ended(api, text(&run["id"])).await?;
    println!(
        "  {}, {} in {:.1} s: {} cells, {} US dollars\n",
        text(&run["versionLabel"]),
        text(&run["status"]),
        started.elapsed().as_secs_f64(),
        run["cellCount"],
        text(&run["summary"]["totalCost"])
    );
    println!(
        "  {:<14}{:>10}{:>11}{:>8}{:>12}   {:<24}{:>8}{:>8}",
        "model",
        "completed",
        "malformed",
        "failed",
        "mean grade",
        "pass rate (95 %)",
        "p50 ms",
        "p95 ms"
    );
    for column in list(&run["summary"]["columns"]) {
        let count = |name: &str| column["counts"][name].to_string();
        println!(
            "  {:<14}{:>10}{:>11}{:>8}{:>12}   {:<24}{:>8}{:>8}",
            text(&column["model"]),
            count("completed"),
            count("malformed"),
            count("failed"),
            number(&column["meanGrade"]),
            rate(&column["passRate"]),
            column["latencyMs"]["p50"].to_string(),
            column["latencyMs"]["p95"].to_string()
        );
    }
    Ok(run)
}

/// Shows on one line how far the run is, until its end.
async fn ended(api: &Api, id: &str) -> anyhow::Result<Value> {
    let started = Instant::now();
    loop {
        let run = api.get(&format!("/api/runs/{id}")).await?;
        let number = |member: &str| run[member].as_u64().unwrap_or_default();
        print!(
            "\r  {} of {} cells   ",
            number("cellCount") - number("openCells"),
            number("cellCount")
        );
        std::io::stdout().flush()?;
        if !["queued", "running"].contains(&text(&run["status"])) {
            print!("\r");
            return Ok(run);
        }
        if started.elapsed() > PATIENCE {
            bail!("the run has not ended after {PATIENCE:?}: is a worker running?");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Prints what became of each column, row by row.
async fn compare(api: &Api, before: &Value, after: &Value) -> anyhow::Result<()> {
    let path = format!(
        "/api/runs/{}/compare/{}",
        text(&before["id"]),
        text(&after["id"])
    );
    let comparison = api.get(&path).await?;
    println!(
        "\nThe second against the first: {}\n",
        text(&comparison["verdict"])
    );
    for (column, model) in list(&comparison["columns"]).iter().zip(MODELS) {
        println!(
            "  {model:<14}{}: of {} rows {} are right now that were not, and {} the other way round",
            text(&column["verdict"]),
            column["rows"],
            column["onlyB"],
            column["onlyA"]
        );
    }
    println!();
    Ok(())
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}

fn number(value: &Value) -> String {
    value
        .as_f64()
        .map_or("-".to_owned(), |number| format!("{number:.3}"))
}

fn rate(rate: &Value) -> String {
    let percent = |member: &str| {
        rate[member]
            .as_f64()
            .map(|share| format!("{:.1} %", share * 100.0))
    };
    match (percent("value"), percent("low"), percent("high")) {
        (Some(value), Some(low), Some(high)) => format!("{value} ({low} to {high})"),
        _ => "-".to_owned(),
    }
}
