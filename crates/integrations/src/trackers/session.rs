//! What proves who calls, and calls that carry it.

use std::{fmt, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use domain::trackers::{
    TrackerError,
    oauth::{TokenPair, TokenStore},
};
use reqwest::{
    RequestBuilder,
    header::{AUTHORIZATION, HeaderValue},
};
use secrecy::SecretString;

use super::{
    SetupError,
    atlassian::Atlassian,
    call::{Answer, Line},
};

/// A line on which every call proves who makes it.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) line: Line,
    proof: Proof,
}

#[derive(Clone)]
enum Proof {
    /// A header that stays the same.
    Header(HeaderValue, Vec<SecretString>),
    /// A pair that is renewed.
    OAuth(Arc<dyn TokenStore>, Arc<Atlassian>),
}

impl fmt::Debug for Proof {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("Proof(…)")
    }
}

impl Session {
    /// A name and a password.
    pub(super) fn basic(line: Line, name: &str, password: &str) -> Result<Self, SetupError> {
        let (name, password) = (name.trim(), password.trim());
        let both = BASE64_STANDARD.encode(format!("{name}:{password}"));
        // Either may be the token; the shorter words are no secret and would be found in others.
        let secrets = [name, password, &both]
            .into_iter()
            .filter(|word| word.len() >= 8);
        Self::with(line, &format!("Basic {both}"), secrets)
    }

    /// A token.
    pub(super) fn bearer(line: Line, token: &str) -> Result<Self, SetupError> {
        Self::with(line, &format!("Bearer {}", token.trim()), [token.trim()])
    }

    /// A pair of tokens, renewed by this app when it is due.
    pub(super) fn oauth(line: Line, tokens: Arc<dyn TokenStore>, app: Atlassian) -> Self {
        Self {
            line,
            proof: Proof::OAuth(tokens, Arc::new(app)),
        }
    }

    fn with<'a>(
        line: Line,
        proof: &str,
        secrets: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, SetupError> {
        let secrets = secrets.into_iter().map(SecretString::from).collect();
        let proof = header(proof).ok_or(SetupError::Token)?;
        Ok(Self {
            line,
            proof: Proof::Header(proof, secrets),
        })
    }

    /// Makes the call. A pair that is due is renewed before it, one that is refused is renewed and shown
    /// once more.
    pub(super) async fn send(
        &self,
        call: impl Fn() -> RequestBuilder + Send + Sync,
    ) -> Result<Answer, TrackerError> {
        let (tokens, app) = match &self.proof {
            Proof::Header(proof, secrets) => {
                let call = call().header(AUTHORIZATION, proof.clone());
                return Ok(self.line.send(call).await?.hiding(secrets.clone()));
            }
            Proof::OAuth(tokens, app) => (tokens, app),
        };
        let mut pair = tokens.load().await?;
        let is_due = pair.is_due(self.line.clock.now());
        if is_due {
            pair = tokens.renew(&pair, app.clone()).await?;
        }
        let answer = self.shown(call(), &pair).await?;
        if answer.status != 401 || is_due {
            return Ok(answer);
        }
        let pair = tokens.renew(&pair, app.clone()).await?;
        self.shown(call(), &pair).await
    }

    async fn shown(&self, call: RequestBuilder, pair: &TokenPair) -> Result<Answer, TrackerError> {
        let token = pair.access.reveal();
        let proof = header(&format!("Bearer {token}"));
        let proof =
            proof.ok_or_else(|| TrackerError::Malformed("its token fits no header".into()))?;
        let answer = self.line.send(call.header(AUTHORIZATION, proof)).await?;
        Ok(answer.hiding([token.into()]))
    }
}

fn header(proof: &str) -> Option<HeaderValue> {
    let mut header = HeaderValue::from_str(proof).ok()?;
    header.set_sensitive(true);
    Some(header)
}
