//! The OAuth app under which people connect Jira Cloud.

use std::fmt;

use domain::{
    providers::PortFuture,
    trackers::{
        TrackerError,
        oauth::{self, Departure, Renewal, Site, Token, TokenPair},
    },
};
use reqwest::header::AUTHORIZATION;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::{
    TrackersConfig,
    call::{Answer, Line, under},
    refusal,
};

/// The app. Its `Debug` shows the secret to nobody.
#[derive(Clone)]
pub struct Atlassian {
    line: Line,
    auth: Url,
    api: Url,
    client_id: String,
    secret: SecretString,
}

impl fmt::Debug for Atlassian {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "Atlassian({})", self.client_id)
    }
}

/// What the address of tokens says when it gives none.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Denial {
    error: String,
}

impl Atlassian {
    /// `None` without an id and a secret.
    pub(super) fn new(config: &TrackersConfig, line: Line) -> Option<Self> {
        let client_id = config.jira_client_id.as_deref().map(str::trim);
        let secret = config.jira_client_secret.as_ref();
        Some(Self {
            line,
            auth: config.atlassian_auth_url.clone(),
            api: config.atlassian_api_url.clone(),
            client_id: client_id.filter(|id| !id.is_empty())?.to_owned(),
            secret: secret
                .filter(|secret| !secret.expose_secret().trim().is_empty())?
                .clone(),
        })
    }

    /// The address that a person is sent to, who will come back to `back_to`.
    pub fn address(&self, departure: &Departure, back_to: &str) -> String {
        departure.address(self.auth.as_str(), &self.client_id, back_to)
    }

    /// The pair for the code that somebody came back with.
    pub async fn exchange(
        &self,
        code: &str,
        departure: &Departure,
        back_to: &str,
    ) -> Result<TokenPair, TrackerError> {
        let body = json!({
            "grant_type": "authorization_code",
            "client_id": self.client_id,
            "client_secret": self.secret.expose_secret().trim(),
            "code": code,
            "redirect_uri": back_to,
            "code_verifier": departure.verifier.reveal(),
        });
        self.pair(&body).await
    }

    /// The Jira sites that were granted. Which one was meant, the person has to say.
    pub async fn sites(&self, access: &Token) -> Result<Vec<Site>, TrackerError> {
        let address = under(&self.api, &["oauth", "token", "accessible-resources"]);
        let proof = format!("Bearer {}", access.reveal());
        let call = self.line.client.get(address).header(AUTHORIZATION, proof);
        let answer = self.line.send(call).await?;
        let answer = answer.hiding([access.reveal().into()]);
        if answer.status != 200 {
            return Err(refusal::classify(
                &answer,
                self.line.clock.now(),
                refusal::About::Other,
            ));
        }
        oauth::sites(&answer.body)
    }

    async fn pair(&self, body: &Value) -> Result<TokenPair, TrackerError> {
        let address = under(&self.auth, &["oauth", "token"]);
        let answer = self
            .line
            .send(self.line.client.post(address).json(body))
            .await?;
        if answer.status == 200 {
            return oauth::pair(&answer.body, self.line.clock.now());
        }
        let shown = ["client_secret", "code", "code_verifier", "refresh_token"];
        let shown = shown.into_iter().filter_map(|name| body[name].as_str());
        let answer = answer.hiding(shown.map(SecretString::from));
        Err(self.denied(&answer))
    }

    fn denied(&self, answer: &Answer) -> TrackerError {
        let denial: Denial = serde_json::from_slice(&answer.body).unwrap_or_default();
        match denial.error.as_str() {
            "invalid_grant" => TrackerError::Unauthorized("Atlassian no longer knows the grant".into()),
            "access_denied" | "invalid_client" | "unauthorized_client" => TrackerError::Misconfigured(
                "Atlassian does not know the OAuth app: check JIRA_CLIENT_ID and JIRA_CLIENT_SECRET".into(),
            ),
            _ => match refusal::classify(answer, self.line.clock.now(), refusal::About::Other) {
                // A pair that is refused without a reason is not worth the next try.
                TrackerError::Forbidden(says) => TrackerError::Unauthorized(says),
                error => error,
            },
        }
    }

    async fn renewed(&self, refresh: &Token) -> Result<TokenPair, TrackerError> {
        let body = json!({
            "grant_type": "refresh_token",
            "client_id": self.client_id,
            "client_secret": self.secret.expose_secret().trim(),
            "refresh_token": refresh.reveal(),
        });
        self.pair(&body).await
    }
}

impl Renewal for Atlassian {
    fn renew<'a>(&'a self, refresh: &'a Token) -> PortFuture<'a, Result<TokenPair, TrackerError>> {
        Box::pin(self.renewed(refresh))
    }
}
