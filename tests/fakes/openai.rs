//! Chat Completions that answer from their input alone, as OpenAI's (models `gpt-…`) or as a small
//! server's (any other model), which knows only `max_tokens` and counts nothing.
//!
//! Keys that begin with `bad` are refused. It speaks `chat/completions`, `embeddings` and `models`.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::{
    gemini::instance,
    stage::{Cue, Fake, Heard, Said, Words},
};

/// Members of a request that are known.
const KNOWN: [&str; 20] = [
    "model",
    "messages",
    "max_completion_tokens",
    "max_tokens",
    "temperature",
    "top_p",
    "stop",
    "seed",
    "n",
    "reasoning_effort",
    "verbosity",
    "response_format",
    "stream",
    "stream_options",
    "service_tier",
    "prompt_cache_key",
    "user",
    "tools",
    "frequency_penalty",
    "presence_penalty",
];

/// Starts a fake; its base is `{url}/v1`.
pub async fn start() -> Fake {
    Fake::start(answer).await
}

fn answer(heard: &Heard, cue: &Cue) -> Said {
    if let Some(status) = cue.status.filter(|_| cue.fails_after.is_none()) {
        return refusal(status, cue);
    }
    let key = heard
        .header("authorization")
        .strip_prefix("Bearer ")
        .unwrap_or_default();
    if key.starts_with("bad") {
        return refusal(401, &Cue::default().code("invalid_api_key"));
    }
    match heard.what.as_str() {
        "GET /v1/models" => Said::whole(200, models()),
        "POST /v1/embeddings" => embed(&heard.body),
        "POST /v1/chat/completions" => chat(&heard.body, cue),
        _ => refusal(404, &Cue::default()),
    }
}

fn refusal(status: u16, cue: &Cue) -> Said {
    let message = cue
        .message
        .clone()
        .unwrap_or_else(|| format!("The call is answered with {status}."));
    let code = cue.code.clone().map_or(Value::Null, Value::from);
    let error =
        json!({ "message": message, "type": "error_of_the_fake", "param": null, "code": code });
    Said::whole(status, json!({ "error": error }))
}

fn invalid(message: &str) -> Said {
    let cue = Cue {
        message: Some(message.into()),
        ..Cue::default().code("invalid_value")
    };
    refusal(400, &cue)
}

fn models() -> Value {
    let model = |id| json!({ "id": id, "object": "model", "created": 1, "owned_by": "fake" });
    let data = ["gpt-6-luna", "gpt-6-sol", "llama-4"].map(model);
    json!({ "object": "list", "data": data })
}

fn chat(body: &Value, cue: &Cue) -> Said {
    let model = body["model"].as_str().unwrap_or_default();
    let official = model.starts_with("gpt-");
    if let Some(fault) = fault(body, official) {
        return invalid(&fault);
    }
    let reply = Reply::to(body, model, official, cue);
    if body["stream"] == true {
        Said {
            status: 200,
            body: Words::Events(reply.events(body, cue)),
        }
    } else {
        Said::whole(200, reply.whole())
    }
}

/// What OpenAI would refuse.
fn fault(body: &Value, official: bool) -> Option<String> {
    let messages = body["messages"].as_array();
    if messages.is_none_or(Vec::is_empty) {
        return Some("Invalid 'messages': empty array.".into());
    }
    if !official {
        return None;
    }
    let unknown = body
        .as_object()?
        .keys()
        .find(|name| !KNOWN.contains(&name.as_str()));
    if let Some(name) = unknown {
        return Some(format!("Unrecognized request argument supplied: {name}"));
    }
    if body.get("max_tokens").is_some() {
        return Some(
            "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.".into(),
        );
    }
    let format = &body["response_format"]["json_schema"];
    if format["strict"] == true && !is_strict(&format["schema"]) {
        return Some("Invalid schema for response_format: 'additionalProperties' must be false and 'required' hold every key.".into());
    }
    None
}

/// Whether every object of a schema is closed and requires all of its members.
fn is_strict(schema: &Value) -> bool {
    let members = schema["properties"].as_object();
    let closed = members.is_none_or(|members| {
        let required = schema["required"].as_array();
        schema["additionalProperties"] == false
            && required.is_some_and(|names| {
                members
                    .keys()
                    .all(|name| names.iter().any(|other| other == name))
            })
    });
    let mut parts = members
        .into_iter()
        .flatten()
        .map(|(_, member)| member)
        .chain(schema.get("items"));
    closed && parts.all(is_strict)
}

struct Reply {
    model: String,
    text: String,
    finish: String,
    usage: Option<Value>,
}

