//! Sealing: secrets that must be read again (keys of providers, tokens of trackers) are kept under
//! a key from the environment, so that neither the database nor a copy of it gives them away.
//!
//! XChaCha20-Poly1305 with a random nonce of 24 bytes. The place of a secret (table, company, row)
//! is bound to it, so that a ciphertext that is moved to another row does not open there. Keys
//! rotate: the first of the list seals, each opens what was sealed under its name.

use std::{collections::BTreeSet, fmt, str::FromStr};

use base64::{Engine, prelude::BASE64_STANDARD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use secrecy::{ExposeSecret, SecretString, zeroize::Zeroizing};
use uuid::Uuid;

/// Bytes of a key.
const KEY: usize = 32;

/// Bytes of a nonce: so many that random ones do not meet.
const NONCE: usize = 24;

/// What secrets are sealed with.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(skip)]
pub struct SealingConfig {
    /// Keys that seal secrets in the database, separated by commas, each `name:base64 of 32 bytes`:
    /// the first seals, all of them open. Without any, no provider key is taken in.
    #[arg(
        long,
        env = "SEALING_KEYS",
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub sealing_keys: Vec<SecretString>,
}

impl SealingConfig {
    /// Forgets keys that were given empty.
    pub fn drop_blanks(&mut self) {
        self.sealing_keys
            .retain(|key| !key.expose_secret().trim().is_empty());
    }

    /// Everything that is wrong with the keys, a sentence each; none of a key is in it.
    pub fn faults(&self) -> Vec<String> {
        let mut names = BTreeSet::new();
        let mut faults = Vec::new();
        for (place, key) in (1..).zip(&self.sealing_keys) {
            match key.expose_secret().parse::<SealingKey>() {
                Err(fault) => faults.push(format!("SEALING_KEYS: key {place} {fault}")),
                Ok(key) if !names.insert(key.name.clone()) => {
                    faults.push(format!("SEALING_KEYS: key {place} has the name of another"));
                }
                Ok(_) => {}
            }
        }
        faults
    }
}

/// A key with its name.
#[derive(Clone)]
struct SealingKey {
    name: String,
    cipher: XChaCha20Poly1305,
}

impl FromStr for SealingKey {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let (name, key) = text.trim().split_once(':').ok_or(
            "is not of the form name:base64, such as \"2026a:\" and the output of `openssl rand -base64 32`",
        )?;
        let is_name = (1..=32).contains(&name.len())
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
        if !is_name {
            return Err("needs a name of 1 to 32 letters, digits, hyphens, dots or underscores");
        }
        let bytes = Zeroizing::new(
            BASE64_STANDARD
                .decode(key)
                .map_err(|_| "is not base64 behind the colon")?,
        );
        if bytes.len() != KEY {
            return Err("has not 32 bytes: take the output of `openssl rand -base64 32`");
        }
        Ok(Self {
            name: name.to_owned(),
            cipher: XChaCha20Poly1305::new_from_slice(&bytes).map_err(|_| "has not 32 bytes")?,
        })
    }
}

/// Where a secret lies: bound to it, not stored with it.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Such as `provider_keys`.
    pub table: &'static str,
    /// Whose.
    pub company: Uuid,
    /// Which row.
    pub row: Uuid,
}

impl Place {
    fn bytes(&self) -> Vec<u8> {
        [
            self.table.as_bytes(),
            b"\0",
            self.company.as_bytes(),
            self.row.as_bytes(),
        ]
        .concat()
    }
}

/// A secret that only its sealing key opens.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Nonce and ciphertext.
    pub bytes: Vec<u8>,
    /// The name of the key it was sealed with.
    pub key_id: String,
}

/// Why a secret does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Its key is no longer in the list.
    #[error(
        "SEALING_KEYS has no key {0:?}: put it back behind the others, or store the secret anew"
    )]
    NoSuchKey(String),
    /// Another key of the same name, another row, or changed bytes.
    #[error("it was not sealed here with the key {0:?} of SEALING_KEYS")]
    Foreign(String),
}

/// Seals and opens. Its `Debug` shows names only.
#[derive(Clone, Default)]
pub struct Sealer {
    keys: Vec<SealingKey>,
}

impl Sealer {
    /// The keys of this configuration. Those at fault, which a start refuses, are left out.
    pub fn new(config: &SealingConfig) -> Self {
        let keys = config.sealing_keys.iter();
        Self {
            keys: keys
                .filter_map(|key| key.expose_secret().parse().ok())
                .collect(),
        }
    }

    /// The name of the key that seals; `None` while there is none.
    pub fn key_id(&self) -> Option<&str> {
        self.keys.first().map(|key| key.name.as_str())
    }

    /// Seals a secret for its place; `None` without a key.
    pub fn seal(&self, secret: &SecretString, place: Place) -> Option<Sealed> {
        let key = self.keys.first()?;
        let nonce: [u8; NONCE] = rand::random();
        let place = place.bytes();
        let payload = Payload {
            msg: secret.expose_secret().as_bytes(),
            aad: &place,
        };
        let sealed = key.cipher.encrypt(&XNonce::from(nonce), payload).ok()?;
        Some(Sealed {
            bytes: [nonce.as_slice(), &sealed].concat(),
            key_id: key.name.clone(),
        })
    }

