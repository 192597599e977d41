//! What a cell asks its model, made of a prompt, the values of its row and the run's parameters.

use std::collections::BTreeMap;

use db::{
    models::{Model, ResolvedModel},
    runs::Target,
};
use domain::{
    documents::Sha256,
    prompts::{Body, placeholders},
    providers::generate::{Output, Part, Request, Speaker, Turn},
    runs::{Stage, estimate::Bounds},
    users::CompanyId,
};
use serde_json::json;

/// The most tokens of an answer where a budget is to hold and nothing else is known.
const BUDGETED_OUTPUT: u32 = 8192;

/// Values by the names of their columns.
pub type Values = BTreeMap<String, String>;

/// The values of a row; a column without one is left out.
pub fn values(headers: &[String], row: Option<&[Option<String>]>) -> Values {
    let row = row.unwrap_or_default();
    let pairs = headers.iter().zip(row);
    pairs
        .filter_map(|(header, value)| Some((header.clone(), value.clone()?)))
        .collect()
}

/// Why a prompt and a row make no question.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The row has no value for these.
    #[error("The row has no value for {0}.")]
    Missing(String),
    /// It grew beyond every bound.
    #[error(transparent)]
    TooLong(#[from] placeholders::TooLong),
}

impl RenderError {
    /// A stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing(_) => "missing_value",
            Self::TooLong(_) => "input_too_long",
        }
    }
}

/// The prompt with the values of a row.
pub fn render(body: &Body, values: &Values) -> Result<String, RenderError> {
    let rendered = placeholders::render(body.prompt_text.as_str(), values)?;
    if rendered.missing.is_empty() {
        return Ok(rendered.text);
    }
    let names: Vec<_> = rendered
        .missing
        .iter()
        .map(|name| format!("\"{name}\""))
        .collect();
    Err(RenderError::Missing(names.join(", ")))
}

/// The request for a text. A run with a budget bounds every answer, so that what it may cost is known.
pub fn request(
    target: &Target,
    model: &ResolvedModel,
    stage: Stage,
    text: String,
    repeat: i16,
) -> Request {
    let (model, params) = (&model.model, &target.plan.params);
    let mut request = Request {
        model: model.model.as_str().to_owned(),
        capabilities: model.capabilities.clone(),
        turns: vec![Turn {
            speaker: Speaker::User,
            parts: vec![Part::Text(text)],
        }],
        ..Request::default()
    };
    // A grader is told nothing but its prompt: the parameters are the generator's.
    if stage == Stage::Generate {
        request.system = params
            .system_instruction
            .as_ref()
            .map(|text| text.as_str().to_owned());
        request.sampling = params.sampling(repeat);
        request.thinking = params.thinking();
    }
    bounded(target, model, request)
}

/// The request with a bound to its answer, if a budget is to hold and nothing else is known.
pub fn bounded(target: &Target, model: &Model, mut request: Request) -> Request {
    let known = request
        .sampling
        .max_output_tokens
        .or(model.capabilities.max_output_tokens);
    if target.budget.is_some() && known.is_none() {
        request.sampling.max_output_tokens = Some(BUDGETED_OUTPUT);
    }
    request
}

/// The name of everything that an answer depends on, for one company.
pub fn key(company: CompanyId, model: &ResolvedModel, request: &Request, repeat: i16) -> Sha256 {
    let address = model.key.as_ref().and_then(|key| key.base_url.as_deref());
    let said: Vec<_> = request
        .turns
        .iter()
        .flat_map(|turn| &turn.parts)
        .map(|part| match part {
            Part::Text(text) => json!({ "text": text }),
            Part::Image(image) => json!({ "image": Sha256::of(&image.bytes) }),
        })
        .collect();
    let sampling = &request.sampling;
    let output = match &request.output {
        Output::Text => json!(null),
        Output::Image => json!("image"),
        Output::Json { schema, .. } => schema.clone(),
    };
    let all = json!([
        company,
        model.model.provider,
        address,
        request.model,
        request.system,
        said,
        output,
        sampling.temperature,
        sampling.top_p,
        sampling.top_k,
        sampling.max_output_tokens,
        sampling.stop,
        sampling.seed,
        format!("{:?}", request.thinking),
        request.web_search,
        repeat,
    ]);
    Sha256::of(all.to_string().as_bytes())
}

/// What a call can come to at most: the bytes that may be counted as input, and the longest answer.
pub fn bounds(request: &Request) -> Bounds {
    let system = request.system.as_ref().map_or(0, String::len);
    let parts = request.turns.iter().flat_map(|turn| &turn.parts);
    let (mut said, mut pictures) = (0, 0);
    for part in parts {
        match part {
            Part::Text(text) => said += text.len(),
            Part::Image(_) => pictures += 1,
        }
    }
    let asked = request.sampling.max_output_tokens;
    let most = request.capabilities.max_output_tokens;
    Bounds {
        request_bytes: (system + said) as u64,
        pictures,
        max_output_tokens: asked.into_iter().chain(most).min().unwrap_or(0),
    }
}
