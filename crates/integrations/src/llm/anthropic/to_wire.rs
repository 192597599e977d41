//! A request as the wire has it, and what of it is left out.

use base64::{Engine, prelude::BASE64_STANDARD};
use domain::providers::{
    ProviderError,
    generate::{Output, Part, Request, Speaker, Thinking, Turn},
};
use serde_json::{Map, Value, json};

use crate::llm::{
    bound::Language,
    wishes::{self, LeftOut},
};

/// The limit of tokens where none is wished for: one has to be named.
const USUAL_LIMIT: u32 = 8192;

/// The least tokens of thinking that can be budgeted.
const LEAST_BUDGET: u32 = 1024;

/// What a schema may say that answers are bound to.
const LANGUAGE: Language = Language {
    optional: true,
    narrowing: &["format"],
};

/// The body of a call, and the wishes that are not in it.
pub(super) fn body(
    request: &Request,
    streams: bool,
    takes_sampling: bool,
) -> Result<(Value, Vec<&'static str>), ProviderError> {
    if request.output == Output::Image {
        return Err(ProviderError::Invalid(
            "this provider makes no pictures: choose an image model".into(),
        ));
    }
    let mut left_out = LeftOut::default();
    let limit = limit(request);
    let mut body = Map::new();
    body.insert("model".into(), request.model.clone().into());
    body.insert("max_tokens".into(), limit.into());
    let messages = request
        .turns
        .iter()
        .map(|turn| message(turn, request, &mut left_out));
    body.insert("messages".into(), messages.collect());
    let schema = schema(request, &mut left_out);
    if let Some(system) = wishes::system(request, schema.is_some()) {
        body.insert("system".into(), system.into());
    }
    let mut output = Map::new();
    thinking(request, limit, &mut body, &mut output, &mut left_out);
    // Whoever thinks by budget may not be told how to draw.
    let thinks = body
        .get("thinking")
        .is_some_and(|thinking| thinking["type"] == "enabled");
    body.extend(sampling(request, takes_sampling && !thinks, &mut left_out));
    if let Some(schema) = schema {
        output.insert(
            "format".into(),
            json!({ "type": "json_schema", "schema": schema }),
        );
    }
    if !output.is_empty() {
        body.insert("output_config".into(), output.into());
    }
    left_out.unless(false, "webSearch", request.web_search.then_some(()));
    if streams {
        body.insert("stream".into(), true.into());
    }
    Ok((body.into(), left_out.0))
}

fn limit(request: &Request) -> u32 {
    let most = request.capabilities.max_output_tokens.unwrap_or(u32::MAX);
    wishes::max_output_tokens(request).unwrap_or(USUAL_LIMIT.min(most))
}

fn message(turn: &Turn, request: &Request, left_out: &mut LeftOut) -> Value {
    let role = match turn.speaker {
        Speaker::User => "user",
        Speaker::Model => "assistant",
    };
    let shown = request.capabilities.images_in && turn.speaker == Speaker::User;
    let parts = turn.parts.iter().filter_map(|part| match part {
        Part::Text(text) => Some(json!({ "type": "text", "text": text })),
        Part::Image(image) => {
            let image = left_out.unless(shown, "images", Some(image))?;
            let data = BASE64_STANDARD.encode(&image.bytes);
            let source = json!({ "type": "base64", "media_type": image.media_type, "data": data });
            Some(json!({ "type": "image", "source": source }))
        }
    });
    let parts: Value = parts.collect();
    json!({ "role": role, "content": parts })
}

/// The schema in the words that are taken; where it cannot be said in them it is only told.
fn schema(request: &Request, left_out: &mut LeftOut) -> Option<Value> {
    let (_, schema) = wishes::schema(request, left_out)?;
    let written = LANGUAGE.write(schema);
    if written.is_none() {
        left_out.note("jsonSchema");
    }
    written
}

fn sampling(request: &Request, takes_sampling: bool, left_out: &mut LeftOut) -> Map<String, Value> {
    let wished = &request.sampling;
    let can = takes_sampling && request.capabilities.sampling;
    let mut to = Map::new();
    if let Some(temperature) = left_out.unless(can, "temperature", wished.temperature) {
        to.insert("temperature".into(), temperature.into());
    }
    if let Some(share) = left_out.unless(can, "topP", wished.top_p) {
        to.insert("top_p".into(), share.into());
    }
    if let Some(most) = left_out.unless(can, "topK", wished.top_k) {
        to.insert("top_k".into(), most.into());
    }
    left_out.unless(false, "seed", wished.seed);
    // White space alone is refused.
    let stops: Vec<&String> = wished
        .stop
        .iter()
        .filter(|stop| !stop.trim().is_empty())
        .collect();
    if stops.len() < wished.stop.len() {
        left_out.note("stop");
    }
    if !stops.is_empty() {
        to.insert("stop_sequences".into(), json!(stops));
    }
    to
}

