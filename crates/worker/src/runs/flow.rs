//! A cell whose output a workflow makes: its tasks are performed one after the other or side by side,
//! and each of their calls is an attempt like any other: promised its money, given a place in the
//! lane, kept as a response. A cell whose worker is killed begins anew, and finds what was kept.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::Utc;
use db::runs::lane::{Claimed, Settled};
use domain::{
    auth::{Via, Viewer},
    models::{ModelRef, Usd},
    providers::{
        ProviderError,
        generate::{Finish, Reply, Request},
    },
    runs::CellStatus,
    users::Role,
    workflows::{Pinned, template},
};
use serde_json::Value;
use tasks::{Asks, Failure, INTERRUPTED, Performer, whole};
use tokio::sync::Mutex;

use super::{
    Lane,
    callee::Callee,
    cell::{Answer, Call, Unmade},
    outcome::{answered, back, blank, clean, fault},
    request::{Values, bounded},
};

/// Beginnings of a cell that something on the server may spoil before it is given up.
const TRIES: i16 = 3;

impl Lane<'_> {
    /// Has a workflow make the output of a cell, with the values of its row as `userInput`.
    pub async fn flow(
        &self,
        cell: &Claimed,
        values: Values,
        pinned: &Pinned,
    ) -> anyhow::Result<()> {
        let begun = Instant::now();
        let input: Value = values
            .iter()
            .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
            .collect();
        let viewer = Viewer {
            user_id: self.target.owner_id,
            company_id: self.target.company_id,
            role: Role::Developer,
            // They proved it when they started the run.
            via: Via::SingleUser,
        };
        let model = match self.model_of(cell) {
            Ok(model) => model,
            Err(sentence) => {
                let settled = fault(
                    blank(cell),
                    CellStatus::Failed,
                    "model_unavailable",
                    sentence,
                );
                self.ledger.settle(settled).await;
                return Ok(());
            }
        };
        let performer = Performer {
            means: self.worker.means(),
            viewer: &viewer,
            asks: InCell::new(self, cell),
            model: model.as_ref(),
            seed: cell.id.0.as_u64_pair().1,
            prompts: &pinned.prompts,
        };
        let made = whole::perform(&performer, pinned, &input).await;
        let latency_ms = i32::try_from(begun.elapsed().as_millis()).unwrap_or(i32::MAX);
        let calls = performer.asks.calls.load(Ordering::Relaxed);
        let is_cached = !performer.asks.has_paid() && calls > 0;
        let cost = *performer.asks.cost.lock().await;
        if let Some(cause) = performer.asks.broken.into_inner() {
            return Err(cause);
        }
        match made {
            Ok(value) => {
                let text = clean(&template::as_text(&value));
                let answer = whole_answer(text.clone(), latency_ms, cost, is_cached);
                // What all its calls came to was booked with them; the checks want to know it.
                let settled = Settled {
                    model_version: None,
                    cost: Usd::ZERO,
                    ..answered(cell, &answer)
                };
                self.judge(cell, values, settled, &answer, &text).await
            }
            Err((task, cause)) => {
                let settled = spoiled(cell, pinned, task, &cause);
                self.ledger.settle(settled).await;
                Ok(())
            }
        }
    }

    /// The model that takes the place of those that tasks name, if the run has columns of models.
    fn model_of(&self, cell: &Claimed) -> Result<Option<ModelRef>, &str> {
        if self.target.plan.own_models {
            return Ok(None);
        }
        let callee = self.callees.column(cell.column_index)?;
        Ok(callee.resolved.model.id.to_string().parse().ok())
    }
}

/// What a workflow made, as if a model had said it.
fn whole_answer(text: String, latency_ms: i32, cost: Usd, cached: bool) -> Answer {
    Answer {
        reply: Reply {
            text,
            finish: Finish::Stop,
            ..Reply::default()
        },
        attempt: None,
        latency_ms,
        cost,
        priced: true,
        cached,
    }
}

/// How a cell stands whose workflow brought nothing.
fn spoiled(cell: &Claimed, pinned: &Pinned, task: usize, cause: &Failure) -> Settled {
    if [GIVES_BACK, INTERRUPTED].contains(&cause.code()) {
        return back(cell, None, Utc::now());
    }
    let name = pinned.tasks.get(task).map_or("", |task| task.name.as_str());
    let sentence = format!("The task \"{name}\" failed: {cause}");
    let again = |tries, at, event| Settled {
        status: Some(CellStatus::Queued),
        tries,
        not_before: Some(at),
        event: Some(event),
        error_code: Some(cause.code().to_owned()),
        error_message: Some(clean(&sentence)),
        ..blank(cell)
    };
    match cause {
        _ if cause.until().is_some() => again(
            cell.tries,
            cause.until().unwrap_or_else(Utc::now),
            "rate_limited",
        ),
        Failure::Internal(_) if cell.tries + 1 < TRIES => again(
            cell.tries + 1,
            Utc::now() + chrono::TimeDelta::seconds(2),
            "retried",
        ),
        _ => fault(blank(cell), CellStatus::Failed, cause.code(), &sentence),
    }
}

