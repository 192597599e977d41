//! What the demo is made of: a client that signs in, and the scenes that are long enough to stand
//! alone.
#![expect(clippy::print_stdout, reason = "it talks to whoever watches")]

pub mod article;
pub mod grid;
pub mod request;
pub mod tracker;

use std::{io::Write, path::Path};

use anyhow::{Context as _, bail};
use reqwest::{Client, Response, multipart};
use serde_json::{Value, json};

/// A signed-in client.
pub struct Api {
    client: Client,
    url: String,
    token: String,
}

/// The answer's JSON, or the sentence in which the server says what is wrong.
async fn checked(answer: Response) -> anyhow::Result<Value> {
    let status = answer.status();
    let body: Value = answer.json().await?;
    if !status.is_success() {
        bail!(
            "{status}: {}",
            body["detail"].as_str().unwrap_or("no reason given")
        );
    }
    Ok(body)
}

impl Api {
    /// Signs in.
    pub async fn sign_in(url: &str, email: &str, password: &str) -> anyhow::Result<Self> {
        let client = Client::new();
        let url = url.trim_end_matches('/').to_owned();
        let body = json!({"email": email, "password": password});
        let login = client.post(format!("{url}/api/auth/login")).json(&body);
        let signed_in = checked(login.send().await?)
            .await
            .context("signing in; has the database been seeded?")?;
        let token = signed_in["accessToken"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        Ok(Self { client, url, token })
    }

    /// Reads.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let request = self
            .client
            .get(format!("{}{path}", self.url))
            .bearer_auth(&self.token);
        checked(request.send().await?).await
    }

    /// Creates or starts something.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self
            .client
            .post(format!("{}{path}", self.url))
            .bearer_auth(&self.token);
        checked(request.json(body).send().await?).await
    }

    /// Prints the words of an answer as they come, and gives what stands at its end.
    pub async fn stream(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self
            .client
            .post(format!("{}{path}", self.url))
            .bearer_auth(&self.token)
            .header("accept", "text/event-stream");
        let mut answer = request.json(body).send().await?;
        if !answer.status().is_success() {
            return checked(answer).await;
        }
        let mut read = Vec::new();
        while let Some(bytes) = answer.chunk().await? {
            read.extend(bytes);
            while let Some(end) = read.windows(2).position(|pair| pair == b"\n\n") {
                let event: Vec<u8> = read.drain(..end + 2).collect();
                let event = std::str::from_utf8(&event)?;
                let (name, data) = event.split_once("\ndata: ").context("an event")?;
                let data: Value = serde_json::from_str(data)?;
                match name {
                    "event: token" => print!("{}", data["text"].as_str().unwrap_or_default()),
                    "event: done" => return Ok(data),
                    _ => bail!(
                        "{}",
                        data["detail"].as_str().unwrap_or("the answer broke off")
                    ),
                }
                std::io::stdout().flush()?;
            }
        }
        bail!("the answer broke off")
    }

    /// Changes something.
    pub async fn put(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self
            .client
            .put(format!("{}{path}", self.url))
            .bearer_auth(&self.token);
        checked(request.json(body).send().await?).await
    }

    /// Changes a part of something.
    pub async fn patch(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self
            .client
            .patch(format!("{}{path}", self.url))
            .bearer_auth(&self.token);
        checked(request.json(body).send().await?).await
    }

    /// Sends a file as a form.
    pub async fn upload(&self, path: &str, file: &Path) -> anyhow::Result<Value> {
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let part = multipart::Part::bytes(tokio::fs::read(file).await?).file_name(name);
        self.send_form(path, multipart::Form::new().part("file", part))
            .await
    }

    /// Sends a form.
    pub async fn send_form(&self, path: &str, form: multipart::Form) -> anyhow::Result<Value> {
        let request = self.client.post(format!("{}{path}", self.url));
        checked(
            request
                .bearer_auth(&self.token)
                .multipart(form)
                .send()
                .await?,
        )
        .await
    }
}
