//! Prompts: what one is made of, and the rules that need neither a request nor a row: which
//! placeholders a text has, what answer it expects, what makes two versions the same.

mod archive;
mod body;
mod diff;
pub mod draft;
mod expected;
pub mod grams;
pub mod placeholders;
pub(crate) mod repair;
mod sfl;
mod vocabulary;

pub use archive::{ArchivedLabelMove, ArchivedPrompt, ArchivedVersion, HIGHEST_NUMBER};
pub use body::Body;
pub(crate) use body::canonical;
pub use diff::{Difference, LineChange, LineOp};
pub use expected::ExpectedOutput;
pub use sfl::{Audience, SflField, SflMode, SflTenor, SflText};
pub use vocabulary::Vocabulary;

use crate::{Fault, codec::trimmed};

id!(
    /// A prompt.
    PromptId,
    /// A version of a prompt, for ever the same.
    PromptVersionId,
    /// One move of a label.
    LabelMoveId,
);

text_enum!(
    /// What a prompt is for.
    PromptKind {
        /// It makes outputs.
        Generator = "generator",
        /// It judges outputs.
        Grader = "grader",
    }
);

impl PromptKind {
    /// What a version of this kind and number is called, such as `Generator 6`.
    pub fn version_label(self, number: i32) -> String {
        match self {
            Self::Generator => format!("Generator {number}"),
            Self::Grader => format!("Grader {number}"),
        }
    }
}

checked_text!(
    /// What a prompt is called, 1 to 255 characters.
    PromptTitle,
    |text| trimmed(text, 1, 255)
);

checked_text!(
    /// What a model is told, 1 to 200 000 characters, kept as it is; not blank.
    PromptText,
    |text| match whole(text, 200_000)? {
        blank if blank.trim().is_empty() => Err(Fault("must have 1 to 200000 characters".into())),
        text => Ok(text),
    }
);

checked_text!(
    /// An example of an answer, at most 200 000 characters.
    ExampleOutput,
    |text| whole(text, 200_000)
);

checked_text!(
    /// What people note about a prompt, at most 200 000 characters.
    PromptNotes,
    |text| whole(text, 200_000)
);

checked_text!(
    /// The text of a source document, at most 1 000 000 characters.
    SourceText,
    |text| whole(text, 1_000_000)
);

checked_text!(
    /// The name of a source document, at most 255 characters.
    SourceName,
    |text| trimmed(text, 0, 255)
);

checked_text!(
    /// A name that points at a version, such as `production`: 1 to 64 letters, digits, `.`, `_` or
    /// `-`, beginning with a letter or digit.
    LabelName,
    |text| {
        let well_formed = text.len() <= 64
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
        if well_formed {
            Ok(text.to_owned())
        } else {
            Err(Fault(
                "must have 1 to 64 letters, digits, `.`, `_` or `-` and begin with a letter or digit"
                    .into(),
            ))
        }
    }
);

checked_text!(
    /// What is looked for inside prompts, 1 to 200 characters.
    PromptQuery,
    |text| trimmed(text, 1, 200)
);

/// A text kept as it is: free of NUL and at most so many characters long.
pub(crate) fn whole(text: &str, max: usize) -> Result<String, Fault> {
    if text.contains('\0') {
        return Err(Fault("must not contain the NUL character".into()));
    }
    if text.chars().count() > max {
        return Err(Fault(format!("must have at most {max} characters")));
    }
    Ok(text.to_owned())
}

/// A text that the prompt was made from.
#[derive(
    Debug,
    Clone,
    PartialEq,
    Eq,
    serde::Serialize,
    serde::Deserialize,
    deserr::Deserr,
    utoipa::ToSchema,
    diesel::expression::AsExpression,
    diesel::deserialize::FromSqlRow,
)]
#[diesel(sql_type = diesel::sql_types::Jsonb)]
pub struct SourceDocument {
    /// What it is called.
    pub name: SourceName,
    /// What it says.
    pub content: SourceText,
}

/// The most bytes of metadata as JSON.
const METADATA_BYTES: usize = 65_536;

/// Whatever belongs to a prompt besides: `temperature`, `modelId` … At most 64 KiB as JSON.
#[derive(
    Debug,
    Clone,
    PartialEq,
    Default,
    serde::Serialize,
    serde::Deserialize,
    utoipa::ToSchema,
    diesel::expression::AsExpression,
    diesel::deserialize::FromSqlRow,
)]
#[diesel(sql_type = diesel::sql_types::Jsonb)]
#[serde(transparent)]
#[schema(value_type = Object)]
pub struct Metadata(pub serde_json::Map<String, serde_json::Value>);

impl<E: deserr::DeserializeError> deserr::Deserr<E> for Metadata {
    fn deserialize_from_value<V: deserr::IntoValue>(
        value: deserr::Value<V>,
        location: deserr::ValuePointerRef<'_>,
    ) -> Result<Self, E> {
        let deserr::Value::Map(_) = value else {
            return Err(deserr::take_cf_content(E::error(
                None,
                deserr::ErrorKind::IncorrectValueKind {
                    actual: value,
                    accepted: &[deserr::ValueKind::Map],
                },
                location,
            )));
        };
        let metadata = match serde_json::Value::from(value) {
            serde_json::Value::Object(map) => Self(map),
            _ => Self::default(),
        };
        metadata.checked().map_err(|fault| {
            deserr::take_cf_content(E::error::<V>(
                None,
                deserr::ErrorKind::Unexpected { msg: fault.0 },
                location,
            ))
        })
    }
}

impl Metadata {
    /// Itself, if it obeys the rules. Reading a row does not ask for that: Postgres writes numbers
    /// such as 1e300 in full, so that what was small enough may come back longer.
    fn checked(self) -> Result<Self, Fault> {
        let map = serde_json::Value::Object(self.0);
        // JSON writes NUL as an escape; Postgres stores neither.
        if has_nul(&map) {
            return Err(Fault("must not contain the NUL character".into()));
        }
        if map.to_string().len() > METADATA_BYTES {
            let detail = format!("must have at most {METADATA_BYTES} bytes as JSON");
            return Err(Fault(detail));
        }
        match map {
            serde_json::Value::Object(map) => Ok(Self(map)),
            _ => Err(Fault("must be an object".into())),
        }
    }
}

/// Whether a text or a name in it has the NUL character, which Postgres does not store.
pub fn has_nul(value: &serde_json::Value) -> bool {
    use serde_json::Value;
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| name.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

jsonb!(SflField, SflTenor, SflMode, SourceDocument, Metadata, Body);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_as_it_is_unless_there_is_nothing_in_it() {
        let text: PromptText = "  indented\n".parse().expect("a text");
        assert_eq!(text.as_str(), "  indented\n");
        assert!(" \n".parse::<PromptText>().is_err());
        assert!("a\0b".parse::<PromptText>().is_err());
        assert!("é".repeat(200_000).parse::<PromptText>().is_ok());
        assert!("é".repeat(200_001).parse::<PromptText>().is_err());
    }

    #[test]
    fn a_label_is_a_name_that_needs_no_quoting() {
        for good in ["production", "v1.2-rc_3", "7"] {
            assert!(good.parse::<LabelName>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "a b", "a/b", "ä", &"a".repeat(65)] {
            assert!(bad.parse::<LabelName>().is_err(), "{bad}");
        }
    }
}
