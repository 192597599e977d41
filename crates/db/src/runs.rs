//! Runs: starting them and reading them here, working on them in [`lane`], reading their cells in
//! [`cells`], keeping responses in [`responses`].
//!
//! Whoever writes a run's cells locks its row first. So its events are numbered in the order of
//! their commits and without gaps, its money is never promised twice, and no two writers wait for
//! one another.

pub mod cells;
pub mod compare;
pub mod control;
pub mod events;
mod insert;
pub mod lane;
pub mod responses;
pub mod sizes;
mod start;
mod target;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::{dsl, prelude::*};
use diesel_async::RunQueryDsl;
use domain::{
    auth::Viewer,
    datasets::DatasetId,
    models::{ModelId, Usd},
    page::{Limit, Page},
    prompts::{PromptId, PromptVersionId},
    runs::{Plan, RunId, RunStatus},
    users::{CompanyId, UserId, Visibility},
    workflows::{WorkflowId, WorkflowVersionId},
};

use crate::{
    Connection,
    horizon::horizon,
    prompts::Owner,
    schema::{run_columns, run_latencies, runs, users},
};
pub use start::{NewRun, PromptChoice, StartError, start};
pub use target::{Target, target};

/// A run.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = runs)]
pub struct Run {
    /// Which.
    pub id: RunId,
    /// Its company.
    pub company_id: CompanyId,
    /// Whose it is.
    #[diesel(embed)]
    pub owner: Owner,
    /// Who besides may see it.
    pub visibility: Visibility,
    /// Where it stands.
    pub status: RunStatus,
    /// The prompt, as long as there is one.
    pub prompt_id: Option<PromptId>,
    /// What of it was run.
    pub prompt_version_id: Option<PromptVersionId>,
    /// The workflow that is tried instead of a prompt, as long as there is one.
    pub workflow_id: Option<WorkflowId>,
    /// What of it is performed.
    pub workflow_version_id: Option<WorkflowVersionId>,
    /// The prompt's title at the start, or the workflow's name.
    pub prompt_title: String,
    /// What the version is called.
    pub version_label: String,
    /// The prompt that judges.
    pub grader_prompt_id: Option<PromptId>,
    /// What of it was used.
    pub grader_version_id: Option<PromptVersionId>,
    /// The model that judges.
    pub grader_model_id: Option<ModelId>,
    /// The rows.
    pub dataset_id: Option<DatasetId>,
    /// As they were in this version.
    pub dataset_version: Option<i32>,
    /// What was decided at the start.
    pub plan: Plan,
    /// How many rows.
    pub row_count: i32,
    /// How often each is repeated.
    pub repeats: i16,
    /// Calls under way at once.
    pub concurrency: i16,
    /// The most it may cost.
    pub budget: Option<Usd>,
    /// What it cost so far.
    pub spent: Usd,
    /// What the calls under way may cost at most.
    pub reserved: Usd,
    /// What calls may have cost of which nobody knows how they ended.
    pub unresolved: Usd,
    /// How many cells it has.
    pub cell_count: i32,
    /// How many of them are queued or running.
    pub open_cells: i32,
    /// The number of its newest event.
    pub last_event: i64,
    /// When it was started.
    pub created_at: DateTime<Utc>,
    /// When its last cell ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// A column of a run: a model, and what its cells come to.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = run_columns)]
#[expect(clippy::struct_field_names, reason = "they are named as the columns")]
pub struct Column {
    /// Its place, from 0.
    pub column_index: i16,
    /// The model, as long as there is one.
    pub model_id: Option<ModelId>,
    /// `provider/name` at the start.
    pub model_name: String,
    /// Cells by where they stand.
    pub queued: i32,
    /// Likewise.
    pub running: i32,
    /// Likewise.
    pub completed: i32,
    /// Likewise.
    pub malformed: i32,
    /// Likewise.
    pub failed: i32,
    /// Likewise.
    pub cancelled: i32,
    /// Cells answered by a kept response.
    pub cached: i32,
    /// Cells with a grade.
    pub graded: i32,
    /// The sum of their grades, in millionths.
    pub grade_sum: i64,
    /// Those of a half or more.
    pub passed: i32,
    /// Malformed cells that nobody graded.
    pub malformed_ungraded: i32,
    /// Tokens of all inputs.
    pub tokens_in: i64,
    /// Tokens of all outputs.
    pub tokens_out: i64,
    /// Tokens of all thoughts.
    pub tokens_thinking: i64,
    /// What the outputs cost.
    pub cost: Usd,
    /// What judging them cost.
    pub grader_cost: Usd,
}

/// The runs a viewer may see: their own, and those their company shares.
#[dsl::auto_type(no_type_alias)]
fn visible_to(company_id: CompanyId, user_id: UserId) -> _ {
    let own: dsl::Eq<runs::owner_id, UserId> = runs::owner_id.eq(user_id);
    runs::company_id
        .eq(company_id)
        .and(own.or(runs::visibility.eq("company")))
}

/// A run that the viewer may see.
pub async fn find(conn: &mut Connection, viewer: &Viewer, id: RunId) -> QueryResult<Run> {
    runs::table
        .inner_join(users::table)
        .filter(runs::id.eq(id))
        .filter(visible_to(viewer.company_id, viewer.user_id))
        .select(Run::as_select())
        .first(conn)
        .await
}

/// Which runs a list is to hold.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only in this state.
    pub status: Option<RunStatus>,
    /// Only of this prompt.
    pub prompt_id: Option<PromptId>,
    /// Only what changed at or after this moment, in the order of the changes.
    pub updated_since: Option<DateTime<Utc>>,
    /// Only what comes after this row.
    pub after: Option<(DateTime<Utc>, RunId)>,
}

