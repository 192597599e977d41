//! Shows the product at work: signs in, uploads the sample documents, follows them until they are
//! searchable, asks questions and prints the answers, drafts a prompt, tries another on a table of
//! questions with two models, performs a workflow on one of the documents, and takes a request from its
//! submission to its acceptance, connects a tracker and follows an issue to an output. It uses the API alone, as any client would.
#![expect(clippy::print_stdout, reason = "it talks to whoever watches")]

use std::{
    io::Write,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use clap::Parser;
use serde_json::{Value, json};
use tests::demo::{Api, article, grid, request, tracker};

/// How long the documents may take to become searchable.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Parser)]
struct Arguments {
    /// Where the API is.
    #[arg(long)]
    api_url: String,
    /// The folder of the sample documents and of `questions.json`.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/samples"))]
    samples: PathBuf,
    /// The folder of the datasets that prompts are tried on.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/datasets"))]
    datasets: PathBuf,
    /// Who signs in.
    #[arg(long, env = "DEMO_EMAIL", default_value = "developer@example.com")]
    email: String,
    /// With which password.
    #[arg(long, env = "SEED_PASSWORD", default_value = "example-Otter-2024")]
    password: String,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let api = Api::sign_in(&arguments.api_url, &arguments.email, &arguments.password).await?;
    println!("Signed in as {}.\n", arguments.email);
    let documents = upload_all(&api, &arguments.samples).await?;
    follow(&api, documents.len()).await?;
    ask_all(&api, &arguments.samples).await?;
    draft_and_try(&api).await?;
    grid::show(&api, &arguments.datasets).await?;
    article::show(&api, &arguments.samples).await?;
    request::show(&arguments.api_url, &arguments.password).await?;
    tracker::show(&arguments.api_url, &arguments.password).await?;
    println!("The API is documented at {}/docs", arguments.api_url);
    println!(
        "Sign in there with {} / {}",
        arguments.email, arguments.password
    );
    Ok(())
}

/// What the drafted prompt is to achieve.
const GOAL: &str =
    "Answer questions of new colleagues about our travel expenses, kindly and in a few sentences";

/// Has a prompt drafted, saves it, and tries it: the answer is shown as it comes.
async fn draft_and_try(api: &Api) -> anyhow::Result<()> {
    println!("\nDrafting a prompt for: {GOAL}");
    let draft = api
        .post("/api/gemini/generate-sfl", &json!({"goal": GOAL}))
        .await?;
    let prompt = api.post("/api/prompts", &draft).await?;
    for (name, value) in [
        ("title", &prompt["title"]),
        ("task", &prompt["sflField"]["taskType"]),
        ("tone", &prompt["sflTenor"]["desiredTone"]),
        ("form", &prompt["sflMode"]["outputFormat"]),
    ] {
        println!("  {name:<6} {}", value.as_str().unwrap_or_default());
    }
    println!("\nTrying it; the answer as it is made:\n");
    let body = json!({"promptText": prompt["promptText"]});
    let done = api.stream("/api/gemini/test-prompt", &body).await?;
    let text = |name: &str| done[name].as_str().unwrap_or("unknown").to_owned();
    println!(
        "\n\n  {} answered: {} tokens, {} US dollars, {} ms\n",
        text("model"),
        done["usage"]["tokensOut"],
        text("cost"),
        done["latencyMs"]
    );
    Ok(())
}

/// Uploads every sample; those that are there already are given back as they are.
async fn upload_all(api: &Api, folder: &Path) -> anyhow::Result<Vec<Value>> {
    let mut files: Vec<_> = std::fs::read_dir(folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    files.retain(|path| {
        path.is_file() && path.file_name().is_none_or(|name| name != "questions.json")
    });
    files.sort();
    let mut documents = Vec::new();
    for file in files {
        let document = api
            .upload("/api/documents/upload", &file)
            .await
            .with_context(|| file.display().to_string())?;
        let text = |name: &str| document[name].as_str().unwrap_or_default().to_owned();
        println!(
            "  uploaded {:<28} {}",
            text("fileName"),
            text("contentType")
        );
        documents.push(document);
    }
    Ok(documents)
}

/// Shows on one line how far the documents are until all are done.
async fn follow(api: &Api, expected: usize) -> anyhow::Result<()> {
    let started = Instant::now();
    loop {
        let documents = api.get("/api/documents").await?;
        let documents = documents.as_array().map(Vec::as_slice).unwrap_or_default();
        let count = |status: &str| documents.iter().filter(|d| d["status"] == status).count();
        let sum = |name: &str| {
            documents
                .iter()
                .filter_map(|d| d[name].as_i64())
                .sum::<i64>()
        };
        let (done, failed) = (count("completed"), count("failed"));
        print!(
            "\r  {done} of {} documents searchable, {} of {} passages embedded, {failed} failed   ",
            documents.len(),
            sum("chunksEmbedded"),
            sum("chunksTotal")
        );
        std::io::stdout().flush()?;
        if done + failed >= documents.len().max(expected) {
            println!("\n");
            return Ok(());
        }
        if started.elapsed() > PATIENCE {
            bail!("the documents are not done after {PATIENCE:?}: is a worker running?");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn ask_all(api: &Api, folder: &Path) -> anyhow::Result<()> {
    let questions: Vec<Value> =
        serde_json::from_slice(&std::fs::read(folder.join("questions.json"))?)?;
    let mut right = 0;
    for question in &questions {
        let text = |name: &str| question[name].as_str().unwrap_or_default();
        let body = json!({"query": text("question"), "mode": "hybrid", "limit": 1});
        let answer = api.post("/api/search", &body).await?;
        println!("? {}", text("question"));
        let Some(hit) = answer["results"].get(0) else {
            println!("  nothing was found\n");
            continue;
        };
        right += usize::from(
            hit["text"]
                .as_str()
                .is_some_and(|found| found.contains(text("mustContain"))),
        );
        println!("  {}\n  {}\n", place(hit), excerpt(hit));
    }
    println!(
        "{right} of {} questions found the passage that answers them in first place.",
        questions.len()
    );
    println!(
        "Without GEMINI_API_KEY vectors are made by the mock, which compares words and not meanings.\n"
    );
    Ok(())
}

/// Where the passage stands: file, headings, page.
fn place(hit: &Value) -> String {
    let mut place = hit["fileName"].as_str().unwrap_or_default().to_owned();
    for heading in hit["headingPath"].as_array().into_iter().flatten() {
        place.push_str(" › ");
        place.push_str(heading.as_str().unwrap_or_default());
    }
    if let Some(page) = hit["page"].as_i64() {
        return format!("{place}, page {page}");
    }
    place
}

/// The passage on one line, shortened.
fn excerpt(hit: &Value) -> String {
    let words: Vec<_> = hit["text"]
        .as_str()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let line = words.join(" ");
    let short: String = line.chars().take(200).collect();
    if short.len() < line.len() {
        format!("{short} …")
    } else {
        short
    }
}
