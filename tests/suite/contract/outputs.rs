//! Outputs through the API: kept, scanned, given back, seen by whom the prompt is seen.

#[path = "outputs/keep.rs"]
mod keep;
#[path = "outputs/names.rs"]
mod names;
#[path = "outputs/read.rs"]
mod read;
#[path = "outputs/scan.rs"]
mod scan;
#[path = "outputs/scanners.rs"]
mod scanners;

use reqwest::{Method, multipart::Form};
use serde_json::{Value, json};
use tests::support::{App, Client, Reply};

const OUTPUTS: &str = "/api/outputs";

/// What each anti-virus program calls infected, though it does nothing. In parts, so that none of
/// them finds it in this file.
fn eicar() -> Vec<u8> {
    let parts = [
        r"X5O!P%@AP[4\PZX54(P^)7CC)7}",
        "$EICAR-STANDARD-",
        "ANTIVIRUS-TEST-FILE!",
        "$H+H*",
    ];
    parts.concat().into_bytes()
}

/// A server with a real scanner.
async fn scanned() -> App {
    assert!(
        scanner_url().is_some(),
        "CLAMD_URL names no malware scanner: run the tests by ./dev test, which starts one, or set it to a clamd \
         that knows the signatures of deploy/dev/signatures and has the limits of deploy/dev/clamd.conf"
    );
    App::start().await
}

fn scanner_url() -> Option<String> {
    let url = std::env::var("CLAMD_URL").ok();
    url.filter(|url| !url.is_empty() && url != "off")
}

/// A prompt with a version: the ids of both.
async fn prompt(client: &Client, visibility: &str) -> (String, String) {
    let body = json!({"title": "Haiku", "promptText": "Write a haiku.", "visibility": visibility});
    let prompt = client.post("/api/prompts", &body).await.expect(201).json();
    let id = text(&prompt, "id");
    let version = client
        .post_empty(&format!("/api/prompts/{id}/versions"))
        .await;
    (id, text(&version.expect(201).json(), "id"))
}

fn text(value: &Value, member: &str) -> String {
    let text = value[member].as_str();
    text.unwrap_or_else(|| panic!("no {member}: {value}"))
        .to_owned()
}

/// Sends a form of texts.
async fn send(client: &Client, fields: &[(&str, &str)]) -> Reply {
    let form = fields.iter().fold(Form::new(), |form, (name, value)| {
        form.text((*name).to_owned(), (*value).to_owned())
    });
    Reply::to(client.request(Method::POST, OUTPUTS).multipart(form)).await
}

async fn keep_text(client: &Client, version: &str, text: &str) -> Reply {
    send(client, &[("promptVersionId", version), ("text", text)]).await
}

async fn keep_file(client: &Client, version: &str, name: &str, bytes: &[u8]) -> Reply {
    client
        .upload(OUTPUTS, name, bytes, &[("promptVersionId", version)])
        .await
}

/// Keeps a text and gives the path of the output.
async fn kept(client: &Client, version: &str, words: &str) -> String {
    let reply = keep_text(client, version, words).await;
    format!("{OUTPUTS}/{}", text(&reply.expect(201).json(), "outputId"))
}

/// Fails unless nothing of any output is there.
async fn nothing_is_kept(app: &App) {
    assert_eq!(app.count("outputs").await, 0);
    assert_eq!(app.files(), Vec::<std::path::PathBuf>::new());
}
