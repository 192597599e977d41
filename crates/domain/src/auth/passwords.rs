//! What makes a password acceptable: length, and not being one of those that everybody tries
//! first. How it is hashed is the API's business.

use std::{collections::HashSet, fmt, str::FromStr, sync::LazyLock};

use crate::{
    Fault,
    users::{Email, PersonName},
};

/// The fewest characters of a new password.
pub const SHORTEST: usize = 10;

/// The most characters of a new password: more would only feed the hash.
pub const LONGEST: usize = 128;

/// Well-known passwords, and words that become one with a few digits; lower-cased, one per line.
const COMMON: &str = include_str!("passwords/common.txt");

static KNOWN: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    COMMON
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect()
});

/// Rows of keys and other orders in which people type without thinking.
const SEQUENCES: &[&str] = &[
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop[]",
    "asdfghjkl;'",
    "zxcvbnm,./",
    "qwertzuiopü",
    "azertyuiop",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/",
    "qazwsxedcrfvtgbyhnujmikolp",
    "!@#$%^&*()_+",
];

/// A password somebody chooses: 10 to 128 characters and none of the commonest.
#[derive(Clone, PartialEq, Eq)]
pub struct NewPassword(String);

/// A password somebody presents in order to get in: any text up to 1000 characters.
#[derive(Clone, PartialEq, Eq)]
pub struct GivenPassword(String);

impl NewPassword {
    /// The text itself, for hashing.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Refuses a password that is mostly its owner's own address or name.
    pub fn must_differ_from(&self, email: &Email, name: &PersonName) -> Result<(), Fault> {
        let password = letters_and_digits(&self.0);
        let local = email.as_str().split('@').next().unwrap_or_default();
        let telling = [email.as_str(), local, name.as_str()]
            .into_iter()
            .chain(name.as_str().split_whitespace())
            .map(letters_and_digits)
            .filter(|part| part.chars().count() >= 4);
        for part in telling {
            let rest = password.replace(&part, "");
            if rest.chars().count() < SHORTEST.min(6) && rest.len() < password.len() {
                return Err(Fault("must not consist of your own name or address".into()));
            }
        }
        Ok(())
    }
}

impl GivenPassword {
    /// The text itself, for comparing.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl FromStr for NewPassword {
    type Err = Fault;
    fn from_str(text: &str) -> Result<Self, Fault> {
        let length = text.chars().count();
        if !(SHORTEST..=LONGEST).contains(&length) {
            return Err(Fault(format!(
                "must have {SHORTEST} to {LONGEST} characters"
            )));
        }
        if is_common(text) {
            return Err(Fault(
                "is one of the passwords that are tried first; take another".into(),
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

impl FromStr for GivenPassword {
    type Err = Fault;
    fn from_str(text: &str) -> Result<Self, Fault> {
        if text.chars().count() > 1000 {
            return Err(Fault("must have at most 1000 characters".into()));
        }
        Ok(Self(text.to_owned()))
    }
}

macro_rules! hidden_text {
    ($($name:ident),+) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str(concat!(stringify!($name), "(…)"))
            }
        }

        impl<E: deserr::DeserializeError> deserr::Deserr<E> for $name {
            fn deserialize_from_value<V: deserr::IntoValue>(
                value: deserr::Value<V>,
                location: deserr::ValuePointerRef<'_>,
            ) -> Result<Self, E> {
                crate::codec::parse_at(value, location)
            }
        }
    )+};
}

hidden_text!(NewPassword, GivenPassword);

fn letters_and_digits(text: &str) -> String {
    text.to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric())
        .collect()
}

fn is_common(text: &str) -> bool {
    let lower = text.to_lowercase();
    has_few_characters(&lower) || is_sequence(&lower) || is_repetition(&lower) || is_known(&lower)
}

/// A known password, bare, disguised, or between digits and signs (`!!il0veyou2024`).
fn is_known(text: &str) -> bool {
    let no_letter = |c: char| !c.is_alphabetic();
    let (core, start) = (
        text.trim_matches(no_letter),
        text.trim_end_matches(no_letter),
    );
    KNOWN.contains(text)
        || [core, &unmask(core), &unmask(start), &unmask(text)]
            .iter()
            .any(|text| KNOWN.contains(*text))
}

/// Undoes the usual disguises: `p@ssw0rd` is `password`.
fn unmask(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '0' => 'o',
            '1' | '!' => 'i',
            '3' => 'e',
            '4' | '@' => 'a',
            '5' | '$' => 's',
            '7' => 't',
            other => other,
        })
        .collect()
}

