//! Models: what is known of each, as data, since names, prices and abilities change by the month.
//! What a model costs is in [`prices`], which model an answer's version belongs to in [`versions`].

pub mod keys;
pub mod prices;
mod usd;
pub mod versions;

pub use prices::{Price, Prices, cost};
pub use usd::Usd;

use crate::codec::trimmed;

id! {
    /// A model of the registry.
    ModelId,
    /// A key of a provider.
    ProviderKeyId,
}

text_enum! {
    /// A provider of models: whose interface is spoken, not who runs the machine.
    ProviderName {
        /// Google's Gemini API.
        Gemini = "gemini",
        /// Chat Completions, which many servers speak besides the one it began with.
        OpenAi = "openai",
        /// Anthropic's API.
        Anthropic = "anthropic",
        /// The built-in one: no network, no key, no price.
        Mock = "mock",
    }
}

text_enum! {
    /// What a model makes.
    ModelKind {
        /// Words.
        Text = "text",
        /// Pictures.
        Image = "image",
        /// Vectors.
        Embedding = "embedding",
    }
}

checked_text! {
    /// A model's name, as its provider or as this product calls it: 1 to 200 characters, none of
    /// them blank.
    ModelName,
    |text| {
        let name = trimmed(text, 1, 200)?;
        if name.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(crate::Fault("must not contain blanks or control characters".into()));
        }
        Ok(name)
    }
}

checked_text! {
    /// What people read where a model or a key is chosen: 1 to 200 characters.
    Label,
    |text| trimmed(text, 1, 200)
}

checked_text! {
    /// What is to be known of a model: up to 2000 characters.
    ModelDescription,
    |text| trimmed(text, 0, 2000)
}

checked_text! {
    /// A model that a request names: its id, `provider/name`, or its name alone; 1 to 300 characters.
    ModelRef,
    |text| trimmed(text, 1, 300)
}

checked_text! {
    /// What a model is asked: 1 to 200 000 characters, kept as they are.
    Question,
    |text| {
        if text.contains('\0') {
            return Err(crate::Fault("must not contain the NUL character".into()));
        }
        let length = text.chars().count();
        if text.trim().is_empty() || length > 200_000 {
            return Err(crate::Fault("must have 1 to 200000 characters, not all of them blank".into()));
        }
        Ok(text.to_owned())
    }
}

impl ModelRef {
    /// The id, if the reference is one.
    pub fn id(&self) -> Option<ModelId> {
        self.as_str().parse().ok()
    }
}

/// What a model takes and gives. Whatever is not known to work is left out of a request.
#[derive(
    Debug,
    Clone,
    PartialEq,
    Eq,
    serde::Serialize,
    serde::Deserialize,
    utoipa::ToSchema,
    deserr::Deserr,
    diesel::expression::AsExpression,
    diesel::deserialize::FromSqlRow,
)]
#[diesel(sql_type = diesel::sql_types::Jsonb)]
#[serde(rename_all = "camelCase", default)]
#[deserr(rename_all = camelCase)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent fact about a model"
)]
pub struct Capabilities {
    /// Whether temperature, top-p and top-k are taken and have an effect.
    #[deserr(default = true)]
    pub sampling: bool,
    /// How thinking is asked for.
    #[deserr(default)]
    pub thinking: ThinkingControl,
    /// Whether it can be told not to think.
    #[deserr(default)]
    pub thinking_off: bool,
    /// The efforts it takes, where it is told by effort.
    #[deserr(default = Effort::usual())]
    pub thinking_levels: Vec<Effort>,
    /// The least tokens of thinking it takes, where it is told by tokens.
    #[deserr(default)]
    pub min_thinking_tokens: Option<u32>,
    /// The most of them.
    #[deserr(default)]
    pub max_thinking_tokens: Option<u32>,
    /// Whether an answer can be bound to a JSON Schema.
    #[deserr(default = true)]
    pub json_schema: bool,
    /// Whether pictures may be shown to it.
    #[deserr(default)]
    pub images_in: bool,
    /// Whether it can search the web by itself.
    #[deserr(default)]
    pub web_search: bool,
    /// The most tokens of input, if known.
    #[deserr(default)]
    pub max_input_tokens: Option<u32>,
    /// The most tokens of an answer, if known.
    #[deserr(default)]
    pub max_output_tokens: Option<u32>,
}

impl Default for Capabilities {
    fn default() -> Self {
        Self {
            sampling: true,
            thinking: ThinkingControl::None,
            thinking_off: false,
            thinking_levels: Effort::usual(),
            min_thinking_tokens: None,
            max_thinking_tokens: None,
            json_schema: true,
            images_in: false,
            web_search: false,
            max_input_tokens: None,
            max_output_tokens: None,
        }
    }
}

jsonb!(Capabilities);

text_enum! {
    /// How a model is told how much to think.
    ThinkingControl {
        /// It cannot be told.
        None = "none",
        /// By a number of tokens.
        Budget = "budget",
        /// By effort.
        Level = "level",
    }
}

text_enum! {
    /// Effort of thinking, from the least.
    Effort {
        /// As little as there is.
        Minimal = "minimal",
        /// Little.
        Low = "low",
        /// Between.
        Medium = "medium",
        /// Much.
        High = "high",
    }
}

impl Effort {
    /// Those that every model takes which is told by effort.
    pub fn usual() -> Vec<Self> {
        vec![Self::Low, Self::Medium, Self::High]
    }
}

#[expect(
    clippy::derivable_impls,
    reason = "the macro that makes the enum leaves no room for the derive"
)]
impl Default for ThinkingControl {
    fn default() -> Self {
        Self::None
    }
}
