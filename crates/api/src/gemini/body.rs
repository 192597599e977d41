//! What is asked in a trial of a prompt: the text with its values, pictures, and wishes.

use std::collections::BTreeMap;

use deserr::Deserr;
use domain::{
    models::ModelRef,
    prompts::{PromptText, SflText, placeholders},
    providers::{
        ThinkingWish,
        generate::{Image, Part, Request, Sampling},
    },
};
use tasks::Callee;
use utoipa::ToSchema;

use super::{
    ask,
    pictures::{self, Picture},
};
use crate::{
    context::{Context, Runner},
    error::{ApiError, ApiResult, Code, FieldFault},
    extract::Faults,
};

/// A prompt to be tried.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, rename_all = camelCase, validate = check -> Faults)]
#[schema(rename_all = "camelCase")]
pub struct TestBody {
    /// The prompt, 1 to 200 000 characters.
    #[schema(value_type = String, min_length = 1, max_length = 200_000)]
    prompt_text: PromptText,
    /// Values for its placeholders. Sent at all, every placeholder needs one; not sent, the text goes
    /// as it is.
    #[deserr(default)]
    variables: Option<BTreeMap<String, String>>,
    /// The model: its id, `provider/name` or name. Without one your company's default for text, or
    /// the mock while there is no key for that.
    #[deserr(default)]
    model: Option<ModelRef>,
    /// Instructions that stand above the prompt.
    #[deserr(default)]
    #[schema(value_type = Option<String>)]
    system_instruction: Option<SflText>,
    /// 0 to 2. What a model does not take is left out and named in `notApplied`.
    #[deserr(default)]
    #[schema(minimum = 0, maximum = 2)]
    temperature: Option<f64>,
    /// Above 0, to 1.
    #[deserr(default)]
    #[schema(exclusive_minimum = 0, maximum = 1)]
    top_p: Option<f64>,
    /// 1 to 1000.
    #[deserr(default)]
    #[schema(minimum = 1, maximum = 1000)]
    top_k: Option<u32>,
    /// The most tokens of the answer, thinking included; 1 to 1 000 000.
    #[deserr(default)]
    #[schema(minimum = 1, maximum = 1_000_000)]
    max_output_tokens: Option<u32>,
    /// At most five texts at which the answer ends.
    #[deserr(default)]
    #[schema(max_items = 5)]
    stop_sequences: Vec<String>,
    /// For an answer that can be had again, where the provider keeps that promise.
    #[deserr(default)]
    seed: Option<i64>,
    /// Whether the model may search the web, if it can.
    #[deserr(default)]
    web_search: bool,
    /// Pictures that the model is shown before the prompt: at most 8, of 10 MiB in all.
    #[deserr(default)]
    #[schema(max_items = 8)]
    images: Vec<Picture>,
    /// How much it is to think: `"off"`, `{"budget": tokens}` or `{"level": "low"}`. The nearest that
    /// the model takes is sent; another than was wished for is named in `notApplied`.
    #[deserr(default)]
    thinking: Option<ThinkingWish>,
}

fn check(body: TestBody, _: deserr::ValuePointerRef<'_>) -> Result<TestBody, Faults> {
    let broken: Vec<FieldFault> = body
        .sampling()
        .faults()
        .into_iter()
        .map(|(field, message)| FieldFault {
            field: field.into(),
            message: message.into(),
        })
        .chain(pictures::faults(&body.images))
        .collect();
    if broken.is_empty() {
        Ok(body)
    } else {
        Err(Faults::broken_rules(broken))
    }
}

impl TestBody {
    /// The model that is named.
    pub(super) fn model(&self) -> Option<&ModelRef> {
        self.model.as_ref()
    }

    /// How the answer is to be drawn.
    fn sampling(&self) -> Sampling {
        Sampling {
            temperature: self.temperature,
            top_p: self.top_p,
            top_k: self.top_k,
            max_output_tokens: self.max_output_tokens,
            stop: self.stop_sequences.clone(),
            seed: self.seed,
        }
    }

    /// The prompt with its values; every placeholder without one is a fault.
    fn text(&self) -> ApiResult<String> {
        let text = self.prompt_text.as_str();
        let Some(values) = &self.variables else {
            return Ok(text.to_owned());
        };
        let rendered = placeholders::render(text, values)
            .map_err(|fault| ApiError::invalid("variables", fault.to_string()))?;
        if rendered.missing.is_empty() {
            return Ok(rendered.text);
        }
        let missing = rendered.missing.iter().map(|name| FieldFault {
            field: format!("variables.{name}"),
            message: "is missing: the prompt has a placeholder of this name".into(),
        });
        Err(ApiError::faults(Code::Invalid, missing.collect()))
    }

    /// What the model is asked.
    pub(super) async fn request(
        mut self,
        context: &Context<Runner>,
        callee: &Callee,
    ) -> ApiResult<Request> {
        let mut asked = callee.request(&self.text()?);
        let pictures: Vec<Image> = std::mem::take(&mut self.images)
            .into_iter()
            .map(Into::into)
            .collect();
        if !pictures.is_empty() {
            ask::must_see(context, callee).await?;
        }
        if let Some(turn) = asked.turns.first_mut() {
            turn.parts
                .splice(0..0, pictures.into_iter().map(Part::Image));
        }
        Ok(Request {
            sampling: self.sampling(),
            system: self.system_instruction.map(|text| text.as_str().to_owned()),
            web_search: self.web_search,
            thinking: self.thinking.map(Into::into),
            ..asked
        })
    }
}
