//! The Messages API, answering from its input alone, in its old version and its new one, which
//! refuses what says how to draw.
//!
//! Keys that begin with `bad` are refused. It speaks `messages`, `messages/count_tokens` and `models`.

use serde_json::{Value, json};

use super::{
    gemini::instance,
    stage::{Cue, Fake, Heard, Said, Words},
};

/// Members of a request that are known.
const KNOWN: [&str; 14] = [
    "model",
    "max_tokens",
    "messages",
    "system",
    "stop_sequences",
    "stream",
    "thinking",
    "output_config",
    "metadata",
    "service_tier",
    "temperature",
    "top_p",
    "top_k",
    "tools",
];

/// What says how to draw.
const SAMPLING: [&str; 3] = ["temperature", "top_p", "top_k"];

/// Starts a fake; its base is its `url`.
pub async fn start() -> Fake {
    Fake::start(answer).await
}

fn answer(heard: &Heard, cue: &Cue) -> Said {
    if let Some(status) = cue.status.filter(|_| cue.fails_after.is_none()) {
        return refusal(status, cue);
    }
    let bearer = heard
        .header("authorization")
        .strip_prefix("Bearer ")
        .unwrap_or_default();
    let key = heard
        .headers
        .get("x-api-key")
        .map_or(bearer, String::as_str);
    if key.is_empty() || key.starts_with("bad") {
        return refusal(401, &Cue::default());
    }
    let version = heard.header("anthropic-version");
    if !["2023-06-01", "2026-10-21"].contains(&version) {
        return invalid("anthropic-version: is not a version");
    }
    match heard.what.as_str() {
        "GET /v1/models" => Said::whole(200, models()),
        "POST /v1/messages/count_tokens" => {
            Said::whole(200, json!({ "input_tokens": input(&heard.body) }))
        }
        "POST /v1/messages" => message(&heard.body, version, cue),
        _ => refusal(404, &Cue::default()),
    }
}

fn refusal(status: u16, cue: &Cue) -> Said {
    let message = cue
        .message
        .clone()
        .unwrap_or_else(|| format!("The call is answered with {status}."));
    let kind = cue.code.clone().unwrap_or_else(|| kind(status).into());
    let error = json!({ "type": kind, "message": message });
    Said::whole(
        status,
        json!({ "type": "error", "error": error, "request_id": "req_fake" }),
    )
}

const fn kind(status: u16) -> &'static str {
    match status {
        400 => "invalid_request_error",
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        409 => "conflict_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        529 => "overloaded_error",
        _ => "api_error",
    }
}

fn invalid(message: &str) -> Said {
    let cue = Cue {
        message: Some(message.into()),
        ..Cue::default()
    };
    refusal(400, &cue)
}

fn models() -> Value {
    let model = |id| json!({ "type": "model", "id": id, "display_name": id, "created_at": "2026-10-01T00:00:00Z" });
    let data = ["claude-haiku-5-5", "claude-sonnet-5-5"].map(model);
    json!({ "data": data, "has_more": false, "first_id": "claude-haiku-5-5", "last_id": "claude-sonnet-5-5" })
}

fn message(body: &Value, version: &str, cue: &Cue) -> Said {
    if let Some(fault) = fault(body, version) {
        return invalid(&fault);
    }
    let reply = Reply::to(body, cue);
    if body["stream"] == true {
        Said {
            status: 200,
            body: Words::Events(reply.events(cue)),
        }
    } else {
        Said::whole(200, reply.whole())
    }
}

