//! Answers from the wire: one body, or the events of a stream.

use domain::providers::{
    ProviderError,
    generate::{Finish, Reply, Usage},
};
use serde::Deserialize;
use serde_json::Value;

use super::{Anthropic, errors};
use crate::llm::call::{Asked, Draft, unreadable};

/// An event of a stream. Kinds that are not known are passed over, as the API asks for.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Step {
    MessageStart {
        message: Message,
    },
    ContentBlockStart {
        content_block: Block,
    },
    ContentBlockDelta {
        delta: Block,
    },
    MessageDelta {
        delta: Ending,
        usage: Option<Counts>,
    },
    MessageStop,
    Error,
    #[serde(other)]
    Other,
}

/// A message: whole, or as it starts.
#[derive(Debug, Deserialize)]
struct Message {
    id: Option<String>,
    model: Option<String>,
    content: Vec<Block>,
    stop_reason: Option<String>,
    usage: Option<Counts>,
}

/// A block of content or a part of one; only those of text have any words.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Block {
    #[serde(rename = "type")]
    kind: String,
    text: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Ending {
    stop_reason: Option<String>,
}

/// `Usage`. What is cached is not part of the input, what is thought is part of the output.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Counts {
    input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    output_tokens_details: Option<Details>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct Details {
    thinking_tokens: Option<u64>,
}

/// An answer that came in one body.
pub(super) fn whole(body: &[u8], mut draft: AnthropicDraft) -> Result<Reply, ProviderError> {
    let body: Value = serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
    if body["type"] == "error" {
        return Err(draft.trouble(&body));
    }
    let message: Message = serde_json::from_value(body).map_err(|error| unreadable(&error))?;
    draft.start(message);
    draft.finish()
}

/// An answer while it grows.
#[derive(Debug)]
pub(super) struct AnthropicDraft {
    asked: Asked,
    anthropic: Anthropic,
    reply: Reply,
    stop: Option<String>,
    counts: Counts,
    started: bool,
    done: bool,
}

impl AnthropicDraft {
    pub(super) fn new(asked: Asked, anthropic: Anthropic) -> Self {
        Self {
            reply: asked.reply(),
            asked,
            anthropic,
            stop: None,
            counts: Counts::default(),
            started: false,
            done: false,
        }
    }

    fn start(&mut self, message: Message) -> String {
        self.started = true;
        self.reply.response_id = message.id;
        if let Some(model) = message.model.filter(|model| !model.is_empty()) {
            self.reply.model_version = model;
        }
        self.stop = message.stop_reason;
        self.counts.update(message.usage);
        let blocks = message.content.into_iter().map(|block| self.say(block));
        blocks.collect()
    }

    fn say(&mut self, block: Block) -> String {
        if !["text", "text_delta"].contains(&block.kind.as_str()) {
            return String::new();
        }
        self.reply.text.push_str(&block.text);
        block.text
    }

    fn trouble(&self, body: &Value) -> ProviderError {
        errors::inside(body, self.anthropic.clock.now(), self.anthropic.secret())
    }

    fn ending(&self) -> Result<Finish, ProviderError> {
        match self.stop.as_deref() {
            Some("end_turn" | "stop_sequence") => Ok(Finish::Stop),
            Some("refusal") => Ok(Finish::Refused("refusal".into())),
            Some("tool_use") => Err(ProviderError::Malformed(
                "the model called a tool that it was not given".into(),
            )),
            None => Ok(Finish::Cut),
            // At a limit, paused, or for a reason that is not known: there may be more to say.
            Some(_) => Ok(Finish::Truncated),
        }
    }
}

impl Draft for AnthropicDraft {
    fn take(&mut self, payload: &str) -> Result<String, ProviderError> {
        let step = serde_json::from_str(payload).map_err(|error| unreadable(&error))?;
        match step {
            Step::MessageStart { message } => return Ok(self.start(message)),
            Step::ContentBlockStart {
                content_block: block,
            }
            | Step::ContentBlockDelta { delta: block } => {
                return Ok(self.say(block));
            }
            Step::MessageDelta { delta, usage } => {
                self.stop = delta.stop_reason.or(self.stop.take());
                self.counts.update(usage);
            }
            Step::MessageStop => self.done = true,
            Step::Error => {
                let body = serde_json::from_str(payload).unwrap_or_default();
                return Err(self.trouble(&body));
            }
            Step::Other => {}
        }
        Ok(String::new())
    }

    fn is_done(&self) -> bool {
        self.done
    }

    fn finish(&mut self) -> Result<Reply, ProviderError> {
        if !self.started {
            return Err(ProviderError::Malformed("it has no message".into()));
        }
        let mut reply = std::mem::take(&mut self.reply);
        reply.finish = self.ending()?;
        // A stream that was cut has only counted what it had said when it began.
        let estimate = self.asked.estimate(&reply);
        reply.usage = self.counts.usage(estimate, self.stop.is_some());
        Ok(reply)
    }
}

impl Counts {
    /// Later counts replace earlier ones, and do not repeat all of them.
    fn update(&mut self, later: Option<Self>) {
        let later = later.unwrap_or_default();
        self.input_tokens = later.input_tokens.or(self.input_tokens);
        self.cache_creation_input_tokens = later
            .cache_creation_input_tokens
            .or(self.cache_creation_input_tokens);
        self.cache_read_input_tokens = later
            .cache_read_input_tokens
            .or(self.cache_read_input_tokens);
        self.output_tokens = later.output_tokens.or(self.output_tokens);
        self.output_tokens_details = later.output_tokens_details.or(self.output_tokens_details);
    }

    fn usage(&self, estimate: Usage, ended: bool) -> Usage {
        let cached = self.cache_read_input_tokens.unwrap_or_default();
        let written = self.cache_creation_input_tokens.unwrap_or_default();
        let input = self
            .input_tokens
            .map(|fresh| fresh.saturating_add(cached).saturating_add(written));
        let said = self.output_tokens.unwrap_or_default();
        let thinking = self
            .output_tokens_details
            .and_then(|details| details.thinking_tokens);
        let counted = input.is_some() && self.output_tokens.is_some() && ended;
        Usage {
            input: input.unwrap_or(estimate.input),
            cached_input: cached,
            cache_write: written,
            output: if counted {
                said
            } else {
                said.max(estimate.output)
            },
            thinking: thinking.unwrap_or_default(),
            image_output: 0,
            estimated: !counted,
        }
    }
}

#[cfg(test)]
mod tests;
