//! One cell from its question to its grade, written down as if it were alone.

use std::time::Instant;

use chrono::Utc;
use db::runs::{
    lane::{self, Claimed, Settled, Wish},
    responses::Kept,
};
use domain::{
    documents::Sha256,
    models::Usd,
    prompts::ExpectedOutput,
    providers::{
        ProviderError,
        generate::{Finish, Reply, Request},
    },
    runs::{AttemptId, CacheUse, CellStatus, Stage, grade::from_grader, parsing},
};

use super::{
    Lane,
    callee::Callee,
    ledger::Response,
    outcome::{answered, back, blank, clean, failure, fault, refusal, storable, ungraded},
    request::{self, Values},
    verdict,
};
use crate::patience::insist;

/// What became of a call.
pub enum Call {
    /// The model answered, or had answered before.
    Answered(Box<Answer>),
    /// There is no answer.
    Unmade(Unmade),
}

/// Why there is no answer.
pub enum Unmade {
    /// The lane makes no calls at present; the attempt that was promised its money is withdrawn.
    Back(Option<AttemptId>),
    /// The provider, or the governor before it, said no.
    Failed(AttemptId, Box<ProviderError>),
    /// No call can be made, as it stands: a stable name and a sentence.
    Faulty(&'static str, String),
}

impl Unmade {
    /// How a cell stands whose call it was.
    fn settled(self, cell: &Claimed) -> Settled {
        match self {
            Self::Back(attempt) => back(cell, attempt, Utc::now()),
            Self::Failed(attempt, cause) => failure(cell, attempt, &cause),
            Self::Faulty(code, sentence) => fault(blank(cell), CellStatus::Failed, code, &sentence),
        }
    }
}

/// An answer, and what it took.
pub struct Answer {
    pub reply: Reply,
    pub attempt: Option<AttemptId>,
    pub latency_ms: i32,
    pub cost: Usd,
    pub priced: bool,
    pub cached: bool,
}

impl Lane<'_> {
    /// Sees a cell through as far as it goes.
    pub async fn see_through(&self, cell: Claimed) -> anyhow::Result<()> {
        let values = request::values(&self.target.headers, cell.row_values.as_deref());
        match cell.stage {
            Stage::Generate => match &self.target.workflow {
                Some(workflow) => self.flow(&cell, values, workflow).await,
                None => self.generate(&cell, values).await,
            },
            Stage::Grade => {
                let output = cell.output_parsed.clone().unwrap_or_default();
                self.grade(&cell, values, &output).await
            }
        }
    }

    async fn generate(&self, cell: &Claimed, values: Values) -> anyhow::Result<()> {
        let answer = match self.ask(cell, &values).await? {
            Call::Answered(answer) => answer,
            Call::Unmade(unmade) => {
                self.ledger.settle(unmade.settled(cell)).await;
                return Ok(());
            }
        };
        let settled = answered(cell, &answer);
        let settled = match (refusal(&answer.reply), self.parsed(&answer.reply)) {
            (Some(message), _) => fault(settled, CellStatus::Failed, "provider_refused", &message),
            (None, Err(message)) => {
                fault(settled, CellStatus::Malformed, "output_malformed", &message)
            }
            (None, Ok(parsed)) => {
                return self.judge(cell, values, settled, &answer, &parsed).await;
            }
        };
        self.ledger.settle(settled).await;
        Ok(())
    }

    /// The part of an answer that the prompt asked for, or why it is not there.
    fn parsed(&self, reply: &Reply) -> Result<String, String> {
        let body = self.target.generator.as_ref();
        let expected = body.map_or(ExpectedOutput::None, |body| {
            ExpectedOutput::of(body.prompt_text.as_str())
        });
        parsing::parse(expected, &reply.text).map_err(|cause| match reply.finish {
            Finish::Truncated => format!("{cause} The answer ended at a limit of tokens."),
            _ => cause.to_string(),
        })
    }

    /// Holds an output against the checks, and has it graded if something is to grade it.
    pub async fn judge(
        &self,
        cell: &Claimed,
        values: Values,
        mut settled: Settled,
        answer: &Answer,
        parsed: &str,
    ) -> anyhow::Result<()> {
        verdict::check(self, &values, answer, parsed, &mut settled).await;
        settled.output_parsed = Some(clean(parsed));
        settled.event = Some("succeeded");
        if !self.target.is_graded {
            settled.status = Some(CellStatus::Completed);
            self.ledger.settle(settled).await;
            return Ok(());
        }
        settled.status = Some(CellStatus::Running);
        settled.stage = Some(Stage::Grade);
        settled.tries = 0;
        self.ledger.settle(settled).await;
        let cell = Claimed {
            stage: Stage::Grade,
            tries: 0,
            ..cell.clone()
        };
        self.grade(&cell, values, parsed).await
    }

