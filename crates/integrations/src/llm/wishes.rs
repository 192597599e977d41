//! Wishes of a request that are the same for all providers to grant or to leave out.

use domain::{
    models::{Capabilities, ThinkingControl},
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

/// The wish for thinking in the words that the model takes: off, or by the one of tokens and effort
/// that it is told by. Putting one into the other is granting the wish; what the model refuses becomes
/// the nearest it takes, and is noted.
pub(super) fn thinking(request: &Request, left_out: &mut LeftOut) -> Option<Thinking> {
    let can = &request.capabilities;
    let told = can.thinking != ThinkingControl::None;
    let wish = left_out.unless(told, "thinking", request.thinking)?;
    let given = match (can.thinking, wish) {
        (_, Thinking::Off) if can.thinking_off => Some(Thinking::Off),
        (ThinkingControl::Budget, wish) => Some(Thinking::Budget(within(can, tokens_of(wish)))),
        (_, wish) => nearest(can, effort_in(wish)).map(Thinking::Level),
    };
    let is_granted = match (wish, given) {
        (Thinking::Off, given) => given == Some(Thinking::Off),
        (Thinking::Budget(_), Some(Thinking::Level(_)))
        | (Thinking::Level(_), Some(Thinking::Budget(_))) => true,
        (wish, given) => given == Some(wish),
    };
    if !is_granted {
        left_out.note("thinking");
    }
    given
}

/// A number of tokens that the model takes.
fn within(can: &Capabilities, tokens: u32) -> u32 {
    let (least, most) = (can.min_thinking_tokens, can.max_thinking_tokens);
    tokens.min(most.unwrap_or(u32::MAX)).max(least.unwrap_or(0))
}

/// The least effort the model takes that is no less than this, or else the most it takes.
fn nearest(can: &Capabilities, effort: Effort) -> Option<Effort> {
    let taken = || can.thinking_levels.iter().copied();
    taken()
        .filter(|taken| *taken >= effort)
        .min()
        .or(taken().max())
}

fn tokens_of(wish: Thinking) -> u32 {
    match wish {
        Thinking::Off => 0,
        Thinking::Budget(tokens) => tokens,
        Thinking::Level(effort) => budget_of(effort),
    }
}

const fn effort_in(wish: Thinking) -> Effort {
    match wish {
        Thinking::Off => Effort::Minimal,
        Thinking::Budget(tokens) => effort_of(tokens),
        Thinking::Level(effort) => effort,
    }
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
const fn budget_of(effort: Effort) -> u32 {
    match effort {
        Effort::Minimal => 512,
        Effort::Low => 1024,
        Effort::Medium => 8192,
        Effort::High => 24_576,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(capabilities: Capabilities, wish: Thinking) -> (Option<Thinking>, bool) {
        let request = Request {
            capabilities,
            thinking: Some(wish),
            ..Request::default()
        };
        let mut left_out = LeftOut::default();
        let given = thinking(&request, &mut left_out);
        (given, !left_out.0.is_empty())
    }

    fn by_tokens(least: u32, most: u32, off: bool) -> Capabilities {
        Capabilities {
            thinking: ThinkingControl::Budget,
            thinking_off: off,
            min_thinking_tokens: Some(least),
            max_thinking_tokens: Some(most),
            ..Capabilities::default()
        }
    }

    fn by_effort(levels: &[Effort]) -> Capabilities {
        Capabilities {
            thinking: ThinkingControl::Level,
            thinking_levels: levels.to_vec(),
            ..Capabilities::default()
        }
    }

    #[test]
    fn tokens_of_thinking_stay_within_what_the_model_takes() {
        let can = by_tokens(128, 32_768, false);
        let budget = |tokens| Some(Thinking::Budget(tokens));
        assert_eq!(
            told(can.clone(), Thinking::Budget(500)),
            (budget(500), false)
        );
        assert_eq!(told(can.clone(), Thinking::Budget(5)), (budget(128), true));
        assert_eq!(
            told(can.clone(), Thinking::Budget(99_999)),
            (budget(32_768), true)
        );
        assert_eq!(told(can.clone(), Thinking::Off), (budget(128), true));
        // As much as there is, is what was wished for.
        assert_eq!(
            told(can, Thinking::Level(Effort::High)),
            (budget(24_576), false)
        );
        let off = by_tokens(512, 24_576, true);
        assert_eq!(told(off, Thinking::Off), (Some(Thinking::Off), false));
    }

    #[test]
    fn an_effort_that_is_refused_becomes_the_next_that_is_taken() {
        let level = |effort| Some(Thinking::Level(effort));
        let can = by_effort(&[Effort::Minimal, Effort::High]);
        let minimal = Thinking::Level(Effort::Minimal);
        assert_eq!(told(can.clone(), minimal), (level(Effort::Minimal), false));
        assert_eq!(
            told(can.clone(), Thinking::Level(Effort::Medium)),
            (level(Effort::High), true)
        );
        assert_eq!(told(can, Thinking::Off), (level(Effort::Minimal), true));
        let can = by_effort(&[Effort::Low]);
        assert_eq!(
            told(can, Thinking::Level(Effort::High)),
            (level(Effort::Low), true)
        );
        assert_eq!(told(by_effort(&[]), minimal), (None, true));
    }
}
