//! A call of any tracker: its limits, and what came of it. Nothing is repeated here.

use bytes::Bytes;
use domain::trackers::TrackerError;
use reqwest::{
    Client, RequestBuilder,
    header::{ACCEPT, HeaderMap},
};
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use url::{PathSegmentsMut, Url};

use crate::{
    http::{self, ReachError, ReadError},
    llm::Clock,
};

/// The longest answer: a page of a hundred issues with long descriptions is a few MB.
const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// A connection with a limit of time, and the time.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) client: Client,
    pub(super) clock: Clock,
}

/// What came, whatever its status.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// What was shown to get it, and is not to be passed on if it is said back.
    pub(super) secrets: Vec<SecretString>,
}

impl Line {
    pub(super) fn new(client: Client, clock: &Clock) -> Self {
        Self {
            client,
            clock: clock.clone(),
        }
    }

    /// Sends, and reads a whole answer.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Answer, TrackerError> {
        let sent = request.header(ACCEPT, "application/json").send().await;
        let response = sent.map_err(|error| unreachable(&error))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let read = http::read(response, MAX_ANSWER_BYTES).await;
        let body = match read {
            Err(error) if status == 200 => return Err(unreadable(error)),
            // The status says enough, should the explanation be cut short.
            read => read.unwrap_or_default(),
        };
        Ok(Answer {
            status,
            headers,
            body,
            secrets: Vec::new(),
        })
    }
}

impl Answer {
    /// Remembers what was shown to get it.
    pub(super) fn hiding(mut self, secrets: impl IntoIterator<Item = SecretString>) -> Self {
        self.secrets.extend(secrets);
        self
    }

    /// A header, if it is text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body of a success.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, TrackerError> {
        if self.body.trim_ascii_start().starts_with(b"<") {
            return Err(TrackerError::Malformed(
                "a page for people came instead: does the address lead to a sign-in page?".into(),
            ));
        }
        // What was read stays out of the error: it may hold anything.
        serde_json::from_slice(&self.body).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            TrackerError::Malformed(format!("it is not the JSON that was promised ({place})"))
        })
    }
}

/// The end of the path of a checked base.
pub(super) fn path(base: &mut Url) -> PathSegmentsMut<'_> {
    let mut path = base
        .path_segments_mut()
        .expect("the base was checked to carry a path");
    path.pop_if_empty();
    path
}

/// The base with these behind it.
pub(super) fn under(base: &Url, what: &[&str]) -> Url {
    let mut address = base.clone();
    path(&mut address).extend(what);
    address
}

fn unreachable(error: &reqwest::Error) -> TrackerError {
    if refuses(error) {
        return TrackerError::Misconfigured(format!("its address {}", ReachError::Private));
    }
    let problem = if error.is_connect() {
        "it cannot be reached"
    } else if error.is_timeout() {
        "none in time"
    } else {
        "the connection broke"
    };
    TrackerError::Timeout(problem.into())
}

/// Whether the guard of private networks is what stopped the call.
fn refuses(error: &reqwest::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<ReachError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

fn unreadable(error: ReadError) -> TrackerError {
    match error {
        ReadError::TimedOut => TrackerError::Timeout("none in time".into()),
        ReadError::Broken => TrackerError::Timeout(error.to_string()),
        ReadError::TooLarge { .. } => TrackerError::Malformed(error.to_string()),
    }
}
