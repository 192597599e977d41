//! What is decided about a run when it starts, and holds until its end.

use deserr::Deserr;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Checks;
use crate::{
    prompts::SflText,
    providers::{
        ThinkingWish,
        generate::{Sampling, Thinking},
    },
};

text_enum!(
    /// How a run uses the responses that were kept of earlier calls.
    CacheUse {
        /// A kept response takes the place of a call.
        Use = "use",
        /// Every call is made, and its response kept.
        Refresh = "refresh",
        /// Every call is made; nothing is kept.
        Off = "off",
        /// No call is made: a cell without a kept response fails.
        ReplayOnly = "replayOnly",
    }
);

/// How models are asked.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, Deserr, ToSchema)]
#[serde(rename_all = "camelCase", default)]
#[deserr(rename_all = camelCase)]
pub struct Params {
    /// 0 to 2. What a model does not take is left out.
    #[deserr(default)]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 2)]
    pub temperature: Option<f64>,
    /// Above 0, to 1.
    #[deserr(default)]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(exclusive_minimum = 0, maximum = 1)]
    pub top_p: Option<f64>,
    /// 1 to 1000.
    #[deserr(default)]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1000)]
    pub top_k: Option<u32>,
    /// The most tokens of an answer, thinking included; 1 to 1 000 000.
    #[deserr(default)]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub max_output_tokens: Option<u32>,
    /// At most five texts of 1 to 200 bytes at which an answer ends.
    #[deserr(default)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 5)]
    pub stop_sequences: Vec<String>,
    /// For answers that can be had again; each repetition counts on from it.
    #[deserr(default)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<i64>,
    /// Instructions that stand above the prompt.
    #[deserr(default)]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub system_instruction: Option<SflText>,
    /// How much models are to think.
    #[deserr(default)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thinking: Option<ThinkingWish>,
}

impl Params {
    /// The rules that are broken: a member and a sentence each.
    pub fn faults(&self) -> Vec<(&'static str, &'static str)> {
        self.sampling(0).faults()
    }

    /// How the answer of this repetition is drawn.
    pub fn sampling(&self, repeat: i16) -> Sampling {
        Sampling {
            temperature: self.temperature,
            top_p: self.top_p,
            top_k: self.top_k,
            max_output_tokens: self.max_output_tokens,
            stop: self.stop_sequences.clone(),
            seed: self.seed.map(|seed| seed.wrapping_add(repeat.into())),
        }
    }

    /// What the model is told about thinking.
    pub fn thinking(&self) -> Option<Thinking> {
        self.thinking.map(Into::into)
    }
}

/// Everything that was decided at the start.
#[derive(
    Debug,
    Clone,
    PartialEq,
    Serialize,
    Deserialize,
    diesel::expression::AsExpression,
    diesel::deserialize::FromSqlRow,
)]
#[diesel(sql_type = diesel::sql_types::Jsonb)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// How models are asked.
    pub params: Params,
    /// The rules that outputs are held against.
    #[serde(default)]
    pub checks: Checks,
    /// The column with the answer that is expected.
    #[serde(default)]
    pub expected_column: Option<String>,
    /// Whether a grader prompt judges the outputs.
    #[serde(default)]
    pub is_graded: bool,
    /// Use of kept responses.
    pub cache: CacheUse,
    /// Whether the tasks of a workflow ask the models that they name themselves.
    #[serde(default)]
    pub own_models: bool,
    /// Whether models without a price are called although nobody can tell what that costs.
    #[serde(default)]
    pub allow_unpriced: bool,
}

jsonb!(Plan);
