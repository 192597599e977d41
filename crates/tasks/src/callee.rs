//! From the name of a model to somebody who answers, and from an answer to what it cost.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use db::models::{Model, ResolvedModel};
use domain::{
    models::{ModelKind, ModelRef, Usd, cost},
    providers::generate::{Part, Provider, Reply, Request, Speaker, Turn},
    users::CompanyId,
};
use gateway::Gateway;

use crate::{Failure, mock};

/// A model with what reaches it.
pub struct Callee {
    /// The model, and the key that it is asked under.
    pub resolved: ResolvedModel,
    provider: Arc<dyn Provider>,
    company: CompanyId,
}

impl Callee {
    /// The model that is named, or else the company's default for text; the mock while there is no
    /// key for that.
    pub async fn of(
        pool: &db::Pool,
        gateway: &Gateway,
        company: CompanyId,
        wanted: Option<&ModelRef>,
    ) -> Result<Self, Failure> {
        let resolved = resolve(pool, gateway, company, wanted).await?;
        Ok(Self {
            provider: gateway.connect(company, &resolved)?,
            resolved,
            company,
        })
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.resolved.model
    }

    /// What calls the model. No connection to Postgres is to be held while it thinks.
    pub fn provider(&self) -> &dyn Provider {
        &*self.provider
    }

    /// The same, for whoever keeps it.
    pub fn shared(&self) -> Arc<dyn Provider> {
        self.provider.clone()
    }

    /// For whom it is asked.
    pub fn company(&self) -> CompanyId {
        self.company
    }

    /// `provider/name`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.model().provider, self.model().name)
    }

    /// A request that asks this one thing.
    pub fn request(&self, text: &str) -> Request {
        Request {
            model: self.model().model.as_str().to_owned(),
            capabilities: self.model().capabilities.clone(),
            turns: vec![turn(Speaker::User, text)],
            ..Request::default()
        }
    }

    /// What an answer to a call that was begun then costs; `None` where no price is known.
    pub async fn cost(
        &self,
        pool: &db::Pool,
        reply: &Reply,
        begun: DateTime<Utc>,
    ) -> Result<Option<Usd>, Failure> {
        let version = &reply.model_version;
        let mut conn = pool.get().await?;
        let priced = db::models::prices_for(&mut conn, self.company, self.model(), version).await?;
        Ok(cost(&priced.prices.0, &reply.usage, begun))
    }
}

/// Words in a conversation.
pub fn turn(speaker: Speaker, text: &str) -> Turn {
    Turn {
        speaker,
        parts: vec![Part::Text(text.to_owned())],
    }
}

async fn resolve(
    pool: &db::Pool,
    gateway: &Gateway,
    company: CompanyId,
    wanted: Option<&ModelRef>,
) -> Result<ResolvedModel, Failure> {
    let mut conn = pool.get().await?;
    let found = match wanted {
        Some(wanted) => db::models::resolve(&mut conn, company, wanted).await?,
        None => default_model(&mut conn, gateway, company).await?,
    };
    let found =
        found.ok_or_else(|| unusable("must name an active model; GET /api/models lists them"))?;
    if found.model.kind == ModelKind::Text {
        Ok(found)
    } else {
        Err(unusable("must be a model that answers in text"))
    }
}

/// The code of a failure that is about the model's name.
pub const UNUSABLE: &str = "model_unusable";

fn unusable(needed: &str) -> Failure {
    Failure::of(UNUSABLE, needed)
}

/// The company's default model for text; the mock while there is no key for that.
pub async fn default_model(
    conn: &mut db::Connection,
    gateway: &Gateway,
    company: CompanyId,
) -> diesel::QueryResult<Option<ResolvedModel>> {
    let default = db::models::default_of(conn, company, ModelKind::Text).await?;
    match default.filter(|model| gateway.is_reachable(model)) {
        Some(reachable) => Ok(Some(reachable)),
        None => db::models::resolve(conn, company, &mock()).await,
    }
}
