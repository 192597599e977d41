//! JSON values of which there are not too many. What is beyond the bound is passed over, not
//! built: an empty object is two bytes as text and some hundred in memory.

use std::fmt;

use serde::{
    Deserialize as _,
    de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};

/// The most values of a row. Metadata of 64 KiB has about half of that.
pub const MOST_VALUES: usize = 65_536;

/// A value with all it contains; nothing if that is too much.
pub struct Bounded;

impl<'de> DeserializeSeed<'de> for Bounded {
    type Value = Option<Value>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Option<Value>, D::Error> {
        let mut left = MOST_VALUES;
        Part(&mut left).deserialize(from)
    }
}

/// Reads one from its text.
pub fn from_slice(text: &[u8]) -> serde_json::Result<Option<Value>> {
    let mut from = serde_json::Deserializer::from_slice(text);
    let value = Bounded.deserialize(&mut from)?;
    from.end()?;
    Ok(value)
}

/// A value, and how many more there may be.
struct Part<'a>(&'a mut usize);

impl<'de> DeserializeSeed<'de> for Part<'_> {
    type Value = Option<Value>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Option<Value>, D::Error> {
        if *self.0 == 0 {
            return IgnoredAny::deserialize(from).map(|_| None);
        }
        *self.0 -= 1;
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Part<'_> {
    type Value = Option<Value>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Option<Value>, E> {
        Ok(Some(Value::Null))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Option<Value>, E> {
        Ok(Some(Value::Bool(value)))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Option<Value>, E> {
        Ok(Some(Value::Number(value.into())))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Option<Value>, E> {
        Ok(Some(Value::Number(value.into())))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Option<Value>, E> {
        Ok(Some(
            Number::from_f64(value).map_or(Value::Null, Value::Number),
        ))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Option<Value>, E> {
        Ok(Some(Value::String(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Option<Value>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = from.next_element_seed(Part(self.0))? {
            let Some(item) = item else {
                while from.next_element::<IgnoredAny>()?.is_some() {}
                return Ok(None);
            };
            items.push(item);
        }
        Ok(Some(Value::Array(items)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Option<Value>, A::Error> {
        let mut members = Map::new();
        while let Some(name) = from.next_key::<String>()? {
            let Some(value) = from.next_value_seed(Part(self.0))? else {
                while from.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                return Ok(None);
            };
            members.insert(name, value);
        }
        Ok(Some(Value::Object(members)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_within_the_bound_reads_as_ever() {
        for text in [
            "null",
            "true",
            "-7",
            "18446744073709551615",
            "1e300",
            "0.1",
            r#""a\"\u00e9\ud83d\ude00""#,
            "[]",
            "{}",
            r#"[1, [null, {"a": {}}], "x"]"#,
            r#"{"b": 1, "a": [false, {"": -0.5}], "b": 2}"#,
        ] {
            let ever: Value = serde_json::from_str(text).expect("JSON");
            assert_eq!(from_slice(text.as_bytes()).expect("JSON"), Some(ever));
        }
    }

    #[test]
    fn what_has_too_many_values_is_read_to_its_end_and_not_built() {
        let list = |count: usize| format!("[[{}0],1]", "0,".repeat(count - 4));
        let most = from_slice(list(MOST_VALUES).as_bytes()).expect("JSON");
        assert!(most.is_some());
        for text in [
            list(MOST_VALUES + 1),
            format!("[{}{{}}]", "{\"\":0},".repeat(MOST_VALUES)),
            format!("{{\"a\":{},\"b\":1}}", list(MOST_VALUES)),
        ] {
            assert_eq!(from_slice(text.as_bytes()).expect("JSON"), None);
            let broken = format!("{text}]");
            assert!(from_slice(broken.as_bytes()).is_err());
        }
    }
}