/// Whether three different characters make up the whole of it.
fn has_few_characters(text: &str) -> bool {
    text.chars().collect::<HashSet<_>>().len() <= 3
}

/// Whether it is a piece of a well-known order, forwards or backwards, or of two in a row.
fn is_sequence(text: &str) -> bool {
    let mut rest = text;
    for _ in 0..3 {
        let taken = SEQUENCES
            .iter()
            .map(|sequence| run_length(rest, sequence))
            .max()
            .unwrap_or(0);
        if taken < 3 {
            break;
        }
        rest = &rest[rest
            .char_indices()
            .nth(taken)
            .map_or(rest.len(), |(at, _)| at)..];
    }
    rest.chars().count() * 4 <= text.chars().count()
}

/// How many characters of `text` follow `sequence`, from any place in it and in either direction.
fn run_length(text: &str, sequence: &str) -> usize {
    let forwards: Vec<char> = sequence.chars().collect();
    let backwards: Vec<char> = forwards.iter().rev().copied().collect();
    [forwards, backwards]
        .iter()
        .flat_map(|order| (0..order.len()).map(|start| &order[start..]))
        .map(|order| text.chars().zip(order).take_while(|(a, b)| a == *b).count())
        .max()
        .unwrap_or(0)
}

/// Whether one piece is repeated throughout (`abcabcabcabc`, `hallo2hallo2`).
fn is_repetition(text: &str) -> bool {
    let letters: Vec<char> = text.chars().collect();
    (1..=letters.len() / 2)
        .filter(|size| letters.len().is_multiple_of(*size))
        .any(|size| letters.chunks(size).all(|chunk| chunk == &letters[..size]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(text: &str) -> bool {
        text.parse::<NewPassword>().is_ok()
    }

    #[test]
    fn ten_to_a_hundred_and_twenty_eight_characters_are_taken() {
        assert!(!accepted("tr0ub4dor"));
        assert!(accepted("tr0ub4dor&"));
        assert!(accepted("größenwahn-ß"));
        assert!(accepted("the violet otter reads on tuesdays"));
        assert!(!accepted(&"violet otter, 7 ".repeat(9)));
    }

    #[test]
    fn what_everybody_tries_first_is_refused() {
        for text in [
            "1234567890",
            "0987654321",
            "aaaaaaaaaa",
            "abababababab",
            "qwertyuiop",
            "QWERTYUIOP123",
            "abcdefghij",
            "password123",
            "P@ssw0rd2024",
            "iloveyou1234",
            "1q2w3e4r5t",
            "1qaz2wsx3edc",
            "abc123abc123",
            "hallo2hallo2",
            "Passwordpassword",
            "administrator",
            "letmein12345",
        ] {
            assert!(!accepted(text), "{text}");
        }
    }

    #[test]
    fn an_unusual_one_is_taken() {
        for text in [
            "violet-otter-77",
            "Regen am Dienstag",
            "x9!kT2#qLm",
            "sevenCold1anterns",
        ] {
            assert!(accepted(text), "{text}");
        }
    }

    #[test]
    fn the_owners_own_name_and_address_are_refused() {
        let email: Email = "ada.lovelace@example.com".parse().expect("an address");
        let name: PersonName = "Ada Lovelace".parse().expect("a name");
        let differs = |text: &str| {
            text.parse::<NewPassword>()
                .expect("long enough")
                .must_differ_from(&email, &name)
                .is_ok()
        };
        assert!(!differs("ada.lovelace"));
        assert!(!differs("Lovelace1815"));
        assert!(!differs("ada.lovelace@example.com"));
        assert!(differs("lovelace wrote the first program"));
        assert!(differs("violet-otter-77"));
    }

    #[test]
    fn the_list_is_lower_case_without_doubles() {
        let lines: Vec<&str> = COMMON
            .lines()
            .filter(|line| !line.starts_with('#'))
            .collect();
        assert!(lines.len() >= 300, "{}", lines.len());
        assert!(
            lines
                .iter()
                .all(|line| *line == line.to_lowercase() && !line.is_empty())
        );
        assert_eq!(lines.len(), KNOWN.len());
    }

    #[test]
    fn a_password_does_not_show_in_debug_output() {
        let password: NewPassword = "violet-otter-77".parse().expect("acceptable");
        assert_eq!(format!("{password:?}"), "NewPassword(…)");
    }
}
