//! The model that a request names, or the one that answers in its place.

use db::models::Filter;
use domain::{
    models::{ModelKind, ModelRef},
    page::Limit,
};
use tasks::{Callee, Failure, callee::UNUSABLE};

use crate::{
    context::{Context, Runner},
    error::{ApiError, ApiResult},
};

/// The model that is named, or else the company's default for text; the mock while there is no key for
/// that.
pub async fn callee(context: &Context<Runner>, wanted: Option<&ModelRef>) -> ApiResult<Callee> {
    let (app, company) = (context.app(), context.who.company_id);
    let found = Callee::of(&app.pool, &app.gateway, company, wanted).await;
    found.map_err(|cause| match cause {
        Failure::Task {
            code: UNUSABLE,
            message,
        } => ApiError::invalid("model", message),
        cause => cause.into(),
    })
}

/// Refuses a model that takes no pictures, and says which do: without them the answer would be about
/// something else than the question.
pub async fn must_see(context: &Context<Runner>, callee: &Callee) -> ApiResult<()> {
    if callee.model().capabilities.images_in {
        return Ok(());
    }
    let texts = Filter {
        kind: Some(ModelKind::Text),
        ..Filter::default()
    };
    let mut conn = context.db().await?;
    let company = context.who.company_id;
    let all = db::models::list(&mut conn, company, texts, None, Limit::MOST).await?;
    let able = all.rows.iter().filter(|model| model.capabilities.images_in);
    let names: Vec<String> = able
        .map(|model| format!("{}/{}", model.provider, model.name))
        .collect();
    let needed = format!("must be a model that takes pictures: {}", names.join(", "));
    Err(ApiError::invalid("model", needed))
}
