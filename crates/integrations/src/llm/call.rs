//! A call of any provider: its limits, and the two ways an answer arrives, whole or as a stream.
//!
//! Nothing is repeated here. A call ends when whoever waits for it is dropped: the connection is
//! closed, and the provider stops.

use std::{collections::VecDeque, time::Duration};

use bytes::Bytes;
use domain::{
    documents::estimate_tokens,
    providers::{
        ProviderError,
        generate::{Event, Events, Part, Reply, Request, Usage},
    },
};
use futures::{StreamExt, stream};
use reqwest::{RequestBuilder, Response, header::HeaderMap};
use tokio::time::timeout;

use super::sse;
use crate::http::{self, ReadError};

/// The longest answer: a picture is a few MB in base64, a batch of vectors about four.
pub(super) const MAX_ANSWER_BYTES: usize = 32 * 1024 * 1024;

/// How long a stream may last, however busy it is.
const LONGEST_STREAM: Duration = Duration::from_secs(30 * 60);

/// What a shown picture is taken for where nobody counts.
const PICTURE_TOKENS: u64 = 258;

/// An answer that is no success.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Refused {
    /// A header, if it is text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// How long calls may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// For a whole answer, and for each silence in a stream.
    pub(super) seconds: u64,
}

impl Patience {
    /// Sends, and reads a whole answer.
    pub(super) async fn whole(
        self,
        request: RequestBuilder,
    ) -> Result<Result<Bytes, Refused>, ProviderError> {
        let response = request.timeout(self.time()).send().await;
        let response = response.map_err(|error| self.unreachable(&error))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let read = http::read(response, MAX_ANSWER_BYTES).await;
        if status == 200 {
            return read.map(Ok).map_err(|error| self.unreadable(error));
        }
        // The status says enough, should the explanation be cut short.
        let body = read.unwrap_or_default();
        Ok(Err(Refused {
            status,
            headers,
            body,
        }))
    }

    /// Sends, and gives back what a success begins to say.
    pub(super) async fn begin(
        self,
        request: RequestBuilder,
    ) -> Result<Result<Response, Refused>, ProviderError> {
        let sent = timeout(self.time(), request.timeout(LONGEST_STREAM).send()).await;
        let response = sent
            .map_err(|_| self.too_late())?
            .map_err(|error| self.unreachable(&error))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        if status == 200 {
            return Ok(Ok(response));
        }
        let read = timeout(self.time(), http::read(response, MAX_ANSWER_BYTES)).await;
        let body = read.ok().and_then(Result::ok).unwrap_or_default();
        Ok(Err(Refused {
            status,
            headers,
            body,
        }))
    }

    /// The events of a stream that has begun. What fails before the first words fails here.
    pub(super) async fn events<D: Draft>(
        self,
        response: Response,
        draft: D,
    ) -> Result<Events, ProviderError> {
        let reading = Reading {
            response,
            reader: sse::Reader::default(),
            payloads: VecDeque::new(),
            draft,
            patience: self,
            read: 0,
            spoke: false,
            ended: false,
        };
        let mut events = stream::try_unfold(Some(reading), Reading::next).boxed();
        match events.next().await {
            Some(Err(error)) => Err(error),
            first => Ok(stream::iter(first).chain(events).boxed()),
        }
    }

    const fn time(self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    fn unreachable(self, error: &reqwest::Error) -> ProviderError {
        if error.is_timeout() && !error.is_connect() {
            return self.too_late();
        }
        let problem = if error.is_connect() {
            "it cannot be reached"
        } else {
            "the connection broke"
        };
        ProviderError::Timeout(problem.into())
    }

    fn unreadable(self, error: ReadError) -> ProviderError {
        match error {
            ReadError::TimedOut => self.too_late(),
            ReadError::Broken => ProviderError::Timeout(error.to_string()),
            ReadError::TooLarge { .. } => ProviderError::Malformed(error.to_string()),
        }
    }

    fn too_late(self) -> ProviderError {
        ProviderError::Timeout(format!("none within {} seconds", self.seconds))
    }
}

/// An answer that is put together from the payloads of a stream.
pub(super) trait Draft: Send + 'static {
    /// Takes up a payload; the words that it adds to the answer, perhaps none.
    fn take(&mut self, payload: &str) -> Result<String, ProviderError>;

