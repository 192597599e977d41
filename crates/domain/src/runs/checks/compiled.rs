//! Checks put to outputs.

use std::cell::OnceCell;

use serde_json::Value;

use super::{Check, CheckResult, Checks, rule::Rule};
use crate::{Fault, models::Usd};

/// The checks of a run, made ready once for all of its cells.
#[derive(Debug)]
pub struct Compiled(Vec<Rule>);

/// An answer that is judged.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The output, as it was taken from the answer.
    pub output: &'a str,
    /// What the row's expected column says, if the run has one.
    pub expected: Option<&'a str>,
    /// How long the answer took.
    pub latency_ms: u32,
    /// What it cost.
    pub cost: Usd,
    /// The cosine between the output and [`Compiled::meaning`], if that was asked for.
    pub similarity: Option<f64>,
}

/// An output that is read as JSON at most once.
pub(super) struct Output<'a> {
    pub(super) text: &'a str,
    json: OnceCell<Result<Value, String>>,
}

impl Output<'_> {
    /// The output as JSON, or why it is none.
    pub(super) fn json(&self) -> Result<&Value, String> {
        let read = || serde_json::from_str(self.text).map_err(|f| format!("It is no JSON: {f}."));
        self.json.get_or_init(read).as_ref().map_err(Clone::clone)
    }
}

impl Compiled {
    /// Makes checks ready. Those that came in through [`super::faults`] always are.
    pub fn new(checks: &Checks) -> Result<Self, Fault> {
        let ready = |check: &Check| {
            Rule::new(check).map_err(|faults| {
                let first = faults.into_iter().next();
                first.map_or_else(|| Fault("is no check".into()), |(_, fault)| fault)
            })
        };
        checks
            .0
            .iter()
            .map(ready)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The text whose meaning has to be compared with the output's, if a check asks for it.
    pub fn meaning<'a>(&'a self, expected: Option<&'a str>) -> Option<&'a str> {
        self.0.iter().find_map(|rule| rule.meaning(expected))
    }

    /// How an answer fares in each of them, in their order.
    pub fn run(&self, subject: &Subject<'_>) -> Vec<CheckResult> {
        let output = Output {
            text: subject.output,
            json: OnceCell::new(),
        };
        let judged = |rule: &Rule| {
            let (passed, detail) = rule.judge(subject, &output);
            CheckResult {
                kind: rule.check.kind,
                name: rule.check.name.clone(),
                passed,
                detail,
                weight: rule.check.weight.unwrap_or(1.0),
            }
        };
        self.0.iter().map(judged).collect()
    }
}
