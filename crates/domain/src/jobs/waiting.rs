//! Why a job waits: computed each time somebody looks, so that it is never out of date. What the last
//! attempt said of its wait is one of the facts it is computed from.

use chrono::{DateTime, Utc};

use super::JobKind;

/// What is said of a job whose last attempt failed.
pub const NEXT_ATTEMPT: &str = "waits for its next attempt";

/// What is said of a job that another worker has to do.
pub const NEWER_WORKER: &str =
    "a worker with the embedding model that was chosen last has to do it";

text_enum!(
    /// Why a job waits.
    WaitCode {
        /// Its kind, or the key it calls a provider with, is paused.
        Paused = "paused",
        /// Somebody outside named a time: a provider, a tracker, the governor.
        Parked = "parked",
        /// It is meant for later.
        Scheduled = "scheduled",
        /// It failed, and its wait before the next attempt is not over.
        Retry = "retry",
        /// As much of its kind, or of its owner's work, is under way as may be.
        Concurrency = "concurrency",
        /// It is due, and others come first.
        Turn = "turn",
        /// It was handed out, and no worker has begun it.
        Worker = "worker",
        /// Something else here has to happen first.
        Dependency = "dependency",
    }
);

/// What is paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paused<'a> {
    /// The kind, for everybody.
    Everywhere,
    /// The kind, for the job's company.
    ForCompany,
    /// The key of this label.
    Key(&'a str),
}

/// What is under way, and how much may be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    /// Places for its kind in all workers that are heard of.
    pub places: i64,
    /// Jobs of its kind that run.
    pub running: i64,
    /// The most of its kind that is handed out for one owner, if there is such a limit.
    pub each: Option<i64>,
    /// What of its kind runs or is handed out for its owner.
    pub of_owner: i64,
}

/// What is known of a job that waits.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// What it does.
    pub kind: JobKind,
    /// When it is due.
    pub run_at: DateTime<Utc>,
    /// The time.
    pub now: DateTime<Utc>,
    /// Whether its id is on its way to a worker.
    pub is_handed_out: bool,
    /// What the last attempt said of the wait.
    pub said: Option<&'a str>,
    /// What is paused.
    pub paused: Option<Paused<'a>>,
    /// What is under way.
    pub load: Load,
}

/// Why a job waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// For programs.
    pub code: WaitCode,
    /// For people.
    pub sentence: String,
    /// Until when, where that is known.
    pub until: Option<DateTime<Utc>>,
}

/// Why the job waits. What a person did comes first, then what has a time, then what is busy.
pub fn why(facts: &Facts<'_>) -> Why {
    if let Some(paused) = facts.paused {
        return because(WaitCode::Paused, pause(facts.kind, paused));
    }
    if facts.run_at > facts.now {
        let (code, sentence) = later(facts.said);
        return Why {
            code,
            sentence: sentence.to_owned(),
            until: Some(facts.run_at),
        };
    }
    let (code, sentence) = busy(facts);
    because(code, sentence)
}

fn because(code: WaitCode, sentence: String) -> Why {
    Why {
        code,
        sentence,
        until: None,
    }
}

fn pause(kind: JobKind, paused: Paused<'_>) -> String {
    match paused {
        Paused::Everywhere => format!("{kind} is paused"),
        Paused::ForCompany => format!("{kind} is paused for its company"),
        Paused::Key(label) => format!("the provider key \"{label}\" is paused"),
    }
}

fn later(said: Option<&str>) -> (WaitCode, &str) {
    match said {
        None => (WaitCode::Scheduled, "is scheduled for later"),
        Some(NEXT_ATTEMPT) => (WaitCode::Retry, NEXT_ATTEMPT),
        Some(NEWER_WORKER) => (WaitCode::Dependency, NEWER_WORKER),
        Some(said) => (WaitCode::Parked, said),
    }
}

fn busy(facts: &Facts<'_>) -> (WaitCode, String) {
    let (kind, load) = (facts.kind, facts.load);
    let is_full = load.places > 0 && load.running >= load.places;
    if let Some(each) = load.each
        && !facts.is_handed_out
        && load.of_owner >= each
    {
        let sentence =
            format!("{each} of {kind} are under way for its owner, the most there may be");
        return (WaitCode::Concurrency, sentence);
    }
    if is_full {
        let sentence = format!("all {} places for {kind} are taken", load.places);
        return (WaitCode::Concurrency, sentence);
    }
    match (facts.is_handed_out, load.places) {
        (false, _) => (WaitCode::Turn, "waits for its turn".into()),
        (true, 0) => (
            WaitCode::Worker,
            format!("waits for a worker: none that serves {kind} is heard of"),
        ),
        (true, _) => (WaitCode::Worker, "waits for a free worker".into()),
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn due() -> Facts<'static> {
        let now = Utc::now();
        Facts {
            kind: JobKind::DocumentsEmbed,
            run_at: now,
            now,
            is_handed_out: false,
            said: None,
            paused: None,
            load: Load::default(),
        }
    }

    fn code(facts: &Facts<'_>) -> WaitCode {
        why(facts).code
    }

    #[test]
    fn what_a_person_paused_is_said_before_everything_else() {
        let facts = Facts {
            paused: Some(Paused::Key("Main")),
            run_at: Utc::now() + TimeDelta::hours(1),
            said: Some("the provider asks to wait"),
            ..due()
        };
        let said = why(&facts);
        assert_eq!((said.code, said.until), (WaitCode::Paused, None));
        assert_eq!(said.sentence, "the provider key \"Main\" is paused");
    }

    #[test]
    fn a_time_is_told_with_what_named_it() {
        let run_at = Utc::now() + TimeDelta::hours(1);
        let at = |said| Facts {
            run_at,
            said,
            ..due()
        };
        assert_eq!(why(&at(None)).until, Some(run_at));
        assert_eq!(code(&at(None)), WaitCode::Scheduled);
        assert_eq!(code(&at(Some(NEXT_ATTEMPT))), WaitCode::Retry);
        assert_eq!(code(&at(Some(NEWER_WORKER))), WaitCode::Dependency);
        assert_eq!(code(&at(Some("the quota is spent"))), WaitCode::Parked);
    }

    #[test]
    fn full_places_are_told_apart_from_a_turn_and_from_a_worker_that_is_missing() {
        let with = |is_handed_out, places, running| Facts {
            is_handed_out,
            load: Load {
                places,
                running,
                ..Load::default()
            },
            ..due()
        };
        assert_eq!(code(&with(false, 4, 3)), WaitCode::Turn);
        assert_eq!(code(&with(false, 4, 4)), WaitCode::Concurrency);
        assert_eq!(code(&with(true, 4, 4)), WaitCode::Concurrency);
        assert_eq!(code(&with(true, 4, 3)), WaitCode::Worker);
        assert!(why(&with(true, 0, 0)).sentence.contains("none"));
    }

    #[test]
    fn the_limit_of_an_owner_is_told_while_places_are_free() {
        let load = Load {
            places: 9,
            running: 2,
            each: Some(2),
            of_owner: 2,
        };
        assert_eq!(code(&Facts { load, ..due() }), WaitCode::Concurrency);
        let load = Load {
            of_owner: 1,
            ..load
        };
        assert_eq!(code(&Facts { load, ..due() }), WaitCode::Turn);
    }
}
