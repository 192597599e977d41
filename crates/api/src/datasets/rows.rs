//! The rows of a dataset: a look at the first, page by page, or all of them as a file.

use std::io;

use actix_web::{HttpRequest, HttpResponse, get, http::header, web::Bytes};
use db::datasets::{Dataset, Row};
use deserr::Deserr;
use domain::{
    datasets::{
        DatasetId, ExportFormat,
        export::{Object, csv_line, json_line},
    },
    page::Limit,
};
use futures::{Stream, stream};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    context::{Context, Developer},
    error::{ApiError, ApiResult},
    extract::{Faults, Path, Query},
    page::Listing,
};

/// How many rows a look at a dataset shows.
const PREVIEW: i64 = 50;

/// The routes of rows.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(preview).service(list).service(export);
}

#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PreviewQuery {
    /// The most rows to answer, 1 to 1000; 50 if absent.
    #[deserr(default)]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    limit: Option<Limit>,
}

/// The first rows of the newest version, each an object of values by their columns.
#[utoipa::path(tag = "Datasets",
    params(("id" = DatasetId, Path, description = "The dataset"), PreviewQuery),
    responses((status = 200, body = [HashMap<String, Option<String>>])))]
#[get("/datasets/{id}/preview")]
async fn preview(
    context: Context<Developer>,
    Path(id): Path<DatasetId>,
    Query(query): Query<PreviewQuery>,
) -> ApiResult<HttpResponse> {
    let limit = query.limit.map_or_else(|| PREVIEW.try_into(), Ok);
    let limit = limit.map_err(|cause| ApiError::internal(&cause))?;
    let mut connection = context.db().await?;
    let (dataset, page) =
        db::datasets::page(&mut connection, &context.who, id, None, None, limit).await?;
    let objects: Vec<_> = page.rows.iter().map(|row| object(&dataset, row)).collect();
    Ok(HttpResponse::Ok().json(objects))
}

fn object<'a>(dataset: &'a Dataset, row: &'a Row) -> Object<'a> {
    Object {
        headers: &dataset.headers,
        cells: &row.cells,
    }
}

#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RowsQuery {
    /// The version; the newest if absent.
    #[deserr(default)]
    #[param(value_type = Option<i32>, minimum = 1)]
    version: Option<VersionNumber>,
    /// The most rows to answer, 1 to 1000. Of large rows there may be fewer.
    #[deserr(default)]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    limit: Limit,
    /// Where the page starts, from the `Link` of the one before.
    #[deserr(default)]
    cursor: Option<String>,
}

/// A version's number in a query.
#[derive(Debug, Clone, Copy)]
struct VersionNumber(i32);

impl<E: deserr::DeserializeError> Deserr<E> for VersionNumber {
    fn deserialize_from_value<V: deserr::IntoValue>(
        value: deserr::Value<V>,
        location: deserr::ValuePointerRef<'_>,
    ) -> Result<Self, E> {
        let text = String::deserialize_from_value(value, location)?;
        let number = text.parse().ok().filter(|number| *number >= 1);
        number.map(Self).ok_or_else(|| {
            let msg = "must be a version's number, 1 or more".to_owned();
            let kind = deserr::ErrorKind::Unexpected { msg };
            deserr::take_cf_content(E::error::<V>(None, kind, location))
        })
    }
}

/// A row of a dataset.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RowView<'a> {
    /// Which one, from 0; it names the row in every version.
    row_index: i32,
    /// Its values by their columns; `null` where it has none.
    #[schema(value_type = HashMap<String, Option<String>>)]
    values: Object<'a>,
}

/// The rows of a version, in their order.
#[utoipa::path(tag = "Datasets",
    params(("id" = DatasetId, Path, description = "The dataset"), RowsQuery),
    responses((status = 200, body = [RowView])))]
#[get("/datasets/{id}/rows")]
async fn list(
    context: Context<Developer>,
    request: HttpRequest,
    Path(id): Path<DatasetId>,
    Query(query): Query<RowsQuery>,
) -> ApiResult<HttpResponse> {
    let listing = Listing::new(&request, &context.who);
    let after = listing.start(query.cursor.as_deref())?;
    let version = query.version.map(|version| version.0);
    let mut connection = context.db().await?;
    let (dataset, page) = db::datasets::page(
        &mut connection,
        &context.who,
        id,
        version,
        after,
        query.limit,
    )
    .await?;
    let rows: Vec<_> = page
        .rows
        .iter()
        .map(|row| RowView {
            row_index: row.row_index,
            values: object(&dataset, row),
        })
        .collect();
    Ok(listing.answer_with(page.next.as_ref(), &rows))
}

