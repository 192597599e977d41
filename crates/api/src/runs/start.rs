//! Starting a run: everything that is wrong is told at once, before anything costs money.

use actix_web::{HttpResponse, http::header, post};
use db::{
    models::Model,
    runs::{NewRun, PromptChoice, StartError},
};
use deserr::Deserr;
use domain::{
    auth::Viewer,
    datasets::DatasetId,
    models::{ModelKind, ModelRef, Usd},
    prompts::{PromptId, PromptVersionId},
    runs::{
        CacheUse, Checks, Params, Plan,
        checks::{self, Check},
    },
    users::Visibility,
    workflows::WorkflowId,
};
use utoipa::ToSchema;

use super::{view, view::RunView};
use crate::{
    context::{Access, Context, Runner},
    error::{ApiError, ApiResult, Code, FieldFault},
    extract::{Body, Faults},
};

/// The most columns of a run.
const COLUMNS: usize = 4;

/// The most repetitions of a row.
const REPEATS: u16 = 10;

/// How large runs may be.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
#[expect(
    clippy::struct_field_names,
    reason = "they are named as the settings on the command line"
)]
pub struct RunLimits {
    /// The most cells of a run: rows times models times repeats.
    #[arg(long, env = "RUN_MAX_CELLS", default_value_t = 200_000, value_parser = clap::value_parser!(u32).range(1..=5_000_000))]
    pub run_max_cells: u32,
    /// Calls that a run has under way at once if it does not say.
    #[arg(long, env = "RUN_CONCURRENCY", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub run_concurrency: u16,
    /// The most it may ask for.
    #[arg(long, env = "RUN_MAX_CONCURRENCY", default_value_t = 500, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub run_max_concurrency: u16,
    /// Runs that one person follows at once, by server.
    #[arg(long, env = "RUN_MAX_LISTENERS", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub run_max_listeners: u32,
}

/// A run to be started.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, rename_all = camelCase)]
#[schema(rename_all = "camelCase")]
pub struct StartBody {
    /// The prompt, as it reads now; a version is made of it. Either this, `promptVersionId` or
    /// `workflowId`.
    #[deserr(default)]
    prompt_id: Option<PromptId>,
    /// A version of a prompt, as it is.
    #[deserr(default)]
    prompt_version_id: Option<PromptVersionId>,
    /// A workflow that is tried instead of a prompt: each row is its `userInput`, and what its last tasks
    /// make is the output. Its tasks bring their own parameters.
    #[deserr(default)]
    workflow_id: Option<WorkflowId>,
    /// The rows to try it on; without any it is tried once.
    #[deserr(default)]
    dataset_id: Option<DatasetId>,
    /// The models, a column each, 1 to 4; one may come several times. Each by id, `provider/name`
    /// or name. In a workflow they take the place of those that its tasks name; without any, these
    /// are asked.
    #[deserr(default)]
    #[schema(value_type = Vec<String>, max_items = 4)]
    model_ids: Vec<ModelRef>,
    /// How models are asked.
    #[deserr(default)]
    params: Params,
    /// A prompt that judges the outputs, with the columns and `output` as its variables.
    #[deserr(default)]
    grader_prompt_id: Option<PromptId>,
    /// The model that does so; your company's default for text if none is named.
    #[deserr(default)]
    #[schema(value_type = Option<String>)]
    grader_model_id: Option<ModelRef>,
    /// Rules that outputs are held against.
    #[deserr(default)]
    #[schema(max_items = 20)]
    checks: Vec<Check>,
    /// The column with the answer that is expected.
    #[deserr(default)]
    expected_column: Option<String>,
    /// How often each row is repeated, 1 to 10.
    #[deserr(default = 1)]
    #[schema(minimum = 1, maximum = 10, default = 1)]
    repeats: u16,
    /// Calls under way at once.
    #[deserr(default)]
    #[schema(minimum = 1)]
    concurrency: Option<u16>,
    /// The most the run may cost.
    #[deserr(default)]
    #[schema(value_type = Option<String>)]
    budget_usd: Option<Usd>,
    /// Use of kept responses.
    #[deserr(default = CacheUse::Use)]
    cache: CacheUse,
    /// The most rows.
    #[deserr(default)]
    #[schema(minimum = 1)]
    row_limit: Option<u32>,
    /// Whether models without a known price are called all the same.
    #[deserr(default)]
    pub allow_unpriced: bool,
    /// Who besides you may see it.
    #[deserr(default = Visibility::Private)]
    visibility: Visibility,
}

/// Starts a run: version, columns, cells and jobs, or nothing and every reason why not.
#[utoipa::path(tag = "Runs", request_body = StartBody, responses((status = 201, body = RunView)))]
#[post("/runs")]
pub async fn start(
    context: Context<Runner>,
    Body(body): Body<StartBody>,
) -> ApiResult<HttpResponse> {
    let new = body.into_new(&context).await?;
    let mut conn = context.db().await?;
    let run = db::runs::start(&mut conn, &context.who, &new).await?;
    drop(conn);
    context.app().wake.notify_one();
    let view = view(&context, run.id).await?;
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, format!("/api/runs/{}", run.id)))
        .json(view))
}

impl From<StartError> for ApiError {
    fn from(cause: StartError) -> Self {
        match cause {
            StartError::Faults(faults) => refuse(faults),
            StartError::Database(cause) => cause.into(),
        }
    }
}

fn refuse<F: Into<String>>(faults: Vec<(F, String)>) -> ApiError {
    let faults = faults.into_iter().map(|(field, message)| FieldFault {
        field: field.into(),
        message,
    });
    ApiError::faults(Code::Invalid, faults.collect())
}

