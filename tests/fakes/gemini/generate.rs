//! Replies: an echo of the instruction and the last thing said, an instance of the schema, or a
//! picture of one pixel; cut where a limit says so, with its tokens counted.

use serde_json::{Value, json};

use super::{
    catalog::{Kind, Model},
    embed::fnv,
    instance,
    prompt::{Prompt, tokens},
    refusals::Refusal,
    script::Cue,
};

/// Reasons for which a reply stops without a word.
const SILENT: [&str; 6] = [
    "SAFETY",
    "RECITATION",
    "PROHIBITED_CONTENT",
    "BLOCKLIST",
    "SPII",
    "IMAGE_SAFETY",
];

/// What a picture costs to paint.
const PICTURE_OUT: usize = 1120;

/// A picture of one pixel.
const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// A reply, before it is one body or many events.
pub(super) struct Reply {
    prompt: Prompt,
    thought: Option<String>,
    thinking: usize,
    text: String,
    picture: bool,
    finish: String,
    blocked: Option<String>,
    candidates: usize,
    version: String,
    id: String,
    with_usage: bool,
}

impl Reply {
    /// The reply to a request, as far as the cue does not say otherwise.
    pub(super) fn to(request: &Value, model: &Model, cue: &Cue) -> Result<Self, Refusal> {
        let prompt = Prompt::read(request)?;
        let config = &request["generationConfig"];
        let thinking = thinking(&config["thinkingConfig"], model)?;
        let text = match &cue.text {
            Some(text) => text.clone(),
            None => structured(config)?.unwrap_or_else(|| prompt.echo()),
        };
        let shown = config["thinkingConfig"]["includeThoughts"] == true && thinking > 0;
        let mut reply = Self {
            thought: shown.then(|| "Thinking about what was said.".to_owned()),
            thinking,
            text,
            picture: model.kind == Kind::Image,
            finish: "STOP".to_owned(),
            blocked: cue.block_reason.clone(),
            candidates: config["candidateCount"]
                .as_u64()
                .map_or(1, |count| usize::try_from(count.clamp(1, 8)).unwrap_or(1)),
            version: cue
                .model_version
                .clone()
                .unwrap_or_else(|| model.answers_as.to_owned()),
            id: format!("{:016x}", fnv(request.to_string().as_bytes())),
            with_usage: !cue.without_usage,
            prompt,
        };
        reply.stop(config, cue.finish_reason.as_deref());
        Ok(reply)
    }

