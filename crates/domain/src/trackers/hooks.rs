//! Webhooks: what proves that a tracker sent one, and what it says. It says little: which issue has
//! changed or is gone. The issue itself is fetched again, so that a forged or repeated hook can at
//! worst cause a call.
//!
//! Proof is looked at over the body as it arrived, before anything of it is read.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, Duration, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

mod notice;

pub use notice::{Change, Notice, jira, teamwork};

/// How old a hook may be. Jira repeats one for more than an hour.
pub const OLDEST: Duration = Duration::hours(2);

/// How far a tracker's clock may be ahead of ours.
const AHEAD: Duration = Duration::minutes(5);

/// How long a delivery is remembered that names itself or its time, so that its repetitions are known.
pub const REMEMBERED: Duration = Duration::hours(3);

/// How long one is remembered that is known by its body alone: two changes can look the same.
pub const REMEMBERED_BY_BODY: Duration = Duration::minutes(1);

/// Why a hook is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HookFault {
    /// Nothing proves where it comes from.
    #[error("the webhook carries no signature")]
    Unsigned,
    /// The proof is not of this secret and this body.
    #[error("the webhook's signature is not of this tracker's secret")]
    WrongSignature,
    /// It is too old, or of the future.
    #[error("the webhook is too old to be believed")]
    Stale,
    /// It cannot be read.
    #[error("the webhook is not one of the tracker's")]
    Malformed,
}

/// Jira's `X-Hub-Signature`: `sha256=` and the HMAC of the body in hexadecimal figures.
pub fn verify_jira(secret: &str, header: Option<&str>, body: &[u8]) -> Result<(), HookFault> {
    let header = header.ok_or(HookFault::Unsigned)?.trim();
    let figures = header.strip_prefix("sha256=");
    verify(secret, figures.ok_or(HookFault::WrongSignature)?, body)
}

/// Teamwork's `X-Projects-Signature`: the HMAC of the body in hexadecimal figures alone.
pub fn verify_teamwork(secret: &str, header: Option<&str>, body: &[u8]) -> Result<(), HookFault> {
    verify(secret, header.ok_or(HookFault::Unsigned)?.trim(), body)
}

/// The token of a hook that an OAuth app registered: `Authorization: Bearer` or `JWT`, HS256 under the
/// app's client secret. It is not over the body.
pub fn verify_jira_app(
    client_secret: &str,
    header: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), HookFault> {
    let header = header.ok_or(HookFault::Unsigned)?;
    let token = ["Bearer ", "JWT "]
        .into_iter()
        .find_map(|scheme| header.strip_prefix(scheme))
        .ok_or(HookFault::Unsigned)?;
    let (signed, proof) = token.rsplit_once('.').ok_or(HookFault::WrongSignature)?;
    let (head, claims) = signed.split_once('.').ok_or(HookFault::WrongSignature)?;
    // Whoever may name another algorithm may name none.
    if part(head)?["alg"] != "HS256" {
        return Err(HookFault::WrongSignature);
    }
    let proof = BASE64_URL_SAFE_NO_PAD.decode(proof);
    let proof = proof.map_err(|_| HookFault::WrongSignature)?;
    let mac = mac(client_secret).chain_update(signed.as_bytes());
    mac.verify_slice(&proof)
        .map_err(|_| HookFault::WrongSignature)?;
    let ends = part(claims)?["exp"].as_i64();
    let ends = ends.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    match ends {
        Some(ends) if ends + AHEAD >= now => Ok(()),
        _ => Err(HookFault::Stale),
    }
}

/// Whether a word from the address is the one that was handed out, for trackers that sign nothing.
pub fn verify_word(expected: &str, given: &str) -> Result<(), HookFault> {
    if !expected.is_empty() && bool::from(expected.as_bytes().ct_eq(given.as_bytes())) {
        Ok(())
    } else {
        Err(HookFault::WrongSignature)
    }
}

/// Whether a hook of this time is believed. One without a time is known by its delivery alone.
pub fn verify_age(at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Result<(), HookFault> {
    match at {
        Some(at) if at < now - OLDEST || at > now + AHEAD => Err(HookFault::Stale),
        _ => Ok(()),
    }
}

/// The HMAC of a body in hexadecimal figures, as both trackers write it.
pub fn signature(secret: &str, body: &[u8]) -> String {
    hex::encode(mac(secret).chain_update(body).finalize().into_bytes())
}

fn verify(secret: &str, figures: &str, body: &[u8]) -> Result<(), HookFault> {
    // An empty secret would be everybody's.
    if secret.is_empty() {
        return Err(HookFault::WrongSignature);
    }
    let proof = hex::decode(figures).map_err(|_| HookFault::WrongSignature)?;
    let mac = mac(secret).chain_update(body);
    mac.verify_slice(&proof)
        .map_err(|_| HookFault::WrongSignature)
}

fn mac(secret: &str) -> Hmac<Sha256> {
    Hmac::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length")
}

fn part(text: &str) -> Result<Value, HookFault> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text);
    let bytes = bytes.map_err(|_| HookFault::WrongSignature)?;
    serde_json::from_slice(&bytes).map_err(|_| HookFault::WrongSignature)
}

#[cfg(test)]
mod tests;
