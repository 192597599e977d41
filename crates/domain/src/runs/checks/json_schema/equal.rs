//! Whether two values are the same, step by step: a schema may ask it of every two items of a list.

use serde_json::Value;

use super::{
    super::{fuel::Exhausted, json::same},
    Run,
};

impl Run<'_> {
    /// Comparing costs what the smaller of the two is big; a value of another kind, nothing.
    pub(super) fn same(&self, a: &Value, b: &Value) -> Result<bool, Exhausted> {
        let size = |value: &Value| match value {
            Value::Array(items) => items.len(),
            Value::Object(members) => members.len(),
            Value::String(text) => text.len() / 16,
            _ => 0,
        };
        match (a, b) {
            (Value::Array(_), Value::Array(_)) | (Value::Object(_), Value::Object(_))
                if size(a) == size(b) =>
            {
                self.fuel.spend(1 + size(a))?;
                self.same_parts(a, b)
            }
            _ => {
                self.fuel.spend(1 + size(a).min(size(b)))?;
                Ok(same(a, b))
            }
        }
    }

    fn same_parts(&self, a: &Value, b: &Value) -> Result<bool, Exhausted> {
        match (a, b) {
            (Value::Array(a), Value::Array(b)) => {
                for (a, b) in a.iter().zip(b) {
                    if !self.same(a, b)? {
                        return Ok(false);
                    }
                }
            }
            (Value::Object(a), Value::Object(b)) => {
                for (name, a) in a {
                    let Some(b) = b.get(name) else {
                        return Ok(false);
                    };
                    if !self.same(a, b)? {
                        return Ok(false);
                    }
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}
