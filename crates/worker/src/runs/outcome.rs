//! What is booked of a cell: how its call ended, put in the words of [`Settled`]. Each function says
//! where the cell stands then, and nothing here waits for anything.

use chrono::{DateTime, Utc};
use db::runs::lane::{Claimed, Settled};
use domain::{
    providers::{
        ProviderError,
        generate::{Finish, Reply},
    },
    runs::{AttemptId, CellStatus, Stage, latencies},
};

use super::cell::Answer;

/// Calls of a stage that may fail in a way that passes, before the cell is given up.
const TRIES: i16 = 3;

/// A cell with what an answer came to; where it stands is still to be said.
pub fn answered(cell: &Claimed, answer: &Answer) -> Settled {
    let usage = &answer.reply.usage;
    let count = |tokens: u64| i32::try_from(tokens).unwrap_or(i32::MAX);
    Settled {
        attempt: answer.attempt,
        output_raw: Some(clean(&answer.reply.text)),
        tokens_in: count(usage.input),
        tokens_out: count(usage.output),
        tokens_thinking: count(usage.thinking),
        cost: answer.cost,
        priced: answer.priced,
        latency_ms: Some(answer.latency_ms),
        latency_bucket: Some(latencies::bucket(answer.latency_ms.unsigned_abs())),
        cached: answer.cached,
        model_version: Some(clean(&answer.reply.model_version)),
        response_id: answer.reply.response_id.as_deref().map(clean),
        ..blank(cell)
    }
}

/// A cell as it stands before anything happened to it.
pub fn blank(cell: &Claimed) -> Settled {
    Settled {
        cell: Some(cell.id),
        claims: cell.claims,
        from_stage: Some(cell.stage),
        stage: Some(cell.stage),
        tries: cell.tries,
        ..Settled::default()
    }
}

pub fn fault(settled: Settled, status: CellStatus, code: &str, message: &str) -> Settled {
    let event = match status {
        CellStatus::Malformed => "malformed",
        _ => "failed",
    };
    Settled {
        status: Some(status),
        event: Some(event),
        error_code: Some(code.to_owned()),
        error_message: Some(clean(message)),
        ..settled
    }
}

/// A cell that waits again, since its call was not made.
pub fn back(cell: &Claimed, attempt: Option<AttemptId>, at: DateTime<Utc>) -> Settled {
    Settled {
        attempt,
        withdrawn: attempt.is_some(),
        status: Some(CellStatus::Queued),
        not_before: Some(at),
        ..blank(cell)
    }
}

/// What a provider's error means for the cell.
pub fn failure(cell: &Claimed, attempt: AttemptId, cause: &ProviderError) -> Settled {
    if let ProviderError::Held { until, .. } = cause {
        return back(cell, Some(attempt), *until);
    }
    if let ProviderError::Paused(key) = cause.said() {
        return Settled {
            parked_until: Some(key.look_again).filter(|_| cell.stage == Stage::Generate),
            ..back(cell, Some(attempt), key.look_again)
        };
    }
    let settled = Settled {
        attempt: Some(attempt),
        withdrawn: cause.is_unasked(),
        // Paid for, perhaps: what was promised to it stays promised.
        unknown: matches!(
            cause,
            ProviderError::Timeout(_) | ProviderError::Malformed(_)
        ),
        ..blank(cell)
    };
    let again = |tries, not_before, event| Settled {
        status: Some(CellStatus::Queued),
        tries,
        not_before: Some(not_before),
        event: Some(event),
        error_code: Some(cause.class().to_owned()),
        error_message: Some(clean(&cause.to_string())),
        ..settled.clone()
    };
    match cause.said() {
        ProviderError::RateLimited { retry_at: until } | ProviderError::QuotaSpent { until } => {
            Settled {
                // A grader is of no column.
                parked_until: Some(*until).filter(|_| cell.stage == Stage::Generate),
                ..again(cell.tries, *until, "rate_limited")
            }
        }
        ProviderError::Overloaded(_) | ProviderError::Timeout(_) | ProviderError::Malformed(_)
            if cell.tries + 1 < TRIES =>
        {
            let wait = domain::jobs::backoff((cell.tries + 1).into(), rand::random());
            let at = Utc::now() + super::delta(wait);
            again(
                cell.tries + 1,
                cause.retry_at().map_or(at, |named| named.max(at)),
                "retried",
            )
        }
        _ => fault(
            settled,
            CellStatus::Failed,
            cause.class(),
            &cause.to_string(),
        ),
    }
}

/// Why an answer is none.
pub fn refusal(reply: &Reply) -> Option<String> {
    match &reply.finish {
        Finish::Refused(reason) => Some(format!("The model withheld its answer: {reason}")),
        _ => None,
    }
}

/// A cell whose output stands, and whose grader gave no grade.
pub fn ungraded(settled: Settled, why: &str) -> Settled {
    Settled {
        status: Some(CellStatus::Completed),
        event: Some("grader_failed"),
        error_code: Some("grader_failed".into()),
        error_message: Some(clean(why)),
        ..settled
    }
}

/// Postgres stores no NUL.
pub fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// The answer without what no column takes.
pub fn storable(reply: Reply) -> Reply {
    Reply {
        text: clean(&reply.text),
        model_version: clean(&reply.model_version),
        response_id: reply.response_id.as_deref().map(clean),
        finish: match reply.finish {
            Finish::Refused(reason) => Finish::Refused(clean(&reason)),
            finish => finish,
        },
        ..reply
    }
}

#[cfg(test)]
mod tests {
    use domain::runs::{CellId, Stage};

    use super::*;

    fn cell(stage: Stage) -> Claimed {
        Claimed {
            id: CellId::new(),
            claims: 1,
            column_index: 0,
            row_index: 0,
            repeat: 0,
            stage,
            round: 1,
            tries: 1,
            output_raw: None,
            output_parsed: None,
            row_values: None,
        }
    }

    fn booked(stage: Stage, cause: &ProviderError) -> Settled {
        failure(&cell(stage), AttemptId::new(), cause)
    }

    #[test]
    fn a_call_that_was_not_made_leaves_no_attempt() {
        let until = Utc::now();
        let spent = ProviderError::QuotaSpent { until };
        let refused = ProviderError::Unauthorized("no such key".into());
        for cause in [spent, refused] {
            let asked = booked(Stage::Generate, &cause);
            let unasked = booked(Stage::Generate, &ProviderError::Unasked(Box::new(cause)));
            assert!(!asked.withdrawn && unasked.withdrawn);
            let told = |settled: &Settled| (settled.status, settled.error_message.clone());
            assert_eq!(told(&asked), told(&unasked));
        }
        let why = "the calls that the provider allows are spoken for";
        assert!(booked(Stage::Generate, &ProviderError::Held { until, why }).withdrawn);
    }

    #[test]
    fn a_named_time_holds_for_the_column_unless_it_was_its_grader_that_named_it() {
        let until = Utc::now();
        let limited = ProviderError::RateLimited { retry_at: until };
        let generated = booked(Stage::Generate, &limited);
        assert_eq!((generated.parked_until, generated.tries), (Some(until), 1));
        let graded = booked(Stage::Grade, &limited);
        assert_eq!(
            (graded.parked_until, graded.not_before),
            (None, Some(until))
        );
    }
}
