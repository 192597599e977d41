//! What a path or a call leads to.

use std::borrow::Cow;

use serde_json::Value;

use super::{Found, Run, Step};
use crate::templates::{
    helpers::{Helper, are_same, is_true, shown},
    lint::FindingCode,
    path::{Base, Path, short},
    shape::Shape,
    tree::{Call, Expression, Place},
};

impl<'t> Run<'t> {
    /// A value that has to be there: what is declared and not given is nothing.
    pub(super) fn needed(&mut self, expression: &'t Expression) -> Step<Found<'t>> {
        let found = self.value(expression)?;
        if found.value.is_none()
            && let Expression::Path(path, at) = expression
            && !matches!(found.shape, Shape::Of(_))
        {
            let message = format!("“{}” is not there", short(&path.text));
            self.fault(FindingCode::Missing, *at, message)?;
        }
        Ok(found)
    }

    pub(super) fn value(&mut self, expression: &'t Expression) -> Step<Found<'t>> {
        match expression {
            Expression::Literal(value) => Ok(Found {
                value: Some(Cow::Borrowed(value)),
                shape: Shape::Open,
            }),
            Expression::Path(path, at) => {
                self.spend(0, Some(*at))?;
                self.path(path, *at)
            }
            Expression::Call(call) => self.call(call),
        }
    }

    fn call(&mut self, call: &'t Call) -> Step<Found<'t>> {
        self.spend(0, Some(call.at))?;
        let Ok(helper) = call.helper.parse::<Helper>() else {
            let message = format!("there is no helper “{}”", short(&call.helper));
            self.fault(FindingCode::UnknownHelper, call.at, message)?;
            return Ok(nothing());
        };
        if helper == Helper::Lookup {
            return self.lookup(call);
        }
        if matches!(helper, Helper::Exists | Helper::IfEquals) {
            let is = self.asks(helper, call)?;
            return Ok(made(Value::Bool(is)));
        }
        let mut values = Vec::new();
        for argument in &call.arguments {
            values.push(
                self.needed(argument)?
                    .value
                    .unwrap_or(Cow::Owned(Value::Null)),
            );
        }
        let length = values.iter().map(|value| weight(value)).sum();
        self.spend(length, Some(call.at))?;
        let values: Vec<&Value> = values.iter().map(Cow::as_ref).collect();
        match helper.text(&values) {
            Ok(text) => Ok(made(Value::String(text))),
            Err(message) => {
                self.fault(
                    FindingCode::HelperUse,
                    call.at,
                    format!("{helper} {message}"),
                )?;
                Ok(made(Value::Null))
            }
        }
    }

    fn lookup(&mut self, call: &'t Call) -> Step<Found<'t>> {
        let [of, name] = call.arguments.as_slice() else {
            return Ok(nothing());
        };
        let (of, name) = (self.needed(of)?, self.needed(name)?);
        let name = name.value.unwrap_or(Cow::Owned(Value::Null));
        self.spend(weight(&name), Some(call.at))?;
        let name = shown(&name);
        let found = self.member(of, &name);
        if found.value.is_none() && !matches!(found.shape, Shape::Of(_)) {
            let message = format!("lookup finds no “{}”", short(&name));
            self.fault(FindingCode::Missing, call.at, message)?;
        }
        Ok(found)
    }

    /// What a helper that asks something answers.
    pub(super) fn asks(&mut self, helper: Helper, call: &'t Call) -> Step<bool> {
        let Some(first) = call.arguments.first() else {
            return Ok(false);
        };
        if helper == Helper::IfEquals {
            let Some(second) = call.arguments.get(1) else {
                return Ok(false);
            };
            let (a, b) = (self.needed(first)?.value, self.needed(second)?.value);
            let (a, b) = (
                a.unwrap_or(Cow::Owned(Value::Null)),
                b.unwrap_or(Cow::Owned(Value::Null)),
            );
            self.spend(weight(&a).min(weight(&b)), Some(call.at))?;
            return Ok(are_same(&a, &b));
        }
        let value = self.value(first)?.value;
        let mut zero_counts = false;
        for (_, option) in &call.options {
            let option = self.value(option)?.value;
            zero_counts |= option.is_some_and(|option| is_true(&option, false));
        }
        Ok(match helper {
            Helper::Exists => value.is_some_and(|value| !value.is_null()),
            Helper::Unless => !value.is_some_and(|value| is_true(&value, zero_counts)),
            _ => value.is_some_and(|value| is_true(&value, zero_counts)),
        })
    }

    fn path(&mut self, path: &'t Path, at: Place) -> Step<Found<'t>> {
        let (start, names) = match path.base {
            Base::Loop(ups) => return Ok(self.of_loop(ups, path)),
            Base::Root => (self.frames.first(), path.names.as_slice()),
            Base::Context(ups) => {
                let named = path.names.first().filter(|_| !path.is_explicit);
                let named = named.and_then(|first| self.named(first));
                if let Some(found) = named {
                    // What a helper made is copied.
                    if let Some(Cow::Owned(value)) = &found.value {
                        self.spend(weight(value), Some(at))?;
                    }
                    return self.steps(found, &path.names[1..], at);
                }
                let above = self.frames.len().checked_sub(ups + 1);
                let above = above.and_then(|place| self.frames.get(place));
                (above, path.names.as_slice())
            }
        };
        match start.map(|frame| frame.this.clone()) {
            Some(found) => {
                if let Some(Cow::Owned(value)) = &found.value {
                    self.spend(weight(value), Some(at))?;
                }
                self.steps(found, names, at)
            }
            None => Ok(nothing()),
        }
    }

    fn named(&self, name: &str) -> Option<Found<'t>> {
        let mut names = self.frames.iter().rev().flat_map(|frame| &frame.names);
        let found = names.find(|(given, _)| *given == name);
        found.map(|(_, found)| found.clone())
    }

    fn steps(&self, mut found: Found<'t>, names: &'t [String], at: Place) -> Step<Found<'t>> {
        for name in names {
            self.spend(0, Some(at))?;
            found = self.member(found, name);
        }
        Ok(found)
    }

    fn member(&self, of: Found<'t>, name: &str) -> Found<'t> {
        let shape = self.variables.member(of.shape, name).unwrap_or(Shape::Open);
        let value = match of.value {
            Some(Cow::Borrowed(value)) => inner(value, name).map(Cow::Borrowed),
            Some(Cow::Owned(value)) => inner(&value, name).cloned().map(Cow::Owned),
            None => None,
        };
        Found { value, shape }
    }

    fn of_loop(&self, ups: usize, path: &Path) -> Found<'t> {
        let mut turns = self
            .frames
            .iter()
            .rev()
            .filter_map(|frame| frame.turn.as_ref());
        let Some(turn) = turns.nth(ups) else {
            return nothing();
        };
        made(match path.names.first().map(String::as_str) {
            Some("index") => turn.index.into(),
            Some("key") => turn.key.clone(),
            Some("first") => (turn.index == 0).into(),
            Some("last") => turn.is_last.into(),
            _ => return nothing(),
        })
    }
}

fn inner<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    match value {
        Value::Object(members) => members.get(name),
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        _ => None,
    }
}

pub(super) fn nothing<'t>() -> Found<'t> {
    Found {
        value: None,
        shape: Shape::Open,
    }
}

pub(super) fn made<'t>(value: Value) -> Found<'t> {
    Found {
        value: Some(Cow::Owned(value)),
        shape: Shape::Open,
    }
}

/// About how many bytes a value has: what it takes to look at all of it.
pub(super) fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(|item| 64 + weight(item)).sum(),
        Value::Object(members) => members.values().map(|item| 64 + weight(item)).sum(),
        _ => 1,
    }
}
