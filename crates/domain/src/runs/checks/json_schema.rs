//! JSON Schema 2020-12, the part of it that says what values look like: types, values, members, items,
//! bounds, patterns, combinations, and references within the schema. What is not understood is refused
//! where it comes in ([`read`]), since a keyword that is passed over would let bad outputs pass.
//!
//! A schema of our own, for the same reason as paths: one can be written that keeps a validator busy for
//! years, and every step here counts.

mod bounds;
mod equal;
mod place;
mod read;

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::{Map, Value};

use super::fuel::{Exhausted, Fuel};
use crate::Fault;
use place::Place;
pub(crate) use read::referred;

/// The most schemas within one another, of which references make more than are written.
const MOST_DEPTH: usize = 200;

/// A schema made ready.
#[derive(Debug)]
pub(crate) struct Schema {
    root: Value,
    patterns: BTreeMap<String, Regex>,
}

/// Why a value is not as it should be.
#[derive(Debug, PartialEq, Eq)]
enum Broken {
    At(String),
    Exhausted,
}

impl From<Exhausted> for Broken {
    fn from(_: Exhausted) -> Self {
        Self::Exhausted
    }
}

type Held = Result<(), Broken>;

impl Schema {
    /// Makes a schema ready, or says what it has that is not understood.
    pub(crate) fn new(root: &Value) -> Result<Self, Fault> {
        let patterns = read::patterns(root)?;
        let root = root.clone();
        Ok(Self { root, patterns })
    }

    /// What is wrong with a value, if anything: the first that is found, with its place.
    pub(super) fn fault(&self, value: &Value, fuel: &Fuel) -> Result<Option<String>, Exhausted> {
        let run = Run { schema: self, fuel };
        match run.holds(&self.root, &Place::root(value)) {
            Ok(()) => Ok(None),
            Err(Broken::At(fault)) => Ok(Some(fault)),
            Err(Broken::Exhausted) => Err(Exhausted),
        }
    }

    /// What is wrong with the members of an object, each with its name; with the whole of it, under no
    /// name, if each for itself is as it should be.
    pub(crate) fn faults_of_members(&self, value: &Value) -> Vec<(String, Fault)> {
        let fuel = Fuel::full();
        let mut faults = self.missing(value);
        for (name, member) in value.as_object().into_iter().flatten() {
            let run = Run {
                schema: self,
                fuel: &fuel,
            };
            if let Some(fault) = run.fault_of_member(name, member) {
                faults.push((name.clone(), fault));
            }
        }
        if faults.is_empty() {
            let whole = match self.fault(value, &fuel) {
                Ok(None) => return faults,
                Ok(Some(fault)) => Fault(fault),
                Err(Exhausted) => too_much(),
            };
            faults.push((String::new(), whole));
        }
        faults
    }

    /// Members that the schema requires by name and that are not there.
    fn missing(&self, value: &Value) -> Vec<(String, Fault)> {
        let required = self.root.get("required").map_or(&[][..], list);
        let missing = required.iter().filter_map(Value::as_str);
        let missing = missing.filter(|name| value.get(name).is_none());
        missing
            .map(|name| (name.to_owned(), Fault("is required".into())))
            .collect()
    }
}

fn too_much() -> Fault {
    Fault("takes too many steps to be compared with the schema".into())
}

/// A value held against a schema.
struct Run<'a> {
    schema: &'a Schema,
    fuel: &'a Fuel,
}

