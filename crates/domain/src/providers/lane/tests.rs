use chrono::{TimeDelta, Utc};
use proptest::prelude::*;

use super::*;
use crate::providers::{ProviderError, Trouble};

const RULES: Rules = Rules {
    most: 64.0,
    calls: None,
    tokens: None,
    lease: 15_000.0,
};

fn wish(id: &str) -> Wish {
    Wish {
        id: id.into(),
        reserved: None,
        tokens: 0.0,
        patience: 0.0,
    }
}

fn patient(id: &str) -> Wish {
    Wish {
        patience: 1e9,
        ..wish(id)
    }
}

/// A lane after so many calls that ended at once with this lesson, and the moment after it.
fn taught(lesson: &Lesson, calls: u32) -> Lane {
    let mut lane = Lane::default();
    for call in 0..calls {
        let now = 1000.0 + f64::from(call);
        lane.settle(now, "x", now, 0.0, lesson, &RULES);
    }
    lane
}

fn wait(wait: f64, quota: bool) -> Lesson {
    let named = 5e12;
    Lesson::Wait { wait, named, quota }
}

#[test]
fn nobody_calls_before_the_time_and_an_earlier_one_changes_nothing() {
    let mut lane = taught(&wait(31_000.0, false), 1);
    lane.settle(1001.0, "y", 0.0, 0.0, &wait(5.0, true), &RULES);
    lane.settle(1002.0, "z", 0.0, 0.0, &Lesson::Good, &RULES);
    let (named, quota) = (5e12, false);
    let why = Refusal::Parked { named, quota };
    assert_eq!(
        lane.enter(31_999.0, &wish("a"), &RULES),
        Entry::Refused { wait: 1.0, why }
    );
    assert_eq!(
        lane.enter(31_999.0, &patient("a"), &RULES),
        Entry::Closed { wait: 1.0 }
    );
    assert_eq!(lane.enter(32_000.0, &wish("a"), &RULES), Entry::Go);
}

#[test]
fn who_waits_for_a_moment_is_stopped_by_a_time_named_meanwhile() {
    let rules = Rules {
        calls: Some(Pace::per_minute(60)),
        ..RULES
    };
    let mut lane = Lane::default();
    assert_eq!(lane.enter(1.0, &wish("a"), &rules), Entry::Go);
    let Entry::Reserved { at, .. } = lane.enter(1.0, &patient("b"), &rules) else {
        panic!("the second waits");
    };
    lane.settle(2.0, "a", 1.0, 0.0, &wait(31_000.0, false), &rules);
    let again = Wish {
        reserved: Some(at),
        ..patient("b")
    };
    assert_eq!(
        lane.enter(at, &again, &rules),
        Entry::Closed {
            wait: 31_002.0 - at
        }
    );
    assert!(lane.places.is_empty());
}

#[test]
fn five_failures_close_the_lane_for_a_growing_time_with_one_call_to_try() {
    let mut lane = taught(&Lesson::Failed, FAILURES - 1);
    assert_eq!(lane.enter(2000.0, &wish("a"), &RULES), Entry::Go);
    lane.settle(2000.0, "a", 2000.0, 0.0, &Lesson::Failed, &RULES);
    let closed = |lane: &mut Lane, now| lane.enter(now, &wish("b"), &RULES);
    let refused = |wait| Entry::Refused {
        wait,
        why: Refusal::Failing,
    };
    assert_eq!(closed(&mut lane, 2000.0), refused(1000.0));
    // One tries, the others wait for what comes of it.
    assert_eq!(lane.enter(3000.0, &wish("a"), &RULES), Entry::Go);
    assert_eq!(closed(&mut lane, 3001.0), refused(PROBE - 1.0));
    // Calls of before say nothing new.
    lane.settle(3500.0, "old", 1500.0, 0.0, &Lesson::Failed, &RULES);
    lane.settle(4000.0, "a", 3000.0, 0.0, &Lesson::Failed, &RULES);
    assert_eq!(closed(&mut lane, 4000.0), refused(2000.0));
    assert_eq!(lane.enter(6000.0, &wish("a"), &RULES), Entry::Go);
    lane.settle(6100.0, "a", 6000.0, 0.0, &Lesson::Good, &RULES);
    assert_eq!(closed(&mut lane, 6100.0), Entry::Go);
    assert!((pause(FAILURES + 3) - 8000.0).abs() < 1e-9);
    assert!((pause(1000) - LONGEST_PAUSE).abs() < 1e-9);
}

