//! Fills a template in. Nothing is escaped, nothing that was filled in is read again, and there is an
//! end to everything: to the text, and to the steps that it takes.

mod values;

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{
    helpers::{Helper, is_true, shown},
    lint::{Finding, FindingCode},
    path::short,
    shape::{Shape, Variables},
    tree::{Block, Body, Node, Place},
};
use crate::{
    Fault,
    runs::checks::{fuel::Fuel, json_schema::Schema},
};
use values::{made, nothing, weight};

/// The most bytes of a text.
pub(super) const MOST_BYTES: usize = 2 << 20;

/// The most steps: values looked up, blocks begun, and some bytes of text each.
const MOST_STEPS: u64 = 1_000_000;

/// The most values that are told to be missing.
const MOST_FINDINGS: usize = 100;

/// What a template is filled in with.
#[derive(Debug, Clone)]
pub struct Data<'a> {
    /// The schema of the variables.
    pub schema: &'a Value,
    /// The variables.
    pub vars: &'a Map<String, Value>,
    /// What it is filled in for: the names of [`super::ROOTS`]. It may be large, and is not copied.
    pub context: Map<String, Value>,
}

/// A text.
#[derive(Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The text.
    pub text: String,
}

/// Why there is no text.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    /// The variables are not as the schema says: each with its name.
    Vars(Vec<(String, Fault)>),
    /// The body asks for what is not there or cannot be done.
    Body(Vec<Finding>),
}

/// Fills a body in.
pub fn render(body: &Body, data: Data<'_>) -> Result<Rendered, Failure> {
    let schema =
        Schema::new(data.schema).map_err(|fault| Failure::Vars(vec![(String::new(), fault)]))?;
    let given = Value::Object(data.vars.clone());
    let faults = schema.faults_of_members(&given);
    if !faults.is_empty() {
        return Err(Failure::Vars(faults));
    }
    let Value::Object(mut everything) = given else {
        return Err(Failure::Vars(Vec::new()));
    };
    everything.extend(data.context);
    let everything = Value::Object(everything);
    let mut run = Run::new(Variables(data.schema), &everything);
    if let Err(stop) = run.nodes(&body.0) {
        run.findings.push(stop);
    }
    if run.findings.is_empty() {
        Ok(Rendered { text: run.text })
    } else {
        Err(Failure::Body(run.findings))
    }
}

/// How many steps it takes to fill a body in with these, whatever comes of it.
#[cfg(test)]
pub(super) fn steps(body: &Body, everything: &Value) -> u64 {
    let schema = serde_json::json!({ "additionalProperties": true });
    let mut run = Run::new(Variables(&schema), everything);
    // What is wrong with it is for others to look at.
    let _ = run.nodes(&body.0);
    MOST_STEPS - run.fuel.left()
}

/// A value with what is declared of it; `None` if it is not there and need not be declared so.
#[derive(Clone)]
struct Found<'t> {
    value: Option<Cow<'t, Value>>,
    shape: Shape<'t>,
}

/// What a loop says of itself.
#[derive(Clone)]
struct Turn {
    index: usize,
    key: Value,
    is_last: bool,
}

struct Frame<'t> {
    this: Found<'t>,
    names: Vec<(&'t str, Found<'t>)>,
    turn: Option<Turn>,
}

struct Run<'t> {
    variables: Variables<'t>,
    frames: Vec<Frame<'t>>,
    text: String,
    findings: Vec<Finding>,
    fuel: Fuel,
}

/// Ends everything.
type Step<T> = Result<T, Finding>;

impl<'t> Run<'t> {
    fn new(variables: Variables<'t>, everything: &'t Value) -> Self {
        let this = Found {
            value: Some(Cow::Borrowed(everything)),
            shape: Shape::Everything,
        };
        let root = Frame {
            this,
            names: Vec::new(),
            turn: None,
        };
        Self {
            variables,
            frames: vec![root],
            text: String::new(),
            findings: Vec::new(),
            fuel: Fuel::of(MOST_STEPS),
        }
    }

    fn spend(&self, bytes: usize, at: Option<Place>) -> Step<()> {
        let too_much = |_| {
            let message = "this takes too many steps: loops within loops, or very long texts";
            Finding::of(FindingCode::TooMuch, at, message.into())
        };
        self.fuel.spend(1 + bytes / 64).map_err(too_much)
    }

