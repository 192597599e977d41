//! What checks must obey where they come in, all faults at once.

use std::ops::ControlFlow;

use deserr::{DeserializeError, Deserr, ErrorKind, IntoValue, ValuePointerRef};

use super::{Check, CheckType, Checks, rule::Rule};
use crate::Fault;

/// The most checks of a run.
const MOST_CHECKS: usize = 20;

/// The most characters of a check's name.
const MOST_NAME: usize = 200;

/// The highest weight.
const MOST_WEIGHT: f64 = 1000.0;

/// A member of a check, and what is wrong with it.
pub(super) type MemberFault = (&'static str, Fault);

impl<E: DeserializeError> Deserr<E> for Checks {
    fn deserialize_from_value<V: IntoValue>(
        value: deserr::Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, E> {
        let checks = <Vec<Check> as Deserr<E>>::deserialize_from_value(value, location)?;
        let mut found = None;
        for (place, member, fault) in faults(&checks) {
            let fault = ErrorKind::Unexpected { msg: fault.0 };
            let at = location.push_index(place);
            match E::error::<V>(found, fault, at.push_key(member)) {
                ControlFlow::Continue(error) => found = Some(error),
                ControlFlow::Break(error) => return Err(error),
            }
        }
        found.map_or(Ok(Self(checks)), Err)
    }
}

/// Everything that is wrong with these checks: the place of each, its member, and a sentence.
pub fn faults(checks: &[Check]) -> Vec<(usize, &'static str, Fault)> {
    if checks.len() > MOST_CHECKS {
        let fault = Fault(format!("must have at most {MOST_CHECKS} checks"));
        return vec![(MOST_CHECKS, "type", fault)];
    }
    let mut faults = Vec::new();
    for (place, check) in checks.iter().enumerate() {
        let found = of_check(check).into_iter();
        faults.extend(found.map(|(member, fault)| (place, member, fault)));
    }
    let similar = |check: &&Check| check.kind == CheckType::Similarity;
    if checks.iter().filter(similar).count() > 1 {
        // Each takes a call of its own for every cell.
        let place = checks.iter().rposition(|check| similar(&check));
        let fault = Fault("must not ask for similarity more than once".into());
        faults.push((place.unwrap_or_default(), "type", fault));
    }
    faults
}

fn of_check(check: &Check) -> Vec<MemberFault> {
    let mut faults = Rule::new(check).err().unwrap_or_default();
    let long = |name: &String| name.chars().count() > MOST_NAME || name.contains('\0');
    if check.name.as_ref().is_some_and(long) {
        let fault = format!("must have at most {MOST_NAME} characters, none of them NUL");
        faults.push(("name", Fault(fault)));
    }
    let weighs = |weight: f64| (0.0..=MOST_WEIGHT).contains(&weight);
    if !check.weight.is_none_or(weighs) {
        let fault = format!("must be between 0 and {MOST_WEIGHT}");
        faults.push(("weight", Fault(fault)));
    }
    faults.extend(of_tolerance(check).map(|fault| ("tolerance", fault)));
    faults
}

fn of_tolerance(check: &Check) -> Option<Fault> {
    let tolerance = check.tolerance?;
    let (holds, sentence) = match check.kind {
        CheckType::Numeric => (
            tolerance >= 0.0 && tolerance.is_finite(),
            "must be 0 or more",
        ),
        CheckType::Levenshtein => (
            (0.0..1.0).contains(&tolerance)
                || ((1.0..=1e6).contains(&tolerance) && tolerance.fract() == 0.0),
            "must be a number of edits up to 1000000, or below 1 a share of the longer text",
        ),
        CheckType::Similarity => (
            (0.0..=1.0).contains(&tolerance),
            "must be between 0 and 1: what a cosine may lack to 1",
        ),
        _ => (false, "means nothing to a check of this type"),
    };
    (!holds).then(|| Fault(sentence.into()))
}
