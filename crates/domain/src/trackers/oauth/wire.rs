//! What Atlassian answers about tokens and sites.

use chrono::{DateTime, Duration, Utc};
use serde::Deserialize;

use super::{Token, TokenPair};
use crate::trackers::TrackerError;

/// A token that says nothing of its end lasts this long.
const USUAL_LIFE: i64 = 3600;

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    refresh_token: Option<String>,
    expires_in: Option<i64>,
    scope: Option<String>,
}

/// A Jira site that an account granted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Site {
    /// Names it in addresses of the API.
    #[serde(rename = "id")]
    pub cloud_id: String,
    /// What it is called.
    pub name: String,
    /// Where people find it.
    pub url: String,
    /// What was granted there.
    #[serde(default)]
    pub scopes: Vec<String>,
}

/// The pair in an answer that was a success.
pub fn pair(body: &[u8], now: DateTime<Utc>) -> Result<TokenPair, TrackerError> {
    let answer: Answer = serde_json::from_slice(body)
        .map_err(|_| TrackerError::Malformed("it holds no token".into()))?;
    let refresh = answer.refresh_token.filter(|token| !token.is_empty());
    let refresh = refresh.ok_or_else(|| {
        TrackerError::Misconfigured(
            "no refresh token came: give the OAuth app the scope offline_access".into(),
        )
    })?;
    let life = answer.expires_in.unwrap_or(USUAL_LIFE).clamp(0, 86_400);
    let scopes = answer.scope.unwrap_or_default();
    Ok(TokenPair {
        access: Token(answer.access_token),
        refresh: Token(refresh),
        expires_at: now + Duration::seconds(life),
        scopes: scopes.split_whitespace().map(str::to_owned).collect(),
    })
}

/// The sites with a Jira, by name. The list also holds those of other products, and says nothing of
/// which one was just chosen.
pub fn sites(body: &[u8]) -> Result<Vec<Site>, TrackerError> {
    let mut sites: Vec<Site> = serde_json::from_slice(body)
        .map_err(|_| TrackerError::Malformed("it holds no list of sites".into()))?;
    sites.retain(|site| site.scopes.iter().any(|scope| scope.contains("jira")));
    sites.sort_by(|a, b| (&a.name, &a.cloud_id).cmp(&(&b.name, &b.cloud_id)));
    sites.dedup_by(|a, b| a.cloud_id == b.cloud_id);
    Ok(sites)
}
