//! Whether a prompt can be tried on a dataset, before money is spent.

use std::collections::BTreeMap;

use actix_web::{post, web};
use deserr::Deserr;
use domain::{
    datasets::DatasetId,
    prompts::{PromptId, PromptKind, placeholders},
};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::missing;
use crate::{
    context::{Context, Reader},
    error::{ApiError, ApiResult},
    extract::{Faults, Path, Query},
};

/// What a run puts in the place of this is what the model answered.
const OUTPUT: &str = "output";

#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
struct CheckQuery {
    /// The dataset.
    dataset_id: DatasetId,
}

/// What a prompt asks for, and what a dataset has.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PromptCheck {
    /// What the prompt has places for, in their order.
    placeholders: Vec<String>,
    /// The columns of the dataset.
    headers: Vec<String>,
    /// Placeholders without a column. A grader's `output` needs none.
    missing: Vec<String>,
    /// Whether every placeholder has a column.
    ok: bool,
    /// How many rows the dataset has.
    row_count: i32,
    /// How many of them have no value in a column that the prompt uses; columns without such rows
    /// are left out.
    without_value: BTreeMap<String, i64>,
}

/// Compares the placeholders of a prompt with the columns of a dataset.
#[utoipa::path(tag = "Datasets",
    params(("id" = PromptId, Path, description = "The prompt"), CheckQuery),
    responses((status = 200, body = PromptCheck)))]
#[post("/prompts/{id}/check")]
pub async fn check(
    context: Context<Reader>,
    Path(id): Path<PromptId>,
    Query(query): Query<CheckQuery>,
) -> ApiResult<web::Json<PromptCheck>> {
    let mut connection = context.db().await?;
    let stored = db::prompts::find_visible(&mut connection, &context.who, id).await;
    let prompt = stored.map_err(|cause| match cause {
        diesel::result::Error::NotFound => ApiError::not_found("prompt"),
        other => other.into(),
    })?;
    let dataset = db::datasets::find(&mut connection, &context.who, query.dataset_id)
        .await
        .map_err(missing)?;
    let prompt = prompt.prompt;
    let placeholders = placeholders::names(prompt.prompt_text.as_str());
    let without = db::datasets::without_value(&mut connection, &dataset, &placeholders).await?;
    let is_given = |name: &String| {
        dataset.headers.contains(name) || (prompt.kind == PromptKind::Grader && name == OUTPUT)
    };
    let missing: Vec<String> = placeholders
        .iter()
        .filter(|name| !is_given(name))
        .cloned()
        .collect();
    Ok(web::Json(PromptCheck {
        ok: missing.is_empty(),
        missing,
        placeholders,
        row_count: dataset.row_count,
        headers: dataset.headers,
        without_value: without.into_iter().collect(),
    }))
}
