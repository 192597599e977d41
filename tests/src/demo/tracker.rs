//! From an issue to its lineage: a Jira is connected and read, a prompt is generated for one of its issues
//! with a template, tried, its output kept; and the graph is told from the output upwards. The Jira is a
//! stand-in that lives as long as the scene.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use chrono::{TimeDelta, Utc};
use reqwest::multipart::Form;
use serde_json::{Value, json};

use super::Api;
use crate::fakes::jira_dc::FakeJiraDc;

/// How long the reading may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the tracker is called here.
const TRACKER: &str = "Duck pond (stand-in)";

/// What the template is called.
const TEMPLATE: &str = "Plan an issue";

/// What it says.
const BODY: &str = "Plan the work on {{issue.extKey}}, \"{{issue.title}}\", which is {{formatStatus issue.status}}.\n\
    {{#each issue.labels}}- {{upper this}}\n{{/each}}\nIt says:\n{{truncate issue.description 200}}\n\n\
    It is done when:\n{{issue.acceptanceCriteria}}\n\nBe {{tone}}.";

/// The people, signed in.
struct People {
    admin: Api,
    lead: Api,
    developer: Api,
}

/// Shows it.
pub async fn show(url: &str, password: &str) -> anyhow::Result<()> {
    let sign_in = async |role: &str| {
        let email = format!("{role}@example.com");
        Api::sign_in(url, &email, password).await
    };
    let people = People {
        admin: sign_in("admin").await?,
        lead: sign_in("lead").await?,
        developer: sign_in("developer").await?,
    };
    let jira = FakeJiraDc::start(Utc::now()).await;
    jira.shared
        .world()
        .populate("DUCKS", 120, TimeDelta::hours(2));
    let tracker = connected(&people.admin, &jira.url()).await?;
    read(&people.admin, &tracker).await?;
    let found = people
        .developer
        .get("/api/issues?q=number%20119&limit=1")
        .await?;
    let issue = found.get(0).context("the issue is not there")?;
    let template = template(&people.lead).await?;
    let asked = json!({"issueId": issue["id"], "templateId": template, "vars": {"tone": "brief"}});
    let made = people
        .developer
        .post("/api/prompts/generate", &asked)
        .await?;
    println!(
        "\nGenerated for {} with \"{TEMPLATE}\", {} tokens:\n",
        text(&issue["extKey"]),
        made["tokens"]
    );
    for line in text(&made["promptText"]).lines() {
        println!("  | {line}");
    }
    let output = kept(&people.developer, &made).await?;
    told(&people.developer, &output).await?;
    numbers(&people.lead).await?;
    // Nobody answers at its address any more.
    let path = format!("/api/trackers/{tracker}");
    people
        .admin
        .patch(&path, &json!({"state": "paused"}))
        .await?;
    Ok(())
}

/// Connects the Jira, or the one of an earlier demo anew; the id.
async fn connected(admin: &Api, jira: &str) -> anyhow::Result<String> {
    let auth = json!({"pat": "a-token-of-the-demo"});
    let known = admin.get("/api/trackers").await?;
    let known = known.as_array().map(Vec::as_slice).unwrap_or_default();
    let known = known.iter().find(|tracker| tracker["name"] == TRACKER);
    let tracker = if let Some(known) = known {
        let path = format!("/api/trackers/{}", text(&known["id"]));
        let body = json!({"baseUrl": jira, "auth": auth, "state": "active"});
        admin.patch(&path, &body).await?
    } else {
        let body = json!({"type": "jira-dc", "name": TRACKER, "baseUrl": jira, "auth": auth});
        admin.post("/api/trackers", &body).await?
    };
    let id = text(&tracker["id"]).to_owned();
    let trial = admin
        .post(&format!("/api/trackers/{id}/test"), &json!({}))
        .await?;
    println!(
        "\nConnected {TRACKER}: {} as {}",
        text(&trial["product"]),
        text(&trial["accountName"])
    );
    Ok(id)
}

/// Has it read, and waits until that is done.
async fn read(admin: &Api, tracker: &str) -> anyhow::Result<()> {
    let started = admin
        .post(&format!("/api/trackers/{tracker}/sync"), &json!({}))
        .await?;
    let began = Instant::now();
    loop {
        let syncs = admin
            .get(&format!("/api/trackers/{tracker}/syncs?limit=20"))
            .await?;
        let syncs = syncs.as_array().map(Vec::as_slice).unwrap_or_default();
        let sync = syncs.iter().find(|sync| sync["id"] == started["syncId"]);
        let sync = sync.context("the sync is not listed")?;
        match text(&sync["state"]) {
            "done" => {
                println!(
                    "Read it: {} issues came, {} were stored, with {} calls",
                    sync["fetched"], sync["stored"], sync["requests"]
                );
                return Ok(());
            }
            "queued" | "running" if began.elapsed() < PATIENCE => {}
            state => bail!("the sync is {state}: {}", text(&sync["errorMessage"])),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The template, written by the lead unless it is there.
async fn template(lead: &Api) -> anyhow::Result<Value> {
    let known = lead
        .get("/api/prompt-templates?q=Plan%20an%20issue")
        .await?;
    if let Some(known) = known.get(0) {
        return Ok(known["id"].clone());
    }
    let lint = json!({"properties": {"tone": {"type": "string"}}, "required": ["tone"]});
    let body = json!({"name": TEMPLATE, "bodyMd": BODY, "lintJson": lint});
    Ok(lead.post("/api/prompt-templates", &body).await?["id"].clone())
}

/// Runs the prompt once and keeps what came of it; the id of the output.
async fn kept(developer: &Api, made: &Value) -> anyhow::Result<String> {
    let tried = json!({"promptText": made["promptText"]});
    let answer = developer.post("/api/gemini/test-prompt", &tried).await?;
    let form = Form::new()
        .text("promptVersionId", text(&made["promptVersionId"]).to_owned())
        .text("text", text(&answer["text"]).to_owned());
    let output = developer.send_form("/api/outputs", form).await?;
    println!(
        "\nKept what a model made of it, found clean: SHA-256 {}",
        text(&output["sha256"])
    );
    Ok(text(&output["outputId"]).to_owned())
}

/// Prints where an output comes from.
async fn told(developer: &Api, output: &str) -> anyhow::Result<()> {
    let graph = developer
        .get(&format!("/api/lineage/output/{output}"))
        .await?;
    println!("\nWhere it comes from:");
    for node in graph["nodes"].as_array().into_iter().flatten() {
        println!("  {:<14} {}", text(&node["kind"]), text(&node["title"]));
    }
    let edges = graph["edges"].as_array().map_or(0, Vec::len);
    println!("  ({edges} edges)");
    Ok(())
}

/// Prints the month in numbers.
async fn numbers(lead: &Api) -> anyhow::Result<()> {
    let summary = lead.get("/api/stats/summary").await?;
    println!(
        "\nThirty days in numbers: {} prompts generated ({} today), {} tokens each on average, {} runs for {} US dollars, {} outputs\n",
        summary["prompts"],
        summary["promptsToday"],
        summary["avgTokens"],
        summary["runs"],
        text(&summary["cost"]),
        summary["outputs"]
    );
    Ok(())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
