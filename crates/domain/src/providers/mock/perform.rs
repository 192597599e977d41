//! The mock's answer to a request, as a function of it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::{
    NAME,
    directives::{Answer, Directives, Failure, Malformed, Truncate},
    embed::fnv,
    instance, picture,
    subject::Subject,
};
use crate::{
    documents::estimate_tokens,
    providers::{
        ProviderError,
        generate::{Citation, Finish, Output, Part, Reply, Request, Speaker, Usage},
    },
    workflows::draft,
};

/// What a shown or painted picture counts for.
const PICTURE_TOKENS: u64 = 258;

/// The model that often does not know, so that there is a worse one to compare with.
const WEAK: &str = "weak-1";

/// The share of questions that it does not know the answer to, in thousandths.
const WEAK_UNSURE: u16 = 250;

/// What is said where the answer is not known.
const UNSURE: &str = "I do not know.";

/// How the mock is to behave, for somebody with a clock to play.
#[derive(Debug, Clone, PartialEq)]
pub struct Performance {
    /// How long to wait before anything is said.
    pub latency: Duration,
    /// How long a stream waits before each further word.
    pub pause: Duration,
    /// What is said in the end.
    pub result: Result<Reply, ProviderError>,
    /// After how many words a stream breaks off; a whole answer then never comes.
    pub breaks_after: Option<usize>,
}

impl Performance {
    fn of(directives: &Directives, result: Result<Reply, ProviderError>) -> Self {
        let words = result
            .as_ref()
            .map_or(0, |reply| pieces(&reply.text).count());
        Self {
            latency: directives.latency,
            pause: directives.pause,
            breaks_after: directives.breaks.then_some(words / 2),
            result,
        }
    }
}

/// What the mock does with a request at this moment: the time only matters to failures that name one.
pub fn perform(request: &Request, now: DateTime<Utc>) -> Performance {
    let mut directives = Directives::default();
    let heard = match Heard::new(request, &mut directives) {
        Ok(heard) => heard,
        Err(error) => return Performance::of(&directives, Err(error)),
    };
    let result = match directives.failure {
        Some(failure) => Err(failed(failure, now)),
        None => Ok(heard.reply(&directives)),
    };
    Performance::of(&directives, result)
}

/// The pieces that a text is streamed in: words with the space behind them.
pub fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(char::is_whitespace)
}

/// A request without its directives.
struct Heard<'a> {
    request: &'a Request,
    /// The text of the user's last turn.
    question: String,
    /// All words of the request.
    tokens: u64,
    /// Whether the model already answered in this conversation.
    answered: bool,
}

impl<'a> Heard<'a> {
    fn new(request: &'a Request, directives: &mut Directives) -> Result<Self, ProviderError> {
        let mut heard = Self {
            request,
            question: String::new(),
            tokens: 0,
            answered: false,
        };
        let mut take = |text: &str| {
            directives
                .take_from(text)
                .map_err(|error| ProviderError::Invalid(error.to_string()))
        };
        if let Some(system) = &request.system {
            heard.tokens += estimate_tokens(&take(system)?) as u64;
        }
        for turn in &request.turns {
            let mut said = String::new();
            for part in &turn.parts {
                match part {
                    Part::Text(text) if turn.speaker == Speaker::User => {
                        said.push_str(&take(text)?);
                    }
                    Part::Text(text) => said.push_str(text),
                    Part::Image(_) => heard.tokens += PICTURE_TOKENS,
                }
            }
            heard.tokens += estimate_tokens(&said) as u64;
            match turn.speaker {
                Speaker::User => heard.question = said.trim().into(),
                Speaker::Model => heard.answered = true,
            }
        }
        Ok(heard)
    }

    fn reply(&self, directives: &Directives) -> Reply {
        let subject = Subject::of(&self.question);
        let mut reply = Reply {
            model_version: directives
                .model_version
                .clone()
                .unwrap_or_else(|| self.request.model.clone()),
            response_id: Some(format!("{NAME}-{:016x}", subject.number("response"))),
            not_applied: self.not_applied(),
            ..Reply::default()
        };
        if directives.refuse {
            reply.finish = Finish::Refused("the mock was told to refuse".into());
        } else {
            reply.text = self.text(&subject, directives);
            self.adorn(&mut reply, &subject);
            self.end(&mut reply, directives);
        }
        reply.usage = self.usage(&reply, directives);
        reply
    }

    fn text(&self, subject: &Subject, directives: &Directives) -> String {
        if self.is_unsure(directives) {
            return UNSURE.into();
        }
        match &directives.answer {
            Some(Answer::Say(text)) => return text.clone(),
            Some(Answer::Echo) => return self.question.clone(),
            Some(Answer::Judge) => return judged(&self.question).into(),
            None => {}
        }
        match &self.request.output {
            Output::Text => prose(subject),
            Output::Image => String::new(),
            Output::Json { name, .. } if name == draft::NAME => {
                self.json(&self.workflow(), directives.malformed)
            }
            Output::Json { schema, .. } => {
                self.json(&instance::of(schema, subject), directives.malformed)
            }
        }
    }

    /// A workflow, which no instance of its schema alone would be.
    fn workflow(&self) -> Value {
        let goal = self.question.lines().next().unwrap_or_default();
        let name: String = goal.chars().take(100).collect();
        draft::example(&name)
    }

