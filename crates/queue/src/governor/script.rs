//! The scripts and how they are asked: the same questions as to a `Lane`, of Redis.

use std::sync::LazyLock;

use domain::providers::lane::{
    ATTENTION, Entry, FAILURES, FIRST_PAUSE, INITIAL, LONGEST_PAUSE, Lesson, PROBE, Pace, Refusal,
    Rules, STALE, Wish,
};
use redis::{Script, ScriptInvocation};

use crate::{Redis, RedisError};

static ENTER: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("enter.lua")));
static SETTLE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("settle.lua")));
static RENEW: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("renew.lua")));

/// Where a lane is kept: the keys of its state and of its places.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    pub(super) state: String,
    pub(super) places: String,
}

/// The time that a provider named: what a process was told, in case Redis has forgotten it, or what
/// Redis says.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Known {
    /// How long it is until then; 0 if there is no such time.
    pub(super) wait: f64,
    /// The moment by Redis' clock; 0 while only the process knows of it.
    pub(super) until: f64,
    /// The moment as it was named.
    pub(super) named: f64,
    pub(super) quota: bool,
}

/// How a lane stands.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Standing {
    pub(super) limit: f64,
    pub(super) in_flight: f64,
    /// Milliseconds that it stays parked.
    pub(super) parked: f64,
}

/// What Redis has learnt from a call's end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Learnt {
    /// The time that a provider named, if it is not over.
    pub(super) known: Known,
    /// How the lane stands.
    pub(super) standing: Standing,
}

/// An answer.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    /// What becomes of the wish.
    pub(super) entry: Entry,
    /// The moment of entry, on the server's clock.
    pub(super) at: f64,
    /// The time that a provider named, if it is not over.
    pub(super) known: Known,
    /// How the lane stands.
    pub(super) standing: Standing,
}

/// Asks for entry. `now` stands in for the server's clock in tests.
pub(super) async fn enter(
    redis: &mut Redis,
    keys: &Keys,
    wish: &Wish,
    rules: &Rules,
    known: Known,
    now: Option<f64>,
) -> Result<Answer, RedisError> {
    let mut invocation = ENTER.key(&keys.state);
    invocation.key(&keys.places).arg(&wish.id);
    invocation.arg(wish.reserved.unwrap_or_default());
    invocation
        .arg(wish.tokens)
        .arg(wish.patience)
        .arg(rules.most);
    for pace in [rules.calls, rules.tokens] {
        let Pace { interval, slack } = pace.unwrap_or(Pace {
            interval: 0.0,
            slack: 0.0,
        });
        invocation.arg(interval).arg(slack);
    }
    invocation.arg(rules.lease).arg(known.wait).arg(known.named);
    invocation.arg(u8::from(known.quota)).arg(known.until);
    invocation.arg(format!("[{FAILURES},{PROBE},{STALE},{INITIAL}]"));
    time(&mut invocation, now);
    let said: Vec<String> = invocation.invoke_async(redis).await?;
    Ok(read(&said))
}

/// Says how a call ended.
#[expect(clippy::too_many_arguments, reason = "the same as of `Lane::settle`")]
pub(super) async fn settle(
    redis: &mut Redis,
    keys: &Keys,
    id: &str,
    entered: f64,
    surplus: f64,
    lesson: &Lesson,
    rules: &Rules,
    now: Option<f64>,
) -> Result<Learnt, RedisError> {
    let mut invocation = SETTLE.key(&keys.state);
    invocation.key(&keys.places).arg(id).arg(entered);
    invocation.arg(surplus);
    invocation.arg(rules.tokens.map_or(0.0, |pace| pace.interval));
    invocation.arg(rules.most);
    teach(&mut invocation, lesson);
    invocation.arg(format!(
        "[{FAILURES},{FIRST_PAUSE},{LONGEST_PAUSE},{ATTENTION},{INITIAL}]"
    ));
    time(&mut invocation, now);
    let said: Vec<String> = invocation.invoke_async(redis).await?;
    Ok(learnt(&said))
}

/// Keeps a place for another lease.
pub(super) async fn renew(
    redis: &mut Redis,
    keys: &Keys,
    id: &str,
    lease: f64,
) -> Result<(), RedisError> {
    let mut invocation = RENEW.key(&keys.places);
    invocation.arg(id).arg(lease).invoke_async(redis).await
}

fn time(invocation: &mut ScriptInvocation<'_>, now: Option<f64>) {
    match now {
        Some(now) => invocation.arg(now),
        None => invocation.arg(""),
    };
}

fn teach(invocation: &mut ScriptInvocation<'_>, lesson: &Lesson) {
    let plain = |name| (name, String::new(), String::new(), false);
    let complaint = |kind: &str, says: &String| ("complaint", kind.to_owned(), says.clone(), false);
    let (name, first, second, quota) = match lesson {
        Lesson::None => plain("none"),
        Lesson::Answered => plain("answered"),
        Lesson::Good => plain("good"),
        Lesson::Wait { wait, named, quota } => {
            ("wait", wait.to_string(), named.to_string(), *quota)
        }
        Lesson::FailedUntil { wait, named } => {
            ("failed_until", wait.to_string(), named.to_string(), false)
        }
        Lesson::Complaint(Refusal::OutOfCredit(says)) => complaint("credit", says),
        Lesson::Complaint(Refusal::Unauthorized(says)) => complaint("unauthorized", says),
        Lesson::Failed | Lesson::Complaint(_) => plain("failed"),
    };
    invocation.arg(name).arg(first).arg(second);
    invocation.arg(u8::from(quota));
}

/// `verdict, wait, at, why, says`, and how the lane stands.
fn read(said: &[String]) -> Answer {
    let text = |place: usize| said.get(place).map(String::as_str).unwrap_or_default();
    let number = |place| text(place).parse().unwrap_or_default();
    let (wait, at): (f64, f64) = (number(1), number(2));
    let Learnt { known, standing } = learnt(said.get(5..).unwrap_or_default());
    let entry = match text(0) {
        "go" => Entry::Go,
        "reserved" => Entry::Reserved { at, wait },
        "closed" => Entry::Closed { wait },
        "full" => Entry::Full,
        _ => Entry::Refused {
            wait,
            why: match text(3) {
                "parked" => Refusal::Parked {
                    named: known.named,
                    quota: known.quota,
                },
                "unauthorized" => Refusal::Unauthorized(text(4).to_owned()),
                "credit" => Refusal::OutOfCredit(text(4).to_owned()),
                "paced" => Refusal::Paced,
                _ => Refusal::Failing,
            },
        },
    };
    Answer {
        entry,
        at,
        known,
        standing,
    }
}

/// `limit, in flight, parked for, parked until, named, quota`.
fn learnt(said: &[String]) -> Learnt {
    let text = |place: usize| said.get(place).map(String::as_str).unwrap_or_default();
    let number = |place| text(place).parse().unwrap_or_default();
    Learnt {
        known: Known {
            wait: number(2),
            until: number(3),
            named: number(4),
            quota: text(5) == "1",
        },
        standing: Standing {
            limit: number(0),
            in_flight: number(1),
            parked: number(2),
        },
    }
}

#[cfg(test)]
mod tests;
