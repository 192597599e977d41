//! A task as it is written down: what it is to do, what it waits for, what it takes and gives.

use std::collections::BTreeSet;

use deserr::Deserr;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::Description;
pub use super::words::{
    DataPath, FunctionBody, ModelWord, OutputKey, PromptLink, ProviderWord, TaskId, TaskName,
    TemplateText,
};
use crate::{
    documents::{DocumentId, SearchMode},
    models::ModelRef,
    prompts::{PromptId, SflText},
    providers::generate::Sampling,
};

text_enum!(
    /// What a task does.
    TaskKind {
        /// Gives a value that is written down in it.
        DataInput = "DATA_INPUT",
        /// Asks a model.
        GeminiPrompt = "GEMINI_PROMPT",
        /// Asks a model that may search the web, and names its sources.
        GeminiGrounded = "GEMINI_GROUNDED",
        /// Shows a picture to a model.
        ImageAnalysis = "IMAGE_ANALYSIS",
        /// Runs a JavaScript function on its inputs.
        TextManipulation = "TEXT_MANIPULATION",
        /// Gives the value that a chart is drawn of.
        DisplayChart = "DISPLAY_CHART",
        /// Stands for a process that does not exist yet.
        SimulateProcess = "SIMULATE_PROCESS",
        /// Finds passages in documents.
        DocumentSearch = "DOCUMENT_SEARCH",
    }
);

impl TaskKind {
    /// Whether it asks a model.
    pub const fn asks_a_model(self) -> bool {
        matches!(
            self,
            Self::GeminiPrompt | Self::GeminiGrounded | Self::ImageAnalysis
        )
    }
}

/// How the model of a task is asked.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, Deserr, ToSchema)]
#[serde(rename_all = "camelCase", default)]
#[deserr(rename_all = camelCase)]
pub struct AgentConfig {
    /// The model's provider, where its name alone does not say it.
    #[deserr(default)]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub provider: Option<ProviderWord>,
    /// The model: its id, `provider/name` or name. Without one your company's default for text.
    #[deserr(default)]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub model: Option<ModelWord>,
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
    /// The most tokens of the answer, thinking included; 1 to 1 000 000.
    #[deserr(default)]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub max_output_tokens: Option<u32>,
    /// Instructions that stand above the prompt. Those of a linked prompt take their place.
    #[deserr(default)]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub system_instruction: Option<SflText>,
}

impl AgentConfig {
    /// The model that is named, as the registry takes it.
    pub fn model(&self) -> Option<ModelRef> {
        let model = self
            .model
            .as_ref()
            .map(ModelWord::as_str)
            .filter(|name| !name.is_empty())?;
        let provider = self.provider.as_ref().map_or("", ProviderWord::as_str);
        let is_whole =
            provider.is_empty() || model.contains('/') || model.parse::<uuid::Uuid>().is_ok();
        if is_whole {
            return model.parse().ok();
        }
        // What others call it.
        let provider = if provider == "google" {
            "gemini"
        } else {
            provider
        };
        format!("{provider}/{model}").parse().ok()
    }

    /// How the answer is to be drawn.
    pub fn sampling(&self) -> Sampling {
        Sampling {
            temperature: self.temperature,
            top_p: self.top_p,
            top_k: self.top_k,
            max_output_tokens: self.max_output_tokens,
            ..Sampling::default()
        }
    }
}

/// How often a task is tried again after a failure that may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Deserr, ToSchema)]
#[serde(rename_all = "camelCase")]
#[deserr(rename_all = camelCase)]
pub struct Retry {
    /// Tries in all, 1 to 10.
    #[deserr(default = 3)]
    #[schema(minimum = 1, maximum = 10, default = 3)]
    pub max_attempts: u16,
    /// Milliseconds before the second try, doubled before each further one; at most a minute.
    #[deserr(default = 1000)]
    #[schema(maximum = 60_000, default = 1000)]
    pub backoff_ms: u32,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            backoff_ms: 1000,
        }
    }
}

