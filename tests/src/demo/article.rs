//! A workflow: the built-in one reads a sample document, task by task, and a model drafts another.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use super::Api;

/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// The document that is read.
const ARTICLE: &str = "bee-dances.txt";

/// What the drafted workflow is to do.
const GOAL: &str = "Answer reviews of our shop in the language that they are written in";

/// Has the built-in workflow performed, prints its tasks and its report, and has another drafted; gives
/// the execution.
pub async fn show(api: &Api, samples: &Path) -> anyhow::Result<Value> {
    let workflows = api.get("/api/workflows").await?;
    let workflows = workflows.as_array().map(Vec::as_slice).unwrap_or_default();
    let about_articles = |workflow: &&Value| {
        workflow["isDefault"] == true && text(&workflow["name"]).contains("article")
    };
    let workflow = workflows.iter().find(about_articles);
    let workflow = workflow.context("the built-in workflow is gone")?;
    println!(
        "Performing the workflow \"{}\" on {ARTICLE}:\n",
        text(&workflow["name"])
    );
    let article = tokio::fs::read_to_string(samples.join(ARTICLE)).await?;
    let path = format!("/api/workflows/{}/execute", text(&workflow["id"]));
    let body = json!({"userInput": {"text": article}});
    let started = api.post(&path, &body).await?;
    let execution = ended(api, text(&started["executionId"])).await?;
    tell(&execution);
    let draft = json!({"goal": GOAL});
    let draft = api.post("/api/gemini/generate-workflow", &draft).await?;
    println!(
        "A workflow drafted for \"{GOAL}\":\n  {}, {} tasks\n",
        text(&draft["name"]),
        draft["tasks"].as_array().map_or(0, Vec::len)
    );
    Ok(execution)
}

/// Waits for its end.
async fn ended(api: &Api, id: &str) -> anyhow::Result<Value> {
    let began = Instant::now();
    loop {
        let execution = api.get(&format!("/api/executions/{id}")).await?;
        match text(&execution["status"]) {
            "completed" => return Ok(execution),
            "pending" | "running" if began.elapsed() < PATIENCE => {}
            status => bail!(
                "the workflow is {status}: {} Is a worker running?",
                text(&execution["error"])
            ),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn tell(execution: &Value) {
    let tasks = execution["tasks"].as_array();
    let tasks = tasks.map(Vec::as_slice).unwrap_or_default();
    for task in tasks {
        println!(
            "  {:<12}{:<18}{:<11}{:>6} tokens",
            text(&task["name"]),
            text(&task["type"]),
            text(&task["status"]),
            task["tokensIn"].as_i64().unwrap_or_default()
                + task["tokensOut"].as_i64().unwrap_or_default()
        );
    }
    println!("\nIts report:\n");
    let report = tasks.last().map(|task| text(&task["result"]));
    for line in report.unwrap_or_default().lines() {
        println!("  {line}");
    }
    println!();
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}