    fn write(&mut self, text: &str) -> Step<()> {
        self.spend(text.len(), None)?;
        if self.text.len() + text.len() > MOST_BYTES {
            let message = format!("the text has more than {MOST_BYTES} bytes");
            return Err(Finding::of(FindingCode::TooMuch, None, message));
        }
        self.text.push_str(text);
        Ok(())
    }

    /// Something is wrong at one place; the rest is looked at all the same.
    fn fault(&mut self, code: FindingCode, at: Place, message: String) -> Step<()> {
        let finding = Finding::of(code, Some(at), message);
        if self.findings.len() >= MOST_FINDINGS {
            return Err(finding);
        }
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
        Ok(())
    }

    fn nodes(&mut self, nodes: &'t [Node]) -> Step<()> {
        for node in nodes {
            match node {
                Node::Text(text) => self.write(text)?,
                Node::Put(expression) => {
                    let found = self.needed(expression)?;
                    if let Some(value) = found.value {
                        self.spend(weight(&value), None)?;
                        match value.as_ref() {
                            Value::String(text) => self.write(text)?,
                            other => self.write(&shown(other))?,
                        }
                    }
                }
                Node::Block(block) => self.block(block)?,
            }
        }
        Ok(())
    }

    fn block(&mut self, block: &'t Block) -> Step<()> {
        let call = &block.call;
        self.spend(0, Some(call.at))?;
        match call.helper.parse::<Helper>() {
            Ok(Helper::Each) => self.each(block),
            Ok(Helper::With) => self.with(block),
            Ok(helper) if helper.stands().0 => {
                let is = self.asks(helper, call)?;
                self.nodes(if is { &block.body } else { &block.inverse })
            }
            _ => {
                let message = format!("there is no block “{}”", short(&call.helper));
                self.fault(FindingCode::UnknownHelper, call.at, message)
            }
        }
    }

    /// What a block is about: it may be missing if the block says what happens then.
    fn subject(&mut self, block: &'t Block) -> Step<Found<'t>> {
        match block.call.arguments.first() {
            None => Ok(nothing()),
            Some(first) if block.inverse.is_empty() => self.needed(first),
            Some(first) => self.value(first),
        }
    }

    fn with(&mut self, block: &'t Block) -> Step<()> {
        let subject = self.subject(block)?;
        let is = subject
            .value
            .as_ref()
            .is_some_and(|value| is_true(value, false));
        if !is {
            return self.nodes(&block.inverse);
        }
        let names = block
            .names
            .first()
            .map(|name| (name.as_str(), subject.clone()));
        self.within(subject, names.into_iter().collect(), None, &block.body)
    }

    fn within(
        &mut self,
        this: Found<'t>,
        names: Vec<(&'t str, Found<'t>)>,
        turn: Option<Turn>,
        nodes: &'t [Node],
    ) -> Step<()> {
        self.frames.push(Frame { this, names, turn });
        let done = self.nodes(nodes);
        self.frames.pop();
        done
    }

    fn each(&mut self, block: &'t Block) -> Step<()> {
        let subject = self.subject(block)?;
        let shape = self.variables.items(subject.shape);
        let items: Vec<(Value, Cow<'t, Value>)> = match subject.value {
            Some(Cow::Borrowed(Value::Array(items))) => {
                let keyed = items.iter().enumerate();
                keyed
                    .map(|(index, item)| (index.into(), Cow::Borrowed(item)))
                    .collect()
            }
            Some(Cow::Borrowed(Value::Object(members))) => {
                let keyed = members.iter();
                keyed
                    .map(|(name, item)| (name.as_str().into(), Cow::Borrowed(item)))
                    .collect()
            }
            None => Vec::new(),
            Some(value) if value.is_null() => Vec::new(),
            Some(_) => {
                let message = "each needs a list or an object".to_owned();
                return self.fault(FindingCode::HelperUse, block.call.at, message);
            }
        };
        if items.is_empty() {
            return self.nodes(&block.inverse);
        }
        self.spend(items.len(), Some(block.call.at))?;
        let last = items.len() - 1;
        for (index, (key, item)) in items.into_iter().enumerate() {
            self.spend(0, Some(block.call.at))?;
            let this = Found {
                value: Some(item),
                shape,
            };
            let values = [this.clone(), made(key.clone())];
            let names = block.names.iter().map(String::as_str).zip(values).collect();
            let turn = Turn {
                index,
                key,
                is_last: index == last,
            };
            self.within(this, names, Some(turn), &block.body)?;
        }
        Ok(())
    }
}
