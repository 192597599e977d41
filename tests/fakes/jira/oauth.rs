//! Sign-in and tokens. A refresh token is good once: used again, it takes all that came of it along.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use domain::trackers::oauth::{SCOPES, TokenPair, challenge};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::{fault, redirect};
use crate::fakes::stage::Said;

/// The app that is known.
pub const CLIENT_ID: &str = "the-client-id";

/// Its secret.
pub const CLIENT_SECRET: &str = "the-client-secret";

/// How long an access token is good.
const LIFE: Duration = Duration::hours(1);

/// All that was granted.
#[derive(Default)]
pub(super) struct Grants {
    /// Codes that wait to be exchanged: where their person came from, and what proves who asks.
    codes: BTreeMap<String, (String, Option<String>)>,
    families: Vec<Family>,
    count: usize,
    pub(super) renewals: usize,
    pub(super) leeway: Duration,
}

/// What came of one sign-in.
struct Family {
    refresh: String,
    spent: BTreeMap<String, DateTime<Utc>>,
    access: BTreeMap<String, DateTime<Utc>>,
    is_revoked: bool,
}

impl Grants {
    /// The page of consent, to which everybody consents.
    pub(super) fn authorize(&mut self, query: &str) -> Said {
        let asked: BTreeMap<_, _> = form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        let is = |name: &str, value: &str| asked.get(name).is_some_and(|given| given == value);
        let known = is("client_id", CLIENT_ID)
            && is("response_type", "code")
            && is("audience", "api.atlassian.com");
        let (Some(back), Some(state), true) =
            (asked.get("redirect_uri"), asked.get("state"), known)
        else {
            return fault(400, "The request for consent is not one.");
        };
        self.count += 1;
        let code = format!("code-{}", self.count);
        let proof = asked.get("code_challenge").cloned();
        self.codes.insert(code.clone(), (back.clone(), proof));
        let joint = if back.contains('?') { '&' } else { '?' };
        redirect(format!("{back}{joint}code={code}&state={state}"))
    }

    /// The address of tokens.
    pub(super) fn token(&mut self, body: &Value, now: DateTime<Utc>) -> Said {
        if body["client_id"] != CLIENT_ID || body["client_secret"] != CLIENT_SECRET {
            return denied(401, "access_denied", "Unauthorized");
        }
        match body["grant_type"].as_str() {
            Some("authorization_code") => self.exchange(body, now),
            Some("refresh_token") => {
                self.renew(body["refresh_token"].as_str().unwrap_or_default(), now)
            }
            _ => denied(400, "unsupported_grant_type", "There is no such grant."),
        }
    }

    fn exchange(&mut self, body: &Value, now: DateTime<Utc>) -> Said {
        let code = body["code"].as_str().unwrap_or_default();
        let Some((back, proof)) = self.codes.remove(code) else {
            return denied(403, "invalid_grant", "Invalid authorization code");
        };
        let shown = body["code_verifier"].as_str().map(challenge);
        if body["redirect_uri"] != back.as_str() || (proof.is_some() && proof != shown) {
            return denied(403, "invalid_grant", "Invalid authorization code");
        }
        let pair = self.grant(now);
        answer(&pair)
    }

    fn renew(&mut self, refresh: &str, now: DateTime<Utc>) -> Said {
        let unknown = denied(403, "invalid_grant", "Unknown or invalid refresh token.");
        let knows =
            |family: &&mut Family| family.refresh == refresh || family.spent.contains_key(refresh);
        let Some(family) = self.families.iter_mut().find(knows) else {
            return unknown;
        };
        let reused = family.spent.get(refresh);
        if reused.is_some_and(|spent| *spent + self.leeway <= now) {
            family.is_revoked = true;
        }
        if family.is_revoked {
            return unknown;
        }
        self.renewals += 1;
        self.count += 1;
        let pair = pair(self.count, now);
        family.spent.entry(refresh.to_owned()).or_insert(now);
        family.spent.entry(family.refresh.clone()).or_insert(now);
        pair.refresh.reveal().clone_into(&mut family.refresh);
        family
            .access
            .insert(pair.access.reveal().to_owned(), pair.expires_at);
        answer(&pair)
    }

    pub(super) fn grant(&mut self, now: DateTime<Utc>) -> TokenPair {
        self.count += 1;
        let pair = pair(self.count, now);
        self.families.push(Family {
            refresh: pair.refresh.reveal().to_owned(),
            spent: BTreeMap::new(),
            access: BTreeMap::from([(pair.access.reveal().to_owned(), pair.expires_at)]),
            is_revoked: false,
        });
        pair
    }

    /// Whether an access token is good.
    pub(super) fn admits(&self, token: &str, now: DateTime<Utc>) -> bool {
        let good = |family: &Family| {
            !family.is_revoked && family.access.get(token).is_some_and(|ends| *ends > now)
        };
        self.families.iter().any(good)
    }

    pub(super) fn end_access(&mut self) {
        self.families
            .iter_mut()
            .for_each(|family| family.access.clear());
    }
}

fn pair(number: usize, now: DateTime<Utc>) -> TokenPair {
    TokenPair {
        access: format!("access-token-{number}").into(),
        refresh: format!("refresh-token-{number}").into(),
        expires_at: now + LIFE,
        scopes: SCOPES.map(str::to_owned).to_vec(),
    }
}

fn answer(pair: &TokenPair) -> Said {
    Said::whole(
        200,
        json!({ "access_token": pair.access.reveal(), "refresh_token": pair.refresh.reveal(),
            "expires_in": LIFE.num_seconds(), "scope": SCOPES.join(" "), "token_type": "Bearer" }),
    )
}

fn denied(status: u16, error: &str, says: &str) -> Said {
    Said::whole(status, json!({ "error": error, "error_description": says }))
}
