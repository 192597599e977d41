//! A request as the wire has it, and what of it is left out.

use base64::{Engine, prelude::BASE64_STANDARD};
use domain::providers::generate::{Output, Part, Request, Speaker, Thinking, Turn};
use serde_json::{Map, Value, json};

use crate::llm::wishes::{self, LeftOut};

/// The body of a call, and the wishes that are not in it.
pub(super) fn body(request: &Request) -> (Value, Vec<&'static str>) {
    let mut left_out = LeftOut::default();
    let contents = request
        .turns
        .iter()
        .map(|turn| content(turn, request, &mut left_out));
    let mut body = json!({ "contents": contents.collect::<Value>() });
    if let Some(system) = wishes::system(request, request.capabilities.json_schema) {
        body["systemInstruction"] = json!({ "parts": [{ "text": system }] });
    }
    let config = config(request, &mut left_out);
    if !config.is_empty() {
        body["generationConfig"] = config.into();
    }
    // Not every model that searches can be bound to a form at the same time.
    let can_search = request.capabilities.web_search && request.output == Output::Text;
    if left_out
        .unless(can_search, "webSearch", request.web_search.then_some(()))
        .is_some()
    {
        body["tools"] = json!([{ "googleSearch": {} }]);
    }
    (body, left_out.0)
}

fn content(turn: &Turn, request: &Request, left_out: &mut LeftOut) -> Value {
    let role = match turn.speaker {
        Speaker::User => "user",
        Speaker::Model => "model",
    };
    let parts = turn.parts.iter().filter_map(|part| match part {
        Part::Text(text) => Some(json!({ "text": text })),
        Part::Image(image) => {
            let image = left_out.unless(request.capabilities.images_in, "images", Some(image))?;
            let data = BASE64_STANDARD.encode(&image.bytes);
            Some(json!({ "inlineData": { "mimeType": image.media_type, "data": data } }))
        }
    });
    let parts: Value = parts.collect();
    json!({ "role": role, "parts": parts })
}

fn config(request: &Request, left_out: &mut LeftOut) -> Map<String, Value> {
    let sampling = &request.sampling;
    let can = request.capabilities.sampling;
    let mut config = Map::new();
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            config.insert(name.to_owned(), value);
        }
    };
    set(
        "temperature",
        left_out
            .unless(can, "temperature", sampling.temperature)
            .map(Value::from),
    );
    set(
        "topP",
        left_out
            .unless(can, "topP", sampling.top_p)
            .map(Value::from),
    );
    set(
        "topK",
        left_out
            .unless(can, "topK", sampling.top_k)
            .map(Value::from),
    );
    set(
        "maxOutputTokens",
        wishes::max_output_tokens(request).map(Value::from),
    );
    let stops = (!sampling.stop.is_empty()).then(|| json!(sampling.stop));
    set("stopSequences", stops);
    set("seed", seed(sampling.seed, left_out));
    let schema = wishes::schema(request, left_out);
    set(
        "responseMimeType",
        schema.map(|_| "application/json".into()),
    );
    set(
        "responseJsonSchema",
        schema.map(|(_, schema)| schema.clone()),
    );
    set(
        "responseModalities",
        (request.output == Output::Image).then(|| json!(["IMAGE"])),
    );
    set("thinkingConfig", thinking(request, left_out));
    config
}

/// The seed, which is of 32 bits there.
fn seed(wished: Option<i64>, left_out: &mut LeftOut) -> Option<Value> {
    let fits = wished.is_some_and(|seed| i32::try_from(seed).is_ok());
    left_out.unless(fits, "seed", wished).map(Value::from)
}

/// Thinking by budget or by level; both in one request would be refused.
fn thinking(request: &Request, left_out: &mut LeftOut) -> Option<Value> {
    let wish = wishes::thinking(request, left_out)?;
    Some(match wish {
        Thinking::Off => json!({ "thinkingBudget": 0 }),
        Thinking::Budget(tokens) => json!({ "thinkingBudget": tokens }),
        Thinking::Level(effort) => {
            json!({ "thinkingLevel": effort.as_str().to_ascii_uppercase() })
        }
    })
}

#[cfg(test)]
mod tests {
    use domain::{models::ThinkingControl, providers::generate::Effort};

    use super::*;
    use crate::llm::samples::{conversation, overwish, painting, picture, question, schema};

    #[test]
    fn a_question() {
        insta::assert_json_snapshot!(body(&question("gemini-3.8-flash")));
    }

    #[test]
    fn a_conversation_with_every_wish() {
        insta::assert_json_snapshot!(body(&conversation(
            "gemini-3.8-flash",
            ThinkingControl::Level
        )));
    }

    #[test]
    fn a_question_that_wants_json() {
        insta::assert_json_snapshot!(body(&schema("gemini-3.8-flash")));
    }

    #[test]
    fn a_question_about_a_picture() {
        insta::assert_json_snapshot!(body(&picture("gemini-3.8-flash")));
    }

    #[test]
    fn a_question_that_wants_a_picture() {
        insta::assert_json_snapshot!(body(&painting("gemini-3.1-flash-image")));
    }

    #[test]
    fn what_a_model_cannot_do_is_left_out_and_named() {
        insta::assert_json_snapshot!(body(&overwish("gemini-3.8-flash")));
    }

    #[test]
    fn thinking_is_asked_for_in_one_of_two_ways() {
        let asked = |control, wish| {
            let mut request = conversation("m", control);
            request.capabilities.thinking_off = control == ThinkingControl::Budget;
            request.thinking = Some(wish);
            let (body, left_out) = body(&request);
            (
                body["generationConfig"]["thinkingConfig"].clone(),
                left_out.contains(&"thinking"),
            )
        };
        let (budget, level) = (ThinkingControl::Budget, ThinkingControl::Level);
        assert_eq!(
            asked(budget, Thinking::Off),
            (json!({ "thinkingBudget": 0 }), false)
        );
        assert_eq!(
            asked(budget, Thinking::Level(Effort::Medium)),
            (json!({ "thinkingBudget": 8192 }), false)
        );
        assert_eq!(
            asked(level, Thinking::Off),
            (json!({ "thinkingLevel": "LOW" }), true)
        );
        assert_eq!(
            asked(level, Thinking::Level(Effort::High)),
            (json!({ "thinkingLevel": "HIGH" }), false)
        );
        assert_eq!(
            asked(level, Thinking::Level(Effort::Minimal)),
            (json!({ "thinkingLevel": "LOW" }), true)
        );
        assert_eq!(
            asked(level, Thinking::Budget(500)),
            (json!({ "thinkingLevel": "LOW" }), false)
        );
        assert_eq!(
            asked(ThinkingControl::None, Thinking::Budget(5)),
            (Value::Null, true)
        );
    }

    #[test]
    fn a_seed_that_does_not_fit_is_left_out() {
        let mut request = question("m");
        request.sampling.seed = Some(1 << 40);
        assert_eq!(body(&request).1, ["seed"]);
    }
}
