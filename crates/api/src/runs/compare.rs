//! Two runs held against one another.

use actix_web::{HttpResponse, get, web};
use db::runs::{Column, Run, compare::pairs};
use domain::{
    models::ModelId,
    runs::{
        RunId,
        statistics::{Comparison, Pair, Seed, Verdict},
    },
};
use serde::Serialize;
use utoipa::ToSchema;

use super::missing;
use crate::{
    context::{Context, Developer},
    error::{ApiError, ApiResult},
    extract::Paths,
};

/// How run `b` did against run `a`.
#[derive(Debug, Serialize, ToSchema)]
struct ComparisonView {
    /// The run that is compared with.
    a: RunId,
    /// The run that is judged.
    b: RunId,
    /// How `b` did against `a`, over all columns.
    verdict: Verdict,
    /// Why they cannot be compared, if they cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// All columns together.
    overall: Option<Comparison>,
    /// Each column of `a` with that of `b` at the same place.
    columns: Vec<ColumnComparison>,
}

/// How a column of `b` did against that of `a`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ColumnComparison {
    /// Its place in both.
    index: i16,
    /// The model in `a`, as long as there is one.
    model_id_a: Option<ModelId>,
    /// The model in `b`, as long as there is one.
    model_id_b: Option<ModelId>,
    /// What its pairs say.
    #[serde(flatten)]
    comparison: Comparison,
}

/// Compares two runs on the same rows, cell by cell. The verdict speaks of the second.
#[utoipa::path(tag = "Runs", params(("id" = RunId, Path, description = "The run to compare with"),
    ("other" = RunId, Path, description = "The run to judge")),
    responses((status = 200, body = ComparisonView)))]
#[get("/runs/{id}/compare/{other}")]
pub async fn compare(
    context: Context<Developer>,
    Paths(a, b): Paths<RunId, RunId>,
) -> ApiResult<HttpResponse> {
    let mut conn = context.db().await?;
    let a = db::runs::find(&mut conn, &context.who, a).await;
    let a = a.map_err(missing)?;
    let b = db::runs::find(&mut conn, &context.who, b).await;
    let b = b.map_err(missing)?;
    if let Some(reason) = incomparable(&a, &b) {
        return Ok(HttpResponse::Ok().json(ComparisonView::without(a.id, b.id, reason)));
    }
    let sums = db::runs::sums(&mut conn, &[a.id, b.id]).await?;
    let columns = |id| {
        sums.get(id)
            .map(|sums| sums.columns.clone())
            .unwrap_or_default()
    };
    let mut found = Vec::new();
    for (own, other) in columns(&a.id).into_iter().zip(columns(&b.id)) {
        let pairs = pairs(&mut conn, a.id, b.id, own.column_index).await?;
        found.push((own, other, pairs));
    }
    drop(conn);
    let judged = web::block(move || ComparisonView::of(a.id, b.id, found)).await;
    let view = judged.map_err(|cause| ApiError::internal(&cause))?;
    Ok(HttpResponse::Ok().json(view))
}

impl ComparisonView {
    fn without(a: RunId, b: RunId, reason: &'static str) -> Self {
        Self {
            a,
            b,
            verdict: Verdict::NotComparable,
            reason: Some(reason),
            overall: None,
            columns: Vec::new(),
        }
    }

    fn of(a: RunId, b: RunId, found: Vec<(Column, Column, Vec<Pair>)>) -> Self {
        let seed = Seed::of(a, b);
        let (mut all, mut columns) = (Vec::new(), Vec::new());
        for (own, other, pairs) in found {
            columns.push(ColumnComparison {
                index: own.column_index,
                model_id_a: own.model_id,
                model_id_b: other.model_id,
                comparison: Comparison::of(&pairs, seed),
            });
            all.extend(pairs);
        }
        let overall = Comparison::of(&all, seed);
        let verdict = overall.verdict;
        let ungraded = "There is no row on which both have a grade.";
        Self {
            a,
            b,
            verdict,
            reason: (verdict == Verdict::NotComparable).then_some(ungraded),
            overall: Some(overall),
            columns,
        }
    }
}

/// Why the rows of two runs are not the same.
fn incomparable(a: &Run, b: &Run) -> Option<&'static str> {
    (a.dataset_id != b.dataset_id).then_some("The runs are on different datasets.")
}
