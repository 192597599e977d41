//! The three objects of systemic functional linguistics that describe a prompt. They are read
//! leniently, because people, browsers and models write them: what is missing or null is empty,
//! and a single audience is a list of one. The vocabularies are open.

use deserr::{DeserializeError, Deserr, ErrorKind, IntoValue, Value, ValuePointerRef};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::whole;

/// The most characters of a member.
const CHARACTERS: usize = 10_000;

/// The most audiences.
const AUDIENCES: usize = 100;

/// One member: any text of at most 10 000 characters, empty by default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String)]
pub struct SflText(String);

impl SflText {
    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for SflText {
    type Err = crate::Fault;
    fn from_str(text: &str) -> Result<Self, crate::Fault> {
        whole(text, CHARACTERS).map(Self)
    }
}

impl TryFrom<String> for SflText {
    type Error = crate::Fault;
    fn try_from(text: String) -> Result<Self, crate::Fault> {
        text.parse()
    }
}

impl<E: DeserializeError> Deserr<E> for SflText {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, E> {
        match value {
            Value::Null => Ok(Self::default()),
            value => crate::codec::parse_at(value, location),
        }
    }
}

/// For whom a prompt's answers are: a list; a single text counts as a list of one, or of none if
/// it is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = Vec<String>)]
pub struct Audience(Vec<SflText>);

impl Audience {
    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(SflText::as_str)
    }

    fn of(list: Vec<String>) -> Result<Self, crate::Fault> {
        if list.len() > AUDIENCES {
            return Err(too_many());
        }
        let texts = list.into_iter().map(SflText::try_from);
        texts.collect::<Result<_, _>>().map(Self)
    }

    fn single(text: SflText) -> Self {
        if text.as_str().trim().is_empty() {
            Self::default()
        } else {
            Self(vec![text])
        }
    }
}

fn too_many() -> crate::Fault {
    crate::Fault(format!("must have at most {AUDIENCES} items"))
}

impl<'de> Deserialize<'de> for Audience {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            List(Vec<String>),
            One(String),
            None,
        }
        let read = match Written::deserialize(from)? {
            Written::List(list) => Self::of(list),
            Written::One(text) => text.parse().map(Self::single),
            Written::None => Ok(Self::default()),
        };
        read.map_err(serde::de::Error::custom)
    }
}

impl<E: DeserializeError> Deserr<E> for Audience {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, E> {
        match value {
            Value::String(_) | Value::Null => {
                <SflText as Deserr<E>>::deserialize_from_value(value, location).map(Self::single)
            }
            value => {
                let list = <Vec<SflText> as Deserr<E>>::deserialize_from_value(value, location)?;
                if list.len() <= AUDIENCES {
                    return Ok(Self(list));
                }
                Err(deserr::take_cf_content(E::error::<V>(
                    None,
                    ErrorKind::Unexpected { msg: too_many().0 },
                    location,
                )))
            }
        }
    }
}

macro_rules! sfl {
    ($($(#[$doc:meta])* $name:ident { $($(#[$member_doc:meta])* $member:ident: $kind:ty),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(
            Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, Deserr, ToSchema,
            diesel::expression::AsExpression, diesel::deserialize::FromSqlRow,
        )]
        #[diesel(sql_type = diesel::sql_types::Jsonb)]
        #[serde(rename_all = "camelCase", default)]
        #[deserr(rename_all = camelCase)]
        #[schema(rename_all = "camelCase")]
        pub struct $name {
            $($(#[$member_doc])* #[deserr(default)] pub $member: $kind,)+
        }
    )+};
}

sfl! {
    /// What is going on: the subject matter.
    SflField {
        /// The subject.
        topic: SflText,
        /// What is to be done, such as `Summarization`.
        task_type: SflText,
        /// What is special about the domain.
        domain_specifics: SflText,
        /// Words that matter, separated by commas.
        keywords: SflText,
    }

    /// Who is taking part: speaker, audience, and how they stand to each other.
    SflTenor {
        /// Whom the model plays, such as `Expert`.
        ai_persona: SflText,
        /// For whom the answer is.
        target_audience: Audience,
        /// The tone, such as `Formal`.
        desired_tone: SflText,
        /// How the speaker stands to the audience.
        interpersonal_stance: SflText,
    }

    /// What part language plays: the form of the answer.
    SflMode {
        /// The form, such as `Markdown`.
        output_format: SflText,
        /// How the answer is built up.
        rhetorical_structure: SflText,
        /// How long it may be.
        length_constraint: SflText,
        /// Further instructions for the text.
        textual_directives: SflText,
    }
}

#[cfg(test)]
mod tests {
    use deserr::errors::JsonError;
    use serde_json::json;

    use super::*;

    fn tenor(value: serde_json::Value) -> SflTenor {
        deserr::deserialize::<_, _, JsonError>(value).expect("a tenor")
    }

    #[test]
    fn what_is_missing_or_null_is_empty() {
        let field: SflField =
            deserr::deserialize::<_, _, JsonError>(json!({"topic": null, "mood": 7}))
                .expect("a field");
        assert_eq!(field, SflField::default());
        assert_eq!(
            serde_json::to_value(tenor(json!({}))).expect("JSON"),
            json!({"aiPersona": "", "targetAudience": [], "desiredTone": "", "interpersonalStance": ""})
        );
    }

    #[test]
    fn a_single_audience_is_a_list_of_one() {
        let one = |value| tenor(json!({ "targetAudience": value }));
        let list = |tenor: &SflTenor| {
            tenor
                .target_audience
                .iter()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(list(&one(json!("Experts"))), ["Experts"]);
        assert_eq!(list(&one(json!(["A", "B"]))), ["A", "B"]);
        assert!(list(&one(json!(""))).is_empty() && list(&one(json!(null))).is_empty());
        let read: SflTenor =
            serde_json::from_value(json!({"targetAudience": "Experts"})).expect("a tenor");
        assert_eq!(list(&read), ["Experts"]);
    }

    #[test]
    fn the_limits_hold_whoever_reads() {
        for audience in [
            json!("a\0b"),
            json!("a".repeat(10_001)),
            json!(["a\0b"]),
            json!(vec!["a"; 101]),
        ] {
            let written = json!({ "targetAudience": audience });
            assert!(serde_json::from_value::<SflTenor>(written.clone()).is_err());
            assert!(deserr::deserialize::<SflTenor, _, JsonError>(written).is_err());
        }
        assert!(serde_json::from_value::<SflField>(json!({"topic": "a\0b"})).is_err());
    }

    #[test]
    fn what_is_no_text_is_refused() {
        let wrong = json!({"targetAudience": ["a", 7]});
        assert!(deserr::deserialize::<SflTenor, _, JsonError>(wrong).is_err());
    }
}
