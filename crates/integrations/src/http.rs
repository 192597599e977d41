//! The HTTP client for services outside: bounded in time, in size and in where it goes.
//!
//! It knows no provider and retries nothing; an adapter decides what a status means.

use std::time::Duration;

use bytes::Bytes;
use reqwest::{Client, ClientBuilder, Response, redirect};

mod reach;

pub use reach::{Reach, ReachConfig, ReachError, is_private};

/// How this product introduces itself.
pub const USER_AGENT: &str = concat!("prompt-architect/", env!("CARGO_PKG_VERSION"));

/// A host that has not accepted within this time is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Why an answer could not be read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It is larger than anything the service should send.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// The most that is read.
        limit: usize,
    },
    /// It did not arrive in time.
    #[error("the answer did not arrive in time")]
    TimedOut,
    /// The connection broke in the middle.
    #[error("the connection broke in the middle of the answer")]
    Broken,
}

/// A client whose calls end within `timeout`, body included.
///
/// Redirects are answers, not instructions: following one would carry a key to another host.
pub fn client(timeout: Duration) -> reqwest::Result<Client> {
    builder(timeout).build()
}

fn builder(timeout: Duration) -> ClientBuilder {
    Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(CONNECT_TIMEOUT.min(timeout))
        .timeout(timeout)
        .redirect(redirect::Policy::none())
}

/// Reads a body of at most `limit` bytes; a longer one is given up, not held in memory.
pub async fn read(mut response: Response, limit: usize) -> Result<Bytes, ReadError> {
    let announced = response
        .content_length()
        .and_then(|length| usize::try_from(length).ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(ReadError::TooLarge { limit });
    }
    let mut body = Vec::with_capacity(announced.unwrap_or_default());
    while let Some(piece) = response
        .chunk()
        .await
        .map_err(|error| ReadError::from(&error))?
    {
        if body.len() + piece.len() > limit {
            return Err(ReadError::TooLarge { limit });
        }
        body.extend_from_slice(&piece);
    }
    Ok(body.into())
}

impl From<&reqwest::Error> for ReadError {
    fn from(error: &reqwest::Error) -> Self {
        if error.is_timeout() {
            Self::TimedOut
        } else {
            Self::Broken
        }
    }
}