    /// Ends the text where a stop sequence, a limit or the script says so.
    fn stop(&mut self, config: &Value, scripted: Option<&str>) {
        let sequences = config["stopSequences"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        if let Some(end) = sequences
            .filter_map(|sequence| self.text.find(sequence))
            .min()
        {
            self.text.truncate(end);
        }
        if let Some(limit) = config["maxOutputTokens"]
            .as_u64()
            .and_then(|limit| usize::try_from(limit).ok())
        {
            // Thinking counts too, so that a low limit leaves no room for any text.
            let room = limit.saturating_sub(self.thinking);
            if tokens(&self.text) > room {
                self.text = self.text.chars().take(room * 4).collect();
                self.thinking = self.thinking.min(limit);
                "MAX_TOKENS".clone_into(&mut self.finish);
            }
        }
        if let Some(reason) = scripted {
            reason.clone_into(&mut self.finish);
        }
        if SILENT.contains(&self.finish.as_str()) {
            self.text.clear();
            self.picture = false;
        }
    }

    /// The reply as one body.
    pub(super) fn whole(&self) -> Value {
        let said = self.parts(&self.text);
        let parts: Vec<_> = self.thought_part().into_iter().chain(said).collect();
        self.body(&parts, Some(&self.finish), tokens(&self.text))
    }

    /// The reply as events: a thought, then some words each, the reason to stop in the last.
    pub(super) fn events(&self) -> Vec<Value> {
        let words: Vec<_> = self.text.split_inclusive(' ').collect();
        let mut pieces: Vec<_> = words.chunks(4).map(<[_]>::concat).collect();
        if pieces.is_empty() || self.picture || self.blocked.is_some() {
            pieces = vec![self.text.clone()];
        }
        let thought = self.thought_part().map(|part| self.body(&[part], None, 0));
        let mut said = 0;
        let last = pieces.len() - 1;
        let spoken = pieces.iter().enumerate().map(|(place, piece)| {
            said += piece.chars().count();
            self.body(
                &self.parts(piece),
                (place == last).then_some(self.finish.as_str()),
                said.div_ceil(4),
            )
        });
        thought.into_iter().chain(spoken).collect()
    }

    fn thought_part(&self) -> Option<Value> {
        self.thought
            .as_ref()
            .map(|thought| json!({ "text": thought, "thought": true }))
    }

    fn parts(&self, text: &str) -> Vec<Value> {
        if self.picture {
            return vec![json!({ "inlineData": { "mimeType": "image/png", "data": PIXEL } })];
        }
        if text.is_empty() {
            Vec::new()
        } else {
            vec![json!({ "text": text })]
        }
    }

    fn body(&self, parts: &[Value], finish: Option<&str>, said: usize) -> Value {
        let mut body = json!({ "modelVersion": self.version, "responseId": self.id });
        if self.with_usage {
            body["usageMetadata"] = self.usage(said);
        }
        if let Some(reason) = &self.blocked {
            body["promptFeedback"] = json!({ "blockReason": reason, "safetyRatings": [] });
        } else {
            let candidate = |index| candidate(index, parts, finish);
            body["candidates"] = (0..self.candidates).map(candidate).collect();
        }
        body
    }

    /// What it used: thinking counts apart from what is said.
    fn usage(&self, said: usize) -> Value {
        let input = self.prompt.tokens();
        let mut usage = json!({ "promptTokenCount": input, "promptTokensDetails": self.prompt.details(), "serviceTier": "standard" });
        let (said, thinking) = match (&self.blocked, self.picture) {
            (Some(_), _) => (0, 0),
            (None, true) => (PICTURE_OUT, self.thinking),
            (None, false) => (said * self.candidates, self.thinking),
        };
        if said > 0 {
            usage["candidatesTokenCount"] = said.into();
        }
        if self.picture {
            usage["candidatesTokensDetails"] = json!([{ "modality": "IMAGE", "tokenCount": said }]);
        }
        if thinking > 0 {
            usage["thoughtsTokenCount"] = thinking.into();
        }
        usage["totalTokenCount"] = (input + said + thinking).into();
        usage
    }
}

fn candidate(index: usize, parts: &[Value], finish: Option<&str>) -> Value {
    let mut candidate = json!({ "index": index });
    if !parts.is_empty() {
        candidate["content"] = json!({ "role": "model", "parts": parts });
    }
    if let Some(reason) = finish {
        candidate["finishReason"] = reason.into();
    }
    if finish == Some("SAFETY") {
        let rating = json!({ "category": "HARM_CATEGORY_HARASSMENT", "probability": "HIGH", "blocked": true });
        candidate["safetyRatings"] = json!([rating]);
    }
    candidate
}

/// How much a model thinks, in tokens. A model thinks by budget or by level, never by both.
fn thinking(config: &Value, model: &Model) -> Result<usize, Refusal> {
    let usual = if model.thinks { 24 } else { 0 };
    match (
        config["thinkingBudget"].as_i64(),
        config["thinkingLevel"].as_str(),
    ) {
        (Some(_), Some(_)) => Err(Refusal::invalid(
            "thinkingBudget and thinkingLevel cannot both be set.",
        )),
        (Some(0), None) if ["gemini-2.5-pro", "gemini-4-argon"].contains(&model.name) => Err(
            Refusal::invalid("Budget 0 is invalid. This model only works in thinking mode."),
        ),
        (Some(-1), None) => Ok(24),
        (Some(budget), None) => Ok(usize::try_from(budget).unwrap_or_default().min(24)),
        (None, Some(level)) => by_level(level, model),
        (None, None) => Ok(usual),
    }
}

fn by_level(level: &str, model: &Model) -> Result<usize, Refusal> {
    let never_minimal =
        ["gemini-3.7-flash", "gemini-3.8-flash", "gemini-4-argon"].contains(&model.answers_as);
    match level.to_ascii_uppercase().as_str() {
        "MINIMAL" if !never_minimal => Ok(4),
        "LOW" => Ok(12),
        "MEDIUM" => Ok(24),
        "HIGH" => Ok(48),
        "XHIGH" => Ok(96),
        _ => Err(Refusal::invalid(format!(
            "Thinking level {level} is not supported for this model."
        ))),
    }
}

/// The reply that a schema asks for.
fn structured(config: &Value) -> Result<Option<String>, Refusal> {
    let mime = config["responseMimeType"].as_str().unwrap_or("text/plain");
    let schema = match (&config["responseSchema"], &config["responseJsonSchema"]) {
        (Value::Null, Value::Null) => None,
        (schema, Value::Null) | (Value::Null, schema) => Some(schema),
        _ => {
            return Err(Refusal::invalid(
                "Only one of responseSchema and responseJsonSchema may be set.",
            ));
        }
    };
    match (mime, schema) {
        ("application/json", Some(schema)) => Ok(Some(instance::of(schema).to_string())),
        ("application/json", None) => {
            Ok(Some(json!({ "reply": "JSON was asked for" }).to_string()))
        }
        ("text/x.enum", Some(schema)) => Ok(instance::of(schema).as_str().map(str::to_owned)),
        (_, Some(_)) => Err(Refusal::invalid(
            "A schema needs a responseMimeType of application/json.",
        )),
        (_, None) => Ok(None),
    }
}
