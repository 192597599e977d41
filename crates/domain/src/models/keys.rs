//! The text of a provider's key on its way to the seal. Its `Debug` shows it to nobody.

use std::fmt;

use crate::Fault;

/// A key of a provider as a person typed it: 8 to 1000 visible ASCII characters, since it becomes a
/// header. Never written out, never sent back.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyText(String);

impl KeyText {
    /// The key itself, for the seal.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Its last four characters.
    pub fn last_four(&self) -> String {
        self.0[self.0.len() - 4..].to_owned()
    }
}

impl std::str::FromStr for KeyText {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let text = text.trim();
        let fits = (8..=1000).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(Fault("must have 8 to 1000 visible ASCII characters".into()))
        }
    }
}

impl fmt::Debug for KeyText {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("KeyText")
    }
}

impl<E: deserr::DeserializeError> deserr::Deserr<E> for KeyText {
    fn deserialize_from_value<V: deserr::IntoValue>(
        value: deserr::Value<V>,
        location: deserr::ValuePointerRef<'_>,
    ) -> Result<Self, E> {
        crate::codec::parse_at(value, location)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_shows_its_last_four_characters_only() {
        let key: KeyText = " sk-abcdef1234\n".parse().expect("a key");
        assert_eq!(key.last_four(), "1234");
        assert_eq!(format!("{key:?}"), "KeyText");
    }

    #[test]
    fn what_fits_into_no_header_is_no_key() {
        for text in [
            "",
            "short",
            "two words here",
            "schlüssel-123",
            "line\nbreak-123",
            &"x".repeat(1001),
        ] {
            assert!(text.parse::<KeyText>().is_err(), "{text:?}");
        }
    }
}
