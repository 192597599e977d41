//! The API: requests that are repeated while the server is away, and what it says against them.
//!
//! A server that has never answered is not waited for: the address is likely to be wrong. One that
//! did answer and falls silent is asked again for a while, since a pipeline should survive a
//! restart. What starts something carries an `Idempotency-Key`, so that asking again starts nothing
//! twice.

use std::{
    error::Error,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use reqwest::{Client, RequestBuilder, Response, StatusCode, header::RETRY_AFTER, redirect};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::{arguments::Connection, failure::Failure};

/// A server that says nothing for so long is taken to be away.
const SILENCE: Duration = Duration::from_secs(60);

/// Between two requests to a server that is away.
const PAUSE: Duration = Duration::from_millis(500);

/// A server, and as whom it is asked.
pub struct Server {
    http: Client,
    url: String,
    key: String,
    patience: Duration,
    has_answered: AtomicBool,
}

/// What an attempt came to that is worth another.
struct Away {
    cause: String,
    wait: Duration,
}

impl Server {
    /// The server of the command line.
    pub fn new(connection: &Connection) -> Result<Self, Failure> {
        let url = connection.server.trim_end_matches('/').to_owned();
        let http = Client::builder()
            .user_agent(concat!("prompt-architect-cli/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(10))
            .read_timeout(SILENCE)
            // Following one would carry the key to another host.
            .redirect(redirect::Policy::none())
            .build()
            .map_err(|cause| Failure::Undecided(cause.to_string()))?;
        Ok(Self {
            http,
            url,
            key: connection.key.expose_secret().to_owned(),
            patience: connection.patience,
            has_answered: AtomicBool::new(false),
        })
    }

    /// The address of a path, for people.
    pub fn address(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Reads.
    pub async fn get(&self, path: &str) -> Result<Value, Failure> {
        let url = self.address(path);
        self.whole(|| self.http.get(&url)).await
    }

    /// Reads an answer that its caller takes piece by piece.
    pub async fn open(&self, path: &str) -> Result<Response, Failure> {
        let url = self.address(path);
        self.send(|| self.http.get(&url)).await
    }

    /// Starts something, once however often it has to be said.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let (url, key) = (self.address(path), Uuid::new_v4().to_string());
        let request = || {
            self.http
                .post(&url)
                .header("idempotency-key", &key)
                .json(body)
        };
        self.whole(request).await
    }

    /// Sends a form; `form` makes it anew for every attempt.
    pub async fn upload(
        &self,
        path: &str,
        form: impl Fn() -> reqwest::multipart::Form,
    ) -> Result<Value, Failure> {
        let url = self.address(path);
        self.whole(|| self.http.post(&url).multipart(form())).await
    }

    /// The answer as JSON; one that breaks off is asked for again.
    async fn whole(&self, request: impl Fn() -> RequestBuilder) -> Result<Value, Failure> {
        let deadline = Instant::now() + self.patience;
        loop {
            let response = self.send(&request).await?;
            let status = response.status().as_u16();
            match response.bytes().await {
                Ok(body) => return json(status, &body),
                Err(cause) if Instant::now() > deadline => return Err(broken(&cause)),
                Err(_) => sleep(PAUSE).await,
            }
        }
    }

    async fn send(&self, request: impl Fn() -> RequestBuilder) -> Result<Response, Failure> {
        let deadline = Instant::now() + self.patience;
        loop {
            let away = match self.attempt(request()).await? {
                Ok(response) => return Ok(response),
                Err(away) => away,
            };
            let is_known = self.has_answered.load(Ordering::Relaxed);
            if !is_known || Instant::now() + away.wait > deadline {
                return Err(Failure::Unreachable {
                    url: self.url.clone(),
                    cause: away.cause,
                });
            }
            sleep(away.wait).await;
        }
    }

    async fn attempt(&self, request: RequestBuilder) -> Result<Result<Response, Away>, Failure> {
        let response = match request.bearer_auth(&self.key).send().await {
            Ok(response) => response,
            Err(cause) if cause.is_builder() => return Err(Failure::Undecided(root(&cause))),
            Err(cause) => {
                let cause = root(&cause);
                return Ok(Err(Away { cause, wait: PAUSE }));
            }
        };
        let status = response.status();
        if !is_away(status) {
            self.has_answered.store(true, Ordering::Relaxed);
        }
        if status.is_success() {
            return Ok(Ok(response));
        }
        if is_away(status) || is_busy(&response) {
            let cause = format!("it answers {status}");
            let wait = wait(&response);
            return Ok(Err(Away { cause, wait }));
        }
        let body = response.bytes().await.unwrap_or_default();
        Err(Failure::refused(status.as_u16(), &body))
    }
}

/// Whether something before the product answered, or it is not ready.
fn is_away(status: StatusCode) -> bool {
    let away = [
        StatusCode::BAD_GATEWAY,
        StatusCode::SERVICE_UNAVAILABLE,
        StatusCode::GATEWAY_TIMEOUT,
    ];
    away.contains(&status)
}

/// Whether this is asked too often, or its first asking is still under way.
fn is_busy(response: &Response) -> bool {
    response.status() == StatusCode::TOO_MANY_REQUESTS
        || (response.status() == StatusCode::CONFLICT
            && response.headers().contains_key(RETRY_AFTER))
}

fn wait(response: &Response) -> Duration {
    let named = response.headers().get(RETRY_AFTER);
    let seconds = named.and_then(|value| value.to_str().ok()?.parse().ok());
    seconds.map_or(PAUSE, Duration::from_secs).max(PAUSE)
}

fn json(status: u16, body: &[u8]) -> Result<Value, Failure> {
    if body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(body).map_err(|_| Failure::Refused {
        status,
        reasons: vec!["The answer is no JSON. Is this the address of the API?".into()],
    })
}

/// An answer that ended too early.
pub fn broken(cause: &reqwest::Error) -> Failure {
    Failure::Undecided(format!("An answer broke off: {}", root(cause)))
}

/// The innermost cause: the outer ones say no more than that there is one.
fn root(cause: &dyn Error) -> String {
    cause.source().map_or_else(|| cause.to_string(), root)
}
