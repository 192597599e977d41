//! What is wrong with a template: everything at once, each with its place.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    BodyMd, ROOTS,
    helpers::{Helper, format_items},
    path::{Base, Path, short},
    read::MOST_FINDINGS,
    schema_fault,
    shape::{Shape, Variables},
    tree::{Block, Body, Call, Expression, Node, Place},
};
use crate::runs::checks::json_schema::Schema;

text_enum!(
    /// What is wrong.
    FindingCode {
        /// The body cannot be read.
        Syntax = "syntax",
        /// There is no such helper.
        UnknownHelper = "unknown_helper",
        /// A helper is used in another way than it can be.
        HelperUse = "helper_use",
        /// A variable is used that the schema does not declare.
        Undeclared = "undeclared",
        /// A variable must be given, and is not used.
        Unused = "unused",
        /// The schema is none, or declares a name of the context.
        Schema = "schema",
        /// A value is not there.
        Missing = "missing",
        /// More text, steps or blocks than are allowed.
        TooMuch = "too_much",
    }
);

/// Something wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind of thing.
    pub code: FindingCode,
    /// Where in the body; nowhere if it is about the schema.
    pub at: Option<Place>,
    /// The same in a sentence.
    pub message: String,
}

impl Finding {
    pub(super) fn of(code: FindingCode, at: Option<Place>, message: String) -> Self {
        Self { code, at, message }
    }

    /// The member of a template that has to be corrected.
    pub fn member(&self) -> &'static str {
        match self.code {
            FindingCode::Schema | FindingCode::Unused => "lintJson",
            _ => "bodyMd",
        }
    }

    /// The sentence with the place.
    pub fn sentence(&self) -> String {
        match self.at {
            Some(Place { line, column }) => {
                format!("line {line}, column {column}: {}", self.message)
            }
            None => self.message.clone(),
        }
    }
}

/// What a template uses, and what is wrong with it.
#[derive(Debug, Default)]
pub struct Linted {
    /// Each value that is used, such as `title`, `issue.title` or `items[].name`, in order.
    pub placeholders: Vec<String>,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

/// Looks at a body and the schema of its variables.
pub fn lint(body: &BodyMd, schema: &Value) -> Linted {
    let mut findings = faults_of(schema);
    let is_schema = findings.is_empty();
    let read = match Body::read(body.as_str()) {
        Ok(body) => body,
        Err(faults) => {
            findings.splice(0..0, faults);
            return Linted {
                placeholders: Vec::new(),
                findings,
            };
        }
    };
    // Without a schema nothing can be said of what it declares.
    let anything = serde_json::json!({ "additionalProperties": true });
    let variables = Variables(if is_schema { schema } else { &anything });
    let mut walk = Walk::new(variables);
    walk.nodes(&read.0);
    findings.splice(0..0, walk.findings);
    for name in variables.required() {
        if !walk.uses_all && !walk.used.contains(name) && findings.len() < MOST_FINDINGS {
            let message = format!("requires “{}”, which the body does not use", short(name));
            findings.push(Finding::of(FindingCode::Unused, None, message));
        }
    }
    Linted {
        placeholders: walk.placeholders.into_iter().collect(),
        findings,
    }
}

fn faults_of(schema: &Value) -> Vec<Finding> {
    let finding = |message: String| Finding::of(FindingCode::Schema, None, message);
    let fault = schema_fault(schema).or_else(|| Schema::new(schema).err());
    if let Some(fault) = fault {
        return vec![finding(fault.0)];
    }
    let taken = |name: &&str| ROOTS.contains(name);
    let taken = Variables(schema).names().filter(taken);
    taken
        .map(|name| finding(format!("must not declare “{name}”, a name of the context")))
        .collect()
}

/// A context: what is looked at, and how it is called from outside.
struct Frame<'s> {
    shape: Shape<'s>,
    /// None where nothing certain can be said.
    name: Option<String>,
    names: Vec<(String, Shape<'s>, Option<String>)>,
    is_loop: bool,
}

struct Walk<'s> {
    variables: Variables<'s>,
    frames: Vec<Frame<'s>>,
    findings: Vec<Finding>,
    placeholders: BTreeSet<String>,
    used: BTreeSet<String>,
    uses_all: bool,
}

/// What a path or call leads to.
type Reached<'s> = (Shape<'s>, Option<String>);

impl<'s> Walk<'s> {
    fn new(variables: Variables<'s>) -> Self {
        let root = Frame {
            shape: Shape::Everything,
            name: Some(String::new()),
            names: Vec::new(),
            is_loop: false,
        };
        Self {
            variables,
            frames: vec![root],
            findings: Vec::new(),
            placeholders: BTreeSet::new(),
            used: BTreeSet::new(),
            uses_all: false,
        }
    }

    fn fault(&mut self, code: FindingCode, at: Place, message: String) {
        if self.findings.len() < MOST_FINDINGS {
            self.findings.push(Finding::of(code, Some(at), message));
        }
    }

    fn nodes(&mut self, nodes: &[Node]) {
        for node in nodes {
            match node {
                Node::Text(_) => {}
                Node::Put(expression) => {
                    self.expression(expression);
                }
                Node::Block(block) => self.block(block),
            }
        }
    }

