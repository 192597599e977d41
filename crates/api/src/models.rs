//! Models: everybody who builds sees what there is and what it costs; admins add models of their
//! own, hide what is not wanted, and choose the default of each kind.

mod requests;

use actix_web::{HttpRequest, HttpResponse, delete, get, http::header, patch, post};
use db::models::{CreateError, DeleteError, Filter, Model, UpdateError};
use deserr::Deserr;
use domain::{
    models::{ModelId, ModelKind, ProviderName},
    page::Limit,
    users::Role,
};
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    context::{Admin, Context, Developer},
    error::{ApiError, ApiResult, Code},
    etag,
    extract::{Body, Faults, Path, Query, Switch},
    page::Listing,
};
use requests::{ModelBody, ModelUpdate};

/// The routes of this area.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list)
        .service(create)
        .service(find)
        .service(update)
        .service(delete);
}

impl From<CreateError> for ApiError {
    fn from(cause: CreateError) -> Self {
        match cause {
            CreateError::Taken => Self::new(
                Code::Conflict,
                "Your company has a model of that provider with this `model` or `name`. Change that one, or take another name.",
            ),
            CreateError::NoSuchKey => Self::invalid(
                "providerKeyId",
                "must be a key of your company for the provider of the model",
            ),
            CreateError::Database(cause) => cause.into(),
        }
    }
}

/// The answer to whoever wants to change what came with the program.
fn seeded() -> ApiError {
    ApiError::new(
        Code::Forbidden,
        "This model came with the program and stays as it is: only `isActive` and `isDefault` can be chosen. \
         Add a model of your own to describe it otherwise.",
    )
}

fn stale() -> ApiError {
    ApiError::new(
        Code::Stale,
        "The model changed in the meantime. Read it again and repeat the change.",
    )
}

impl From<UpdateError> for ApiError {
    fn from(cause: UpdateError) -> Self {
        match cause {
            UpdateError::NotFound => Self::not_found("model"),
            UpdateError::Seeded => seeded(),
            UpdateError::Stale => stale(),
            UpdateError::HiddenDefault => Self::invalid(
                "isDefault",
                "needs a model that is offered: set `isActive` as well",
            ),
            UpdateError::Refused(cause) => cause.into(),
        }
    }
}

impl From<DeleteError> for ApiError {
    fn from(cause: DeleteError) -> Self {
        match cause {
            DeleteError::NotFound => Self::not_found("model"),
            DeleteError::Seeded => seeded(),
            DeleteError::Stale => stale(),
            DeleteError::Database(cause) => cause.into(),
        }
    }
}

#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Only models that make this.
    #[param(inline)]
    #[deserr(default)]
    kind: Option<ModelKind>,
    /// Only models of this provider.
    #[param(inline)]
    #[deserr(default)]
    provider: Option<ProviderName>,
    /// `true`: also models that are hidden. For admins.
    #[param(value_type = Option<bool>)]
    #[deserr(default)]
    all: Option<Switch>,
    /// The most models to answer, 1 to 1000; 1000 if absent.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    #[deserr(default)]
    limit: Option<Limit>,
    /// Where the page starts, from the `Link` of the one before.
    #[deserr(default)]
    cursor: Option<String>,
}

/// The models that can be used, by provider and name. What a provider has ended is still listed,
/// with the day and what to take instead.
#[utoipa::path(tag = "Models", params(ListQuery), responses((status = 200, body = [Model])))]
#[get("/models")]
async fn list(
    context: Context<Developer>,
    request: HttpRequest,
    Query(query): Query<ListQuery>,
) -> ApiResult<HttpResponse> {
    let viewer = &context.who;
    let with_hidden = query.all.is_some_and(|all| all.0);
    if with_hidden && viewer.role != Role::Admin {
        return Err(ApiError::new(
            Code::Forbidden,
            "Only admins see models that are hidden. Leave `all` out.",
        ));
    }
    let listing = Listing::new(&request, viewer);
    let filter = Filter {
        kind: query.kind,
        provider: query.provider,
        with_hidden,
    };
    let after = listing.start(query.cursor.as_deref())?;
    let limit = query.limit.unwrap_or(Limit::MOST);
    let mut conn = context.db().await?;
    let page = db::models::list(&mut conn, viewer.company_id, filter, after, limit).await?;
    Ok(listing.answer(&page))
}

/// One model. Hidden ones are there for admins only.
#[utoipa::path(tag = "Models", params(("id" = ModelId, Path)),
    responses((status = 200, body = Model), (status = 304, description = "Unchanged")))]
#[get("/models/{id}")]
async fn find(
    context: Context<Developer>,
    request: HttpRequest,
    Path(id): Path<ModelId>,
) -> ApiResult<HttpResponse> {
    let viewer = &context.who;
    let found = db::models::find(&mut *context.db().await?, viewer.company_id, id).await?;
    let model = found
        .filter(|model| model.is_active || viewer.role == Role::Admin)
        .ok_or_else(|| ApiError::not_found("model"))?;
    Ok(etag::answer(&request, model.revision, &model))
}

/// Adds a model to your company: one that the program does not know, or a known one with prices or
/// a key of your own, which then comes before it.
#[utoipa::path(tag = "Models", request_body = ModelBody, responses((status = 201, body = Model)))]
#[post("/models")]
async fn create(context: Context<Admin>, Body(body): Body<ModelBody>) -> ApiResult<HttpResponse> {
    let actor = context.actor();
    let model = db::models::create(&mut *context.db().await?, body.into(), &actor).await?;
    let tag = header::ETag(etag::of(model.revision));
    Ok(HttpResponse::Created().insert_header(tag).json(model))
}

/// Changes a model of your company. Of a model that came with the program only `isActive` and
/// `isDefault` can be set, for your company alone.
#[utoipa::path(tag = "Models", params(("id" = ModelId, Path)), request_body = ModelUpdate,
    responses((status = 200, body = Model)))]
#[patch("/models/{id}")]
async fn update(
    context: Context<Admin>,
    request: HttpRequest,
    Path(id): Path<ModelId>,
    Body(body): Body<ModelUpdate>,
) -> ApiResult<HttpResponse> {
    let (expected, actor) = (etag::expected(&request)?, context.actor());
    let mut conn = context.db().await?;
    let model = db::models::update(&mut conn, id, body.into(), &expected, &actor).await?;
    let tag = header::ETag(etag::of(model.revision));
    Ok(HttpResponse::Ok().insert_header(tag).json(model))
}

/// Removes a model of your company. One that came with the program can be hidden instead.
#[utoipa::path(tag = "Models", params(("id" = ModelId, Path)),
    responses((status = 204, description = "Removed")))]
#[delete("/models/{id}")]
async fn delete(
    context: Context<Admin>,
    request: HttpRequest,
    Path(id): Path<ModelId>,
) -> ApiResult<HttpResponse> {
    let (expected, actor) = (etag::expected(&request)?, context.actor());
    db::models::delete(&mut *context.db().await?, id, &expected, &actor).await?;
    Ok(HttpResponse::NoContent().finish())
}