/// A budget has to be something.
pub fn check_budget(budget: Option<Usd>) -> ApiResult<()> {
    match budget {
        Some(budget) if budget <= Usd::ZERO => {
            Err(ApiError::invalid("budgetUsd", "must be more than nothing"))
        }
        _ => Ok(()),
    }
}

impl StartBody {
    /// The run that is meant, its models found; every fault that can be told without the rows.
    #[expect(
        clippy::too_many_lines,
        reason = "each member of the request, one after the other"
    )]
    pub async fn into_new<A: Access<Who = Viewer>>(
        self,
        context: &Context<A>,
    ) -> ApiResult<NewRun> {
        let limits = &context.app().config.runs;
        let mut faults = self.faults(limits);
        let mut conn = context.db().await?;
        let company = context.who.company_id;
        let mut models = Vec::new();
        for wanted in self.model_ids.iter().take(COLUMNS) {
            let found = db::models::resolve(&mut conn, company, wanted).await?;
            models.extend(self.usable(
                found.map(|found| found.model),
                "modelIds",
                wanted.as_str(),
                &mut faults,
            ));
        }
        let grader_model = match (&self.grader_prompt_id, &self.grader_model_id) {
            (None, _) => None,
            (Some(_), Some(wanted)) => {
                let found = db::models::resolve(&mut conn, company, wanted).await?;
                self.usable(
                    found.map(|found| found.model),
                    "graderModelId",
                    wanted.as_str(),
                    &mut faults,
                )
            }
            (Some(_), None) => {
                let found = tasks::callee::default_model(
                    &mut conn,
                    &context.app().gateway,
                    context.who.company_id,
                )
                .await?;
                self.usable(
                    found.map(|found| found.model),
                    "graderModelId",
                    "the default",
                    &mut faults,
                )
            }
        };
        let prompt = match (self.prompt_id, self.prompt_version_id, self.workflow_id) {
            (Some(id), None, None) => Some(PromptChoice::Current(id)),
            (None, Some(id), None) => Some(PromptChoice::Version(id)),
            (None, None, Some(id)) => Some(PromptChoice::Workflow(id)),
            _ => None,
        };
        let Some(prompt) = prompt.filter(|_| faults.is_empty()) else {
            return Err(refuse(faults));
        };
        Ok(NewRun {
            prompt,
            dataset_id: self.dataset_id,
            models,
            plan: Plan {
                params: self.params,
                checks: Checks(self.checks),
                expected_column: self.expected_column,
                is_graded: self.grader_prompt_id.is_some(),
                cache: self.cache,
                own_models: self.model_ids.is_empty(),
                allow_unpriced: self.allow_unpriced,
            },
            grader: self.grader_prompt_id,
            grader_model,
            repeats: self.repeats,
            concurrency: self.concurrency.unwrap_or(limits.run_concurrency),
            budget: self.budget_usd,
            row_limit: self.row_limit,
            most_cells: limits.run_max_cells,
            visibility: self.visibility,
            request_id: context.actor().request_id,
        })
    }

    /// The rules that are broken whatever the rows are.
    fn faults(&self, limits: &RunLimits) -> Vec<(String, String)> {
        let most = limits.run_max_concurrency;
        let concurrency = self.concurrency.unwrap_or(1);
        let targets = [
            self.prompt_id.is_some(),
            self.prompt_version_id.is_some(),
            self.workflow_id.is_some(),
        ];
        let targets = targets.into_iter().filter(|is_named| *is_named).count();
        let least = usize::from(self.workflow_id.is_none());
        let rules = [
            (
                "promptId",
                targets == 1,
                "one of promptId, promptVersionId and workflowId is needed, and no second"
                    .to_owned(),
            ),
            (
                "modelIds",
                (least..=COLUMNS).contains(&self.model_ids.len()),
                format!(
                    "must have 1 to {COLUMNS} models, and has {}",
                    self.model_ids.len()
                ),
            ),
            (
                "repeats",
                (1..=REPEATS).contains(&self.repeats),
                format!("must be between 1 and {REPEATS}"),
            ),
            (
                "concurrency",
                (1..=most).contains(&concurrency),
                format!("must be between 1 and {most}"),
            ),
            (
                "budgetUsd",
                self.budget_usd.is_none_or(|budget| budget > Usd::ZERO),
                "must be more than nothing".to_owned(),
            ),
            (
                "rowLimit",
                self.row_limit != Some(0),
                "must be at least 1".to_owned(),
            ),
        ];
        let broken = rules.into_iter().filter(|(_, holds, _)| !holds);
        let mut faults: Vec<_> = broken
            .map(|(field, _, message)| (field.to_owned(), message))
            .collect();
        let params = self.params.faults().into_iter();
        faults.extend(
            params.map(|(member, sentence)| (format!("params.{member}"), sentence.to_owned())),
        );
        let checks = checks::faults(&self.checks).into_iter();
        faults.extend(
            checks.map(|(place, member, fault)| (format!("checks[{place}].{member}"), fault.0)),
        );
        faults
    }

    /// A model that a run may use; what is wrong with another goes to `faults`.
    fn usable(
        &self,
        model: Option<Model>,
        field: &'static str,
        name: &str,
        faults: &mut Vec<(String, String)>,
    ) -> Option<Model> {
        let fault = match &model {
            None => Some(format!(
                "\"{name}\" is no active model; GET /api/models lists them"
            )),
            Some(model) if model.kind != ModelKind::Text => {
                Some(format!("\"{name}\" is no model that answers in text"))
            }
            Some(model) if model.prices.0.is_empty() && !self.allow_unpriced => Some(format!(
                "\"{name}\" has no known price; with allowUnpriced it is called all the same"
            )),
            Some(_) => None,
        };
        faults.extend(fault.map(|message| (field.to_owned(), message)));
        model
    }
}
