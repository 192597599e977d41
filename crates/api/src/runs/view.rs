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
    runs::{
        CacheUse, Checks, Params, RunId, RunStatus,
        summary::{self, Counters, Counts},
    },
    users::Visibility,
    workflows::{WorkflowId, WorkflowVersionId},
};
use serde::Serialize;
use utoipa::ToSchema;

/// A run.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
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
    /// The workflow that is tried instead of a prompt, as long as there is one.
    workflow_id: Option<WorkflowId>,
    /// What of it is performed.
    workflow_version_id: Option<WorkflowVersionId>,
    /// The prompt's title at the start, or the workflow's name.
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
    summary: RunSummary,
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
struct RunSummary {
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
    /// Its cells together.
    #[serde(flatten)]
    cells: summary::Summary,
    /// Cells answered by a kept response.
    cached: i32,
    /// What judging the outputs cost.
    grader_cost: Usd,
    /// Tokens of all thoughts.
    tokens_thinking: i64,
}

impl RunView {
    /// A run with what its columns come to.
    pub fn of(run: Run, sums: Sums) -> Self {
        let grading = run.plan.is_graded || !run.plan.checks.0.is_empty();
        let Sums { columns, latencies } = sums;
        Self {
            id: run.id,
            status: run.status,
            prompt_id: run.prompt_id,
            prompt_version_id: run.prompt_version_id,
            workflow_id: run.workflow_id,
            workflow_version_id: run.workflow_version_id,
            prompt_title: run.prompt_title,
            version_label: run.version_label,
            grader_prompt_id: run.grader_prompt_id,
            grader_version_id: run.grader_version_id,
            grader_model_id: run.grader_model_id,
            dataset_id: run.dataset_id,
            dataset_version: run.dataset_version,
            model_ids: columns.iter().map(|column| column.model_id).collect(),
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
            summary: RunSummary {
                columns: columns
                    .into_iter()
                    .map(|column| ColumnView::of(column, &latencies, grading))
                    .collect(),
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

/// What is counted of a column's cells.
pub fn counters(column: &Column, latencies: &[(i16, i16, i32)], grading: bool) -> Counters {
    let count = |cells: i32| u64::from(cells.unsigned_abs());
    let own = |(index, bucket, cells): &(i16, i16, i32)| {
        (*index == column.column_index).then(|| (*bucket, count(*cells)))
    };
    Counters {
        counts: Counts {
            queued: count(column.queued),
            running: count(column.running),
            completed: count(column.completed),
            malformed: count(column.malformed),
            failed: count(column.failed),
            cancelled: count(column.cancelled),
        },
        grading,
        graded: count(column.graded),
        malformed_ungraded: count(column.malformed_ungraded),
        passed: count(column.passed),
        grade_millionths: column.grade_sum.unsigned_abs(),
        tokens_in: column.tokens_in.unsigned_abs(),
        tokens_out: column.tokens_out.unsigned_abs(),
        cost: column.cost,
        latencies: latencies.iter().filter_map(own).collect(),
    }
}

impl ColumnView {
    fn of(column: Column, latencies: &[(i16, i16, i32)], grading: bool) -> Self {
        let counters = counters(&column, latencies, grading);
        Self {
            index: column.column_index,
            model_id: column.model_id,
            model: column.model_name,
            cells: counters.summary(),
            cached: column.cached,
            grader_cost: column.grader_cost,
            tokens_thinking: column.tokens_thinking,
        }
    }
}