    /// Opens what was sealed for this place.
    pub fn open(&self, sealed: &Sealed, place: Place) -> Result<SecretString, OpenError> {
        let name = &sealed.key_id;
        let mut keys = self.keys.iter();
        let key = keys
            .find(|key| key.name == *name)
            .ok_or_else(|| OpenError::NoSuchKey(name.clone()))?;
        let foreign = || OpenError::Foreign(name.clone());
        let (nonce, cipher_text) = sealed
            .bytes
            .split_first_chunk::<NONCE>()
            .ok_or_else(foreign)?;
        let place = place.bytes();
        let payload = Payload {
            msg: cipher_text,
            aad: &place,
        };
        let plain = key
            .cipher
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| foreign())?;
        let text = Zeroizing::new(String::from_utf8(plain).map_err(|_| foreign())?);
        Ok(SecretString::from(text.as_str()))
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_list()
            .entries(self.keys.iter().map(|key| &key.name))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str, byte: u8) -> String {
        format!("{name}:{}", BASE64_STANDARD.encode([byte; KEY]))
    }

    fn config(keys: &[String]) -> SealingConfig {
        SealingConfig {
            sealing_keys: keys.iter().map(|key| key.as_str().into()).collect(),
        }
    }

    fn sealer(keys: &[String]) -> Sealer {
        let config = config(keys);
        assert_eq!(config.faults(), Vec::<String>::new());
        Sealer::new(&config)
    }

    fn place() -> Place {
        Place {
            table: "provider_keys",
            company: Uuid::from_u128(1),
            row: Uuid::from_u128(2),
        }
    }

    #[test]
    fn a_secret_opens_at_its_own_place_only() {
        let keys = sealer(&[key("a", 1)]);
        let sealed = keys.seal(&"sk-secret".into(), place()).expect("sealed");
        assert!(!sealed.bytes.windows(3).any(|piece| piece == b"sk-"));
        let opened = keys.open(&sealed, place()).expect("opened");
        assert_eq!(opened.expose_secret(), "sk-secret");
        let elsewhere = [
            Place {
                table: "trackers",
                ..place()
            },
            Place {
                company: Uuid::from_u128(2),
                ..place()
            },
            Place {
                row: Uuid::from_u128(1),
                ..place()
            },
        ];
        for place in elsewhere {
            let refused = keys.open(&sealed, place).map(|_| ());
            assert_eq!(refused, Err(OpenError::Foreign("a".into())), "{place:?}");
        }
    }

    #[test]
    fn a_former_key_opens_and_the_first_one_seals() {
        let sealed = sealer(&[key("a", 1)])
            .seal(&"s".into(), place())
            .expect("sealed");
        let rotated = sealer(&[key("b", 2), key("a", 1)]);
        assert!(rotated.open(&sealed, place()).is_ok());
        let anew = rotated.seal(&"s".into(), place()).expect("sealed");
        assert_eq!(anew.key_id, "b");
        let without = sealer(&[key("b", 2)]);
        assert!(without.open(&anew, place()).is_ok());
        let gone = without.open(&sealed, place()).map(|_| ());
        assert_eq!(gone, Err(OpenError::NoSuchKey("a".into())));
        let namesake = sealer(&[key("a", 3)]).open(&sealed, place()).map(|_| ());
        assert_eq!(namesake, Err(OpenError::Foreign("a".into())));
    }

    #[test]
    fn changed_or_cut_bytes_do_not_open() {
        let keys = sealer(&[key("a", 1)]);
        let sealed = keys.seal(&"sk-secret".into(), place()).expect("sealed");
        for cut in 0..sealed.bytes.len() {
            let mut changed = sealed.clone();
            changed.bytes[cut] ^= 1;
            assert!(keys.open(&changed, place()).is_err(), "bit of byte {cut}");
            changed.bytes.truncate(cut);
            assert!(keys.open(&changed, place()).is_err(), "{cut} bytes");
        }
    }

    #[test]
    fn the_same_secret_is_sealed_differently_each_time() {
        let sealer = sealer(&[key("a", 1)]);
        let once = || sealer.seal(&"s".into(), place()).expect("sealed").bytes;
        assert_ne!(once(), once());
    }

    #[test]
    fn all_faults_are_named_and_no_key() {
        let short = BASE64_STANDARD.encode([7; 16]);
        let config = config(&[
            "no colon".into(),
            format!("a:{short}"),
            "b:%%%".into(),
            key("two words", 1),
            key("c", 1),
            key("c", 2),
        ]);
        let faults = config.faults();
        assert_eq!(faults.len(), 5, "{faults:?}");
        assert!(faults[4].contains("key 6"), "{faults:?}");
        assert!(!faults.concat().contains(&short));
        let shown = format!("{config:?} {:?}", Sealer::new(&config));
        assert!(
            !shown.contains(&BASE64_STANDARD.encode([1; KEY])),
            "{shown}"
        );
    }

    #[test]
    fn without_a_key_nothing_is_sealed() {
        let mut blank = config(&[String::new(), " ".into()]);
        blank.drop_blanks();
        assert!(blank.faults().is_empty());
        assert!(Sealer::new(&blank).seal(&"s".into(), place()).is_none());
    }
}
