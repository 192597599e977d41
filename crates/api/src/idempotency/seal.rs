//! Keeping an answer so that only the key it was asked with opens it.

use actix_web::http::header::{self, HeaderMap};
use base64::{Engine, prelude::BASE64_STANDARD};
use chacha20poly1305::{ChaCha20Poly1305, Key, KeyInit, Nonce, aead::Aead};
use domain::users::UserId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Bytes of a nonce.
const NONCE: usize = 12;

/// Headers that belong to an answer, not to its delivery.
const KEPT_HEADERS: [header::HeaderName; 5] = [
    header::CONTENT_TYPE,
    header::LOCATION,
    header::ETAG,
    header::LINK,
    header::CACHE_CONTROL,
];

/// An answer to be given again.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// The headers that belong to it.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct Written {
    headers: Vec<(String, String)>,
    body: String,
}

impl Answer {
    /// What is kept of an answer.
    pub fn of(headers: &HeaderMap, body: &[u8]) -> Self {
        let kept = KEPT_HEADERS.iter().filter_map(|name| {
            let value = headers.get(name)?.to_str().ok()?;
            Some((name.to_string(), value.to_owned()))
        });
        Self {
            headers: kept.collect(),
            body: body.to_vec(),
        }
    }
}

/// What a user's key yields: a name to store under and a cipher to store with. Neither gives the
/// other away.
pub struct Seal {
    key_hash: String,
    cipher: ChaCha20Poly1305,
}

impl Seal {
    /// The seal of this user's key.
    pub fn new(user: UserId, key: &str) -> Self {
        let derive = |purpose: &str| Sha256::digest(format!("{purpose}\0{user}\0{key}"));
        let cipher_key: [u8; 32] = derive("idempotency seal").into();
        Self {
            key_hash: hex::encode(derive("idempotency key")),
            cipher: ChaCha20Poly1305::new(&Key::from(cipher_key)),
        }
    }

    /// What the key is stored as.
    pub fn key_hash(&self) -> String {
        self.key_hash.clone()
    }

    /// The answer, sealed: a random nonce and the ciphertext.
    pub fn close(&self, answer: &Answer) -> Vec<u8> {
        let written = Written {
            headers: answer.headers.clone(),
            body: BASE64_STANDARD.encode(&answer.body),
        };
        let plain = serde_json::to_vec(&written).unwrap_or_default();
        let nonce: [u8; NONCE] = rand::random();
        let sealed = self
            .cipher
            .encrypt(&Nonce::from(nonce), plain.as_slice())
            .expect("memory can be encrypted");
        [nonce.as_slice(), &sealed].concat()
    }

    /// The answer, if this seal closed it.
    pub fn open(&self, sealed: &[u8]) -> Option<Answer> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
        let plain = self.cipher.decrypt(&Nonce::from(*nonce), sealed).ok()?;
        let written: Written = serde_json::from_slice(&plain).ok()?;
        let body = BASE64_STANDARD.decode(written.body).ok()?;
        Some(Answer {
            headers: written.headers,
            body,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_it_was_closed_with_opens_an_answer() {
        let user = UserId::new();
        let seal = Seal::new(user, "a");
        let answer = Answer {
            headers: vec![("content-type".into(), "application/json".into())],
            body: b"{\"key\":\"pak_secret\"}".to_vec(),
        };
        let closed = seal.close(&answer);
        assert!(!closed.windows(4).any(|piece| piece == b"pak_"));
        assert_eq!(Seal::new(user, "a").open(&closed), Some(answer));
        assert_eq!(Seal::new(user, "b").open(&closed), None);
        assert_eq!(Seal::new(UserId::new(), "a").open(&closed), None);
        assert_eq!(seal.open(&closed[..5]), None);
    }
}
