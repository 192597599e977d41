//! Answers from the wire: one body, or the chunks of a stream, which differ in the name of the
//! message alone. Members that are missing or null are nothing to complain about.

use domain::providers::{
    ProviderError,
    generate::{Finish, Reply, Usage},
};
use serde::Deserialize;
use serde_json::Value;

use super::{OpenAi, errors};
use crate::llm::{
    bound,
    call::{Asked, Draft, unreadable},
    refusal,
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answer {
    id: Option<String>,
    model: Option<String>,
    choices: Option<Vec<Choice>>,
    usage: Option<Counts>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Choice {
    message: Option<Message>,
    delta: Option<Message>,
    finish_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Message {
    content: Option<Content>,
    refusal: Option<String>,
}

/// Words, which some servers wrap into parts.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Value>),
}

/// `CompletionUsage`. What is cached is part of the prompt, what is thought part of the completion.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Counts {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PromptDetails {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CompletionDetails {
    reasoning_tokens: Option<u64>,
}

/// An answer that came in one body.
pub(super) fn whole(body: &[u8], mut draft: OpenAiDraft) -> Result<Reply, ProviderError> {
    let body =
        std::str::from_utf8(body).map_err(|_| ProviderError::Malformed("it is not text".into()))?;
    draft.take(body)?;
    // A body that is there is all there is, whether or not it says why it ends.
    draft.done = true;
    draft.finish()
}

/// An answer while it grows.
#[derive(Debug)]
pub(super) struct OpenAiDraft {
    asked: Asked,
    /// The schema that was wished for, if another was sent.
    strict: Option<Value>,
    openai: OpenAi,
    reply: Reply,
    finish: Option<String>,
    refusal: String,
    counts: Option<Counts>,
    answered: bool,
    done: bool,
}

impl OpenAiDraft {
    pub(super) fn new(asked: Asked, strict: Option<Value>, openai: OpenAi) -> Self {
        Self {
            reply: asked.reply(),
            asked,
            strict,
            openai,
            finish: None,
            refusal: String::new(),
            counts: None,
            answered: false,
            done: false,
        }
    }

    fn add(&mut self, answer: Answer) -> String {
        self.reply.response_id = answer
            .id
            .filter(|id| !id.is_empty())
            .or(self.reply.response_id.take());
        if let Some(model) = answer.model.filter(|model| !model.is_empty()) {
            self.reply.model_version = model;
        }
        self.counts = answer.usage.or(self.counts.take());
        let Some(choice) = answer.choices.into_iter().flatten().next() else {
            return String::new();
        };
        self.answered = true;
        self.finish = choice.finish_reason.or(self.finish.take());
        let message = choice.message.or(choice.delta).unwrap_or_default();
        self.refusal
            .push_str(message.refusal.as_deref().unwrap_or_default());
        let words = message.content.map(Content::words).unwrap_or_default();
        self.reply.text.push_str(&words);
        words
    }

    fn ending(&self) -> Finish {
        if !self.refusal.is_empty() {
            return Finish::Refused(refusal::words(&self.refusal, self.openai.secret()));
        }
        match self.finish.as_deref() {
            Some("length") => Finish::Truncated,
            Some("content_filter") => Finish::Refused("content_filter".into()),
            Some(_) => Finish::Stop,
            None if self.done => Finish::Stop,
            None => Finish::Cut,
        }
    }
}

impl Draft for OpenAiDraft {
    fn take(&mut self, payload: &str) -> Result<String, ProviderError> {
        if payload.trim() == "[DONE]" {
            self.done = true;
            return Ok(String::new());
        }
        let answer: Value = serde_json::from_str(payload).map_err(|error| unreadable(&error))?;
        if answer.get("error").is_some_and(|error| !error.is_null()) {
            return Err(errors::inside(
                &answer,
                self.openai.clock.now(),
                self.openai.secret(),
            ));
        }
        let answer = serde_json::from_value(answer).map_err(|error| unreadable(&error))?;
        Ok(self.add(answer))
    }

    fn is_done(&self) -> bool {
        self.done
    }

    fn finish(&mut self) -> Result<Reply, ProviderError> {
        if !self.answered {
            return Err(ProviderError::Malformed("it has no choice".into()));
        }
        let mut reply = std::mem::take(&mut self.reply);
        reply.finish = self.ending();
        reply.usage = match self.counts.as_ref().and_then(Counts::usage) {
            Some(usage) => usage,
            None => self.asked.estimate(&reply),
        };
        if let Some(schema) = &self.strict
            && let Ok(mut answer) = serde_json::from_str(&reply.text)
        {
            bound::without_nulls(&mut answer, schema);
            reply.text = answer.to_string();
        }
        Ok(reply)
    }
}

impl Content {
    fn words(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Parts(parts) => parts
                .iter()
                .filter_map(|part| part["text"].as_str())
                .collect(),
        }
    }
}

impl Counts {
    fn usage(&self) -> Option<Usage> {
        let prompt = self.prompt_tokens_details.as_ref();
        let thinking = self
            .completion_tokens_details
            .as_ref()
            .and_then(|details| details.reasoning_tokens);
        Some(Usage {
            input: self.prompt_tokens?,
            cached_input: prompt
                .and_then(|details| details.cached_tokens)
                .unwrap_or_default(),
            cache_write: prompt
                .and_then(|details| details.cache_write_tokens)
                .unwrap_or_default(),
            output: self.completion_tokens.unwrap_or_default(),
            thinking: thinking.unwrap_or_default(),
            image_output: 0,
            estimated: self.completion_tokens.is_none(),
        })
    }
}

#[cfg(test)]
mod tests;
