//! From the name of a model to somebody who answers, and from an answer to what it cost.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use db::models::{Filter, Model, ResolvedModel};
use domain::{
    auth::Viewer,
    models::{ModelKind, ModelRef, Usd, cost},
    page::Limit,
    providers::generate::{Part, Provider, Reply, Request, Speaker, Turn},
    users::CompanyId,
};

use crate::{
    App,
    context::{Access, Context, Runner},
    error::{ApiError, ApiResult},
};

/// What answers where neither a model is named nor the default has a key.
const MOCK: &str = "mock/text-1";

/// A model with what reaches it.
pub struct Callee {
    model: Model,
    provider: Arc<dyn Provider>,
    company: CompanyId,
}

impl Callee {
    /// The model that is named, or else the company's default for text; the mock while there is no
    /// key for that.
    pub async fn of(context: &Context<Runner>, wanted: Option<&ModelRef>) -> ApiResult<Self> {
        let company = context.who.company_id;
        let resolved = resolve(context, company, wanted).await?;
        Ok(Self {
            provider: context.app().gateway.connect(company, &resolved)?,
            model: resolved.model,
            company,
        })
    }

    /// What calls the model. No connection to Postgres is to be held while it thinks.
    pub fn provider(&self) -> &dyn Provider {
        &*self.provider
    }

    /// `provider/name`.
    pub fn name(&self) -> String {
        name(&self.model)
    }

    /// Refuses a model that takes no pictures, and says which do: without them the answer would be about
    /// something else than the question.
    pub async fn must_see(&self, context: &Context<Runner>) -> ApiResult<()> {
        if self.model.capabilities.images_in {
            return Ok(());
        }
        let texts = Filter {
            kind: Some(ModelKind::Text),
            ..Filter::default()
        };
        let mut conn = context.db().await?;
        let all = db::models::list(&mut conn, self.company, texts, None, Limit::MOST).await?;
        let able = all.rows.iter().filter(|model| model.capabilities.images_in);
        let names: Vec<String> = able.map(name).collect();
        let needed = format!("must be a model that takes pictures: {}", names.join(", "));
        Err(ApiError::invalid("model", needed))
    }

    /// A request that asks this one thing.
    pub fn request(&self, text: &str) -> Request {
        Request {
            model: self.model.model.as_str().to_owned(),
            capabilities: self.model.capabilities.clone(),
            turns: vec![turn(Speaker::User, text)],
            ..Request::default()
        }
    }

    /// What an answer to a call that was begun then costs; `None` where no price is known.
    pub async fn cost(
        &self,
        app: &App,
        reply: &Reply,
        begun: DateTime<Utc>,
    ) -> ApiResult<Option<Usd>> {
        let version = &reply.model_version;
        let mut conn = app.pool.get().await?;
        let priced = db::models::prices_for(&mut conn, self.company, &self.model, version).await?;
        Ok(cost(&priced.prices.0, &reply.usage, begun))
    }
}

fn name(model: &Model) -> String {
    format!("{}/{}", model.provider, model.name)
}

/// Words in a conversation.
pub fn turn(speaker: Speaker, text: &str) -> Turn {
    Turn {
        speaker,
        parts: vec![Part::Text(text.to_owned())],
    }
}

async fn resolve(
    context: &Context<Runner>,
    company: CompanyId,
    wanted: Option<&ModelRef>,
) -> ApiResult<ResolvedModel> {
    let found = match wanted {
        Some(wanted) => db::models::resolve(&mut *context.db().await?, company, wanted).await?,
        None => default_model(context, &mut *context.db().await?).await?,
    };
    let found = found.ok_or_else(|| {
        let needed = "must name an active model; GET /api/models lists them";
        ApiError::invalid("model", needed)
    })?;
    if found.model.kind == ModelKind::Text {
        Ok(found)
    } else {
        let needed = "must be a model that answers in text";
        Err(ApiError::invalid("model", needed))
    }
}

/// The company's default model for text; the mock while there is no key for that.
pub async fn default_model<A: Access<Who = Viewer>>(
    context: &Context<A>,
    conn: &mut db::Connection,
) -> ApiResult<Option<ResolvedModel>> {
    let company = context.who.company_id;
    let default = db::models::default_of(conn, company, ModelKind::Text).await?;
    let reachable = default.filter(|model| context.app().gateway.is_reachable(model));
    match (reachable, MOCK.parse()) {
        (None, Ok(mock)) => Ok(db::models::resolve(conn, company, &mock).await?),
        (found, _) => Ok(found),
    }
}
