//! The three macros that give every domain value its codecs: JSON in and out, SQL in and out, and
//! its place in the OpenAPI document. A value that carries its codecs is never mapped by hand.
//!
//! - `id!` for identifiers, a UUID each,
//! - `text_enum!` for closed vocabularies, stored and sent as text,
//! - `checked_text!` for texts that obey a rule.
//!
//! A fourth, `jsonb!`, is for values that are stored whole as JSON.

/// Why a text is not the value it should be: one sentence that says what is accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Fault(pub String);

/// Reads a JSON string and parses it, reporting a fault at its place in the body.
pub(crate) fn parse_at<T, E, V>(
    value: deserr::Value<V>,
    location: deserr::ValuePointerRef<'_>,
) -> Result<T, E>
where
    T: std::str::FromStr<Err = Fault>,
    E: deserr::DeserializeError,
    V: deserr::IntoValue,
{
    let text = <String as deserr::Deserr<E>>::deserialize_from_value(value, location)?;
    text.parse().map_err(|fault: Fault| {
        deserr::take_cf_content(E::error::<V>(
            None,
            deserr::ErrorKind::Unexpected { msg: fault.0 },
            location,
        ))
    })
}

/// Codecs that every value written as text shares: JSON through `FromStr` and `as_str`.
macro_rules! text_codec {
    ($name:ident) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl<E: deserr::DeserializeError> deserr::Deserr<E> for $name {
            fn deserialize_from_value<V: deserr::IntoValue>(
                value: deserr::Value<V>,
                location: deserr::ValuePointerRef<'_>,
            ) -> Result<Self, E> {
                $crate::codec::parse_at(value, location)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                // As a word in a column: with its width, if one is asked for.
                to.pad(self.as_str())
            }
        }

        impl diesel::serialize::ToSql<diesel::sql_types::Text, diesel::pg::Pg> for $name {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, diesel::pg::Pg>,
            ) -> diesel::serialize::Result {
                std::io::Write::write_all(out, self.as_str().as_bytes())?;
                Ok(diesel::serialize::IsNull::No)
            }
        }
    };
}

/// A UUID with a type of its own, so that no two kinds of row are ever confused.
macro_rules! id {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$meta])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord,
            serde::Serialize, serde::Deserialize, utoipa::ToSchema,
            diesel::expression::AsExpression, diesel::deserialize::FromSqlRow,
        )]
        #[diesel(sql_type = diesel::sql_types::Uuid)]
        #[serde(transparent)]
        pub struct $name(pub uuid::Uuid);

        impl $name {
            /// A new id, ordered by the time of its making (UUID version 7).
            #[expect(clippy::new_without_default, reason = "a default would hide a new identity")]
            pub fn new() -> Self {
                Self(uuid::Uuid::now_v7())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::Fault;
            fn from_str(text: &str) -> Result<Self, $crate::Fault> {
                text.parse().map(Self).map_err(|_| $crate::Fault("must be a UUID".into()))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(to)
            }
        }

        impl<E: deserr::DeserializeError> deserr::Deserr<E> for $name {
            fn deserialize_from_value<V: deserr::IntoValue>(
                value: deserr::Value<V>,
                location: deserr::ValuePointerRef<'_>,
            ) -> Result<Self, E> {
                $crate::codec::parse_at(value, location)
            }
        }

        impl diesel::serialize::ToSql<diesel::sql_types::Uuid, diesel::pg::Pg> for $name {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, diesel::pg::Pg>,
            ) -> diesel::serialize::Result {
                diesel::serialize::ToSql::<diesel::sql_types::Uuid, diesel::pg::Pg>::to_sql(&self.0, out)
            }
        }

        impl diesel::deserialize::FromSql<diesel::sql_types::Uuid, diesel::pg::Pg> for $name {
            fn from_sql(value: diesel::pg::PgValue<'_>) -> diesel::deserialize::Result<Self> {
                <uuid::Uuid as diesel::deserialize::FromSql<diesel::sql_types::Uuid, diesel::pg::Pg>>::from_sql(value)
                    .map(Self)
            }
        }
    )+};
}