    /// Whether this is one of the questions that this model does not know the answer to. With a seed
    /// they are others.
    fn is_unsure(&self, directives: &Directives) -> bool {
        let weak = (self.request.model == WEAK).then_some(WEAK_UNSURE);
        let share = directives.unsure.or(weak).unwrap_or(0);
        let seed = self.request.sampling.seed.unwrap_or(0).cast_unsigned();
        let place = fnv(
            fnv(seed, self.request.model.as_bytes()),
            self.question.as_bytes(),
        );
        self.request.output == Output::Text && place % 1000 < u64::from(share)
    }

    fn json(&self, value: &Value, malformed: Option<Malformed>) -> String {
        let text = value.to_string();
        match malformed {
            Some(Malformed::Fenced) => format!("Here is the JSON:\n\n```json\n{text}\n```\n"),
            Some(Malformed::Once) if self.answered => text,
            Some(_) => {
                "The mock was told to answer with something that is no JSON: {\"unfinished\": ["
                    .into()
            }
            None => text,
        }
    }

    /// Puts beside the words what else was asked for.
    fn adorn(&self, reply: &mut Reply, subject: &Subject) {
        if self.request.output == Output::Image {
            reply.images = vec![picture::paint(subject.number("picture"))];
        }
        if self.request.web_search && self.request.capabilities.web_search {
            reply.citations = vec![Citation {
                title: format!("About {}", subject.keyword("citation")),
                url: "https://example.com/".into(),
            }];
        }
    }

    /// Ends the words where the request or a directive says.
    fn end(&self, reply: &mut Reply, directives: &Directives) {
        let sampling = &self.request.sampling;
        let stops = sampling.stop.iter().filter(|stop| !stop.is_empty());
        if let Some(end) = stops
            .filter_map(|stop| reply.text.find(stop.as_str()))
            .min()
        {
            reply.text.truncate(end);
        }
        if let Some(truncate) = directives.truncate {
            let words = match truncate {
                Truncate::Half => pieces(&reply.text).count() / 2,
                Truncate::After(words) => words,
            };
            reply.text = pieces(&reply.text).take(words).collect();
            reply.finish = Finish::Truncated;
        }
        let most = sampling
            .max_output_tokens
            .map_or(usize::MAX, |most| most as usize);
        if estimate_tokens(&reply.text) > most {
            reply.text = within(&reply.text, most);
            reply.finish = Finish::Truncated;
        }
    }

    fn usage(&self, reply: &Reply, directives: &Directives) -> Usage {
        let image_output = PICTURE_TOKENS * reply.images.len() as u64;
        let estimate = (
            self.tokens,
            estimate_tokens(&reply.text) as u64 + image_output,
        );
        let (input, output) = directives.usage.unwrap_or(estimate);
        Usage {
            input,
            output,
            image_output: image_output.min(output),
            estimated: directives.usage.is_none(),
            ..Usage::default()
        }
    }

    /// The mock draws nothing: what says how to draw has no effect.
    fn not_applied(&self) -> Vec<&'static str> {
        let sampling = &self.request.sampling;
        let wishes = [
            ("temperature", sampling.temperature.is_some()),
            ("topP", sampling.top_p.is_some()),
            ("topK", sampling.top_k.is_some()),
            ("thinking", self.request.thinking.is_some()),
            (
                "webSearch",
                self.request.web_search && !self.request.capabilities.web_search,
            ),
        ];
        wishes
            .into_iter()
            .filter(|(_, wished)| *wished)
            .map(|(name, _)| name)
            .collect()
    }
}

/// What a grader says that compares texts.
fn judged(question: &str) -> &'static str {
    let within = |name: &str| {
        let (_, rest) = question.split_once(&format!("<{name}>"))?;
        let (inside, _) = rest.split_once(&format!("</{name}>"))?;
        Some(inside.trim().to_lowercase())
    };
    match (within("output"), within("expected")) {
        (Some(output), Some(expected)) if output == expected => "yes",
        _ => "no",
    }
}

/// A few sentences about the subject.
fn prose(subject: &Subject) -> String {
    let words = subject.keywords.join(", ");
    let about = if words.is_empty() {
        "nothing it could name"
    } else {
        &words
    };
    format!(
        "This is the mock model, which answers without thinking. It was asked: {} It took this to be about {about}. \
         A real model would say more; connect a provider to hear one.",
        sentence(&subject.text),
    )
}

fn sentence(text: &str) -> String {
    if text.ends_with(['.', '!', '?', '…', '。', '？', '！']) {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}

/// The longest beginning of whole words of so many tokens.
fn within(text: &str, tokens: usize) -> String {
    let mut kept = String::new();
    for piece in pieces(text) {
        let longer = kept.len();
        kept.push_str(piece);
        if estimate_tokens(&kept) > tokens {
            kept.truncate(longer);
            break;
        }
    }
    kept
}

fn failed(failure: Failure, now: DateTime<Utc>) -> ProviderError {
    let says = || "the mock was told to".to_owned();
    let after = |time| now + TimeDelta::from_std(time).unwrap_or_default();
    match failure {
        Failure::Overloaded => ProviderError::Overloaded(says().into()),
        Failure::Unauthorized => ProviderError::Unauthorized(says()),
        Failure::OutOfCredit => ProviderError::OutOfCredit(says()),
        Failure::Refused => ProviderError::Refused(says()),
        Failure::TooLong => ProviderError::TooLong(says()),
        Failure::Invalid => ProviderError::Invalid(says()),
        Failure::Malformed => ProviderError::Malformed(says()),
        Failure::Timeout => ProviderError::Timeout(says()),
        Failure::RateLimited(wait) => ProviderError::RateLimited {
            retry_at: after(wait),
        },
        Failure::QuotaSpent(wait) => ProviderError::QuotaSpent { until: after(wait) },
    }
}

#[cfg(test)]
mod tests;