impl Reply {
    fn to(body: &Value, model: &str, official: bool, cue: &Cue) -> Self {
        let heard = body["messages"]
            .as_array()
            .into_iter()
            .flatten()
            .map(said_in)
            .collect::<Vec<_>>();
        let schema = &body["response_format"]["json_schema"]["schema"];
        let usual = if schema.is_object() {
            instance::of(schema).to_string()
        } else {
            format!("You said: {}", heard.last().map_or("", String::as_str))
        };
        let mut text = cue.text.clone().unwrap_or(usual);
        let mut finish = cue.finish.clone().unwrap_or_else(|| "stop".into());
        let limit = if official {
            "max_completion_tokens"
        } else {
            "max_tokens"
        };
        let room = body[limit]
            .as_u64()
            .and_then(|limit| usize::try_from(limit).ok());
        if let Some(room) = room.filter(|room| tokens(&text) > *room) {
            text = text.chars().take(room * 4).collect();
            finish = "length".into();
        }
        let (input, output) = (
            heard.iter().map(|text| tokens(text)).sum::<usize>(),
            tokens(&text),
        );
        let usage = json!({
            "prompt_tokens": input, "completion_tokens": output + 8, "total_tokens": input + output + 8,
            "prompt_tokens_details": { "cached_tokens": 2, "audio_tokens": 0 },
            "completion_tokens_details": { "reasoning_tokens": 8, "audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0 },
        });
        Self {
            model: if official {
                format!("{model}-2026-09-01")
            } else {
                model.into()
            },
            text,
            finish,
            usage: (official && !cue.terse).then_some(usage),
        }
    }

    fn whole(&self) -> Value {
        let refused = self.finish == "refusal";
        let (content, refusal) = if refused {
            (Value::Null, json!(self.text))
        } else {
            (json!(self.text), Value::Null)
        };
        let finish = if refused { "stop" } else { &self.finish };
        let message = json!({ "role": "assistant", "content": content, "refusal": refusal });
        let mut body = self.frame("chat.completion");
        body["choices"] =
            json!([{ "index": 0, "message": message, "logprobs": null, "finish_reason": finish }]);
        if let Some(usage) = &self.usage {
            body["usage"] = usage.clone();
        }
        body
    }

    fn events(&self, request: &Value, cue: &Cue) -> Vec<String> {
        let delta = |delta: Value, finish: Value| {
            let mut chunk = self.frame("chat.completion.chunk");
            chunk["choices"] =
                json!([{ "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish }]);
            event(&chunk)
        };
        let mut events = vec![delta(
            json!({ "role": "assistant", "content": "" }),
            Value::Null,
        )];
        let words = self.text.split_inclusive(' ');
        events.extend(words.map(|word| delta(json!({ "content": word }), Value::Null)));
        if let Some(after) = cue.fails_after {
            events.truncate(after);
            events.push(event(&json!({ "error": { "message": "The model failed.", "code": cue.status.unwrap_or(500) } })));
            return events;
        }
        events.push(delta(json!({}), json!(self.finish)));
        if let (Some(usage), true) = (
            &self.usage,
            request["stream_options"]["include_usage"] == true,
        ) {
            let mut last = self.frame("chat.completion.chunk");
            last["choices"] = json!([]);
            last["usage"] = usage.clone();
            events.push(event(&last));
        }
        if !cue.terse {
            events.push("data: [DONE]\n\n".into());
        }
        events
    }

    fn frame(&self, object: &str) -> Value {
        json!({ "id": "chatcmpl-fake", "object": object, "created": 1, "model": self.model })
    }
}

fn event(payload: &Value) -> String {
    format!("data: {payload}\n\n")
}

/// The words of a message.
fn said_in(message: &Value) -> String {
    let content = &message["content"];
    let parts = content
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|part| part["text"].as_str());
    content
        .as_str()
        .map_or_else(|| parts.collect(), str::to_owned)
}

fn tokens(text: &str) -> usize {
    text.chars().count().div_ceil(4)
}

/// A vector of the letters of each text, in whichever form is asked for.
fn embed(body: &Value) -> Said {
    let input = match &body["input"] {
        Value::String(text) => vec![text.as_str()],
        texts => texts
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect(),
    };
    if input.is_empty() || input.len() > 2048 {
        return invalid("'input' holds between 1 and 2048 texts.");
    }
    let size = body["dimensions"]
        .as_u64()
        .and_then(|size| usize::try_from(size).ok())
        .unwrap_or(1536);
    let vector = |(index, text): (usize, &&str)| {
        let mut vector = vec![0.0_f32; size];
        for byte in text.bytes() {
            vector[usize::from(byte) % size] += 1.0;
        }
        let embedding = if body["encoding_format"] == "base64" {
            let bytes: Vec<u8> = vector
                .iter()
                .flat_map(|number| number.to_le_bytes())
                .collect();
            json!(BASE64_STANDARD.encode(bytes))
        } else {
            json!(vector)
        };
        json!({ "object": "embedding", "index": index, "embedding": embedding })
    };
    let data: Vec<_> = input.iter().enumerate().map(vector).collect();
    let count: usize = input.iter().map(|text| tokens(text)).sum();
    let usage = json!({ "prompt_tokens": count, "total_tokens": count });
    Said::whole(
        200,
        json!({ "object": "list", "data": data, "model": body["model"], "usage": usage }),
    )
}