#[test]
fn a_provider_in_trouble_that_names_a_time_is_not_called_before_it_and_has_failed() {
    let now = Utc::now();
    let trouble = |retry_at| Trouble {
        says: "Overloaded".into(),
        retry_at,
    };
    let named = Some(now + TimeDelta::seconds(31));
    let lesson = Lesson::of(&ProviderError::Overloaded(trouble(named)), now);
    let mut lane = taught(&lesson, 1);
    let Entry::Refused { wait, why } = lane.enter(1000.0, &wish("a"), &RULES) else {
        panic!("it is parked");
    };
    assert!((31_000.0..31_010.0).contains(&wait), "{wait}");
    assert!(matches!(why, Refusal::Parked { quota: false, .. }));
    assert_eq!(lane.failures, 1);
    assert!(lane.limit(&RULES) < INITIAL);
    let nameless = ProviderError::Overloaded(trouble(None));
    assert_eq!(Lesson::of(&nameless, now), Lesson::Failed);
}

#[test]
fn a_refused_key_is_repeated_to_callers_and_tried_once_a_minute() {
    let complaint = Refusal::Unauthorized("API key not valid".into());
    let mut lane = taught(&Lesson::Complaint(complaint.clone()), 1);
    assert_eq!(
        lane.enter(1500.0, &wish("a"), &RULES),
        Entry::Refused {
            wait: 59_500.0,
            why: complaint
        }
    );
    assert_eq!(lane.enter(61_000.0, &wish("a"), &RULES), Entry::Go);
    assert_ne!(lane.enter(61_001.0, &wish("b"), &RULES), Entry::Go);
}

#[test]
fn the_limit_doubles_in_a_round_until_trouble_halves_it_once_and_grows_slowly_after() {
    let mut lane = Lane::default();
    let limit = |lane: &Lane| lane.limit(&RULES);
    let round = |lane: &mut Lane, now: f64, lesson: &Lesson| {
        let mut inside = 0;
        while lane.enter(now, &wish(&format!("{now} {inside}")), &RULES) == Entry::Go {
            inside += 1;
        }
        for call in 0..inside {
            let id = format!("{now} {call}");
            lane.settle(now + 1.0, &id, now, 0.0, lesson, &RULES);
        }
        inside
    };
    assert_eq!(round(&mut lane, 10.0, &Lesson::Good), 8);
    // The last of a round find the lane half empty, and say nothing.
    assert!(
        (11.0..=16.0).contains(&limit(&lane)),
        "grows: {}",
        limit(&lane)
    );
    let before = limit(&lane);
    round(&mut lane, 20.0, &Lesson::Failed);
    assert!((limit(&lane) - before / 2.0).abs() < 1e-9);
    lane.reopen();
    let before = limit(&lane);
    round(&mut lane, 30.0, &Lesson::Good);
    assert!(limit(&lane) > before && limit(&lane) <= before + 1.0);
    for moment in 4..20 {
        let now = f64::from(moment) * 10.0;
        round(&mut lane, now, &Lesson::Failed);
        lane.reopen();
    }
    assert!((limit(&lane) - 1.0).abs() < 1e-9);
    assert_eq!(round(&mut lane, 1e6, &Lesson::Good), 1);
}

#[test]
fn a_silent_caller_loses_its_place_with_its_lease() {
    let rules = Rules { most: 1.0, ..RULES };
    let mut lane = Lane::default();
    assert_eq!(lane.enter(0.0, &wish("a"), &rules), Entry::Go);
    assert_eq!(lane.enter(14_999.0, &wish("b"), &rules), Entry::Full);
    assert_eq!(lane.enter(15_000.0, &wish("b"), &rules), Entry::Go);
}

