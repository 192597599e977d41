//! Access tokens: JSON Web Tokens signed with HS256. Keys rotate: the first of the list signs, a
//! token names its key (`kid`), and every key of the list is accepted.

use std::{collections::HashMap, time::Duration};

use chrono::{DateTime, Utc};
use domain::{auth::SessionId, users::UserId};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const ISSUER: &str = "prompt-architect";

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who.
    pub sub: UserId,
    /// In which session.
    pub sid: SessionId,
    /// Of which epoch of the user.
    pub epoch: i32,
    /// Signed when, in seconds since 1970.
    pub iat: i64,
    /// Good until when, in seconds since 1970.
    pub exp: i64,
    iss: String,
}

/// The keys, prepared once.
pub struct AccessTokens {
    header: Header,
    signing: EncodingKey,
    accepted: HashMap<String, DecodingKey>,
    validation: Validation,
    life: Duration,
}

impl AccessTokens {
    /// Prepares the keys. Without any, tokens are good in this process only.
    pub fn new(keys: &[SecretString], life: Duration) -> Self {
        let own = [SecretString::from(
            domain::auth::secrets::Secret::random().reveal(),
        )];
        let keys = if keys.is_empty() { &own } else { keys };
        let secret = |key: &SecretString| key.expose_secret().as_bytes().to_vec();
        let mut header = Header::new(Algorithm::HS256);
        header.kid = keys.first().map(key_id);
        // The times are held against the clock here, so that a test can bring its own.
        let mut validation = Validation::new(Algorithm::HS256);
        validation.validate_exp = false;
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss", "sub"]);
        Self {
            header,
            signing: EncodingKey::from_secret(&secret(&keys[0])),
            accepted: keys
                .iter()
                .map(|key| (key_id(key), DecodingKey::from_secret(&secret(key))))
                .collect(),
            validation,
            life,
        }
    }

    /// How long a token is good.
    pub fn life(&self) -> Duration {
        self.life
    }

    /// Signs a token for this session.
    pub fn sign(
        &self,
        user: UserId,
        session: SessionId,
        epoch: i32,
        now: DateTime<Utc>,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        let iat = now.timestamp();
        let exp = iat.saturating_add_unsigned(self.life.as_secs());
        let claims = Claims {
            sub: user,
            sid: session,
            epoch,
            iat,
            exp,
            iss: ISSUER.into(),
        };
        jsonwebtoken::encode(&self.header, &claims, &self.signing)
    }

    /// What the token says, if one of the keys signed it and its time has not passed.
    pub fn read(&self, token: &str, now: DateTime<Utc>) -> Option<Claims> {
        let kid = jsonwebtoken::decode_header(token).ok()?.kid?;
        let key = self.accepted.get(&kid)?;
        let claims = jsonwebtoken::decode::<Claims>(token, key, &self.validation)
            .ok()?
            .claims;
        (now.timestamp() < claims.exp).then_some(claims)
    }
}

/// A name for a key that gives nothing of it away.
fn key_id(key: &SecretString) -> String {
    let digest = Sha256::digest(format!("key id of {}", key.expose_secret()));
    hex::encode(&digest[..6])
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    const LIFE: Duration = Duration::from_secs(900);

    fn keys(names: &[&str]) -> Vec<SecretString> {
        names
            .iter()
            .map(|name| SecretString::from(name.repeat(32)))
            .collect()
    }

    fn signed(tokens: &AccessTokens, now: DateTime<Utc>) -> String {
        tokens
            .sign(UserId::new(), SessionId::new(), 3, now)
            .expect("signable")
    }

    #[test]
    fn a_token_is_good_for_fifteen_minutes_and_not_a_second_longer() {
        let (tokens, now) = (AccessTokens::new(&keys(&["a"]), LIFE), Utc::now());
        let token = signed(&tokens, now);
        assert_eq!(tokens.read(&token, now).map(|claims| claims.epoch), Some(3));
        assert!(tokens.read(&token, now + TimeDelta::seconds(899)).is_some());
        assert!(tokens.read(&token, now + TimeDelta::seconds(900)).is_none());
    }

    #[test]
    fn an_old_key_is_accepted_until_it_leaves_the_list() {
        let now = Utc::now();
        let token = signed(&AccessTokens::new(&keys(&["a"]), LIFE), now);
        assert!(
            AccessTokens::new(&keys(&["b", "a"]), LIFE)
                .read(&token, now)
                .is_some()
        );
        assert!(
            AccessTokens::new(&keys(&["b"]), LIFE)
                .read(&token, now)
                .is_none()
        );
    }

    #[test]
    fn what_was_not_signed_here_is_refused() {
        let (tokens, now) = (AccessTokens::new(&keys(&["a"]), LIFE), Utc::now());
        let token = signed(&tokens, now);
        let (head, _) = token.rsplit_once('.').expect("three parts");
        // {"alg":"none"} and an empty signature.
        let unsigned = format!(
            "eyJhbGciOiJub25lIn0.{}.",
            head.split('.').nth(1).expect("a payload")
        );
        for text in [
            "",
            "a.b.c",
            head,
            &format!("{head}."),
            &format!("{token}x"),
            &unsigned,
        ] {
            assert!(tokens.read(text, now).is_none(), "{text}");
        }
    }
}
