//! Answers from the wire: one body, or the events of a stream, which have the same shape.

use base64::{Engine, prelude::BASE64_STANDARD};
use domain::providers::{
    ProviderError,
    generate::{Citation, Finish, Image, Reply, Usage},
};
use serde::Deserialize;

use super::super::{Gemini, errors};
use crate::llm::call::{Asked, Draft, unreadable};

/// `GenerateContentResponse`, as far as it says anything to us.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Answer {
    candidates: Vec<Candidate>,
    prompt_feedback: Feedback,
    usage_metadata: Option<Counts>,
    model_version: Option<String>,
    response_id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Candidate {
    content: Content,
    finish_reason: Option<String>,
    grounding_metadata: Grounding,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Content {
    parts: Vec<Part>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Part {
    text: Option<String>,
    thought: bool,
    inline_data: Option<Blob>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Blob {
    mime_type: String,
    data: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Grounding {
    grounding_chunks: Vec<Chunk>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Chunk {
    web: Option<Page>,
}

#[derive(Debug, Deserialize)]
struct Page {
    uri: String,
    #[serde(default)]
    title: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Feedback {
    block_reason: Option<String>,
}

/// `UsageMetadata`. What is cached is part of the prompt, what is thought is not part of the
/// candidates.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Counts {
    prompt_token_count: u64,
    tool_use_prompt_token_count: u64,
    cached_content_token_count: u64,
    candidates_token_count: u64,
    thoughts_token_count: u64,
    total_token_count: Option<u64>,
    candidates_tokens_details: Vec<Detail>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Detail {
    modality: String,
    token_count: u64,
}

/// An answer that came in one body.
pub(super) fn whole(body: &[u8], asked: Asked) -> Result<Reply, ProviderError> {
    let answer: Answer = serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
    let mut gathered = Gathered::new(asked);
    gathered.add(answer)?;
    gathered.reply()
}

/// An answer of a stream while it grows.
#[derive(Debug)]
pub(super) struct GeminiDraft {
    gathered: Gathered,
    /// Reads what an error in the middle means.
    gemini: Gemini,
}

impl GeminiDraft {
    pub(super) fn new(asked: Asked, gemini: Gemini) -> Self {
        Self {
            gathered: Gathered::new(asked),
            gemini,
        }
    }
}

impl Draft for GeminiDraft {
    fn take(&mut self, payload: &str) -> Result<String, ProviderError> {
        if let Some(code) = errors::inside_success(payload.as_bytes()) {
            return Err(self.gemini.classify(code, None, payload.as_bytes()));
        }
        let answer = serde_json::from_str(payload).map_err(|error| unreadable(&error))?;
        self.gathered.add(answer)
    }

    fn finish(&mut self) -> Result<Reply, ProviderError> {
        self.gathered.reply()
    }
}

/// What was said so far.
#[derive(Debug)]
struct Gathered {
    asked: Asked,
    reply: Reply,
    finish: Option<String>,
    blocked: Option<String>,
    counts: Option<Counts>,
    /// Whether there was any candidate.
    answered: bool,
}

impl Gathered {
    fn new(asked: Asked) -> Self {
        Self {
            reply: asked.reply(),
            asked,
            finish: None,
            blocked: None,
            counts: None,
            answered: false,
        }
    }

    /// Adds an answer, or the next part of one, and gives back its words.
    fn add(&mut self, answer: Answer) -> Result<String, ProviderError> {
        let reply = &mut self.reply;
        reply.response_id = answer.response_id.or(reply.response_id.take());
        if let Some(version) = answer.model_version.filter(|version| !version.is_empty()) {
            reply.model_version = version;
        }
        // They are counted up: the last count is the whole.
        self.counts = answer.usage_metadata.or(self.counts.take());
        self.blocked = answer.prompt_feedback.block_reason.or(self.blocked.take());
        let Some(candidate) = answer.candidates.into_iter().next() else {
            return Ok(String::new());
        };
        self.answered = true;
        self.finish = candidate.finish_reason.or(self.finish.take());
        for page in candidate
            .grounding_metadata
            .grounding_chunks
            .into_iter()
            .filter_map(|chunk| chunk.web)
        {
            cite(&mut reply.citations, page);
        }
        let mut words = String::new();
        for part in candidate
            .content
            .parts
            .into_iter()
            .filter(|part| !part.thought)
        {
            words.push_str(part.text.as_deref().unwrap_or_default());
            if let Some(blob) = part.inline_data {
                reply.images.push(image(blob)?);
            }
        }
        reply.text.push_str(&words);
        Ok(words)
    }

    fn reply(&mut self) -> Result<Reply, ProviderError> {
        let mut reply = std::mem::take(&mut self.reply);
        reply.finish = self.ending()?;
        let estimate = self.asked.estimate(&reply);
        let cut = self.finish.is_none() && self.blocked.is_none();
        reply.usage = match &self.counts {
            // What was counted before a cut is not all that was made.
            Some(counts) if cut => {
                let counted = counts.usage();
                let words = counted.output.saturating_sub(counted.thinking);
                Usage {
                    output: counted.thinking + words.max(estimate.output),
                    estimated: true,
                    ..counted
                }
            }
            Some(counts) => counts.usage(),
            None => estimate,
        };
        Ok(reply)
    }

    fn ending(&self) -> Result<Finish, ProviderError> {
        if let Some(reason) = &self.blocked {
            return Ok(Finish::Refused(reason.clone()));
        }
        if !self.answered {
            return Err(ProviderError::Malformed("it has no candidate".into()));
        }
        // Without a reason to stop it was cut.
        let Some(reason) = self.finish.as_deref() else {
            return Ok(Finish::Cut);
        };
        match reason {
            "STOP" => Ok(Finish::Stop),
            "MAX_TOKENS" | "CONTINUATION" => Ok(Finish::Truncated),
            "SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" | "LANGUAGE"
            | "ESCALATION" | "NO_IMAGE" => Ok(Finish::Refused(reason.to_owned())),
            _ if reason.starts_with("IMAGE_") => Ok(Finish::Refused(reason.to_owned())),
            _ => {
                let reason: String = reason.chars().take(60).collect();
                Err(ProviderError::Malformed(format!(
                    "the model stopped with {reason}"
                )))
            }
        }
    }
}

impl Counts {
    fn usage(&self) -> Usage {
        let input = self
            .prompt_token_count
            .saturating_add(self.tool_use_prompt_token_count);
        let output = self
            .candidates_token_count
            .saturating_add(self.thoughts_token_count);
        let pictures = self
            .candidates_tokens_details
            .iter()
            .filter(|detail| detail.modality == "IMAGE");
        // Their total is what they bill, should the parts not add up to it.
        let sum = input.saturating_add(output);
        let total = self.total_token_count.unwrap_or(sum);
        let agrees = total == sum;
        Usage {
            input,
            cached_input: self.cached_content_token_count,
            cache_write: 0,
            output: if agrees {
                output
            } else {
                total.saturating_sub(input).max(output)
            },
            thinking: self.thoughts_token_count,
            image_output: pictures.map(|detail| detail.token_count).sum(),
            estimated: !agrees,
        }
    }
}

fn cite(citations: &mut Vec<Citation>, page: Page) {
    if citations.iter().all(|citation| citation.url != page.uri) {
        let title = if page.title.is_empty() {
            page.uri.clone()
        } else {
            page.title
        };
        citations.push(Citation {
            title,
            url: page.uri,
        });
    }
}

fn image(blob: Blob) -> Result<Image, ProviderError> {
    let bytes = BASE64_STANDARD.decode(&blob.data);
    let problem = |_| ProviderError::Malformed("a picture that is not base64".into());
    Ok(Image {
        media_type: blob.mime_type,
        bytes: bytes.map_err(problem)?,
    })
}

#[cfg(test)]
mod tests;