/// The code of a task that stops since the lane makes no calls at present.
const GIVES_BACK: &str = "gives_back";

/// Asks models on behalf of a cell.
struct InCell<'a> {
    lane: &'a Lane<'a>,
    cell: &'a Claimed,
    /// One booking at a time: a statement books a cell once.
    turn: Mutex<()>,
    calls: AtomicU32,
    is_replayed: AtomicBool,
    /// What its calls cost so far.
    cost: Mutex<Usd>,
    /// Why the lane itself has to end.
    broken: OnceLock<anyhow::Error>,
}

impl<'a> InCell<'a> {
    fn new(lane: &'a Lane<'a>, cell: &'a Claimed) -> Self {
        Self {
            lane,
            cell,
            turn: Mutex::default(),
            calls: AtomicU32::new(0),
            is_replayed: AtomicBool::new(true),
            cost: Mutex::new(Usd::ZERO),
            broken: OnceLock::new(),
        }
    }

    /// Whether a call of it was made that was not kept before.
    fn has_paid(&self) -> bool {
        !self.is_replayed.load(Ordering::Relaxed)
    }

    /// Books a call, whose cell goes on.
    async fn book(&self, settled: Settled) {
        let _turn = self.turn.lock().await;
        let settled = Settled {
            status: Some(CellStatus::Running),
            output_raw: None,
            latency_bucket: None,
            event: None,
            ..settled
        };
        self.lane.ledger.settle(settled).await;
    }

    async fn unmade(&self, unmade: Unmade) -> Failure {
        match unmade {
            Unmade::Faulty(code, sentence) => Failure::of(code, sentence),
            Unmade::Back(attempt) => {
                if attempt.is_some() {
                    self.book(Settled {
                        attempt,
                        withdrawn: true,
                        ..blank(self.cell)
                    })
                    .await;
                }
                Failure::of(GIVES_BACK, "The run makes no calls at present.")
            }
            Unmade::Failed(attempt, cause) => {
                self.book(Settled {
                    attempt: Some(attempt),
                    withdrawn: cause.is_unasked(),
                    // Paid for, perhaps: what was promised to it stays promised.
                    unknown: matches!(
                        *cause,
                        ProviderError::Timeout(_) | ProviderError::Malformed(_)
                    ),
                    error_code: Some(cause.class().to_owned()),
                    error_message: Some(clean(&cause.to_string())),
                    ..blank(self.cell)
                })
                .await;
                Failure::Provider(*cause)
            }
        }
    }
}

impl Asks for InCell<'_> {
    fn may_be_dropped(&self) -> bool {
        false
    }

    fn patience(&self) -> Duration {
        // What it has paid for would perhaps be paid for again.
        Duration::from_secs(if self.has_paid() { 60 } else { 2 })
    }

    fn is_ending(&self) -> bool {
        self.lane.worker.stop.is_cancelled()
    }

    async fn ask(
        &self,
        callee: &tasks::Callee,
        request: &Request,
    ) -> Result<tasks::Answer, Failure> {
        if callee.model().prices.0.is_empty() && !self.lane.target.plan.allow_unpriced {
            let sentence = format!(
                "{} has no known price; with allowUnpriced it is called all the same.",
                callee.name()
            );
            return Err(Failure::of("model_unpriced", sentence));
        }
        let known = self.lane.callees.met(callee);
        let request = bounded(&self.lane.target, callee.model(), request.clone());
        self.calls.fetch_add(1, Ordering::Relaxed);
        let call = self.call(&known, &request).await?;
        let answer = match call {
            Call::Answered(answer) => answer,
            Call::Unmade(unmade) => return Err(self.unmade(unmade).await),
        };
        if !answer.cached {
            self.is_replayed.store(false, Ordering::Relaxed);
        }
        *self.cost.lock().await += answer.cost;
        self.book(answered(self.cell, &answer)).await;
        Ok(tasks::Answer {
            reply: answer.reply,
            cost: answer.priced.then_some(answer.cost),
        })
    }
}

impl InCell<'_> {
    async fn call(&self, callee: &Arc<Callee>, request: &Request) -> Result<Call, Failure> {
        let call = self
            .lane
            .answer(self.cell, callee, request, self.has_paid())
            .await;
        call.map_err(|cause| {
            // The lease is lost, or the books are closed: the lane ends, and with it this cell.
            drop(self.broken.set(cause));
            Failure::of(GIVES_BACK, "The lane has to end.")
        })
    }
}