#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ExportQuery {
    /// How it is written; `csv` if absent.
    #[param(inline)]
    #[deserr(default)]
    format: Option<ExportFormat>,
    /// The version; the newest if absent.
    #[deserr(default)]
    #[param(value_type = Option<i32>, minimum = 1)]
    version: Option<VersionNumber>,
}

/// All rows of a version as a file, which gives the same dataset when it is uploaded.
#[utoipa::path(tag = "Datasets",
    params(("id" = DatasetId, Path, description = "The dataset"), ExportQuery),
    responses((status = 200, description = "The rows, as they are read from the database",
        content((String = "text/csv"), (String = "application/x-ndjson")))))]
#[get("/datasets/{id}/export")]
async fn export(
    context: Context<Developer>,
    Path(id): Path<DatasetId>,
    Query(query): Query<ExportQuery>,
) -> ApiResult<HttpResponse> {
    let format = query.format.unwrap_or(ExportFormat::Csv);
    let version = query.version.map(|version| version.0);
    let mut connection = context.db().await?;
    let (dataset, first) = db::datasets::page(
        &mut connection,
        &context.who,
        id,
        version,
        None,
        Limit::MOST,
    )
    .await?;
    drop(connection);
    let content_type = match format {
        ExportFormat::Csv => "text/csv; charset=utf-8",
        ExportFormat::JsonLines => "application/x-ndjson",
    };
    let name = format!("{}.{}", dataset.name, format.as_str());
    let file = Export {
        version: version.unwrap_or(dataset.version),
        context,
        dataset,
        format,
        step: Step::Page(first.rows, first.next),
        is_first: true,
    };
    Ok(HttpResponse::Ok()
        .content_type(content_type)
        .insert_header(header::ContentDisposition::attachment(name))
        .insert_header((header::CONTENT_SECURITY_POLICY, "sandbox"))
        .streaming(file.stream()))
}

/// A file on its way: no connection is held while the caller takes what was read.
struct Export {
    context: Context<Developer>,
    dataset: Dataset,
    version: i32,
    format: ExportFormat,
    step: Step,
    is_first: bool,
}

enum Step {
    Page(Vec<Row>, Option<i32>),
    After(i32),
    End,
}

impl Export {
    fn stream(self) -> impl Stream<Item = io::Result<Bytes>> {
        stream::try_unfold(self, async |mut file| match file.next().await {
            Ok(bytes) => Ok(bytes.map(|bytes| (bytes, file))),
            // Too late for an answer of its own: the connection breaks off.
            Err(cause) => Err(io::Error::other(cause.to_string())),
        })
    }

    async fn next(&mut self) -> ApiResult<Option<Bytes>> {
        let (rows, next) = match std::mem::replace(&mut self.step, Step::End) {
            Step::End => return Ok(None),
            Step::Page(rows, next) => (rows, next),
            Step::After(last) => self.page(last).await?,
        };
        if let Some(last) = next {
            self.step = Step::After(last);
        }
        self.written(&rows).map(Some)
    }

    async fn page(&self, last: i32) -> ApiResult<(Vec<Row>, Option<i32>)> {
        let mut connection = self.context.db().await?;
        let (id, version) = (self.dataset.id, self.version);
        let most = Limit::MOST;
        let page = db::datasets::rows(&mut connection, id, version, Some(last), most).await?;
        if page.rows.is_empty() {
            // There was a row more: the dataset was deleted, and half a file is none.
            return Err(ApiError::not_found("dataset"));
        }
        Ok((page.rows, page.next))
    }

    fn written(&mut self, rows: &[Row]) -> ApiResult<Bytes> {
        let mut out = Vec::new();
        if std::mem::take(&mut self.is_first) && self.format == ExportFormat::Csv {
            let headers = self.dataset.headers.iter();
            csv_line(&mut out, headers.map(|name| Some(name.as_str())));
        }
        for row in rows {
            match self.format {
                ExportFormat::Csv => {
                    csv_line(&mut out, row.cells.iter().map(Option::as_deref));
                }
                ExportFormat::JsonLines => json_line(&mut out, object(&self.dataset, row))
                    .map_err(|cause| ApiError::internal(&cause))?,
            }
        }
        Ok(out.into())
    }
}
