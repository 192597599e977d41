//! Changing a dataset: its name, its readers, its rows.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, http::header, patch};
use db::datasets::{Dataset, DatasetChanges};
use deserr::Deserr;
use domain::{
    datasets::{
        DatasetId, DatasetName,
        change::{Members, RowChanges},
    },
    users::Visibility,
};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    context::{Context, Developer},
    error::ApiResult,
    etag,
    extract::{Body, Faults, Path},
};

/// What may be changed of a dataset.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, rename_all = camelCase)]
#[schema(rename_all = "camelCase")]
struct DatasetBody {
    /// Another name.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    #[deserr(default)]
    name: Option<DatasetName>,
    /// Who besides you may see it.
    #[deserr(default)]
    visibility: Option<Visibility>,
    /// Changes of rows: together they make one new version, if anything becomes other than it was.
    #[deserr(default)]
    rows: Option<RowsBody>,
}

/// Rows that come, change and go.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, rename_all = camelCase)]
#[schema(rename_all = "camelCase")]
struct RowsBody {
    /// New rows, each an object of values by their columns. They follow all others.
    #[deserr(default)]
    add: Option<Vec<BTreeMap<String, Value>>>,
    /// Rows that change.
    #[deserr(default)]
    change: Option<Vec<RowBody>>,
    /// The indexes of rows that go.
    #[deserr(default)]
    delete: Option<Vec<i32>>,
}

/// A row that changes.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, rename_all = camelCase)]
#[schema(rename_all = "camelCase")]
struct RowBody {
    /// Its index.
    row_index: i32,
    /// The values that change, by their columns; `null` takes one away.
    values: BTreeMap<String, Value>,
}

/// A text as it is, `null` as no value, anything else as compact JSON.
fn members(values: BTreeMap<String, Value>) -> Members {
    let text = |value| match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    };
    let pairs = values.into_iter();
    pairs.map(|(name, value)| (name, text(value))).collect()
}

impl DatasetBody {
    fn changes(self) -> DatasetChanges {
        let rows = self.rows.map(|rows| RowChanges {
            add: rows.add.into_iter().flatten().map(members).collect(),
            change: rows
                .change
                .into_iter()
                .flatten()
                .map(|row| (row.row_index, members(row.values)))
                .collect(),
            delete: rows.delete.unwrap_or_default(),
        });
        DatasetChanges {
            name: self.name,
            visibility: self.visibility,
            rows: rows.unwrap_or_default(),
        }
    }
}

/// Renames a dataset, changes who may see it, or changes its rows, which makes a new version. What
/// changes nothing makes none.
#[utoipa::path(tag = "Datasets", params(("id" = DatasetId, Path, description = "The dataset")),
    request_body = DatasetBody, responses((status = 200, body = Dataset)))]
#[patch("/datasets/{id}")]
pub async fn update(
    context: Context<Developer>,
    request: HttpRequest,
    Path(id): Path<DatasetId>,
    Body(body): Body<DatasetBody>,
) -> ApiResult<HttpResponse> {
    let expected = etag::expected(&request)?;
    let limits = context.app().config.datasets.limits();
    let dataset = db::datasets::update(
        &mut *context.db().await?,
        &context.who,
        id,
        body.changes(),
        &limits,
        &expected,
    )
    .await?;
    Ok(HttpResponse::Ok()
        .insert_header(header::ETag(etag::of(dataset.updated_at)))
        .json(dataset))
}
