//! Random secrets and the texts they travel in: API keys, refresh tokens, invitation tokens. Only
//! their hashes are stored, and none of them ever appears in a log: `Debug` hides them.

use std::{fmt, str::FromStr};

use rand::RngExt as _;
use sha2::{Digest as _, Sha256};

use super::SessionId;
use crate::Fault;

const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Letters of a secret: 62 to the power of 43 is a little more than 2 to the power of 256.
const SECRET_LETTERS: usize = 43;

/// Letters of a key's checksum.
const CHECKSUM_LETTERS: usize = 6;

/// 256 random bits, written with 43 letters and digits.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A new one, from the operating system's randomness.
    pub fn random() -> Self {
        let mut random = rand::rng();
        let letter = |_| char::from(LETTERS[random.random_range(0..LETTERS.len())]);
        Self((0..SECRET_LETTERS).map(letter).collect())
    }

    /// The text itself: shown once, never stored.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored in its place. So many random bits need no slow hash.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("Secret(…)")
    }
}

impl FromStr for Secret {
    type Err = Fault;
    fn from_str(text: &str) -> Result<Self, Fault> {
        if text.len() == SECRET_LETTERS && text.bytes().all(|byte| LETTERS.contains(&byte)) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Fault("must be a secret as it was handed out".into()))
        }
    }
}

impl<E: deserr::DeserializeError> deserr::Deserr<E> for Secret {
    fn deserialize_from_value<V: deserr::IntoValue>(
        value: deserr::Value<V>,
        location: deserr::ValuePointerRef<'_>,
    ) -> Result<Self, E> {
        crate::codec::parse_at(value, location)
    }
}

/// A personal API key: `pak_`, a secret, and a checksum by which a mistyped key is known without
/// looking it up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey(Secret);

impl ApiKey {
    /// What every key starts with.
    pub const PREFIX: &str = "pak_";

    /// A new key.
    pub fn random() -> Self {
        Self(Secret::random())
    }

    /// The text to hand out, once.
    pub fn reveal(&self) -> String {
        format!("{}{}{}", Self::PREFIX, self.0.reveal(), checksum(&self.0))
    }

    /// What is stored in its place.
    pub fn hash(&self) -> [u8; 32] {
        self.0.hash()
    }

    /// The last four characters, by which its owner recognises it.
    pub fn last_four(&self) -> String {
        checksum(&self.0)[CHECKSUM_LETTERS - 4..].to_owned()
    }
}

fn checksum(secret: &Secret) -> String {
    let digest = Sha256::digest(format!("checksum of {}", secret.0));
    digest
        .iter()
        .take(CHECKSUM_LETTERS)
        .map(|byte| char::from(LETTERS[usize::from(*byte) % 62]))
        .collect()
}

impl FromStr for ApiKey {
    type Err = Fault;
    fn from_str(text: &str) -> Result<Self, Fault> {
        let fault = || Fault("must be an API key as it was handed out".into());
        let rest = text.strip_prefix(Self::PREFIX).ok_or_else(fault)?;
        let (secret, sum) = rest.split_at_checked(SECRET_LETTERS).ok_or_else(fault)?;
        let secret: Secret = secret.parse()?;
        if checksum(&secret) == sum {
            Ok(Self(secret))
        } else {
            Err(fault())
        }
    }
}

/// A refresh token: its session, a secret that all tokens of the session share, and one of its
/// own. The shared one tells a token that was exchanged before, whose reuse ends the session,
/// from an invention by somebody who merely knows the session's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// The session.
    pub session: SessionId,
    /// The same in all tokens of the session.
    pub family: Secret,
    /// Different in each.
    pub secret: Secret,
}

impl RefreshToken {
    /// The first token of a session.
    pub fn first(session: SessionId) -> Self {
        Self {
            session,
            family: Secret::random(),
            secret: Secret::random(),
        }
    }

    /// The one to exchange this one for.
    #[must_use]
    pub fn next(&self) -> Self {
        Self {
            secret: Secret::random(),
            ..self.clone()
        }
    }

    /// The text to hand out.
    pub fn reveal(&self) -> String {
        format!(
            "{}.{}.{}",
            self.session.0.simple(),
            self.family.reveal(),
            self.secret.reveal()
        )
    }
}

impl FromStr for RefreshToken {
    type Err = Fault;
    fn from_str(text: &str) -> Result<Self, Fault> {
        let mut parts = text.split('.');
        let mut part = || {
            parts
                .next()
                .ok_or_else(|| Fault("must be a refresh token".into()))
        };
        let (session, family, secret) = (part()?.parse()?, part()?.parse()?, part()?.parse()?);
        match parts.next() {
            None => Ok(Self {
                session,
                family,
                secret,
            }),
            Some(_) => Err(Fault("must be a refresh token".into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_and_a_mistyped_one_is_not() {
        let key = ApiKey::random();
        let text = key.reveal();
        assert_eq!(text.len(), 4 + SECRET_LETTERS + CHECKSUM_LETTERS);
        assert!(text.ends_with(&key.last_four()));
        assert_eq!(text.parse(), Ok(key));
        let mut mistyped = text.into_bytes();
        mistyped[10] = if mistyped[10] == b'a' { b'b' } else { b'a' };
        let mistyped = String::from_utf8(mistyped).expect("letters");
        assert!(mistyped.parse::<ApiKey>().is_err());
        assert!("pak_é".parse::<ApiKey>().is_err());
    }

    #[test]
    fn a_refresh_token_is_read_back_and_its_successor_differs_only_in_its_own_secret() {
        let token = RefreshToken::first(SessionId::new());
        assert_eq!(token.reveal().parse(), Ok(token.clone()));
        let next = token.next();
        assert_eq!((next.session, &next.family), (token.session, &token.family));
        assert_ne!(next.secret, token.secret);
        assert!(
            format!("{}.x", token.reveal())
                .parse::<RefreshToken>()
                .is_err()
        );
    }

    #[test]
    fn a_secret_does_not_show_in_debug_output() {
        let token = RefreshToken::first(SessionId::new());
        assert!(!format!("{token:?}").contains(token.secret.reveal()));
    }
}
