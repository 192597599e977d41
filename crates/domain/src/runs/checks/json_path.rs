//! JSONPath after RFC 9535, without its functions: names, indexes, slices, wildcards, descendants,
//! several at once, and filters. Our own, because a short path can select the same value
//! 2^100 times, and only one's own interpreter can be told to stop.

mod expression;
mod parse;

use std::str::FromStr;

use serde_json::Value;

use self::expression::Expression;
use super::fuel::{Exhausted, Fuel};
use crate::Fault;

/// The most characters of a path.
const MOST: usize = 500;

/// A path through a JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Path(Vec<Segment>);

/// A step of a path: down to members and items, or to those of all descendants.
#[derive(Debug, Clone, PartialEq)]
struct Segment {
    descends: bool,
    selectors: Vec<Selector>,
}

#[derive(Debug, Clone, PartialEq)]
enum Selector {
    Name(String),
    Index(i64),
    Slice {
        start: Option<i64>,
        end: Option<i64>,
        step: i64,
    },
    Wildcard,
    Filter(Expression),
}

impl FromStr for Path {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        if text.chars().count() > MOST || text.contains('\0') {
            let fault = format!("must have at most {MOST} characters, none of them NUL");
            return Err(Fault(fault));
        }
        parse::path(text)
    }
}

impl Path {
    /// What the path selects, in its order.
    pub(super) fn select<'a>(
        &self,
        root: &'a Value,
        fuel: &Fuel,
    ) -> Result<Vec<&'a Value>, Exhausted> {
        select(&self.0, root, root, fuel)
    }
}

/// What segments select from a value; filters may look at the root.
fn select<'a>(
    segments: &[Segment],
    from: &'a Value,
    root: &'a Value,
    fuel: &Fuel,
) -> Result<Vec<&'a Value>, Exhausted> {
    let mut values = vec![from];
    for segment in segments {
        let mut next = Vec::new();
        for value in values {
            segment.select(value, root, fuel, &mut next)?;
        }
        values = next;
    }
    Ok(values)
}

impl Segment {
    fn select<'a>(
        &self,
        value: &'a Value,
        root: &'a Value,
        fuel: &Fuel,
        into: &mut Vec<&'a Value>,
    ) -> Result<(), Exhausted> {
        for selector in &self.selectors {
            selector.select(value, root, fuel, into)?;
        }
        if self.descends {
            for child in children(value) {
                self.select(child, root, fuel, into)?;
            }
        }
        Ok(())
    }
}

impl Selector {
    fn select<'a>(
        &self,
        value: &'a Value,
        root: &'a Value,
        fuel: &Fuel,
        into: &mut Vec<&'a Value>,
    ) -> Result<(), Exhausted> {
        fuel.spend(1)?;
        match self {
            Self::Name(name) => into.extend(value.get(name)),
            Self::Index(index) => {
                if let Value::Array(items) = value {
                    into.extend(place(*index, items.len()).and_then(|place| items.get(place)));
                }
            }
            Self::Slice { start, end, step } => {
                if let Value::Array(items) = value {
                    let places = sliced(*start, *end, *step, items.len());
                    fuel.spend(places.len())?;
                    into.extend(places.into_iter().filter_map(|place| items.get(place)));
                }
            }
            Self::Wildcard => {
                let before = into.len();
                into.extend(children(value));
                fuel.spend(into.len() - before)?;
            }
            Self::Filter(expression) => {
                for child in children(value) {
                    if expression.holds(child, root, fuel)? {
                        into.push(child);
                    }
                }
            }
        }
        Ok(())
    }
}

/// The members or items of a value.
fn children(value: &Value) -> impl Iterator<Item = &Value> {
    let items = value.as_array().into_iter().flatten();
    let members = value
        .as_object()
        .into_iter()
        .flat_map(serde_json::Map::values);
    items.chain(members)
}

/// The place an index names: one below 0 counts from the end.
fn place(index: i64, length: usize) -> Option<usize> {
    match usize::try_from(index) {
        Ok(place) => Some(place),
        Err(_) => length.checked_sub(usize::try_from(index.unsigned_abs()).ok()?),
    }
}

/// The places of a slice, as RFC 9535 (2.3.4.2.2) counts them.
fn sliced(start: Option<i64>, end: Option<i64>, step: i64, length: usize) -> Vec<usize> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let counted = |index: i64| if index < 0 { length + index } else { index };
    let mut places = Vec::new();
    if step > 0 {
        let mut at = counted(start.unwrap_or(0)).clamp(0, length);
        let end = counted(end.unwrap_or(length)).clamp(0, length);
        while at < end {
            places.extend(usize::try_from(at));
            at = at.saturating_add(step);
        }
    } else if step < 0 {
        let mut at = start.map_or(length - 1, counted).clamp(-1, length - 1);
        let end = end.map_or(-1, counted).clamp(-1, length - 1);
        while at > end {
            places.extend(usize::try_from(at));
            at = at.saturating_add(step);
        }
    }
    places
}

#[cfg(test)]
mod tests;
