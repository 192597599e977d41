//! The expressions of filters.

use std::cmp::Ordering;

use serde_json::Value;

use super::{Segment, select};
use crate::runs::checks::{
    fuel::{Exhausted, Fuel},
    json,
};

/// What a filter asks of a value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    Any(Vec<Expression>),
    All(Vec<Expression>),
    Not(Box<Expression>),
    Exists(Query),
    Compared(Operand, Comparison, Operand),
}

/// A path within a filter, from the value in question or from the root.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Query {
    pub(super) from_root: bool,
    pub(super) segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operand {
    Literal(Value),
    /// Of a single value at most.
    Query(Query),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    More,
    MoreOrEqual,
}

impl Expression {
    /// Whether it holds for a value.
    pub(super) fn holds(
        &self,
        value: &Value,
        root: &Value,
        fuel: &Fuel,
    ) -> Result<bool, Exhausted> {
        fuel.spend(1)?;
        match self {
            Self::Any(parts) => decided(parts, true, value, root, fuel),
            Self::All(parts) => decided(parts, false, value, root, fuel),
            Self::Not(part) => part.holds(value, root, fuel).map(|holds| !holds),
            Self::Exists(query) => query
                .select(value, root, fuel)
                .map(|found| !found.is_empty()),
            Self::Compared(a, comparison, b) => {
                let (a, b) = (a.value(value, root, fuel)?, b.value(value, root, fuel)?);
                fuel.spend(a.map_or(0, weight) + b.map_or(0, weight))?;
                Ok(comparison.holds(a, b))
            }
        }
    }
}

/// Whether one of these expressions says so; the rest of them is not asked.
fn decided(
    parts: &[Expression],
    so: bool,
    value: &Value,
    root: &Value,
    fuel: &Fuel,
) -> Result<bool, Exhausted> {
    for part in parts {
        if part.holds(value, root, fuel)? == so {
            return Ok(so);
        }
    }
    Ok(!so)
}

/// About how many steps it takes to compare a value with another.
fn weight(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(weight).sum::<usize>() + 1,
        Value::Object(members) => members.values().map(weight).sum::<usize>() + 1,
        Value::String(text) => text.len() / 64 + 1,
        _ => 1,
    }
}

impl Query {
    fn select<'a>(
        &self,
        value: &'a Value,
        root: &'a Value,
        fuel: &Fuel,
    ) -> Result<Vec<&'a Value>, Exhausted> {
        let from = if self.from_root { root } else { value };
        select(&self.segments, from, root, fuel)
    }
}

impl Operand {
    fn value<'a>(
        &'a self,
        value: &'a Value,
        root: &'a Value,
        fuel: &Fuel,
    ) -> Result<Option<&'a Value>, Exhausted> {
        match self {
            Self::Literal(literal) => Ok(Some(literal)),
            Self::Query(query) => Ok(query.select(value, root, fuel)?.first().copied()),
        }
    }
}

impl Comparison {
    /// Whether it holds between two values, each of which may be missing.
    fn holds(self, a: Option<&Value>, b: Option<&Value>) -> bool {
        let same = match (a, b) {
            (Some(a), Some(b)) => json::same(a, b),
            (a, b) => a.is_none() && b.is_none(),
        };
        match self {
            Self::Equal => same,
            Self::NotEqual => !same,
            Self::Less => order(a, b) == Some(Ordering::Less),
            Self::LessOrEqual => same || order(a, b) == Some(Ordering::Less),
            Self::More => order(a, b) == Some(Ordering::Greater),
            Self::MoreOrEqual => same || order(a, b) == Some(Ordering::Greater),
        }
    }
}

/// Which of two numbers or texts comes first; others have no order.
fn order(a: Option<&Value>, b: Option<&Value>) -> Option<Ordering> {
    match (a?, b?) {
        (Value::Number(a), Value::Number(b)) => a.as_f64()?.partial_cmp(&b.as_f64()?),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        _ => None,
    }
}