/// What Anthropic would refuse.
fn fault(body: &Value, version: &str) -> Option<String> {
    let members = body.as_object()?;
    if let Some(name) = members.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        return Some(format!("{name}: Extra inputs are not permitted"));
    }
    let drawn = SAMPLING.iter().find(|name| members.contains_key(**name));
    if let Some(name) = drawn.filter(|_| version == "2026-10-21") {
        return Some(format!("{name}: Extra inputs are not permitted"));
    }
    let Some(limit) = body["max_tokens"].as_u64() else {
        return Some("max_tokens: Field required".into());
    };
    let budget = body["thinking"]["budget_tokens"].as_u64();
    if budget.is_some_and(|budget| budget < 1024 || budget >= limit) {
        return Some("thinking.budget_tokens: must be at least 1024 and below max_tokens".into());
    }
    let format = &body["output_config"]["format"];
    if format["type"] == "json_schema" && format["schema"]["additionalProperties"] != false {
        return Some("output_config.format.schema: 'additionalProperties' must be false".into());
    }
    let blank = |stop: &Value| stop.as_str().is_some_and(|stop| stop.trim().is_empty());
    let stops = body["stop_sequences"].as_array();
    if stops.is_some_and(|stops| stops.iter().any(blank)) {
        return Some("stop_sequences: each stop sequence must contain non-whitespace".into());
    }
    None
}

struct Reply {
    model: String,
    text: String,
    stop: String,
    input: usize,
}

impl Reply {
    fn to(body: &Value, cue: &Cue) -> Self {
        let schema = &body["output_config"]["format"]["schema"];
        let last = body["messages"]
            .as_array()
            .and_then(|messages| messages.last());
        let usual = if schema.is_object() {
            instance::of(schema).to_string()
        } else {
            format!("You said: {}", last.map(said_in).unwrap_or_default())
        };
        let mut text = cue.text.clone().unwrap_or(usual);
        let mut stop = cue.finish.clone().unwrap_or_else(|| "end_turn".into());
        let room = body["max_tokens"]
            .as_u64()
            .and_then(|limit| usize::try_from(limit).ok());
        if let Some(room) = room.filter(|room| tokens(&text) > *room) {
            text = text.chars().take(room * 4).collect();
            stop = "max_tokens".into();
        }
        let model = body["model"].as_str().unwrap_or_default();
        Self {
            model: format!("{model}-20261001"),
            text,
            stop,
            input: input(body),
        }
    }

    fn usage(&self, output: usize) -> Value {
        json!({ "input_tokens": self.input, "cache_creation_input_tokens": 3, "cache_read_input_tokens": 2,
            "output_tokens": output, "service_tier": "standard" })
    }

    fn whole(&self) -> Value {
        json!({ "id": "msg_fake", "type": "message", "role": "assistant", "model": self.model,
            "content": [{ "type": "text", "text": self.text, "citations": null }],
            "stop_reason": self.stop, "stop_sequence": null, "usage": self.usage(tokens(&self.text)) })
    }

    fn events(&self, cue: &Cue) -> Vec<String> {
        let mut start = self.whole();
        start["content"] = json!([]);
        start["stop_reason"] = Value::Null;
        start["usage"] = self.usage(1);
        let mut events = vec![
            event(&json!({ "type": "message_start", "message": start })),
            event(
                &json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } }),
            ),
            event(&json!({ "type": "ping" })),
        ];
        let delta = |text: &str| json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": text } });
        events.extend(
            self.text
                .split_inclusive(' ')
                .map(|word| event(&delta(word))),
        );
        if let Some(after) = cue.fails_after {
            events.truncate(after);
            let kind = kind(cue.status.unwrap_or(500));
            events.push(event(&json!({ "type": "error", "error": { "type": kind, "message": "The model failed." } })));
            return events;
        }
        let ending = json!({ "stop_reason": self.stop, "stop_sequence": null });
        events.extend([
            event(&json!({ "type": "content_block_stop", "index": 0 })),
            event(&json!({ "type": "message_delta", "delta": ending, "usage": { "output_tokens": tokens(&self.text) } })),
            event(&json!({ "type": "message_stop" })),
        ]);
        events
    }
}

fn event(payload: &Value) -> String {
    let kind = payload["type"].as_str().unwrap_or_default();
    format!("event: {kind}\ndata: {payload}\n\n")
}

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

fn input(body: &Value) -> usize {
    let messages = body["messages"].as_array().into_iter().flatten();
    messages.map(|message| tokens(&said_in(message))).sum()
}

fn tokens(text: &str) -> usize {
    text.chars().count().div_ceil(4)
}
