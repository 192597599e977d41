//! Wishes of a request that are the same for all providers to grant or to leave out.

use domain::{
    models::ThinkingControl,
    providers::generate::{Effort, Output, Request, Thinking},
};
use serde_json::Value;

/// What is left out of a request, by the names that [`Reply`] uses.
///
/// [`Reply`]: domain::providers::generate::Reply
#[derive(Debug, Default)]
pub(super) struct LeftOut(pub(super) Vec<&'static str>);

impl LeftOut {
    /// The wish where it is granted; noted where it is there and is not.
    pub(super) fn unless<T>(
        &mut self,
        granted: bool,
        name: &'static str,
        wish: Option<T>,
    ) -> Option<T> {
        if wish.is_some() && !granted {
            self.note(name);
            return None;
        }
        wish
    }

    /// Notes a wish that is left out.
    pub(super) fn note(&mut self, name: &'static str) {
        if !self.0.contains(&name) {
            self.0.push(name);
        }
    }
}

/// The most tokens of an answer: as wished, within what the model gives.
pub(super) fn max_output_tokens(request: &Request) -> Option<u32> {
    let most = request.capabilities.max_output_tokens.unwrap_or(u32::MAX);
    request
        .sampling
        .max_output_tokens
        .map(|wished| wished.min(most))
}

/// The schema that an answer is bound to, and its name, if the model can be bound.
pub(super) fn schema<'a>(
    request: &'a Request,
    left_out: &mut LeftOut,
) -> Option<(&'a str, &'a Value)> {
    let Output::Json { name, schema } = &request.output else {
        return None;
    };
    left_out.unless(
        request.capabilities.json_schema,
        "jsonSchema",
        Some((name.as_str(), schema)),
    )
}

/// The system instruction. Where an answer cannot be bound to a schema, the schema is told.
pub(super) fn system(request: &Request, bound: bool) -> Option<String> {
    let told = match &request.output {
        Output::Json { schema, .. } if !bound => Some(format!(
            "Answer with nothing but JSON that obeys this JSON Schema:\n{schema}"
        )),
        _ => None,
    };
    let parts: Vec<String> = request.system.clone().into_iter().chain(told).collect();
    (!parts.is_empty()).then(|| parts.join("\n\n"))
}

/// The wish for thinking, where the model can be told.
pub(super) fn thinking(request: &Request, left_out: &mut LeftOut) -> Option<Thinking> {
    let can = request.capabilities.thinking != ThinkingControl::None;
    left_out.unless(can, "thinking", request.thinking)
}

/// A number of tokens as an effort.
pub(super) const fn effort_of(budget: u32) -> Effort {
    match budget {
        0..=1024 => Effort::Low,
        1025..=8192 => Effort::Medium,
        _ => Effort::High,
    }
}

/// An effort as a number of tokens.
pub(super) const fn budget_of(effort: Effort) -> u32 {
    match effort {
        Effort::Minimal => 512,
        Effort::Low => 1024,
        Effort::Medium => 8192,
        Effort::High => 24_576,
    }
}