impl Run<'_> {
    fn fault_of_member(&self, name: &str, member: &Value) -> Option<Fault> {
        let root = &self.schema.root;
        let schema = root.get("properties").and_then(|all| all.get(name));
        let schema = schema.or_else(|| root.get("additionalProperties"))?;
        if schema == &Value::Bool(false) {
            return Some(Fault("is not declared".into()));
        }
        match self.holds(schema, &Place::root(member)) {
            Ok(()) => None,
            Err(Broken::At(fault)) => Some(Fault(fault)),
            Err(Broken::Exhausted) => Some(too_much()),
        }
    }

    fn holds(&self, schema: &Value, place: &Place<'_>) -> Held {
        self.fuel.spend(1)?;
        if place.depth > MOST_DEPTH {
            return Err(Broken::Exhausted);
        }
        let Value::Object(schema) = schema else {
            return place.must(schema != &Value::Bool(false), || {
                "nothing may stand here".into()
            });
        };
        let inner = place.deeper();
        for (keyword, wanted) in schema {
            self.keyword(schema, keyword, wanted, &inner)?;
        }
        Ok(())
    }

    fn keyword(
        &self,
        schema: &Map<String, Value>,
        keyword: &str,
        wanted: &Value,
        place: &Place<'_>,
    ) -> Held {
        match (keyword, place.value) {
            ("type", value) => bounds::of_type(wanted, value, place),
            ("const", value) => place.must(self.same(wanted, value)?, || {
                "it is not the constant".into()
            }),
            ("enum", value) => {
                let any = self.any(list(wanted), |option| Ok(self.same(option, value)?))?;
                place.must(any, || "it is none of the enum".into())
            }
            ("$ref", _) => match read::referred(&self.schema.root, wanted) {
                Some(schema) => self.holds(schema, place),
                None => Err(place.broken("its schema refers to nothing")),
            },
            ("allOf", _) => list(wanted).iter().try_for_each(|s| self.holds(s, place)),
            ("anyOf" | "oneOf" | "not", _) => self.combined(keyword, wanted, place),
            ("pattern", Value::String(text)) => self.matches(wanted, text, place),
            (_, Value::Object(members)) => self.of_members(schema, keyword, wanted, members, place),
            (_, Value::Array(items)) => self.of_items(schema, keyword, wanted, items, place),
            (_, Value::String(text)) => {
                self.fuel.spend(text.len())?;
                bounds::of_text(keyword, wanted, text, place)
            }
            (_, Value::Number(number)) => bounds::of_number(keyword, wanted, number, place),
            _ => Ok(()),
        }
    }

    fn any(
        &self,
        of: &[Value],
        holds: impl Fn(&Value) -> Result<bool, Broken>,
    ) -> Result<bool, Broken> {
        self.fuel.spend(of.len())?;
        for one in of {
            if holds(one)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a schema holds, where it is no fault if it does not.
    fn would_hold(&self, schema: &Value, place: &Place<'_>) -> Result<bool, Broken> {
        match self.holds(schema, place) {
            Ok(()) => Ok(true),
            Err(Broken::At(_)) => Ok(false),
            Err(Broken::Exhausted) => Err(Broken::Exhausted),
        }
    }

    fn combined(&self, keyword: &str, wanted: &Value, place: &Place<'_>) -> Held {
        let mut holding = 0;
        for schema in list(wanted) {
            holding += usize::from(self.would_hold(schema, place)?);
        }
        match keyword {
            "anyOf" => place.must(holding > 0, || "it fits nothing of anyOf".into()),
            "oneOf" => place.must(holding == 1, || format!("it fits {holding} of oneOf")),
            _ => place.must(!self.would_hold(wanted, place)?, || {
                "it is what it must not be".into()
            }),
        }
    }

    fn matches(&self, wanted: &Value, text: &str, place: &Place<'_>) -> Held {
        self.fuel.spend(text.len())?;
        let pattern = wanted.as_str().and_then(|p| self.schema.patterns.get(p));
        let holds = pattern.is_some_and(|pattern| pattern.is_match(text));
        place.must(holds, || "it does not match the pattern".into())
    }

    fn of_members(
        &self,
        schema: &Map<String, Value>,
        keyword: &str,
        wanted: &Value,
        members: &Map<String, Value>,
        place: &Place<'_>,
    ) -> Held {
        self.fuel.spend(members.len())?;
        match (keyword, wanted) {
            ("required", Value::Array(names)) => {
                self.fuel.spend(names.len())?;
                let lacks = |name: &&str| !members.contains_key(*name);
                let missing = names.iter().filter_map(Value::as_str).find(lacks);
                place.must(missing.is_none(), || {
                    format!("it lacks {}", missing.unwrap_or_default())
                })
            }
            ("properties", Value::Object(schemas)) => {
                members.iter().try_for_each(|(name, value)| {
                    let Some(schema) = schemas.get(name) else {
                        return Ok(());
                    };
                    self.holds(schema, &place.part(name, value))
                })
            }
            ("additionalProperties", wanted) => {
                let named = schema.get("properties").and_then(Value::as_object);
                let more = |name: &String| !named.is_some_and(|named| named.contains_key(name));
                let mut more = members.iter().filter(|(name, _)| more(name));
                more.try_for_each(|(name, value)| self.holds(wanted, &place.part(name, value)))
            }
            _ => bounds::of_count(keyword, "Properties", wanted, members.len(), place),
        }
    }

    fn of_items(
        &self,
        schema: &Map<String, Value>,
        keyword: &str,
        wanted: &Value,
        items: &[Value],
        place: &Place<'_>,
    ) -> Held {
        self.fuel.spend(items.len())?;
        let all = |mut schemas: &mut dyn Iterator<Item = (usize, &Value, &Value)>| {
            (&mut schemas).try_for_each(|(index, schema, value)| {
                self.holds(schema, &place.part(&index.to_string(), value))
            })
        };
        let numbered = || items.iter().enumerate();
        match keyword {
            "prefixItems" => {
                let pairs = list(wanted).iter().zip(numbered());
                all(&mut pairs.map(|(schema, (index, value))| (index, schema, value)))
            }
            "items" => {
                let before = schema.get("prefixItems").map_or(0, |of| list(of).len());
                let rest = numbered().skip(before);
                all(&mut rest.map(|(index, value)| (index, wanted, value)))
            }
            "uniqueItems" if wanted == &Value::Bool(true) => self.unique(items, place),
            _ => bounds::of_count(keyword, "Items", wanted, items.len(), place),
        }
    }

    fn unique(&self, items: &[Value], place: &Place<'_>) -> Held {
        for (index, item) in items.iter().enumerate() {
            let again = self.any(&items[..index], |other| Ok(self.same(other, item)?))?;
            place.must(!again, || format!("item {index} stands in it twice"))?;
        }
        Ok(())
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests;
