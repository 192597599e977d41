//! The models of a run, each with what reaches it and what it costs.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use db::{models::ResolvedModel, runs::Target};
use domain::{
    models::{ModelId, ModelRef, Prices, ProviderKeyId, Usd, cost},
    providers::generate::{Provider, Reply},
    users::CompanyId,
};

use crate::{Worker, patience::insist};

/// The most versions whose prices are remembered: a provider may name each answer's otherwise.
const MOST_VERSIONS: usize = 16;

/// Those of the columns, in their order, and the one that judges.
pub struct Callees {
    columns: Vec<Result<Callee, String>>,
    grader: Option<Result<Callee, String>>,
    /// Those that tasks of a workflow asked.
    met: Mutex<HashMap<ModelId, Arc<Callee>>>,
}

/// A model to be asked.
pub struct Callee {
    pub resolved: ResolvedModel,
    pub provider: Arc<dyn Provider>,
    company: CompanyId,
    /// Prices by the version that answered.
    prices: Mutex<HashMap<String, Prices>>,
}

impl Callees {
    /// Resolves each model once; what cannot be reached is a sentence for its cells.
    pub async fn of(worker: &Worker, target: &Target) -> anyhow::Result<Self> {
        let mut columns = Vec::new();
        for model in &target.models {
            columns.push(Callee::of(worker, target.company_id, *model).await?);
        }
        let grader = if target.is_graded {
            Some(Callee::of(worker, target.company_id, target.grader_model).await?)
        } else {
            None
        };
        Ok(Self {
            columns,
            grader,
            met: Mutex::default(),
        })
    }

    /// The company's keys that they are called with.
    pub fn keys(&self) -> Vec<ProviderKeyId> {
        let met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        let met = met.values().map(|callee| &callee.resolved);
        let named = self.columns.iter().chain(&self.grader).flatten();
        let keys = named.map(|callee| &callee.resolved).chain(met);
        keys.filter_map(|resolved| Some(resolved.key.as_ref()?.id))
            .collect()
    }

    /// The model of a column, or why it cannot be asked.
    pub fn column(&self, index: i16) -> Result<&Callee, &str> {
        let place = usize::try_from(index).unwrap_or(usize::MAX);
        known(self.columns.get(place))
    }

    /// A model that a task of a workflow asks, with what was learned of its prices.
    pub fn met(&self, callee: &tasks::Callee) -> Arc<Callee> {
        let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        let known = met.entry(callee.model().id).or_insert_with(|| {
            Arc::new(Callee {
                resolved: callee.resolved.clone(),
                provider: callee.shared(),
                company: callee.company(),
                prices: Mutex::default(),
            })
        });
        known.clone()
    }

    /// The model that judges, or why it cannot be asked.
    pub fn grader(&self) -> Result<&Callee, &str> {
        known(self.grader.as_ref())
    }
}

impl Callee {
    async fn of(
        worker: &Worker,
        company: CompanyId,
        model: Option<ModelId>,
    ) -> anyhow::Result<Result<Self, String>> {
        let wanted: Option<ModelRef> = model.and_then(|id| id.to_string().parse().ok());
        let resolved = match wanted {
            Some(wanted) => {
                let mut conn = worker.pool.get().await?;
                db::models::resolve(&mut conn, company, &wanted).await?
            }
            None => None,
        };
        let Some(resolved) = resolved else {
            return Ok(Err(
                "The model was deleted or hidden after the run was started.".into(),
            ));
        };
        Ok(match worker.gateway.connect(company, &resolved) {
            Ok(provider) => Ok(Self {
                resolved,
                provider,
                company,
                prices: Mutex::default(),
            }),
            Err(cause) => Err(cause.to_string()),
        })
    }

    /// What the answer to a call that was begun then costs; `None` where no price is known.
    pub async fn cost(
        &self,
        worker: &Worker,
        reply: &Reply,
        begun: DateTime<Utc>,
    ) -> anyhow::Result<Option<Usd>> {
        let version = &reply.model_version;
        let known = self
            .prices
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(version)
            .cloned();
        let prices = match known {
            Some(prices) => prices,
            None => self.look_up(worker, version).await?,
        };
        Ok(cost(&prices.0, &reply.usage, begun))
    }

    /// What comes of the prices of this model, and of each version that has answered.
    pub fn all_prices<T>(&self, of: impl Fn(&Prices) -> T) -> Vec<T> {
        let answered = self.prices.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = &self.resolved.model.prices;
        std::iter::once(asked)
            .chain(answered.values())
            .map(of)
            .collect()
    }

    async fn look_up(&self, worker: &Worker, version: &str) -> anyhow::Result<Prices> {
        let model = &self.resolved.model;
        let found = insist(worker.config.lease(), || async {
            let mut conn = worker.pool.get().await?;
            Ok(db::models::prices_for(&mut conn, self.company, model, version).await?)
        });
        let found = found.await?;
        let mut prices = self.prices.lock().unwrap_or_else(PoisonError::into_inner);
        if prices.len() < MOST_VERSIONS {
            prices.insert(version.to_owned(), found.prices.clone());
        }
        Ok(found.prices)
    }
}

fn known(callee: Option<&Result<Callee, String>>) -> Result<&Callee, &str> {
    match callee {
        Some(Ok(callee)) => Ok(callee),
        Some(Err(sentence)) => Err(sentence),
        None => Err("The run has no such model."),
    }
}
