//! Generation as the product sees it: what is asked of a model, what it answers, and the port that
//! an adapter implements. Every provider is asked and answers in these words.

use futures::stream::BoxStream;

use super::{PortFuture, ProviderError};
use crate::models::Capabilities;
pub use crate::models::Effort;

/// What a model is asked.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Request {
    /// The model as its provider calls it.
    pub model: String,
    /// What the model can do: an adapter leaves out what it would refuse.
    pub capabilities: Capabilities,
    /// Instructions that stand above the conversation.
    pub system: Option<String>,
    /// The conversation, oldest turn first; the last is the user's.
    pub turns: Vec<Turn>,
    /// The form of the answer.
    pub output: Output,
    /// How the answer is drawn.
    pub sampling: Sampling,
    /// How much the model may think before it answers; its own default if none.
    pub thinking: Option<Thinking>,
    /// Whether the model may look things up on the web.
    pub web_search: bool,
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// Who speaks.
    pub speaker: Speaker,
    /// What is said and shown.
    pub parts: Vec<Part>,
}

/// Who speaks in a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// The person, or the program on their behalf.
    User,
    /// The model.
    Model,
}

/// A part of a turn.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Words.
    Text(String),
    /// A picture.
    Image(Image),
}

/// A picture: shown to a model, or made by one.
#[derive(Clone, PartialEq, Eq)]
pub struct Image {
    /// Such as `image/png`.
    pub media_type: String,
    /// The file's bytes.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Image {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "{} of {} bytes", self.media_type, self.bytes.len())
    }
}

/// The form of an answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Output {
    /// Free text.
    #[default]
    Text,
    /// JSON that obeys a JSON Schema, as far as the provider can be bound to it.
    Json {
        /// A word for the schema, of letters, digits and `_`.
        name: String,
        /// The JSON Schema.
        schema: serde_json::Value,
    },
    /// A picture.
    Image,
}

/// How an answer is drawn. What is not given is left to the provider.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sampling {
    /// 0 for the likeliest word, higher for more variety.
    pub temperature: Option<f64>,
    /// The share of probability that words are drawn from.
    pub top_p: Option<f64>,
    /// How many of the likeliest words are drawn from.
    pub top_k: Option<u32>,
    /// The most tokens of the answer, thinking included.
    pub max_output_tokens: Option<u32>,
    /// Texts at which the answer ends.
    pub stop: Vec<String>,
    /// For an answer that can be had again, where the provider keeps that promise.
    pub seed: Option<i64>,
}

impl Sampling {
    /// The rules that are broken where people ask for it: the member as requests call it, and a
    /// sentence.
    pub fn faults(&self) -> Vec<(&'static str, &'static str)> {
        let within = |value: Option<f64>, from: f64, to: f64| {
            value.is_none_or(|value| (from..=to).contains(&value))
        };
        let between =
            |value: Option<u32>, to: u32| value.is_none_or(|value| (1..=to).contains(&value));
        let rules = [
            (
                "temperature",
                within(self.temperature, 0.0, 2.0),
                "must be between 0 and 2",
            ),
            (
                "topP",
                within(self.top_p, f64::MIN_POSITIVE, 1.0),
                "must be above 0 and at most 1",
            ),
            (
                "topK",
                between(self.top_k, 1000),
                "must be between 1 and 1000",
            ),
            (
                "maxOutputTokens",
                between(self.max_output_tokens, 1_000_000),
                "must be between 1 and 1000000",
            ),
            (
                "stopSequences",
                self.stop.len() <= 5,
                "must have at most 5 items",
            ),
            (
                "stopSequences",
                self.stop.iter().all(|stop| (1..=200).contains(&stop.len())),
                "must have items of 1 to 200 bytes",
            ),
        ];
        let broken = rules.into_iter().filter(|(_, holds, _)| !holds);
        broken
            .map(|(member, _, sentence)| (member, sentence))
            .collect()
    }
}

/// How much a model may think before it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thinking {
    /// Not at all, where the model lets itself be told.
    Off,
    /// At most so many tokens.
    Budget(u32),
    /// By effort.
    Level(Effort),
}

/// What a model answered.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reply {
    /// The answer's words, without the thoughts.
    pub text: String,
    /// Pictures of the answer.
    pub images: Vec<Image>,
    /// Where a model that searched found what it says.
    pub citations: Vec<Citation>,
    /// How the answer ended.
    pub finish: Finish,
    /// What was used.
    pub usage: Usage,
    /// The model that answered, as it names itself: prices go by it.
    pub model_version: String,
    /// The provider's name for this answer, for questions to its support.
    pub response_id: Option<String>,
    /// Wishes of the request that this model does not take: `temperature`, `topP`, `topK`, `seed`,
    /// `stop`, `maxOutputTokens`, `thinking`, `webSearch`, `images`, `jsonSchema`.
    pub not_applied: Vec<&'static str>,
}

/// A source that an answer names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Citation {
    /// The page's title, or its address.
    pub title: String,
    /// Its address.
    pub url: String,
}

/// How an answer ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Finish {
    /// By itself.
    #[default]
    Stop,
    /// At a limit of tokens: it is incomplete.
    Truncated,
    /// The stream broke after its first words: it is incomplete, and the provider has failed.
    Cut,
    /// The provider withheld it, for this reason.
    Refused(String),
}

/// Tokens of a call, counted the same way for every provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// All tokens of the input, those from a cache included.
    pub input: u64,
    /// Those of the input that came from the provider's cache.
    pub cached_input: u64,
    /// Those of the input that were written to the provider's cache.
    pub cache_write: u64,
    /// All tokens of the output, thinking included.
    pub output: u64,
    /// Those of the output that were thoughts.
    pub thinking: u64,
    /// Those of the output that make up pictures.
    pub image_output: u64,
    /// Whether any of this is our estimate, since the provider did not say.
    pub estimated: bool,
}

/// What a stream brings, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// More words of the answer.
    Text(String),
    /// The end: the whole answer once more. Nothing follows.
    End(Box<Reply>),
}

/// The events of an answer. An error ends it; without an [`Event::End`] before the end there was one.
pub type Events = BoxStream<'static, Result<Event, ProviderError>>;

/// A provider of models, under one key. Each method makes one call and never retries.
pub trait Provider: Send + Sync {
    /// Such as `gemini`.
    fn name(&self) -> &'static str;

    /// Asks, and waits for the whole answer.
    fn generate<'a>(&'a self, request: &'a Request)
    -> PortFuture<'a, Result<Reply, ProviderError>>;

    /// Asks, and gives the answer as it is made. An error before the first event is an `Err` of the call.
    fn stream<'a>(&'a self, request: &'a Request) -> PortFuture<'a, Result<Events, ProviderError>>;

    /// Whether the provider is there and takes the key: a call that costs nothing.
    fn check(&self) -> PortFuture<'_, Result<(), ProviderError>>;
}
