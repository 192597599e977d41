//! What a worker has to know of a run before it works on it.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    datasets::DatasetId,
    models::{ModelId, Usd},
    prompts::Body,
    runs::{Plan, RunId},
    users::{CompanyId, UserId},
    workflows::Pinned,
};

use crate::{
    Connection,
    schema::{datasets, prompt_versions, run_columns, runs, workflow_versions},
};

/// What a worker needs to know of a run.
#[derive(Debug, Clone)]
pub struct Target {
    /// Which.
    pub id: RunId,
    /// Its company.
    pub company_id: CompanyId,
    /// Whose it is.
    pub owner_id: UserId,
    /// What is performed instead of a prompt.
    pub workflow: Option<Pinned>,
    /// What was decided at the start.
    pub plan: Plan,
    /// The most it may cost.
    pub budget: Option<Usd>,
    /// The rows.
    pub dataset_id: Option<DatasetId>,
    /// As they were in this version.
    pub dataset_version: Option<i32>,
    /// The names of their values.
    pub headers: Vec<String>,
    /// What makes the outputs; none if it was deleted meanwhile.
    pub generator: Option<Body>,
    /// What judges them.
    pub grader: Option<Body>,
    /// Whether something was to judge them.
    pub is_graded: bool,
    /// The model that judges.
    pub grader_model: Option<ModelId>,
    /// The models of the columns, in their order.
    pub models: Vec<Option<ModelId>>,
}

/// The row of a run with what it refers to.
type TargetRow = (
    (CompanyId, UserId, Option<Pinned>),
    Plan,
    Option<Usd>,
    Option<DatasetId>,
    Option<i32>,
    Option<Vec<String>>,
    Option<Body>,
    Option<Body>,
    Option<ModelId>,
);

async fn target_row(conn: &mut Connection, id: RunId) -> QueryResult<Option<TargetRow>> {
    let (generator, grader) =
        diesel::alias!(prompt_versions as generator, prompt_versions as grader);
    runs::table
        .left_join(datasets::table.on(datasets::id.nullable().eq(runs::dataset_id)))
        .left_join(
            generator.on(generator
                .field(prompt_versions::id)
                .nullable()
                .eq(runs::prompt_version_id)),
        )
        .left_join(
            grader.on(grader
                .field(prompt_versions::id)
                .nullable()
                .eq(runs::grader_version_id)),
        )
        .left_join(
            workflow_versions::table.on(workflow_versions::id
                .nullable()
                .eq(runs::workflow_version_id)),
        )
        .filter(runs::id.eq(id))
        .select((
            (
                runs::company_id,
                runs::owner_id,
                workflow_versions::pinned.nullable(),
            ),
            runs::plan,
            runs::budget,
            runs::dataset_id,
            runs::dataset_version,
            datasets::headers.nullable(),
            generator.field(prompt_versions::body).nullable(),
            grader.field(prompt_versions::body).nullable(),
            runs::grader_model_id,
        ))
        .first(conn)
        .await
        .optional()
}

/// What a worker needs to know of a run; `None` when it is gone.
pub async fn target(conn: &mut Connection, id: RunId) -> QueryResult<Option<Target>> {
    let row = target_row(conn, id).await?;
    let Some((
        (company_id, owner_id, workflow),
        plan,
        budget,
        dataset_id,
        dataset_version,
        headers,
        generator,
        grader,
        grader_model,
    )) = row
    else {
        return Ok(None);
    };
    let models = run_columns::table
        .filter(run_columns::run_id.eq(id))
        .order(run_columns::column_index)
        .select(run_columns::model_id)
        .load(conn)
        .await?;
    Ok(Some(Target {
        id,
        company_id,
        owner_id,
        workflow,
        is_graded: plan.is_graded,
        plan,
        budget,
        dataset_id,
        dataset_version,
        headers: headers.unwrap_or_default(),
        generator,
        grader,
        grader_model,
        models,
    }))
}