    fn expression(&mut self, expression: &Expression) -> Reached<'s> {
        match expression {
            Expression::Literal(_) => (Shape::Open, None),
            Expression::Path(path, at) => self.path(path, *at),
            Expression::Call(call) => {
                self.call(call, false);
                (Shape::Open, None)
            }
        }
    }

    /// The helper, if it exists, with what its first argument leads to.
    fn call(&mut self, call: &Call, is_block: bool) -> Option<(Helper, Reached<'s>)> {
        let mut reached = Vec::new();
        for argument in &call.arguments {
            reached.push(self.expression(argument));
        }
        for (_, option) in &call.options {
            self.expression(option);
        }
        let Ok(helper) = call.helper.parse::<Helper>() else {
            let message = format!("there is no helper “{}”", short(&call.helper));
            self.fault(FindingCode::UnknownHelper, call.at, message);
            return None;
        };
        for message in misuses(helper, call, is_block) {
            self.fault(
                FindingCode::HelperUse,
                call.at,
                format!("{helper} {message}"),
            );
        }
        Some((
            helper,
            reached.into_iter().next().unwrap_or((Shape::Open, None)),
        ))
    }

    fn block(&mut self, block: &Block) {
        let Some((helper, (shape, name))) = self.call(&block.call, true) else {
            self.nodes(&block.body);
            return self.nodes(&block.inverse);
        };
        let is_loop = helper == Helper::Each;
        if !is_loop && helper != Helper::With {
            if !block.names.is_empty() {
                let message = format!("{helper} gives no names to its block");
                self.fault(FindingCode::HelperUse, block.call.at, message);
            }
            self.nodes(&block.body);
            return self.nodes(&block.inverse);
        }
        let (shape, name) = if is_loop {
            (
                self.variables.items(shape),
                name.map(|name| format!("{name}[]")),
            )
        } else {
            (shape, name)
        };
        let mut names = block.names.iter().cloned();
        let mut given = Vec::new();
        given.extend(names.next().map(|first| (first, shape, name.clone())));
        given.extend(names.next().map(|second| (second, Shape::Open, None)));
        self.frames.push(Frame {
            shape,
            name,
            names: given,
            is_loop,
        });
        self.nodes(&block.body);
        self.frames.pop();
        self.nodes(&block.inverse);
    }

    fn path(&mut self, path: &Path, at: Place) -> Reached<'s> {
        let above = |ups: usize| self.frames.len().checked_sub(ups + 1);
        let start = match path.base {
            Base::Root => Some(0),
            Base::Context(ups) => above(ups),
            Base::Loop(ups) => return self.of_loop(path, ups, at),
        };
        let Some(start) = start else {
            let message = format!("“{}” goes up further than there is", short(&path.text));
            self.fault(FindingCode::Undeclared, at, message);
            return (Shape::Open, None);
        };
        let given = path.names.first().filter(|_| !path.is_explicit);
        if let Some(given) = given.and_then(|first| self.given(first)) {
            return self.steps(path, given, &path.names[1..], at);
        }
        let frame = &self.frames[start];
        let start = (frame.shape, frame.name.clone());
        self.steps(path, start, &path.names, at)
    }

    /// What a block around it calls so.
    fn given(&self, name: &str) -> Option<Reached<'s>> {
        let frames = self.frames.iter().rev();
        let mut given = frames.flat_map(|frame| &frame.names);
        let found = given.find(|(called, ..)| called == name);
        found.map(|(_, shape, name)| (*shape, name.clone()))
    }

    fn steps(
        &mut self,
        path: &Path,
        (mut shape, mut name): Reached<'s>,
        names: &[String],
        at: Place,
    ) -> Reached<'s> {
        for step in names {
            let Some(next) = self.variables.member(shape, step) else {
                let message = format!("“{}” is not declared", short(&path.text));
                self.fault(FindingCode::Undeclared, at, message);
                return (Shape::Open, None);
            };
            shape = next;
            name = name.map(|name| match name.as_str() {
                "" => step.clone(),
                name => format!("{name}.{step}"),
            });
        }
        self.use_of(name.as_deref());
        (shape, name)
    }

    fn use_of(&mut self, name: Option<&str>) {
        match name {
            Some("" | "[]") => self.uses_all = true,
            Some(name) => {
                let first = name.split(['.', '[']).next().unwrap_or_default();
                self.used.insert(first.to_owned());
                self.used.insert(name.to_owned());
                if self.placeholders.len() < 1000 {
                    self.placeholders.insert(name.to_owned());
                }
            }
            None => {}
        }
    }

    fn of_loop(&mut self, path: &Path, ups: usize, at: Place) -> Reached<'s> {
        let loops = self.frames.iter().filter(|frame| frame.is_loop).count();
        let is_known = path
            .names
            .first()
            .is_some_and(|name| matches!(name.as_str(), "index" | "key" | "first" | "last"));
        if loops <= ups || !is_known {
            let message = format!("“{}” is nothing that a loop knows here", short(&path.text));
            self.fault(FindingCode::Undeclared, at, message);
        }
        (Shape::Open, None)
    }
}

/// What is wrong with how a helper is used.
fn misuses(helper: Helper, call: &Call, is_block: bool) -> Vec<String> {
    let mut misuses = Vec::new();
    let (around, alone) = helper.stands();
    if is_block && !around {
        misuses.push("stands by itself, not around a block".to_owned());
    }
    if !is_block && !alone {
        misuses.push(format!("stands around a block: {{{{#{helper} …}}}}"));
    }
    let (least, most) = helper.arguments();
    let count = call.arguments.len();
    if count < least || count > most {
        let range = match (least, most) {
            (1, 1) => "1 value".to_owned(),
            (least, most) if least == most => format!("{least} values"),
            _ => format!("{least} or {most} values"),
        };
        misuses.push(format!("takes {range}, not {count}"));
    }
    for (name, _) in &call.options {
        if !helper.options().contains(&name.as_str()) {
            misuses.push(format!("has no option “{}”", short(name)));
        }
    }
    if let (Helper::FormatDate, Some(Expression::Literal(Value::String(format)))) =
        (helper, call.arguments.get(1))
        && let Err(message) = format_items(format)
    {
        misuses.push(message);
    }
    misuses
}
