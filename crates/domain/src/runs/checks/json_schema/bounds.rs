//! The keywords that ask of a value by itself: its type, its length, its size.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use super::{Held, Place, list};

/// The names of types.
pub(super) const TYPES: [&str; 7] = [
    "null", "boolean", "object", "array", "number", "integer", "string",
];

pub(super) fn of_type(wanted: &Value, value: &Value, place: &Place<'_>) -> Held {
    let is = |name: &Value| match (name.as_str().unwrap_or_default(), value) {
        ("null", Value::Null)
        | ("boolean", Value::Bool(_))
        | ("object", Value::Object(_))
        | ("array", Value::Array(_))
        | ("number", Value::Number(_))
        | ("string", Value::String(_)) => true,
        // 1.0 is an integer: the number counts, not how it is written.
        ("integer", Value::Number(number)) => {
            !number.is_f64() || number.as_f64().is_some_and(|float| float.fract() == 0.0)
        }
        _ => false,
    };
    let holds = is(wanted) || list(wanted).iter().any(is);
    place.must(holds, || format!("it is not of the type {wanted}"))
}

pub(super) fn of_text(keyword: &str, wanted: &Value, text: &str, place: &Place<'_>) -> Held {
    of_count(keyword, "Length", wanted, text.chars().count(), place)
}

/// `min` or `max` and what is counted.
pub(super) fn of_count(
    keyword: &str,
    counted: &str,
    wanted: &Value,
    count: usize,
    place: &Place<'_>,
) -> Held {
    let bound = wanted.as_u64().unwrap_or(u64::MAX);
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    let holds = match keyword.strip_suffix(counted) {
        Some("min") => count >= bound,
        Some("max") => count <= bound,
        _ => true,
    };
    place.must(holds, || {
        format!("{keyword} is {bound}, and it has {count}")
    })
}

pub(super) fn of_number(keyword: &str, wanted: &Value, number: &Number, place: &Place<'_>) -> Held {
    let Value::Number(bound) = wanted else {
        return Ok(());
    };
    let order = compared(number, bound);
    let holds = match keyword {
        "minimum" => order != Ordering::Less,
        "maximum" => order != Ordering::Greater,
        "exclusiveMinimum" => order == Ordering::Greater,
        "exclusiveMaximum" => order == Ordering::Less,
        "multipleOf" => is_multiple(number, bound),
        _ => true,
    };
    place.must(holds, || {
        format!("{keyword} is {bound}, and it is {number}")
    })
}

fn whole(number: &Number) -> Option<i128> {
    let signed = number.as_i64().map(i128::from);
    signed.or_else(|| number.as_u64().map(i128::from))
}

/// Whole numbers exactly, others as floats.
fn compared(a: &Number, b: &Number) -> Ordering {
    if let (Some(a), Some(b)) = (whole(a), whole(b)) {
        return a.cmp(&b);
    }
    let float = |number: &Number| number.as_f64().unwrap_or(f64::NAN);
    float(a).total_cmp(&float(b))
}

/// Floats are forgiven what binary fractions make of decimal ones.
fn is_multiple(number: &Number, of: &Number) -> bool {
    if let (Some(number), Some(of)) = (whole(number), whole(of)) {
        return number.checked_rem(of) == Some(0);
    }
    let times = number.as_f64().unwrap_or(f64::NAN) / of.as_f64().unwrap_or(f64::NAN);
    (times - times.round()).abs() <= times.abs().max(1.0) * 4.0 * f64::EPSILON
}
