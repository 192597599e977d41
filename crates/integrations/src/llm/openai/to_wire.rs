//! A request as the wire has it, and what of it is left out.

use base64::{Engine, prelude::BASE64_STANDARD};
use domain::providers::{
    ProviderError,
    generate::{Image, Output, Part, Request, Speaker, Thinking, Turn},
};
use serde_json::{Map, Value, json};

use crate::llm::{
    bound::Language,
    wishes::{self, LeftOut},
};

/// What a strict schema may say.
const LANGUAGE: Language = Language {
    optional: false,
    narrowing: &[
        "format",
        "pattern",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minItems",
        "maxItems",
    ],
};

/// The most stop sequences that are taken.
const MAX_STOPS: usize = 4;

/// The body of a call, and the wishes that are not in it.
pub(super) fn body(
    request: &Request,
    streams: bool,
    legacy_max_tokens: bool,
) -> Result<(Value, Vec<&'static str>), ProviderError> {
    if request.output == Output::Image {
        return Err(ProviderError::Invalid(
            "this interface makes no pictures: choose an image model".into(),
        ));
    }
    let mut left_out = LeftOut::default();
    let mut body = Map::new();
    body.insert("model".into(), request.model.clone().into());
    body.insert("messages".into(), messages(request, &mut left_out));
    if let Some(format) = format(request, &mut left_out) {
        body.insert("response_format".into(), format);
    }
    let limit = if legacy_max_tokens {
        "max_tokens"
    } else {
        "max_completion_tokens"
    };
    if let Some(tokens) = wishes::max_output_tokens(request) {
        body.insert(limit.into(), tokens.into());
    }
    body.extend(sampling(request, &mut left_out));
    if let Some(thinking) = wishes::thinking(request, &mut left_out) {
        body.insert("reasoning_effort".into(), effort(thinking).into());
    }
    left_out.unless(false, "webSearch", request.web_search.then_some(()));
    if streams {
        body.insert("stream".into(), true.into());
        body.insert("stream_options".into(), json!({ "include_usage": true }));
    }
    Ok((body.into(), left_out.0))
}

/// The schema of the request, if it is sent in the strict way, which changes it.
pub(super) fn strict(request: &Request) -> Option<Value> {
    match &request.output {
        Output::Json { schema, .. } if request.capabilities.json_schema => {
            LANGUAGE.write(schema).map(|_| schema.clone())
        }
        _ => None,
    }
}

fn messages(request: &Request, left_out: &mut LeftOut) -> Value {
    let system = wishes::system(request, request.capabilities.json_schema);
    let system = system.map(|text| json!({ "role": "system", "content": text }));
    let turns = request
        .turns
        .iter()
        .map(|turn| message(turn, request, left_out));
    system.into_iter().chain(turns).collect()
}

fn message(turn: &Turn, request: &Request, left_out: &mut LeftOut) -> Value {
    let role = match turn.speaker {
        Speaker::User => "user",
        Speaker::Model => "assistant",
    };
    // Models say words alone, and pictures of theirs are not taken back.
    let shown = request.capabilities.images_in && turn.speaker == Speaker::User;
    let parts = turn.parts.iter().filter_map(|part| match part {
        Part::Text(text) => Some(json!({ "type": "text", "text": text })),
        Part::Image(image) => {
            let image = left_out.unless(shown, "images", Some(image))?;
            Some(json!({ "type": "image_url", "image_url": { "url": data_url(image) } }))
        }
    });
    let parts: Vec<Value> = parts.collect();
    let only_text = parts.iter().all(|part| part["type"] == "text");
    if only_text {
        // Small servers know no parts.
        let texts: Vec<&str> = parts
            .iter()
            .filter_map(|part| part["text"].as_str())
            .collect();
        json!({ "role": role, "content": texts.join("\n\n") })
    } else {
        json!({ "role": role, "content": parts })
    }
}

fn data_url(image: &Image) -> String {
    format!(
        "data:{};base64,{}",
        image.media_type,
        BASE64_STANDARD.encode(&image.bytes)
    )
}

fn format(request: &Request, left_out: &mut LeftOut) -> Option<Value> {
    let (name, schema) = wishes::schema(request, left_out)?;
    let written = LANGUAGE.write(schema);
    let format = json!({
        "name": name,
        "strict": written.is_some(),
        "schema": written.unwrap_or_else(|| schema.clone()),
    });
    Some(json!({ "type": "json_schema", "json_schema": format }))
}

fn sampling(request: &Request, left_out: &mut LeftOut) -> Map<String, Value> {
    let wished = &request.sampling;
    let can = request.capabilities.sampling;
    let mut to = Map::new();
    if let Some(temperature) = left_out.unless(can, "temperature", wished.temperature) {
        to.insert("temperature".into(), temperature.into());
    }
    if let Some(share) = left_out.unless(can, "topP", wished.top_p) {
        to.insert("top_p".into(), share.into());
    }
    left_out.unless(false, "topK", wished.top_k);
    if wished.stop.len() > MAX_STOPS {
        left_out.note("stop");
    }
    if !wished.stop.is_empty() {
        let stops = &wished.stop[..wished.stop.len().min(MAX_STOPS)];
        to.insert("stop".into(), json!(stops));
    }
    if let Some(seed) = wished.seed {
        to.insert("seed".into(), seed.into());
    }
    to
}

const fn effort(thinking: Thinking) -> &'static str {
    match thinking {
        Thinking::Off => "none",
        Thinking::Budget(tokens) => wishes::effort_of(tokens).as_str(),
        Thinking::Level(effort) => effort.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use domain::models::ThinkingControl;

    use super::*;
    use crate::llm::samples::{conversation, overwish, painting, picture, question, schema};

    fn sent(request: &Request) -> (Value, Vec<&'static str>) {
        body(request, false, false).expect("a good request")
    }

    #[test]
    fn a_question() {
        insta::assert_json_snapshot!(sent(&question("gpt-6-luna")));
    }

    #[test]
    fn a_question_to_be_streamed_by_a_small_server() {
        let mut request = question("llama");
        request.sampling.max_output_tokens = Some(100);
        insta::assert_json_snapshot!(body(&request, true, true).expect("a good request"));
    }

    #[test]
    fn a_conversation_with_every_wish() {
        insta::assert_json_snapshot!(sent(&conversation("gpt-6-luna", ThinkingControl::Level)));
    }

    #[test]
    fn a_question_that_wants_json() {
        insta::assert_json_snapshot!(sent(&schema("gpt-6-luna")));
    }

    #[test]
    fn a_schema_that_cannot_be_strict_is_sent_as_it_is() {
        let mut request = schema("gpt-6-luna");
        let free = json!({ "type": "object", "additionalProperties": { "type": "string" } });
        request.output = Output::Json {
            name: "free".into(),
            schema: free.clone(),
        };
        let (body, _) = sent(&request);
        let format = &body["response_format"]["json_schema"];
        assert_eq!(
            (&format["strict"], &format["schema"]),
            (&json!(false), &free)
        );
        assert_eq!(strict(&request), None);
    }

    #[test]
    fn a_question_about_a_picture() {
        insta::assert_json_snapshot!(sent(&picture("gpt-6-luna")));
    }

    #[test]
    fn a_question_that_wants_a_picture_is_not_sent() {
        let refused = body(&painting("gpt-6-luna"), false, false).expect_err("a refusal");
        assert_eq!(refused.class(), "provider_invalid_request");
    }

    #[test]
    fn what_a_model_cannot_do_is_left_out_and_named() {
        insta::assert_json_snapshot!(sent(&overwish("gpt-6-luna")));
    }
}