    /// Whether the provider said that nothing more comes.
    fn is_done(&self) -> bool {
        false
    }

    /// The whole answer, when nothing more comes.
    fn finish(&mut self) -> Result<Reply, ProviderError>;
}

/// A stream while it is read.
struct Reading<D> {
    response: Response,
    reader: sse::Reader,
    payloads: VecDeque<String>,
    draft: D,
    patience: Patience,
    read: usize,
    /// Whether words were passed on: they cannot be taken back.
    spoke: bool,
    ended: bool,
}

impl<D: Draft> Reading<D> {
    /// The next event, and what comes after it.
    async fn next(state: Option<Self>) -> Result<Option<(Event, Option<Self>)>, ProviderError> {
        let Some(mut reading) = state else {
            return Ok(None);
        };
        loop {
            while let Some(payload) = reading.payloads.pop_front() {
                let words = reading.draft.take(&payload)?;
                if !words.is_empty() {
                    reading.spoke = true;
                    return Ok(Some((Event::Text(words), Some(reading))));
                }
            }
            if reading.ended || reading.draft.is_done() {
                let reply = reading.draft.finish()?;
                return Ok(Some((Event::End(Box::new(reply)), None)));
            }
            reading.read_on().await?;
        }
    }

    /// Waits for more bytes. A stream that breaks after its first words has ended: what was said
    /// was said, and has its price.
    async fn read_on(&mut self) -> Result<(), ProviderError> {
        let piece = match timeout(self.patience.time(), self.response.chunk()).await {
            Ok(Ok(piece)) => Ok(piece),
            Ok(Err(error)) => Err(self.patience.unreadable(ReadError::from(&error))),
            Err(_) => Err(self.patience.too_late()),
        };
        match piece {
            Ok(Some(bytes)) => {
                self.read += bytes.len();
                if self.read > MAX_ANSWER_BYTES {
                    let limit = MAX_ANSWER_BYTES;
                    return Err(ProviderError::Malformed(
                        ReadError::TooLarge { limit }.to_string(),
                    ));
                }
                self.payloads.extend(self.reader.push(&bytes));
            }
            Ok(None) => {
                self.ended = true;
                self.payloads.extend(self.reader.finish());
            }
            Err(_) if self.spoke => self.ended = true,
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// What is known of an answer before it comes: the question.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    model: String,
    tokens: u64,
    pub(super) not_applied: Vec<&'static str>,
}

impl Asked {
    /// What a request asks, of which this is not applied.
    pub(super) fn new(request: &Request, not_applied: Vec<&'static str>) -> Self {
        let weight = |part: &Part| match part {
            Part::Text(text) => estimate_tokens(text) as u64,
            Part::Image(_) => PICTURE_TOKENS,
        };
        let system = request.system.as_deref().map_or(0, estimate_tokens) as u64;
        let parts = request.turns.iter().flat_map(|turn| &turn.parts);
        Self {
            model: request.model.clone(),
            tokens: system + parts.map(weight).sum::<u64>(),
            not_applied,
        }
    }

    /// An answer that says nothing yet.
    pub(super) fn reply(&self) -> Reply {
        Reply {
            model_version: self.model.clone(),
            not_applied: self.not_applied.clone(),
            ..Reply::default()
        }
    }

    /// What an answer used that nobody counted.
    pub(super) fn estimate(&self, reply: &Reply) -> Usage {
        let image_output = PICTURE_TOKENS * reply.images.len() as u64;
        Usage {
            input: self.tokens,
            output: estimate_tokens(&reply.text) as u64 + image_output,
            image_output,
            estimated: true,
            ..Usage::default()
        }
    }
}

/// Says where reading stopped, but nothing of what was read.
pub(super) fn unreadable(error: &serde_json::Error) -> ProviderError {
    let problem = if error.is_data() {
        "it has another shape than expected"
    } else {
        "it is not JSON"
    };
    ProviderError::Malformed(format!("{problem} (column {})", error.column()))
}
