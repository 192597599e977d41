//! What a schema must obey where it comes in: only keywords that are understood, each with a value it
//! can have, and references that lead somewhere.

use std::collections::BTreeMap;

use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value};

use super::bounds::TYPES;
use crate::Fault;

/// The most patterns of a schema, the most characters of each and the most bytes of what it becomes.
const MOST_PATTERNS: usize = 20;
const MOST_PATTERN: usize = 1000;
const MOST_PROGRAM: usize = 1 << 17;

/// The edition of JSON Schema.
const EDITION: &str = "https://json-schema.org/draft/2020-12/schema";

/// The patterns of a schema made ready, once all of it was found to be understood.
pub(super) fn patterns(root: &Value) -> Result<BTreeMap<String, Regex>, Fault> {
    let mut reading = Reading {
        root,
        patterns: BTreeMap::new(),
    };
    reading.schema(root, true)?;
    Ok(reading.patterns)
}

/// The schema that a reference means: the whole, or one of its definitions.
pub(crate) fn referred<'a>(root: &'a Value, reference: &Value) -> Option<&'a Value> {
    let reference = reference.as_str()?;
    if reference == "#" {
        return Some(root);
    }
    let name = reference.strip_prefix("#/$defs/")?;
    if name.contains('/') {
        return None;
    }
    let name = name.replace("~1", "/").replace("~0", "~");
    root.get("$defs")?.get(&name)
}

struct Reading<'a> {
    root: &'a Value,
    patterns: BTreeMap<String, Regex>,
}

impl Reading<'_> {
    fn schema(&mut self, schema: &Value, is_root: bool) -> Result<(), Fault> {
        let members = match schema {
            Value::Bool(_) => return Ok(()),
            Value::Object(members) => members,
            _ => {
                return Err(Fault(
                    "must be a JSON Schema: an object, true or false".into(),
                ));
            }
        };
        for (keyword, value) in members {
            if keyword == "$defs" && !is_root {
                return Err(Fault("must have $defs at its top only".into()));
            }
            self.keyword(keyword, value)?;
        }
        Ok(())
    }

    fn keyword(&mut self, keyword: &str, value: &Value) -> Result<(), Fault> {
        let must = |holds: bool, what: &str| {
            let fault = || Fault(format!("must have {what} as {keyword}"));
            if holds { Ok(()) } else { Err(fault()) }
        };
        match (keyword, value) {
            (
                "title" | "description" | "$comment" | "default" | "examples" | "deprecated"
                | "readOnly" | "writeOnly" | "const",
                _,
            ) => Ok(()),
            ("$schema", edition) => must(edition == EDITION, EDITION),
            ("type", value) => must(are_types(value), "the name of a type or several"),
            ("enum", value) => must(value.is_array(), "a list"),
            ("required", value) => must(are_texts(value), "a list of names"),
            ("uniqueItems", value) => must(value.is_boolean(), "true or false"),
            ("$ref", value) => must(
                referred(self.root, value).is_some(),
                "# or #/$defs/ and the name of a definition",
            ),
            ("properties" | "$defs", Value::Object(schemas)) => self.each(schemas),
            ("properties" | "$defs", _) => must(false, "an object of schemas"),
            ("additionalProperties" | "items" | "not", schema) => self.schema(schema, false),
            ("prefixItems" | "allOf" | "anyOf" | "oneOf", Value::Array(schemas))
                if !schemas.is_empty() =>
            {
                schemas
                    .iter()
                    .try_for_each(|schema| self.schema(schema, false))
            }
            ("prefixItems" | "allOf" | "anyOf" | "oneOf", _) => must(false, "a list of schemas"),
            (
                "minItems" | "maxItems" | "minLength" | "maxLength" | "minProperties"
                | "maxProperties",
                value,
            ) => must(value.is_u64(), "a count"),
            ("minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum", value) => {
                must(value.is_number(), "a number")
            }
            ("multipleOf", value) => must(
                value.as_f64().is_some_and(|factor| factor > 0.0),
                "a number above 0",
            ),
            ("pattern", Value::String(pattern)) => self.pattern(pattern),
            ("pattern", _) => must(false, "a regular expression"),
            (unknown, _) => Err(unsupported(unknown)),
        }
    }

    fn each(&mut self, schemas: &Map<String, Value>) -> Result<(), Fault> {
        schemas
            .values()
            .try_for_each(|schema| self.schema(schema, false))
    }

    fn pattern(&mut self, pattern: &str) -> Result<(), Fault> {
        if pattern.chars().count() > MOST_PATTERN || self.patterns.len() >= MOST_PATTERNS {
            return Err(Fault(format!(
                "must have at most {MOST_PATTERNS} patterns of {MOST_PATTERN} characters"
            )));
        }
        let ready = RegexBuilder::new(pattern)
            .size_limit(MOST_PROGRAM)
            .build()
            .map_err(|fault| {
                Fault(format!(
                    "must have a regular expression as pattern: {fault}"
                ))
            })?;
        self.patterns.insert(pattern.to_owned(), ready);
        Ok(())
    }
}

fn unsupported(keyword: &str) -> Fault {
    let keyword: String = keyword.chars().take(100).collect();
    Fault(format!(
        "must not have the keyword “{keyword}”, which is not understood"
    ))
}

fn are_texts(value: &Value) -> bool {
    let list = value.as_array();
    list.is_some_and(|list| list.iter().all(Value::is_string))
}

fn are_types(value: &Value) -> bool {
    let is = |name: &Value| name.as_str().is_some_and(|name| TYPES.contains(&name));
    let several = |list: &Vec<Value>| !list.is_empty() && list.iter().all(is);
    is(value) || value.as_array().is_some_and(several)
}