    async fn grade(&self, cell: &Claimed, mut values: Values, output: &str) -> anyhow::Result<()> {
        values.insert("output".into(), output.to_owned());
        let settled = match self.ask(cell, &values).await? {
            Call::Answered(answer) => Self::graded(cell, &answer),
            Call::Unmade(unmade) => {
                let settled = unmade.settled(cell);
                // Not the cell has failed, but the judgement on it.
                if settled.status == Some(CellStatus::Failed) {
                    let why = [&settled.error_code, &settled.error_message];
                    let why = why.into_iter().flatten().cloned().collect::<Vec<_>>();
                    ungraded(settled, &why.join(": "))
                } else {
                    settled
                }
            }
        };
        self.ledger.settle(settled).await;
        Ok(())
    }

    fn graded(cell: &Claimed, answer: &Answer) -> Settled {
        // The output's own figures stay as they are.
        let settled = Settled {
            output_raw: None,
            latency_bucket: None,
            model_version: None,
            status: Some(CellStatus::Completed),
            grader_output: Some(clean(&answer.reply.text)),
            ..answered(cell, answer)
        };
        let grade = match refusal(&answer.reply) {
            Some(message) => Err(message),
            None => from_grader(&answer.reply.text).map_err(|cause| cause.to_string()),
        };
        match grade {
            Ok(grade) => verdict::enter_grade(settled, grade),
            Err(message) => ungraded(settled, &message),
        }
    }

    /// Asks the model of the cell's stage what its prompt makes of these values.
    async fn ask(&self, cell: &Claimed, values: &Values) -> anyhow::Result<Call> {
        let failed = |code, message: String| Ok(Call::Unmade(Unmade::Faulty(code, message)));
        let (body, callee) = match cell.stage {
            Stage::Generate => (
                &self.target.generator,
                self.callees.column(cell.column_index),
            ),
            Stage::Grade => (&self.target.grader, self.callees.grader()),
        };
        let callee = match callee {
            Ok(callee) => callee,
            Err(sentence) => return failed("model_unavailable", sentence.to_owned()),
        };
        let Some(body) = body else {
            let sentence = "The prompt was deleted after the run was started.";
            return failed("prompt_gone", sentence.into());
        };
        let text = match request::render(body, values) {
            Ok(text) => text,
            Err(cause) => return failed(cause.code(), cause.to_string()),
        };
        let request = request::request(
            &self.target,
            &callee.resolved,
            cell.stage,
            text,
            cell.repeat,
        );
        self.answer(cell, callee, &request, false).await
    }

    /// The kept response, or what the model says. Who `has_paid` does not make room for other runs.
    pub async fn answer(
        &self,
        cell: &Claimed,
        callee: &Callee,
        request: &Request,
        has_paid: bool,
    ) -> anyhow::Result<Call> {
        let key = request::key(
            self.target.company_id,
            &callee.resolved,
            request,
            cell.repeat,
        );
        match self.target.plan.cache {
            CacheUse::Off => self.call(cell, callee, request, has_paid).await,
            CacheUse::ReplayOnly => Ok(self.replay(key).await),
            CacheUse::Use if cell.round == 1 => match self.response(key).await {
                Response::Kept(kept) => match kept_answer(kept) {
                    Some(answer) => Ok(Call::Answered(Box::new(answer))),
                    None => {
                        self.call_and_keep(cell, callee, request, (key, has_paid))
                            .await
                    }
                },
                Response::Missing => {
                    self.call_and_keep(cell, callee, request, (key, has_paid))
                        .await
                }
                Response::Elsewhere => Ok(Call::Unmade(Unmade::Back(None))),
            },
            CacheUse::Use | CacheUse::Refresh => {
                self.call_and_keep(cell, callee, request, (key, has_paid))
                    .await
            }
        }
    }

    /// What is kept under a key, or the right to ask for it; waits while somebody else asks, as long
    /// as this lane goes on.
    async fn response(&self, key: Sha256) -> Response {
        self.ledger.response(key, || self.is_ending()).await
    }

