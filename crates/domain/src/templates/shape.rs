//! What a schema of variables says of a place: what may be found there, and what is declared.

use serde_json::{Map, Value};

use super::ROOTS;

/// The most references that lead to one another.
const MOST_REFERENCES: usize = 20;

/// What is known of a value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape<'s> {
    /// All variables, and the context.
    Everything,
    /// What this schema says.
    Of(&'s Value),
    /// Nothing: whatever stands there.
    Open,
}

/// The declared variables of a template.
#[derive(Debug, Clone, Copy)]
pub(super) struct Variables<'s>(pub(super) &'s Value);

impl<'s> Variables<'s> {
    /// The member of this name; `None` if it is not declared.
    pub(super) fn member(self, shape: Shape<'s>, name: &str) -> Option<Shape<'s>> {
        match shape {
            Shape::Open => Some(Shape::Open),
            Shape::Everything if ROOTS.contains(&name) => Some(Shape::Open),
            Shape::Everything => {
                let allows_more = matches!(self.0.get("additionalProperties"), Some(more) if more != &Value::Bool(false));
                self.declared(name)
                    .or_else(|| allows_more.then_some(Shape::Open))
            }
            Shape::Of(schema) => self.of(schema, name, 0),
        }
    }

    fn declared(self, name: &str) -> Option<Shape<'s>> {
        self.0.get("properties")?.get(name).map(Shape::Of)
    }

    /// The names of all declared variables.
    pub(super) fn names(self) -> impl Iterator<Item = &'s str> {
        let properties = self.0.get("properties").and_then(Value::as_object);
        properties
            .into_iter()
            .flat_map(Map::keys)
            .map(String::as_str)
    }

    /// The names of those that must be given.
    pub(super) fn required(self) -> impl Iterator<Item = &'s str> {
        let required = self.0.get("required").and_then(Value::as_array);
        required.into_iter().flatten().filter_map(Value::as_str)
    }

    fn of(self, schema: &'s Value, name: &str, hops: usize) -> Option<Shape<'s>> {
        let Value::Object(members) = schema else {
            return Some(Shape::Open);
        };
        if hops > MOST_REFERENCES {
            return Some(Shape::Open);
        }
        if let Some(found) = schema.get("properties").and_then(|all| all.get(name)) {
            return Some(Shape::Of(found));
        }
        if name.parse::<usize>().is_ok()
            && let Some(items) = schema.get("items")
        {
            return Some(Shape::Of(items));
        }
        let parts = self.parts(schema);
        if !parts.is_empty() {
            let mut found = parts.into_iter().map(|part| self.of(part, name, hops + 1));
            return found.find(Option::is_some).flatten();
        }
        is_open(members).then_some(Shape::Open)
    }

    /// The schemas that this one refers to or consists of.
    fn parts(self, schema: &'s Value) -> Vec<&'s Value> {
        let mut parts = Vec::new();
        if let Some(referred) = schema.get("$ref") {
            parts.extend(crate::runs::checks::json_schema::referred(self.0, referred));
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            parts.extend(
                schema
                    .get(keyword)
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten(),
            );
        }
        parts
    }

    /// What a loop over it finds.
    pub(super) fn items(self, shape: Shape<'s>) -> Shape<'s> {
        let Shape::Of(mut schema) = shape else {
            return Shape::Open;
        };
        for _ in 0..MOST_REFERENCES {
            let of = |keyword| schema.get(keyword).filter(|inner| inner.is_object());
            if let Some(items) = of("items").or_else(|| of("additionalProperties")) {
                return Shape::Of(items);
            }
            match self.parts(schema).first() {
                Some(part) => schema = part,
                None => return Shape::Open,
            }
        }
        Shape::Open
    }
}

/// Whether an object may have members that its schema does not name.
fn is_open(schema: &Map<String, Value>) -> bool {
    match schema.get("additionalProperties") {
        Some(more) => more != &Value::Bool(false),
        None if schema.contains_key("properties") => false,
        None => match schema.get("type") {
            Some(Value::String(kind)) => matches!(kind.as_str(), "object" | "array"),
            Some(Value::Array(kinds)) => kinds
                .iter()
                .any(|kind| matches!(kind.as_str(), Some("object" | "array"))),
            None | Some(_) => true,
        },
    }
}
