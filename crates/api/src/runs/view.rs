//! A run as it is shown.

use chrono::{DateTime, Utc};
use db::{
    prompts::Owner,
    runs::{Column, Run, Sums},
};
use domain::{
    datasets::DatasetId,
    models::{ModelId, Usd},
    prompts::{PromptId, PromptVersionId},
    runs::{CacheUse, Checks, Params, RunId, RunStatus},
    users::Visibility,
};
use serde::Serialize;
use utoipa::ToSchema;

/// A run.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::struct_field_names,
    reason = "they are named as the members on the wire"
)]
pub struct RunView {
    /// Which.
    id: RunId,
    /// Where it stands.
    #[schema(inline)]
    status: RunStatus,
    /// The prompt, as long as there is one.
    prompt_id: Option<PromptId>,
    /// What of it was run.
    prompt_version_id: Option<PromptVersionId>,
    /// The prompt's title at the start.
    prompt_title: String,
    /// What the version is called, such as `Generator 6`.
    version_label: String,
    /// The prompt that judges.
    grader_prompt_id: Option<PromptId>,
    /// What of it is used.
    grader_version_id: Option<PromptVersionId>,
    /// The model that judges.
    grader_model_id: Option<ModelId>,
    /// The rows.
    dataset_id: Option<DatasetId>,
    /// As they were in this version.
    dataset_version: Option<i32>,
    /// The models, a column each.
    model_ids: Vec<Option<ModelId>>,
    /// How models are asked.
    params: Params,
    /// The rules that outputs are held against.
    checks: Checks,
    /// The column with the answer that is expected.
    expected_column: Option<String>,
    /// Use of kept responses.
    #[schema(inline)]
    cache: CacheUse,
    /// How many rows.
    row_count: i32,
    /// How often each is repeated.
    repeats: i16,
    /// Calls under way at once.
    concurrency: i16,
    /// The most it may cost.
    budget_usd: Option<Usd>,
    /// How many cells it has.
    cell_count: i32,
    /// How many of them are queued or running.
    open_cells: i32,
    /// The number of its newest event.
    last_event_id: i64,
    /// What its columns come to.
    summary: Summary,
    /// Whose it is.
    owner: Owner,
    /// Who besides may see it.
    #[schema(inline)]
    visibility: Visibility,
    /// When it was started.
    created_at: DateTime<Utc>,
    /// When its last cell ended.
    finished_at: Option<DateTime<Utc>>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What a run comes to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Summary {
    /// Its columns.
    columns: Vec<ColumnView>,
    /// What every settled call cost, failed and repeated ones included.
    total_cost: Usd,
    /// What other calls may cost at most: those under way, and those whose end nobody knows.
    reserved: Usd,
    /// The part of `reserved` of which nobody will know: its workers were killed.
    unresolved: Usd,
}

/// What a column comes to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ColumnView {
    /// Its place, from 0.
    index: i16,
    /// Its model, as long as there is one.
    model_id: Option<ModelId>,
    /// `provider/name` at the start.
    model: String,
    /// Cells by where they stand.
    counts: Counts,
    /// What its outputs cost.
    cost: Usd,
    /// What judging them cost.
    grader_cost: Usd,
    /// Tokens of the inputs.
    tokens_in: i64,
    /// Tokens of the outputs, thinking included.
    tokens_out: i64,
    /// Tokens that were thoughts.
    tokens_thinking: i64,
}

/// Cells by where they stand.
#[derive(Debug, Serialize, ToSchema)]
struct Counts {
    queued: i32,
    running: i32,
    completed: i32,
    malformed: i32,
    failed: i32,
    cancelled: i32,
}

impl RunView {
    /// A run with what its columns come to.
    pub fn of(run: Run, sums: Sums) -> Self {
        Self {
            id: run.id,
            status: run.status,
            prompt_id: run.prompt_id,
            prompt_version_id: run.prompt_version_id,
            prompt_title: run.prompt_title,
            version_label: run.version_label,
            grader_prompt_id: run.grader_prompt_id,
            grader_version_id: run.grader_version_id,
            grader_model_id: run.grader_model_id,
            dataset_id: run.dataset_id,
            dataset_version: run.dataset_version,
            model_ids: sums.columns.iter().map(|column| column.model_id).collect(),
            params: run.plan.params,
            checks: run.plan.checks,
            expected_column: run.plan.expected_column,
            cache: run.plan.cache,
            row_count: run.row_count,
            repeats: run.repeats,
            concurrency: run.concurrency,
            budget_usd: run.budget,
            cell_count: run.cell_count,
            open_cells: run.open_cells,
            last_event_id: run.last_event,
            summary: Summary {
                columns: sums.columns.into_iter().map(ColumnView::of).collect(),
                total_cost: run.spent,
                reserved: run.reserved + run.unresolved,
                unresolved: run.unresolved,
            },
            owner: run.owner,
            visibility: run.visibility,
            created_at: run.created_at,
            finished_at: run.finished_at,
            updated_at: run.updated_at,
        }
    }
}

impl ColumnView {
    fn of(column: Column) -> Self {
        Self {
            index: column.column_index,
            model_id: column.model_id,
            model: column.model_name,
            counts: Counts {
                queued: column.queued,
                running: column.running,
                completed: column.completed,
                malformed: column.malformed,
                failed: column.failed,
                cancelled: column.cancelled,
            },
            cost: column.cost,
            grader_cost: column.grader_cost,
            tokens_in: column.tokens_in,
            tokens_out: column.tokens_out,
            tokens_thinking: column.tokens_thinking,
        }
    }
}