/// A task of a workflow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Deserr, ToSchema)]
#[serde(rename_all = "camelCase")]
#[deserr(rename_all = camelCase)]
#[schema(as = WorkflowTask)]
pub struct Task {
    /// Its name within the workflow.
    #[schema(value_type = String, min_length = 1, max_length = 100, pattern = "^[A-Za-z0-9_-]+$")]
    pub id: TaskId,
    /// What it is called.
    #[schema(value_type = String, min_length = 1, max_length = 200)]
    pub name: TaskName,
    /// What it is for.
    #[deserr(default)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, max_length = 2000)]
    pub description: Option<Description>,
    /// What it does.
    #[serde(rename = "type")]
    #[deserr(rename = "type")]
    #[schema(rename = "type")]
    pub kind: TaskKind,
    /// The tasks that have to be completed before it.
    #[deserr(default)]
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub dependencies: Vec<TaskId>,
    /// Where the values lie that it needs.
    #[deserr(default)]
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub input_keys: Vec<DataPath>,
    /// Under which name its result is kept.
    #[schema(value_type = String, min_length = 1, max_length = 50)]
    pub output_key: OutputKey,
    /// The prompt to be used; its persona, tone, audience and directives become instructions.
    #[deserr(default)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub prompt_id: Option<PromptLink>,
    /// What a model is told, or what is searched for, if no prompt is linked.
    #[deserr(default)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, max_length = 200_000)]
    pub prompt_template: Option<TemplateText>,
    /// How the model is asked.
    #[deserr(default)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_config: Option<AgentConfig>,
    /// What a `TEXT_MANIPULATION` does.
    #[deserr(default)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, max_length = 100_000)]
    pub function_body: Option<FunctionBody>,
    /// What a `DATA_INPUT` gives: a text with `{{ path }}` where values go, or any other value as it is.
    /// Of a `SIMULATE_PROCESS` the milliseconds that it takes, 1000 if absent.
    #[deserr(default)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub static_value: Option<Value>,
    /// Where the value lies that a `DISPLAY_CHART` shows.
    #[deserr(default)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub data_key: Option<DataPath>,
    /// The documents that a `DOCUMENT_SEARCH` looks into; all that you may see if there are none.
    #[deserr(default)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_ids: Option<Vec<DocumentId>>,
    /// How a `DOCUMENT_SEARCH` finds: by meaning if absent.
    #[deserr(default)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<SearchMode>,
    /// The most passages that a `DOCUMENT_SEARCH` gives, 1 to 50; 10 if absent.
    #[deserr(default)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 50)]
    pub limit: Option<i64>,
    /// How often it is tried; three times if absent.
    #[deserr(default)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// The seconds it may take in all its tries, 1 to 3600; 300 if absent.
    #[deserr(default)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 3600)]
    pub timeout_seconds: Option<u32>,
    /// Where it stands on a canvas.
    #[deserr(default)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position_x: Option<f64>,
    /// Likewise.
    #[deserr(default)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position_y: Option<f64>,
}

/// The tasks of a workflow.
#[derive(
    Debug,
    Clone,
    PartialEq,
    Serialize,
    Deserialize,
    ToSchema,
    diesel::expression::AsExpression,
    diesel::deserialize::FromSqlRow,
)]
#[diesel(sql_type = diesel::sql_types::Jsonb)]
#[serde(transparent)]
pub struct Tasks(pub Vec<Task>);

jsonb!(Tasks);

/// The seconds a task may take if it does not say.
pub const TIMEOUT_SECONDS: u32 = 300;

impl Task {
    /// Where the values lie that it needs.
    pub fn inputs(&self) -> impl Iterator<Item = &DataPath> {
        self.input_keys.iter().filter(|path| path.root().is_some())
    }

    /// The prompt it is linked to; of a kind that asks no model, none.
    pub fn prompt(&self) -> Option<PromptId> {
        if !self.kind.asks_a_model() {
            return None;
        }
        self.prompt_id.as_ref()?.as_str().parse().ok()
    }

    /// What a model is told, or what is searched for.
    pub fn template(&self) -> Option<&str> {
        if !self.kind.asks_a_model() && self.kind != TaskKind::DocumentSearch {
            return None;
        }
        let text = self.prompt_template.as_ref()?.as_str();
        Some(text).filter(|text| !text.trim().is_empty())
    }

    /// The function of its inputs.
    pub fn function(&self) -> Option<&str> {
        let text = self.function_body.as_ref()?.as_str();
        Some(text).filter(|text| !text.trim().is_empty())
    }

    /// The names of the values that it reads, its texts included; `linked` is what its prompt says.
    pub fn reads<'a>(&'a self, linked: Option<&'a str>) -> BTreeSet<&'a str> {
        let static_text = self.static_value.as_ref().and_then(Value::as_str);
        let static_text = static_text.filter(|_| self.kind == TaskKind::DataInput);
        let texts = [self.template(), static_text, linked];
        let in_texts = texts.into_iter().flatten().flat_map(super::template::paths);
        let chart = self
            .data_key
            .as_ref()
            .filter(|_| self.kind == TaskKind::DisplayChart);
        let paths = self.inputs().chain(chart).map(DataPath::as_str);
        let root = |path: &'a str| path.split('.').next().unwrap_or(path);
        paths.chain(in_texts).map(root).collect()
    }

    /// How its model is asked.
    pub fn agent(&self) -> AgentConfig {
        self.agent_config.clone().unwrap_or_default()
    }
}
