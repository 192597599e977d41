//! Models: what is known of each, as data, since names, prices and abilities change by the month.

/// What a model takes and gives. Whatever is not known to work is left out of a request.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "camelCase", default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent fact about a model"
)]
pub struct Capabilities {
    /// Whether temperature, top-p and top-k are taken and have an effect.
    pub sampling: bool,
    /// How thinking is asked for.
    pub thinking: ThinkingControl,
    /// Whether an answer can be bound to a JSON Schema.
    pub json_schema: bool,
    /// Whether pictures may be shown to it.
    pub images_in: bool,
    /// Whether it can search the web by itself.
    pub web_search: bool,
    /// The most tokens of input, if known.
    pub max_input_tokens: Option<u32>,
    /// The most tokens of an answer, if known.
    pub max_output_tokens: Option<u32>,
}

impl Default for Capabilities {
    fn default() -> Self {
        Self {
            sampling: true,
            thinking: ThinkingControl::None,
            json_schema: true,
            images_in: false,
            web_search: false,
            max_input_tokens: None,
            max_output_tokens: None,
        }
    }
}

/// How a model is told how much to think.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Default,
    serde::Serialize,
    serde::Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum ThinkingControl {
    /// It cannot be told.
    #[default]
    None,
    /// By a number of tokens.
    Budget,
    /// By effort.
    Level,
}