/// The runs a viewer may see: newest first, or, with `updated_since`, in the order of their changes.
pub async fn list(
    conn: &mut Connection,
    viewer: &Viewer,
    filter: &Filter,
    limit: Limit,
) -> QueryResult<Page<Run, (DateTime<Utc>, RunId)>> {
    let mut query = runs::table
        .inner_join(users::table)
        .filter(visible_to(viewer.company_id, viewer.user_id))
        .select(Run::as_select())
        .limit(limit.rows() + 1)
        .into_boxed();
    if let Some(status) = filter.status {
        query = query.filter(runs::status.eq(status));
    }
    if let Some(prompt) = filter.prompt_id {
        query = query.filter(runs::prompt_id.eq(prompt));
    }
    if let Some(since) = filter.updated_since {
        let horizon = horizon(conn).await?;
        query = query
            .filter(runs::updated_at.ge(since))
            .filter(runs::updated_at.lt(horizon))
            .order((runs::updated_at, runs::id));
        if let Some((at, id)) = filter.after {
            query = query.filter(
                runs::updated_at
                    .gt(at)
                    .or(runs::updated_at.eq(at).and(runs::id.gt(id))),
            );
        }
    } else {
        query = query.order((runs::created_at.desc(), runs::id.desc()));
        if let Some((at, id)) = filter.after {
            query = query.filter(
                runs::created_at
                    .lt(at)
                    .or(runs::created_at.eq(at).and(runs::id.lt(id))),
            );
        }
    }
    let rows = query.load(conn).await?;
    let by_change = filter.updated_since.is_some();
    Ok(Page::from_surplus(rows, limit, |run: &Run| {
        (
            if by_change {
                run.updated_at
            } else {
                run.created_at
            },
            run.id,
        )
    }))
}

/// What the columns of a run come to.
#[derive(Debug, Clone, Default)]
pub struct Sums {
    /// The columns, in their order.
    pub columns: Vec<Column>,
    /// How many cells of a column fell into a bucket of time: column, bucket, cells.
    pub latencies: Vec<(i16, i16, i32)>,
}

/// The same for runs that the viewer was shown.
pub async fn sums(conn: &mut Connection, ids: &[RunId]) -> QueryResult<HashMap<RunId, Sums>> {
    let mut sums: HashMap<RunId, Sums> = HashMap::new();
    let columns: Vec<(RunId, Column)> = run_columns::table
        .filter(run_columns::run_id.eq_any(ids))
        .order((run_columns::run_id, run_columns::column_index))
        .select((run_columns::run_id, Column::as_select()))
        .load(conn)
        .await?;
    for (run, column) in columns {
        sums.entry(run).or_default().columns.push(column);
    }
    let latencies: Vec<(RunId, i16, i16, i32)> = run_latencies::table
        .filter(
            run_latencies::run_id
                .eq_any(ids)
                .and(run_latencies::cell_count.gt(0)),
        )
        .order((
            run_latencies::run_id,
            run_latencies::column_index,
            run_latencies::bucket,
        ))
        .select((
            run_latencies::run_id,
            run_latencies::column_index,
            run_latencies::bucket,
            run_latencies::cell_count,
        ))
        .load(conn)
        .await?;
    for (run, column, bucket, cells) in latencies {
        sums.entry(run)
            .or_default()
            .latencies
            .push((column, bucket, cells));
    }
    Ok(sums)
}
