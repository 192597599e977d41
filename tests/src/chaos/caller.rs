//! A user of the installation behind a tiny load balancer: requests go to the servers in turn, and
//! to the next one where nobody listens. Everything else that goes wrong is counted.

use std::{
    sync::{
        Mutex, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use reqwest::{Method, RequestBuilder, Response, multipart};
use serde_json::{Value, json};

use super::corpus::Sample;

/// How long a request is tried again.
const PATIENCE: Duration = Duration::from_secs(60);

const PASSWORD: &str = "violet-otter-77";

/// What became of the requests.
#[derive(Debug, Default, Clone)]
pub struct Tally {
    /// Requests that were answered well in the end.
    pub answered: usize,
    /// Times that nobody listened.
    pub refused: usize,
    /// Everything else that went wrong, in words.
    pub failed: Vec<String>,
}

/// A signed-in user.
pub struct Caller {
    http: reqwest::Client,
    servers: RwLock<Vec<u16>>,
    next: AtomicUsize,
    email: String,
    token: RwLock<String>,
    tally: Mutex<Tally>,
}

impl Caller {
    /// Registers somebody new at these servers.
    pub async fn register(ports: Vec<u16>) -> anyhow::Result<Self> {
        let caller = Self {
            http: reqwest::Client::new(),
            servers: RwLock::new(ports),
            next: AtomicUsize::new(0),
            email: "ada@example.com".into(),
            token: RwLock::default(),
            tally: Mutex::default(),
        };
        let registration = json!({
            "email": caller.email, "password": PASSWORD, "name": "Ada", "companyName": "Engines",
        });
        caller.sign_in_by("register", &registration).await?;
        Ok(caller)
    }

    /// The servers from now on.
    pub fn route_to(&self, ports: Vec<u16>) {
        *self.servers.write().unwrap_or_else(PoisonError::into_inner) = ports;
    }

    /// What became of the requests so far.
    pub fn tally(&self) -> Tally {
        self.count(|tally| tally.clone())
    }

    fn count<T>(&self, change: impl FnOnce(&mut Tally) -> T) -> T {
        change(&mut self.tally.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn sign_in_by(&self, door: &str, body: &Value) -> anyhow::Result<()> {
        let request = |base: &str| self.http.post(format!("{base}/api/auth/{door}")).json(body);
        let answer = self.persist(door, request).await?;
        let token = answer["accessToken"].as_str().context("no access token")?;
        token.clone_into(&mut self.token.write().unwrap_or_else(PoisonError::into_inner));
        Ok(())
    }

    /// Uploads a document and gives its id.
    pub async fn upload(&self, sample: &Sample) -> anyhow::Result<String> {
        let request = |base: &str| {
            let part = multipart::Part::bytes(sample.bytes.clone()).file_name(sample.name.clone());
            let form = multipart::Form::new().part("file", part);
            self.bearing(self.http.post(format!("{base}/api/documents/upload")))
                .multipart(form)
        };
        let document = self.persist("upload", request).await?;
        Ok(document["id"].as_str().context("no id")?.to_owned())
    }

    /// Uploads a file to a path and gives the answer.
    pub async fn upload_to(&self, path: &str, name: &str, text: &str) -> anyhow::Result<Value> {
        let request = |base: &str| {
            let part = multipart::Part::bytes(text.as_bytes().to_vec()).file_name(name.to_owned());
            self.bearing(self.http.post(format!("{base}{path}")))
                .multipart(multipart::Form::new().part("file", part))
        };
        self.persist(path, request).await
    }

    /// Posts something and gives the answer.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request = |base: &str| {
            self.bearing(self.http.post(format!("{base}{path}")))
                .json(body)
        };
        self.persist(path, request).await
    }

    /// Reads something.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let request = |base: &str| self.bearing(self.http.get(format!("{base}{path}")));
        self.persist(path, request).await
    }

    /// Follows a run at one of the servers, from after the event that was seen last. Once.
    pub async fn follow(&self, port: u16, run: &str, seen: i64) -> reqwest::Result<Response> {
        let url = format!("http://127.0.0.1:{port}/api/runs/{run}/events");
        let request = self.bearing(self.http.get(url));
        let request = match seen {
            0 => request,
            _ => request.header("last-event-id", seen),
        };
        request.send().await
    }

    /// The documents in which passages for these words are found, best first.
    pub async fn search(&self, words: &str, mode: &str) -> anyhow::Result<Vec<String>> {
        let body = json!({ "query": words, "mode": mode, "limit": 5 });
        let request = |base: &str| {
            self.bearing(
                self.http
                    .request(Method::POST, format!("{base}/api/search")),
            )
            .json(&body)
        };
        let answer = self.persist("search", request).await?;
        let results = answer["results"].as_array().context("no results")?;
        let ids = results.iter().filter_map(|hit| hit["documentId"].as_str());
        Ok(ids.map(str::to_owned).collect())
    }

    fn bearing(&self, request: RequestBuilder) -> RequestBuilder {
        let token = self.token.read().unwrap_or_else(PoisonError::into_inner);
        request.bearer_auth(&*token)
    }

    fn server(&self) -> String {
        let servers = self.servers.read().unwrap_or_else(PoisonError::into_inner);
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        format!("http://127.0.0.1:{}", servers[turn % servers.len()])
    }

    /// Sends until it is answered well.
    async fn persist(
        &self,
        what: &str,
        request: impl Fn(&str) -> RequestBuilder,
    ) -> anyhow::Result<Value> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            match request(&self.server()).send().await {
                Ok(answer) if answer.status().is_success() => {
                    self.count(|tally| tally.answered += 1);
                    return Ok(answer.json().await?);
                }
                Ok(answer) => {
                    let status = answer.status();
                    let text = answer.text().await.unwrap_or_default();
                    if status.is_client_error() && status.as_u16() != 429 {
                        bail!("{what}: {status} {text}");
                    }
                    self.count(|tally| tally.failed.push(format!("{what}: {status} {text}")));
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                Err(cause) if cause.is_connect() => {
                    self.count(|tally| tally.refused += 1);
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                Err(cause) => {
                    let cause = anyhow::Error::from(cause);
                    self.count(|tally| tally.failed.push(format!("{what}: {cause:#}")));
                }
            }
        }
        bail!(
            "{what} was not answered for {PATIENCE:?}: {:?}",
            self.tally().failed.last()
        )
    }
}
