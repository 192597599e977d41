//! Having a prompt drafted in SFL form: from a goal, or from a prompt and a suggestion. What comes
//! back is a whole draft or an error, and nothing is saved.

use actix_web::{post, web::Json};
use deserr::Deserr;
use domain::{
    documents::{DocumentId, SearchQuery},
    models::ModelRef,
    prompts::{
        ExampleOutput, PromptNotes, PromptText, SflField, SflMode, SflTenor, SflText,
        SourceDocument, SourceText,
        draft::{self, Draft, Goal, Source},
    },
    providers::generate::{Finish, Output, Request, Speaker},
};
use serde_json::{Value, json};
use tasks::callee::turn;
use utoipa::ToSchema;

use super::ask::callee;
use crate::{
    context::{Context, Runner},
    error::{ApiError, ApiResult, Code, FieldFault, More},
    extract::{Body, Faults},
    search,
};

/// How often a model is asked: once more, with what was wrong, if its answer cannot be used.
const ATTEMPTS: usize = 2;

/// Passages of the caller's documents that a draft is grounded in.
const PASSAGES: i64 = 8;

/// The most documents that a draft may be grounded in.
const DOCUMENTS: usize = 100;

/// What a source document without a name is called.
const UNNAMED: &str = "document";

/// A prompt that is wanted.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, rename_all = camelCase)]
#[schema(rename_all = "camelCase")]
pub struct GoalBody {
    /// What the prompt is to achieve, 1 to 20 000 characters.
    #[schema(value_type = String, min_length = 1, max_length = 20_000)]
    goal: Goal,
    /// A document whose style and terms to keep to. It comes back as `sourceDocument`.
    #[deserr(default)]
    #[schema(value_type = Option<String>)]
    source_doc_content: Option<SourceText>,
    /// The document's name.
    #[deserr(default)]
    #[schema(value_type = Option<String>)]
    source_doc_name: Option<domain::prompts::SourceName>,
    /// Documents of yours, at most 100, whose passages on the goal the prompt is grounded in.
    #[deserr(default)]
    document_ids: Vec<DocumentId>,
    /// The model: its id, `provider/name` or name.
    #[deserr(default)]
    model: Option<ModelRef>,
}

/// A prompt that is to be changed. Members that describe no prompt are ignored.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, rename_all = camelCase)]
#[schema(rename_all = "camelCase")]
pub struct CurrentPrompt {
    #[deserr(default)]
    #[schema(value_type = String)]
    title: SflText,
    prompt_text: PromptText,
    #[deserr(default)]
    sfl_field: SflField,
    #[deserr(default)]
    sfl_tenor: SflTenor,
    #[deserr(default)]
    sfl_mode: SflMode,
    #[deserr(default)]
    #[schema(value_type = Option<String>)]
    example_output: Option<ExampleOutput>,
    #[deserr(default)]
    #[schema(value_type = Option<String>)]
    notes: Option<PromptNotes>,
    #[deserr(default)]
    source_document: Option<SourceDocument>,
}

/// A prompt, and how it is to be changed.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, rename_all = camelCase)]
#[schema(rename_all = "camelCase")]
pub struct SuggestionBody {
    /// The prompt as it is. Its `sourceDocument` comes back unchanged.
    current_prompt: CurrentPrompt,
    /// What is to become of it, 1 to 20 000 characters.
    #[schema(value_type = String, min_length = 1, max_length = 20_000)]
    suggestion: Goal,
    /// The model: its id, `provider/name` or name.
    #[deserr(default)]
    model: Option<ModelRef>,
}

/// Drafts a prompt for a goal. It has no id yet: saving it is another request.
#[utoipa::path(tag = "Models", request_body = GoalBody, responses((status = 200, body = Draft)))]
#[post("/gemini/generate-sfl")]
pub async fn generate_sfl(
    context: Context<Runner>,
    Body(body): Body<GoalBody>,
) -> ApiResult<Json<Draft>> {
    let found = passages(&context, &body).await?;
    let sources: Vec<Source<'_>> = found
        .iter()
        .map(|hit| Source {
            name: &hit.file_name,
            text: &hit.text,
        })
        .collect();
    let document = body.source_doc_content.as_ref().map(SourceText::as_str);
    let message = draft::from_goal(body.goal.as_str(), document, &sources);
    let name = body.source_doc_name.or_else(|| UNNAMED.parse().ok());
    let source = name
        .zip(body.source_doc_content)
        .map(|(name, content)| SourceDocument { name, content });
    drafted(&context, body.model.as_ref(), &message, source).await
}

