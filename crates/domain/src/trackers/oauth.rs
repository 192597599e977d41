//! Signing in to Jira Cloud by OAuth 2.0 (3LO): the address people are sent to, the pair of tokens
//! that comes of it, and how that pair is renewed without being lost.
//!
//! A refresh token is good once. Whoever renews the pair holds the tracker, so that two never do at
//! once, and stores the new pair before anybody uses it; a [`TokenStore`] promises both.

use std::{fmt, sync::Arc};

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::TrackerError;
use crate::{auth::secrets::Secret, providers::PortFuture};

mod wire;

pub use wire::{Site, pair, sites};

/// What is asked for: to read issues and people, and to go on while nobody is there.
pub const SCOPES: [&str; 3] = ["read:jira-work", "read:jira-user", "offline_access"];

/// A pair is renewed this long before it ends, so that no call is under way when it does.
const EARLY: Duration = Duration::seconds(60);

/// A token, which `Debug` shows to nobody.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(String);

impl Token {
    /// The text itself: for the call it is made for, and to be sealed.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Token {
    fn from(token: String) -> Self {
        Self(token)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("Token(…)")
    }
}

/// What an account granted. Its JSON holds the tokens themselves and is only ever sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenPair {
    /// Proves who calls, for an hour or so.
    pub access: Token,
    /// Gets the next pair, once.
    pub refresh: Token,
    /// When the first of them ends.
    pub expires_at: DateTime<Utc>,
    /// What it may do.
    pub scopes: Vec<String>,
}

impl TokenPair {
    /// Whether it is time to renew it.
    pub fn is_due(&self, now: DateTime<Utc>) -> bool {
        self.expires_at - EARLY <= now
    }
}

/// Gets the next pair for a refresh token: one call, which spends the token.
pub trait Renewal: Send + Sync {
    /// The next pair.
    fn renew<'a>(&'a self, refresh: &'a Token) -> PortFuture<'a, Result<TokenPair, TrackerError>>;
}

/// Where the pair of a tracker is kept.
pub trait TokenStore: Send + Sync {
    /// The pair as it stands.
    fn load(&self) -> PortFuture<'_, Result<TokenPair, TrackerError>>;

    /// The pair that comes after `spent`. Nobody else renews this tracker's pair until this ends, in any
    /// process. If the pair that is kept is not `spent` any more, somebody has renewed it: that one is the answer
    /// and no call is made. Otherwise `renewal` is asked once, and what it gives is stored for good
    /// before it is answered. Whoever stops waiting does not break it off: the old pair is spent by then.
    fn renew<'a>(
        &'a self,
        spent: &'a TokenPair,
        renewal: Arc<dyn Renewal>,
    ) -> PortFuture<'a, Result<TokenPair, TrackerError>>;
}

/// The beginning of a sign-in, kept on our side and bound to the person until they come back.
#[derive(Debug, Clone)]
pub struct Departure {
    /// Names the sign-in in the address they come back to; good once.
    pub state: Secret,
    /// Proves that who comes back is who left (PKCE); it leaves only towards the token's address.
    pub verifier: Secret,
}

impl Departure {
    /// A new one.
    pub fn new() -> Self {
        Self {
            state: Secret::random(),
            verifier: Secret::random(),
        }
    }

    /// The address of the consent page, under this base, such as `https://auth.atlassian.com`.
    pub fn address(&self, base: &str, client_id: &str, back_to: &str) -> String {
        let scopes = SCOPES.join(" ");
        let query = [
            ("audience", "api.atlassian.com"),
            ("client_id", client_id),
            ("scope", &scopes),
            ("redirect_uri", back_to),
            ("state", self.state.reveal()),
            ("response_type", "code"),
            ("prompt", "consent"),
            ("code_challenge", &self.challenge()),
            ("code_challenge_method", "S256"),
        ];
        let query = query.map(|(name, value)| format!("{name}={}", escaped(value)));
        format!(
            "{}/authorize?{}",
            base.trim_end_matches('/'),
            query.join("&")
        )
    }

    fn challenge(&self) -> String {
        challenge(self.verifier.reveal())
    }
}

impl Default for Departure {
    fn default() -> Self {
        Self::new()
    }
}

/// What a verifier is shown as until it is asked for.
pub fn challenge(verifier: &str) -> String {
    use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

/// A value of a query.
fn escaped(value: &str) -> String {
    let escape = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    value.bytes().map(escape).collect()
}

#[cfg(test)]
mod tests;