    async fn replay(&self, key: Sha256) -> Call {
        if let Some(answer) = self.ledger.look_up(key).await.and_then(kept_answer) {
            return Call::Answered(Box::new(answer));
        }
        let sentence = "No response to this is kept, and the run may make no calls (replayOnly).";
        Call::Unmade(Unmade::Faulty("replay_miss", sentence.into()))
    }

    async fn call_and_keep(
        &self,
        cell: &Claimed,
        callee: &Callee,
        request: &Request,
        (key, has_paid): (Sha256, bool),
    ) -> anyhow::Result<Call> {
        let ended = self.call(cell, callee, request, has_paid).await?;
        let answer = match &ended {
            Call::Answered(answer) if is_whole(&answer.reply) => Some(answer),
            _ => None,
        };
        self.ledger
            .keep(Kept {
                key,
                reply: answer.map(|answer| verdict::to_kept(&answer.reply)),
                latency_ms: answer.map_or(0, |answer| answer.latency_ms),
                cost: answer.map_or(Usd::ZERO, |answer| answer.cost),
            })
            .await;
        Ok(ended)
    }

    /// Makes one call: the money, a place, the model.
    async fn call(
        &self,
        cell: &Claimed,
        callee: &Callee,
        request: &Request,
        has_paid: bool,
    ) -> anyhow::Result<Call> {
        let is_ending = || self.worker.stop.is_cancelled() || (self.is_ending() && !has_paid);
        let promise = self.ledger.promises.acquire().await?;
        if is_ending() {
            return Ok(Call::Unmade(Unmade::Back(None)));
        }
        let Some(attempt) = self.promise(cell, callee, request).await? else {
            return Ok(Call::Unmade(Unmade::Back(None)));
        };
        let place = self.ledger.places.acquire().await?;
        if is_ending() {
            return Ok(Call::Unmade(Unmade::Back(Some(attempt))));
        }
        let (begun, clock) = (Utc::now(), Instant::now());
        let made = callee.provider.generate(request).await;
        drop((place, promise));
        let latency_ms = i32::try_from(clock.elapsed().as_millis()).unwrap_or(i32::MAX);
        match made {
            Ok(reply) => {
                let reply = storable(reply);
                let cost = callee.cost(self.worker, &reply, begun).await?;
                Ok(Call::Answered(Box::new(Answer {
                    reply,
                    attempt: Some(attempt),
                    latency_ms,
                    cost: cost.unwrap_or(Usd::ZERO),
                    priced: cost.is_some(),
                    cached: false,
                })))
            }
            Err(cause) => Ok(Call::Unmade(Unmade::Failed(attempt, Box::new(cause)))),
        }
    }

    /// Ends the run, whose budget does not reach for another call; once, however many cells find out.
    async fn exhaust(&self) -> anyhow::Result<()> {
        let end = || {
            insist(self.worker.config.lease(), || async {
                let mut conn = self.worker.pool.get().await?;
                Ok(lane::exhaust(&mut conn, self.held, self.target.id).await?)
            })
        };
        self.exhausted.get_or_try_init(end).await?;
        Ok(())
    }

    /// The money for a call; `None` if there is none to be had now. While other calls hold what is
    /// missing, their end is waited for.
    async fn promise(
        &self,
        cell: &Claimed,
        callee: &Callee,
        request: &Request,
    ) -> anyhow::Result<Option<AttemptId>> {
        let wish = Wish {
            attempt: AttemptId::new(),
            cell: cell.id,
            round: cell.round,
            stage: cell.stage,
            amount: verdict::most(callee, request),
        };
        let mut was_alone = false;
        loop {
            let promise = self.ledger.reserve(wish).await;
            if promise.granted {
                return Ok(Some(wish.attempt));
            }
            // Twice: a repeated statement may not see what its first, unanswered one has written.
            let is_spent = promise.alone && was_alone;
            if promise.active && is_spent {
                self.exhaust().await?;
            }
            if !promise.active || is_spent || self.is_ending() {
                return Ok(None);
            }
            was_alone = promise.alone;
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
}

/// Whether an answer is one that may stand for others: not withheld, and not broken off.
fn is_whole(reply: &Reply) -> bool {
    refusal(reply).is_none() && reply.finish != Finish::Cut
}

fn kept_answer(found: db::runs::responses::Found) -> Option<Answer> {
    Some(Answer {
        reply: verdict::from_kept(&found.reply?)?,
        attempt: None,
        latency_ms: found.latency_ms.unwrap_or(0),
        cost: Usd::ZERO,
        priced: true,
        cached: true,
    })
}
