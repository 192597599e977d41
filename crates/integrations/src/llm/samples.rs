//! Questions that the tests of every adapter ask, so that their snapshots can be laid side by side.

use std::collections::VecDeque;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use domain::{
    models::{Capabilities, Price, ThinkingControl, cost},
    providers::{
        ProviderError,
        generate::{
            Event, Image, Output, Part, Reply, Request, Sampling, Speaker, Thinking, Turn, Usage,
        },
    },
};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::{
    call::{Draft, Refused},
    sse,
};

pub(super) const KEY: &str = "the-secret-key";

pub(super) fn noon() -> DateTime<Utc> {
    "2026-11-20T12:00:00Z".parse().expect("a time")
}

pub(super) fn said(speaker: Speaker, text: &str) -> Turn {
    Turn {
        speaker,
        parts: vec![Part::Text(text.into())],
    }
}

/// A plain question.
pub(super) fn question(model: &str) -> Request {
    Request {
        model: model.into(),
        turns: vec![said(Speaker::User, "How do ducks fly?")],
        ..Request::default()
    }
}

/// A conversation with every wish there is, to a model that can do everything.
pub(super) fn conversation(model: &str, thinking: ThinkingControl) -> Request {
    let mut request = question(model);
    request.turns.push(said(Speaker::Model, "With wings."));
    request.turns.push(said(Speaker::User, "And bees?"));
    request.system = Some("Be brief.".into());
    request.capabilities = Capabilities {
        sampling: true,
        thinking,
        images_in: true,
        web_search: true,
        max_output_tokens: Some(2000),
        ..Capabilities::default()
    };
    request.sampling = Sampling {
        temperature: Some(0.5),
        top_p: Some(0.75),
        top_k: Some(40),
        max_output_tokens: Some(4000),
        stop: vec![
            "END".into(),
            "\n".into(),
            "C".into(),
            "D".into(),
            "E".into(),
        ],
        seed: Some(7),
    };
    request.thinking = Some(Thinking::Budget(1500));
    request.web_search = true;
    request
}

/// The same to a model that can do nothing, with a picture.
pub(super) fn overwish(model: &str) -> Request {
    let mut request = picture(model);
    request.capabilities = Capabilities {
        sampling: false,
        json_schema: false,
        ..Capabilities::default()
    };
    Request {
        output: schema(model).output,
        ..Request {
            capabilities: request.capabilities,
            turns: request.turns,
            ..conversation(model, ThinkingControl::None)
        }
    }
}

/// A question that wants JSON.
pub(super) fn schema(model: &str) -> Request {
    let schema = json!({
        "type": "object",
        "required": ["title"],
        "properties": {
            "title": { "type": "string", "maxLength": 255 },
            "audience": { "type": "array", "items": { "type": "string" } },
        },
    });
    Request {
        output: Output::Json {
            name: "draft".into(),
            schema,
        },
        ..question(model)
    }
}

/// A question about a picture.
pub(super) fn picture(model: &str) -> Request {
    let mut request = question(model);
    request.capabilities.images_in = true;
    request.turns[0].parts.push(Part::Image(Image {
        media_type: "image/png".into(),
        bytes: b"png".to_vec(),
    }));
    request
}

/// A question that wants a picture.
pub(super) fn painting(model: &str) -> Request {
    Request {
        output: Output::Image,
        ..question(model)
    }
}

pub(super) fn refused(
    status: u16,
    headers: &[(&'static str, &'static str)],
    body: &Value,
) -> Refused {
    let header = |(name, value): &(&'static str, &'static str)| {
        (
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        )
    };
    Refused {
        status,
        headers: headers.iter().map(header).collect::<HeaderMap>(),
        body: Bytes::from(
            body.as_str()
                .map_or_else(|| body.to_string(), str::to_owned),
        ),
    }
}

/// What these tokens cost just before midnight and at midnight, by a list in dollars for a million
/// tokens: 1 (0.1 from the cache, 2 into it) and 10 for output; twice that beyond 100 tokens of input;
/// from the first of December on four times, whatever the size.
pub(super) fn paid(usage: &Usage) -> [String; 2] {
    let price = |from: &str, above: u32, prices: [&str; 4]| {
        let [input, cached, write, output] = prices.map(|text| text.parse().expect("an amount"));
        Price {
            effective_from: from.parse().expect("a time"),
            tier_from_input_tokens: above,
            input,
            cached_input: Some(cached),
            cache_write: Some(write),
            output,
            output_image: None,
        }
    };
    let (ever, december) = ("2026-01-01T00:00:00Z", "2026-12-01T00:00:00Z");
    let list = [
        price(ever, 0, ["1", "0.1", "2", "10"]),
        price(ever, 101, ["2", "0.2", "4", "20"]),
        price(december, 0, ["4", "0.4", "8", "40"]),
    ];
    ["2026-11-30T23:59:59.999Z", december].map(|time| {
        let at = time.parse().expect("a time");
        cost(&list, usage, at).expect("a price").to_string()
    })
}

/// A status, headers and a body.
pub(super) type Refusal = (u16, &'static [(&'static str, &'static str)], Value);

/// Each fault of a family, and what it became: a line each.
pub(super) fn meanings(
    family: &[Refusal],
    classify: impl Fn(&Refused) -> ProviderError,
) -> Vec<String> {
    let line = |(status, headers, body): &Refusal| {
        let error = classify(&refused(*status, headers, body));
        let wait = error
            .retry_at()
            .map(|at| format!(" (+{})", at - noon()))
            .unwrap_or_default();
        format!("{status} -> {}{wait}: {error}", error.class())
    };
    family.iter().map(line).collect()
}

/// What a stream of these bytes brings, as it arrives a few bytes at a time.
pub(super) fn streamed(bytes: &str, mut draft: impl Draft) -> Result<Vec<Event>, ProviderError> {
    let mut reader = sse::Reader::default();
    let mut events = Vec::new();
    let mut payloads = VecDeque::new();
    for piece in bytes.as_bytes().chunks(11) {
        payloads.extend(reader.push(piece));
    }
    payloads.extend(reader.finish());
    while let Some(payload) = payloads.pop_front() {
        let words = draft.take(&payload)?;
        if !words.is_empty() {
            events.push(Event::Text(words));
        }
        if draft.is_done() {
            break;
        }
    }
    events.push(Event::End(Box::new(draft.finish()?)));
    Ok(events)
}

/// The end of a stream.
pub(super) fn end(events: Result<Vec<Event>, ProviderError>) -> Reply {
    match events.expect("a good stream").pop() {
        Some(Event::End(reply)) => *reply,
        other => panic!("a stream ends with {other:?}"),
    }
}

/// A stream of these payloads.
pub(super) fn stream_of(payloads: &[Value]) -> String {
    let events: Vec<String> = payloads
        .iter()
        .map(|payload| format!("data: {payload}\n\n"))
        .collect();
    events.concat()
}
