//! What a run would cost, before it is started.

use actix_web::{HttpResponse, post, web};
use chrono::Utc;
use db::{
    models::Model,
    runs::{
        NewRun,
        sizes::{Sizes, sizes},
    },
};
use domain::{
    models::Usd,
    runs::estimate::{Bounds, Range, range},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::start::StartBody;
use crate::{
    context::{Context, Reader},
    error::{ApiError, ApiResult},
    extract::Body,
};

/// The most tokens of an answer where neither the run nor the model bounds it.
const UNBOUNDED: u32 = 8192;

/// Bytes of a token in ordinary text.
const TOKEN: u64 = 4;

/// The most tokens that an answer usually has.
const USUAL: u32 = 256;

/// What a run would cost.
#[derive(Debug, Serialize, ToSchema)]
struct EstimateView {
    /// How many cells it would have.
    cells: u64,
    /// What it costs if texts and answers are as usual: a guess.
    low: Usd,
    /// What it costs at most, if nothing is tried again.
    high: Usd,
    /// The models whose price is not known: they are in neither sum.
    unpriced: Vec<String>,
}

/// What a run would cost: the same body as for starting it, and the same reasons why not.
#[utoipa::path(tag = "Runs", request_body = StartBody,
    responses((status = 200, body = EstimateView)))]
#[post("/runs/estimate")]
pub async fn estimate(
    context: Context<Reader>,
    Body(mut body): Body<StartBody>,
) -> ApiResult<HttpResponse> {
    // They are told in the answer.
    body.allow_unpriced = true;
    let new = body.into_new(&context).await?;
    let sizes = sizes(&mut *context.db().await?, &context.who, &new).await?;
    let view = web::block(move || EstimateView::of(&new, &sizes)).await;
    Ok(HttpResponse::Ok().json(view.map_err(|cause| ApiError::internal(&cause))?))
}

impl EstimateView {
    fn of(new: &NewRun, sizes: &Sizes) -> Self {
        let repeats = u64::from(new.repeats);
        let mut view = Self {
            cells: sizes.generator.len() as u64 * new.models.len() as u64 * repeats,
            low: Usd::ZERO,
            high: Usd::ZERO,
            unpriced: Vec::new(),
        };
        let params = &new.plan.params;
        let system = params.system_instruction.as_ref();
        let system = system.map_or(0, |text| text.as_str().len() as u64);
        for model in &new.models {
            let most = most_tokens(model, params.max_output_tokens);
            let calls = sizes.generator.iter().map(|bytes| {
                let call = bounds(bytes + system, most);
                (call, call)
            });
            view.add(model, calls, new.repeats);
            if let Some(grader) = &new.grader_model {
                let own = most_tokens(grader, None);
                let judged = |usual| {
                    let tokens = if usual { most.min(USUAL) } else { most };
                    u64::from(tokens) * TOKEN
                };
                let calls = sizes.grader.iter().map(|bytes| {
                    let call = |usual| bounds(bytes + judged(usual), own);
                    (call(true), call(false))
                });
                view.add(grader, calls, new.repeats);
            }
        }
        view
    }

    /// Adds calls of a model, each as it usually is and at its largest, so many times.
    fn add(&mut self, model: &Model, calls: impl Iterator<Item = (Bounds, Bounds)>, times: u16) {
        let (now, prices) = (Utc::now(), &model.prices.0);
        let one = |(usual, largest)| {
            let low = range(prices, usual, now)?.low;
            let high = range(prices, largest, now)?.high;
            Some(Range { low, high })
        };
        if let Some(all) = calls.map(one).sum::<Option<Range>>() {
            let all: Range = (0..times).map(|_| all).sum();
            (self.low, self.high) = (self.low + all.low, self.high + all.high);
            return;
        }
        let name = format!("{}/{}", model.provider, model.name);
        if !self.unpriced.contains(&name) {
            self.unpriced.push(name);
        }
    }
}

fn bounds(request_bytes: u64, max_output_tokens: u32) -> Bounds {
    Bounds {
        request_bytes,
        pictures: 0,
        max_output_tokens,
    }
}

fn most_tokens(model: &Model, asked: Option<u32>) -> u32 {
    let most = asked
        .into_iter()
        .chain(model.capabilities.max_output_tokens);
    most.min().unwrap_or(UNBOUNDED)
}