/// Thinking by budget, which lies within the limit of tokens, or by effort.
fn thinking(
    request: &Request,
    limit: u32,
    body: &mut Map<String, Value>,
    output: &mut Map<String, Value>,
    left_out: &mut LeftOut,
) {
    let Some(wish) = wishes::thinking(request, left_out) else {
        return;
    };
    let budget = match wish {
        Thinking::Off => 0,
        Thinking::Budget(tokens) => tokens,
        Thinking::Level(effort) => {
            output.insert("effort".into(), effort.as_str().into());
            return;
        }
    };
    let budget = budget.min(limit.saturating_sub(1));
    let thinking = if budget >= LEAST_BUDGET {
        json!({ "type": "enabled", "budget_tokens": budget })
    } else {
        if wish != Thinking::Off {
            left_out.note("thinking");
        }
        json!({ "type": "disabled" })
    };
    body.insert("thinking".into(), thinking);
}

#[cfg(test)]
mod tests {
    use domain::{models::ThinkingControl, providers::generate::Effort};

    use super::*;
    use crate::llm::samples::{conversation, overwish, painting, picture, question, schema};

    fn sent(request: &Request) -> (Value, Vec<&'static str>) {
        body(request, false, false).expect("a good request")
    }

    #[test]
    fn a_question() {
        insta::assert_json_snapshot!(sent(&question("claude-haiku-5-5")));
    }

    #[test]
    fn a_conversation_with_every_wish_to_be_streamed() {
        let request = conversation("claude-sonnet-5-5", ThinkingControl::Level);
        insta::assert_json_snapshot!(body(&request, true, false).expect("a good request"));
    }

    #[test]
    fn the_old_version_takes_sampling_from_whoever_does_not_think() {
        let mut request = conversation("claude-haiku-4-5", ThinkingControl::Budget);
        let (thinking, left_out) = body(&request, false, true).expect("a good request");
        assert_eq!(
            (
                thinking.get("temperature"),
                left_out.contains(&"temperature")
            ),
            (None, true)
        );
        request.capabilities.thinking_off = true;
        request.thinking = Some(Thinking::Off);
        insta::assert_json_snapshot!(body(&request, false, true).expect("a good request"));
    }

    #[test]
    fn a_question_that_wants_json() {
        insta::assert_json_snapshot!(sent(&schema("claude-haiku-5-5")));
    }

    #[test]
    fn a_schema_that_cannot_be_bound_to_is_told() {
        let mut request = schema("claude-haiku-5-5");
        let free = json!({ "type": "object", "additionalProperties": { "type": "string" } });
        request.output = Output::Json {
            name: "free".into(),
            schema: free,
        };
        let (body, left_out) = sent(&request);
        assert!(
            body["system"]
                .as_str()
                .is_some_and(|system| system.contains("additionalProperties"))
        );
        assert_eq!(
            (body.get("output_config"), left_out),
            (None, vec!["jsonSchema"])
        );
    }

    #[test]
    fn a_question_about_a_picture() {
        insta::assert_json_snapshot!(sent(&picture("claude-haiku-5-5")));
    }

    #[test]
    fn a_question_that_wants_a_picture_is_not_sent() {
        let refused = body(&painting("claude-haiku-5-5"), false, false).expect_err("a refusal");
        assert_eq!(refused.class(), "provider_invalid_request");
    }

    #[test]
    fn what_a_model_cannot_do_is_left_out_and_named() {
        insta::assert_json_snapshot!(sent(&overwish("claude-haiku-5-5")));
    }

    #[test]
    fn a_budget_of_thinking_lies_within_the_limit() {
        let asked = |limit, wish| {
            let mut request = question("m");
            request.capabilities.thinking = ThinkingControl::Budget;
            request.capabilities.thinking_off = true;
            request.sampling.max_output_tokens = Some(limit);
            request.thinking = Some(wish);
            let (body, left_out) = sent(&request);
            (body["thinking"].clone(), left_out.contains(&"thinking"))
        };
        let enabled = |tokens: u32| json!({ "type": "enabled", "budget_tokens": tokens });
        let disabled = json!({ "type": "disabled" });
        assert_eq!(asked(4000, Thinking::Budget(3000)), (enabled(3000), false));
        assert_eq!(
            asked(2000, Thinking::Level(Effort::High)),
            (enabled(1999), false)
        );
        assert_eq!(
            asked(1000, Thinking::Budget(3000)),
            (disabled.clone(), true)
        );
        assert_eq!(asked(4000, Thinking::Off), (disabled, false));
    }
}