#[test]
fn tokens_are_paced_by_the_wish_and_set_right_by_what_was_used() {
    let rules = Rules {
        tokens: Some(Pace::per_minute(60_000)),
        ..RULES
    };
    let big = |id| Wish {
        tokens: 9_700.0,
        ..wish(id)
    };
    let mut lane = Lane::default();
    assert_eq!(lane.enter(1.0, &big("a"), &rules), Entry::Go);
    let held = lane.enter(1.0, &big("b"), &rules);
    let Entry::Refused { wait, why } = held else {
        panic!("{held:?}")
    };
    assert_eq!(why, Refusal::Paced);
    assert!((9_499.0..9_501.0).contains(&wait), "{wait}");
    lane.settle(1.0, "a", 1.0, -9_700.0, &Lesson::Good, &rules);
    assert_eq!(lane.enter(1.0, &big("b"), &rules), Entry::Go);
}

#[test]
fn errors_teach_and_lanes_answer_in_the_same_words() {
    let now = Utc::now();
    let day = now + TimeDelta::hours(3);
    for error in [
        ProviderError::RateLimited { retry_at: day },
        ProviderError::QuotaSpent { until: day },
    ] {
        let Lesson::Wait { wait, named, quota } = Lesson::of(&error, now) else {
            panic!("{error} names a time")
        };
        assert!(wait >= 10_800_000.0);
        let told = Refusal::Parked { named, quota }.told(now, wait);
        let micros = |error: &ProviderError| error.retry_at().map(|at| at.timestamp_micros());
        assert_eq!(
            (told.class(), micros(&told)),
            (error.class(), micros(&error))
        );
    }
    let says = || "no".to_owned();
    assert_eq!(
        Lesson::of(&ProviderError::Unauthorized(says()), now),
        Lesson::Complaint(Refusal::Unauthorized(says()))
    );
    assert_eq!(
        Refusal::OutOfCredit(says()).told(now, 1.0),
        ProviderError::OutOfCredit(says())
    );
}

/// A lane with more room than any test asks for.
fn wide() -> Lane {
    Lane {
        limit: 1e6,
        ..Lane::default()
    }
}

proptest! {
    /// However callers come, no minute sees more calls than the limit.
    #[test]
    fn no_minute_exceeds_the_limit(limit in 1_u32..2000, gaps in prop::collection::vec(0.0..400.0_f64, 1..600)) {
        let rules = Rules { most: 1e6, calls: Some(Pace::per_minute(limit)), ..RULES };
        let (mut lane, mut now, mut moments) = (wide(), 1.0, Vec::new());
        for (number, gap) in gaps.iter().enumerate() {
            now += gap;
            match lane.enter(now, &patient(&number.to_string()), &rules) {
                Entry::Go => moments.push(now),
                Entry::Reserved { at, .. } => moments.push(at),
                other => prop_assert!(false, "{:?}", other),
            }
        }
        for (first, from) in moments.iter().enumerate() {
            let within = moments[first..].iter().take_while(|at| **at < from + 60_000.0).count();
            prop_assert!(within <= limit as usize, "{} of {}", within, limit);
        }
    }

    /// Callers without a pause get at least 96 % of what is allowed.
    #[test]
    fn the_pace_wastes_little(limit in 100_u32..5000) {
        let rules = Rules { most: 1e6, calls: Some(Pace::per_minute(limit)), ..RULES };
        let mut lane = wide();
        let calls = limit * 3;
        let last = (0..calls).map(|_| {
            lane.places.clear();
            match lane.enter(1.0, &patient("a"), &rules) {
                Entry::Reserved { at, .. } => at,
                Entry::Go => 1.0,
                other => panic!("{other:?}"),
            }
        }).last().unwrap_or_default();
        prop_assert!(last <= f64::from(calls) / f64::from(limit) * 60_000.0 / 0.96);
    }

    /// The limit stays within its bounds, whatever is taught.
    #[test]
    fn the_limit_keeps_its_bounds(most in 1_u32..100, steps in prop::collection::vec((0_u8..5, 0.0..100.0_f64), 0..200)) {
        let rules = Rules { most: f64::from(most), ..RULES };
        let (mut lane, mut now) = (Lane::default(), 1.0);
        for (kind, gap) in steps {
            now += gap;
            let _ = lane.enter(now, &wish("a"), &rules);
            let lesson = [Lesson::Good, Lesson::Failed, Lesson::Answered, Lesson::None, wait(gap, false)][usize::from(kind)].clone();
            lane.settle(now, "a", now, 0.0, &lesson, &rules);
            let limit = lane.limit(&rules);
            prop_assert!((1.0..=f64::from(most)).contains(&limit));
        }
    }
}