/// A closed vocabulary, stored and sent as text; further spellings may be accepted on the way in.
macro_rules! text_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal $(| $alias:literal)*),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord,
            utoipa::ToSchema, diesel::expression::AsExpression, diesel::deserialize::FromSqlRow,
        )]
        #[diesel(sql_type = diesel::sql_types::Text)]
        pub enum $name { $($(#[$doc])* #[schema(rename = $text)] $variant),+ }

        impl $name {
            /// Every value, in the order of its declaration.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The text it is stored and sent as.
            pub const fn as_str(&self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::Fault;
            fn from_str(text: &str) -> Result<Self, $crate::Fault> {
                match text {
                    $($text $(| $alias)* => Ok(Self::$variant),)+
                    _ => Err($crate::Fault(format!("must be one of {}", [$($text),+].join(", ")))),
                }
            }
        }

        text_codec!($name);

        impl diesel::deserialize::FromSql<diesel::sql_types::Text, diesel::pg::Pg> for $name {
            fn from_sql(value: diesel::pg::PgValue<'_>) -> diesel::deserialize::Result<Self> {
                Ok(std::str::from_utf8(value.as_bytes())?.parse::<Self>()?)
            }
        }
    };
}

/// A text that obeys a rule: `check` takes the raw text and gives the text to keep, or the fault.
macro_rules! checked_text {
    ($(#[$meta:meta])* $name:ident, $check:expr) => {
        $(#[$meta])*
        #[derive(
            Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord,
            utoipa::ToSchema, diesel::expression::AsExpression, diesel::deserialize::FromSqlRow,
        )]
        #[diesel(sql_type = diesel::sql_types::Text)]
        #[schema(value_type = String)]
        pub struct $name(String);

        impl $name {
            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::Fault;
            fn from_str(text: &str) -> Result<Self, $crate::Fault> {
                let check: fn(&str) -> Result<String, $crate::Fault> = $check;
                check(text).map(Self)
            }
        }

        text_codec!($name);

        impl diesel::deserialize::FromSql<diesel::sql_types::Text, diesel::pg::Pg> for $name {
            fn from_sql(value: diesel::pg::PgValue<'_>) -> diesel::deserialize::Result<Self> {
                Ok(Self(std::str::from_utf8(value.as_bytes())?.to_owned()))
            }
        }
    };
}

/// A value stored as `jsonb`, through its JSON form.
macro_rules! jsonb {
    ($($name:ident),+ $(,)?) => {$(
        impl diesel::serialize::ToSql<diesel::sql_types::Jsonb, diesel::pg::Pg> for $name {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, diesel::pg::Pg>,
            ) -> diesel::serialize::Result {
                // The version of the binary format.
                std::io::Write::write_all(out, &[1])?;
                serde_json::to_writer(out, self)?;
                Ok(diesel::serialize::IsNull::No)
            }
        }

        impl diesel::deserialize::FromSql<diesel::sql_types::Jsonb, diesel::pg::Pg> for $name {
            fn from_sql(value: diesel::pg::PgValue<'_>) -> diesel::deserialize::Result<Self> {
                match value.as_bytes() {
                    [1, json @ ..] => Ok(serde_json::from_slice(json)?),
                    _ => Err("an unknown format of jsonb".into()),
                }
            }
        }
    )+};
}

/// The rule most texts share: trimmed, free of NUL (Postgres stores none), and of a length in
/// characters within `min..=max`.
pub(crate) fn trimmed(text: &str, min: usize, max: usize) -> Result<String, Fault> {
    let text = text.trim();
    let length = text.chars().count();
    if text.contains('\0') {
        return Err(Fault("must not contain the NUL character".into()));
    }
    if length < min || length > max {
        return Err(Fault(format!("must have {min} to {max} characters")));
    }
    Ok(text.to_owned())
}