/// Drafts a prompt anew as suggested. Nothing is saved.
#[utoipa::path(tag = "Models", request_body = SuggestionBody, responses((status = 200, body = Draft)))]
#[post("/gemini/regenerate-sfl")]
pub async fn regenerate_sfl(
    context: Context<Runner>,
    Body(body): Body<SuggestionBody>,
) -> ApiResult<Json<Draft>> {
    let current = body.current_prompt;
    let shown = json!({
        "title": current.title, "promptText": current.prompt_text, "sflField": current.sfl_field,
        "sflTenor": current.sfl_tenor, "sflMode": current.sfl_mode,
        "exampleOutput": current.example_output, "notes": current.notes,
    });
    let message = draft::from_suggestion(&shown, body.suggestion.as_str());
    drafted(
        &context,
        body.model.as_ref(),
        &message,
        current.source_document,
    )
    .await
}

/// The passages of the chosen documents that have to do with the goal.
async fn passages(
    context: &Context<Runner>,
    body: &GoalBody,
) -> ApiResult<Vec<db::documents::search::Hit>> {
    if body.document_ids.is_empty() {
        return Ok(Vec::new());
    }
    if body.document_ids.len() > DOCUMENTS {
        let needed = format!("must have at most {DOCUMENTS} items");
        return Err(ApiError::invalid("documentIds", needed));
    }
    let ids = body.document_ids.clone();
    let searchable =
        db::documents::searchable(&mut *context.db().await?, &context.who, &ids).await?;
    let faults: Vec<FieldFault> = (0..)
        .zip(&ids)
        .filter(|(_, id)| !searchable.contains(id))
        .map(|(place, _)| FieldFault {
            field: format!("documentIds[{place}]"),
            message: "is no document of yours that can be searched yet".into(),
        })
        .collect();
    if !faults.is_empty() {
        return Err(ApiError::faults(Code::Invalid, faults));
    }
    let start: String = body.goal.as_str().chars().take(2000).collect();
    let query: SearchQuery = start
        .parse()
        .map_err(|fault: domain::Fault| ApiError::invalid("goal", fault.to_string()))?;
    search::passages(context, query, ids, PASSAGES).await
}

async fn drafted(
    context: &Context<Runner>,
    model: Option<&ModelRef>,
    message: &str,
    source: Option<SourceDocument>,
) -> ApiResult<Json<Draft>> {
    let wanted = Wanted {
        instructions: draft::INSTRUCTIONS,
        name: "prompt_draft",
        schema: draft::schema(),
        what: "prompt",
        again: draft::again,
    };
    let read = |output: &str| draft::read(output, source.clone());
    let draft = wanted.from(context, model, message, read).await?;
    Ok(Json(draft))
}

/// What a model is to write, and how it is told.
pub struct Wanted {
    /// What stands above the conversation.
    pub instructions: &'static str,
    /// A word for the schema.
    pub name: &'static str,
    /// What it has to look like.
    pub schema: Value,
    /// What it is, in an error's words.
    pub what: &'static str,
    /// What the model is told when that could not be used.
    pub again: fn(&[String]) -> String,
}

impl Wanted {
    /// Has the model write it; once more, with what was wrong, if `read` cannot use the first answer.
    pub async fn from<T>(
        self,
        context: &Context<Runner>,
        model: Option<&ModelRef>,
        message: &str,
        read: impl Fn(&str) -> Result<T, Vec<String>>,
    ) -> ApiResult<T> {
        let callee = callee(context, model).await?;
        let mut request = Request {
            system: Some(self.instructions.to_owned()),
            output: Output::Json {
                name: self.name.into(),
                schema: self.schema,
            },
            ..callee.request(message)
        };
        let (mut output, mut faults) = (String::new(), Vec::new());
        for _ in 0..ATTEMPTS {
            let reply = callee.provider().generate(&request).await?;
            if let Finish::Refused(reason) = reply.finish {
                let detail =
                    format!("The model refused to answer: {reason}. Word the request differently.");
                return Err(ApiError::new(Code::Invalid, detail));
            }
            output = reply.text;
            faults = match read(&output) {
                Ok(written) => return Ok(written),
                Err(faults) => faults,
            };
            let answered = turn(Speaker::Model, &output);
            request.turns.truncate(1);
            request
                .turns
                .extend([answered, turn(Speaker::User, &(self.again)(&faults))]);
        }
        Err(unusable(self.what, output, &faults))
    }
}

/// The raw output goes to who asked, who may make something of it; it is not logged.
fn unusable(what: &str, output: String, faults: &[String]) -> ApiError {
    let detail = format!(
        "The model's answer is no {what}, even when asked again: {}. Try again, or take another model.",
        faults.join("; ")
    );
    ApiError::new(Code::ModelOutputInvalid, detail).with(More {
        raw_output: Some(output),
        ..More::default()
    })
}
