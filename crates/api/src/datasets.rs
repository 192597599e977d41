//! Datasets: taking tables in, listing, changing and deleting them. Their rows are answered by
//! [`rows`], and whether a prompt can be tried on one by [`check`].

mod check;
mod rows;
mod settings;
mod update;
mod upload;

use actix_web::{HttpRequest, HttpResponse, delete, get};
use db::datasets::{ChangeError, Dataset, DatasetVersion, Filter};
use deserr::Deserr;
use domain::{
    datasets::DatasetId,
    page::{Limit, Moment},
    prompts::PromptQuery,
};
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    context::{Context, Developer},
    error::{ApiError, ApiResult, Code, FieldFault},
    etag,
    extract::{Faults, Path, Query},
    page::Listing,
};
pub use settings::DatasetSettings;

/// The routes of this area.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(upload::upload)
        .service(list)
        .service(find)
        .service(update::update)
        .service(delete)
        .service(versions);
    rows::routes(config);
    config.service(check::check);
}

impl From<ChangeError> for ApiError {
    fn from(cause: ChangeError) -> Self {
        match cause {
            ChangeError::NotFound => Self::not_found("dataset"),
            ChangeError::NoVersion => Self::not_found("version"),
            ChangeError::Forbidden => Self::new(
                Code::Forbidden,
                "Only its owner or an admin may change this dataset.",
            ),
            ChangeError::Stale => Self::new(
                Code::Stale,
                "The dataset changed in the meantime. Read it again and repeat the change.",
            ),
            ChangeError::InUse => Self::new(
                Code::DatasetInUse,
                "A run on this dataset is queued or running. Cancel it, or wait until it is over.",
            ),
            ChangeError::Rows(faults) => {
                let faults = faults.into_iter().map(|fault| FieldFault {
                    field: fault.field,
                    message: fault.message,
                });
                Self::faults(Code::Invalid, faults.collect())
            }
            ChangeError::Database(cause) => cause.into(),
        }
    }
}

fn missing(cause: diesel::result::Error) -> ApiError {
    match cause {
        diesel::result::Error::NotFound => ApiError::not_found("dataset"),
        other => other.into(),
    }
}

/// Whose datasets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserr, utoipa::ToSchema)]
#[deserr(rename_all = lowercase)]
#[schema(rename_all = "lowercase")]
enum DatasetOwnerFilter {
    /// One's own.
    Me,
}

/// Which datasets are listed.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
struct ListQuery {
    /// Only with this in the name, whatever the case; 1 to 200 characters.
    #[param(value_type = Option<String>, min_length = 1, max_length = 200)]
    #[deserr(default)]
    q: Option<PromptQuery>,
    /// `me`: only your own.
    #[param(inline)]
    #[deserr(default)]
    owner: Option<DatasetOwnerFilter>,
    /// Only what changed at or after this moment, in the order of the changes.
    #[param(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    #[deserr(default)]
    updated_since: Option<Moment>,
    /// The most datasets to answer, 1 to 1000.
    #[deserr(default)]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    limit: Limit,
    /// Where the page starts, from the `Link` of the one before.
    #[deserr(default)]
    cursor: Option<String>,
}

/// Lists the datasets you may see, newest first.
#[utoipa::path(tag = "Datasets", params(ListQuery), responses((status = 200, body = [Dataset])))]
#[get("/datasets")]
async fn list(
    context: Context<Developer>,
    request: HttpRequest,
    Query(query): Query<ListQuery>,
) -> ApiResult<HttpResponse> {
    let listing = Listing::new(&request, &context.who);
    let filter = Filter {
        own: query.owner.is_some(),
        text: query.q.map(|text| text.as_str().to_owned()),
        updated_since: query.updated_since.map(|moment| moment.0),
        after: listing.start(query.cursor.as_deref())?,
    };
    let mut connection = context.db().await?;
    let page = db::datasets::list(&mut connection, &context.who, &filter, query.limit).await?;
    Ok(listing.answer(&page))
}

/// One dataset, without its rows.
#[utoipa::path(tag = "Datasets", params(("id" = DatasetId, Path, description = "The dataset")),
    responses((status = 200, body = Dataset), (status = 304, description = "Unchanged")))]
#[get("/datasets/{id}")]
async fn find(
    context: Context<Developer>,
    request: HttpRequest,
    Path(id): Path<DatasetId>,
) -> ApiResult<HttpResponse> {
    let dataset = db::datasets::find(&mut *context.db().await?, &context.who, id)
        .await
        .map_err(missing)?;
    Ok(etag::answer(&request, dataset.updated_at, &dataset))
}

/// Deletes a dataset. One that runs were made on stays readable through them.
#[utoipa::path(tag = "Datasets", params(("id" = DatasetId, Path, description = "The dataset")),
    responses((status = 204, description = "Deleted")))]
#[delete("/datasets/{id}")]
async fn delete(
    context: Context<Developer>,
    request: HttpRequest,
    Path(id): Path<DatasetId>,
) -> ApiResult<HttpResponse> {
    let expected = etag::expected(&request)?;
    db::datasets::delete(&mut *context.db().await?, &context.who, id, &expected).await?;
    Ok(HttpResponse::NoContent().finish())
}

#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct VersionsQuery {
    /// The most versions to answer, 1 to 1000.
    #[deserr(default)]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    limit: Limit,
    /// Where the page starts, from the `Link` of the one before.
    #[deserr(default)]
    cursor: Option<String>,
}

/// The versions of a dataset, newest first.
#[utoipa::path(tag = "Datasets",
    params(("id" = DatasetId, Path, description = "The dataset"), VersionsQuery),
    responses((status = 200, body = [DatasetVersion])))]
#[get("/datasets/{id}/versions")]
async fn versions(
    context: Context<Developer>,
    request: HttpRequest,
    Path(id): Path<DatasetId>,
    Query(query): Query<VersionsQuery>,
) -> ApiResult<HttpResponse> {
    let listing = Listing::new(&request, &context.who);
    let after = listing.start(query.cursor.as_deref())?;
    let (mut connection, limit) = (context.db().await?, query.limit);
    let page = db::datasets::versions(&mut connection, &context.who, id, after, limit)
        .await
        .map_err(missing)?;
    Ok(listing.answer(&page))
}
