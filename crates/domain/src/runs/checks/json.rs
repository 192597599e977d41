//! JSON values held against one another.

use serde_json::{Number, Value};

/// Whether two values are the same: members in any order, numbers by what they are worth.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => same_number(a, b),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

/// Whole numbers exactly, others as far as a float tells them apart.
fn same_number(a: &Number, b: &Number) -> bool {
    a == b || ((a.is_f64() || b.is_f64()) && a.as_f64() == b.as_f64())
}

/// A value that is wanted. A text may be meant as it is or as the JSON it holds: an expected column
/// has texts only.
#[derive(Debug)]
pub(super) struct Wanted {
    value: Value,
    held: Option<Value>,
}

impl Wanted {
    pub(super) fn new(value: &Value) -> Self {
        let held = value
            .as_str()
            .and_then(|text| serde_json::from_str(text).ok());
        let value = value.clone();
        Self { value, held }
    }

    pub(super) fn is(&self, value: &Value) -> bool {
        same(&self.value, value) || self.held.as_ref().is_some_and(|held| same(held, value))
    }
}

/// A value as a text: a text as it is, anything else as JSON.
pub(super) fn text_of(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
