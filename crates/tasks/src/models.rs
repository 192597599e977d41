//! How a task asks a model. A run asks for its budget and keeps responses; elsewhere models are
//! asked directly.

use chrono::Utc;
use domain::{
    models::Usd,
    providers::generate::{Reply, Request},
};

use crate::{Callee, Failure};

/// What a model answered, and what that cost.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The answer.
    pub reply: Reply,
    /// What it cost; `None` where no price is known.
    pub cost: Option<Usd>,
}

/// Who asks models on behalf of tasks.
pub trait Asks: Sync {
    /// Asks once.
    fn ask<'a>(
        &'a self,
        callee: &'a Callee,
        request: &'a Request,
    ) -> impl Future<Output = Result<Answer, Failure>> + Send + 'a;
}

/// Asks without further ado.
#[derive(Clone, Copy)]
pub struct Directly<'a>(pub &'a db::Pool);

impl Asks for Directly<'_> {
    async fn ask(&self, callee: &Callee, request: &Request) -> Result<Answer, Failure> {
        let begun = Utc::now();
        let reply = callee.provider().generate(request).await?;
        let cost = callee.cost(self.0, &reply, begun).await?;
        Ok(Answer { reply, cost })
    }
}
