//! A check made ready: its path parsed, its expression compiled, and the judgement itself.

use std::borrow::Cow;

use serde_json::Value;

use super::{
    Check, CheckType, Subject,
    against::Against,
    compiled::Output,
    faults::MemberFault,
    fuel::{Exhausted, Fuel},
    json,
    json_path::Path,
    levenshtein,
};
use crate::Fault;

/// The tolerances where none is named.
const EDITS: f64 = 5.0;
const COSINE: f64 = 0.25;

/// The most characters of a value that a detail quotes.
const QUOTED: usize = 100;

/// A check made ready.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) check: Check,
    path: Option<Path>,
    against: Option<Against>,
}

/// Whether an output passed, and what is to be said of it.
pub(super) type Judgement = (bool, Option<String>);

impl Rule {
    /// Makes a check ready, or says everything that is wrong with it.
    pub(super) fn new(check: &Check) -> Result<Self, Vec<MemberFault>> {
        let mut faults = Vec::new();
        let mut kept = |member, fault: Fault| faults.push((member, fault));
        let path = path_of(check).unwrap_or_else(|fault| {
            kept("path", fault);
            None
        });
        let value = check
            .value
            .as_ref()
            .map(|value| Against::new(check.kind, value));
        let against = value.transpose().unwrap_or_else(|fault| {
            kept("value", fault);
            None
        });
        if check.value.is_none() && measures(check.kind) {
            kept(
                "value",
                Fault("is required for a check of this type".into()),
            );
        }
        let check = check.clone();
        let rule = Self {
            check,
            path,
            against,
        };
        if faults.is_empty() {
            Ok(rule)
        } else {
            Err(faults)
        }
    }

    /// The text whose meaning the output's is compared with, if that is what this check asks.
    pub(super) fn meaning<'a>(&'a self, expected: Option<&'a str>) -> Option<&'a str> {
        match (&self.against, self.check.kind) {
            (Some(Against::Text(text)), CheckType::Similarity) => Some(text),
            (None, CheckType::Similarity) => expected,
            _ => None,
        }
    }

    /// Whether this output passes.
    pub(super) fn judge(&self, subject: &Subject<'_>, output: &Output<'_>) -> Judgement {
        let drawn;
        let against = match (&self.against, subject.expected) {
            (Some(against), _) => Some(against),
            (None, Some(expected)) => {
                let expected = Value::String(expected.to_owned());
                drawn = match Against::new(self.check.kind, &expected) {
                    Ok(against) => against,
                    Err(fault) => return failed(format!("What the row expects {}.", fault.0)),
                };
                Some(&drawn)
            }
            (None, None) => None,
        };
        let judged = match self.check.kind {
            CheckType::MaxLatencyMs | CheckType::MaxCost => Ok(measured(against, subject)),
            CheckType::Similarity => Ok(self.similar(against, subject.similarity)),
            CheckType::JsonPath => self.found(against, output),
            _ => match against {
                Some(against) => self.compared(against, output),
                None => Ok(failed(
                    "There is nothing to compare with: the check has no value and the row expects none.",
                )),
            },
        };
        judged.unwrap_or_else(|Exhausted| failed("Judging takes more steps than a check may take."))
    }

    fn similar(&self, against: Option<&Against>, cosine: Option<f64>) -> Judgement {
        let Some(cosine) = cosine.filter(|_| against.is_some()) else {
            return failed("There is nothing whose meaning could be compared.");
        };
        let least = 1.0 - self.check.tolerance.unwrap_or(COSINE);
        let detail = format!("The cosine is {cosine:.3}; {least:.3} is asked for.");
        (cosine >= least, Some(detail))
    }

    /// Whether the path finds what is wanted among the values of the output, or anything at all.
    fn found(
        &self,
        against: Option<&Against>,
        output: &Output<'_>,
    ) -> Result<Judgement, Exhausted> {
        let Some(path) = &self.path else {
            return Ok(failed("The check has no path."));
        };
        let value = match output.json() {
            Ok(value) => value,
            Err(detail) => return Ok(failed(detail)),
        };
        let found = path.select(value, &Fuel::full())?;
        Ok(match against {
            _ if found.is_empty() => failed("The path finds nothing."),
            Some(Against::Json(wanted)) if !found.iter().any(|value| wanted.is(value)) => {
                failed(format!("The path finds {}.", quoted(&found[0].to_string())))
            }
            _ => PASSED,
        })
    }

    /// Holds the output, or the part of it that is meant, against a value.
    fn compared(&self, against: &Against, output: &Output<'_>) -> Result<Judgement, Exhausted> {
        let part = match &self.path {
            None => None,
            Some(path) => match part(path, output)? {
                Ok(part) => Some(part),
                Err(detail) => return Ok(failed(detail)),
            },
        };
        if let Against::Json(_) | Against::Schema(_) = against {
            return match part.map_or_else(|| output.json(), Ok) {
                Ok(value) => compared_json(against, value),
                Err(detail) => Ok(failed(detail)),
            };
        }
        let text = part.map_or(Cow::Borrowed(output.text), |part| {
            json::text_of(part).into()
        });
        Ok(self.compared_text(against, &text))
    }

    fn compared_text(&self, against: &Against, text: &str) -> Judgement {
        match against {
            Against::Pattern(pattern) if pattern.is_match(text) => PASSED,
            Against::Pattern(_) => failed("The expression finds nothing."),
            Against::Number(number) => near(*number, self.check.tolerance.unwrap_or(0.0), text),
            Against::Text(wanted) if self.check.kind == CheckType::Levenshtein => {
                within_edits(wanted, self.check.tolerance.unwrap_or(EDITS), text)
            }
            Against::Text(wanted) => self.compared_texts(wanted, text),
            Against::Json(_) | Against::Schema(_) | Against::Amount(_) => failed(differs(text)),
        }
    }

    fn compared_texts(&self, wanted: &str, text: &str) -> Judgement {
        let (passes, detail) = match self.check.kind {
            CheckType::IEquals => (
                text.trim().to_lowercase() == wanted.trim().to_lowercase(),
                differs(text),
            ),
            CheckType::Contains => (text.contains(wanted), "The text is not in it.".into()),
            CheckType::NotContains => (!text.contains(wanted), "The text is in it.".into()),
            CheckType::StartsWith => (
                text.trim_start().starts_with(wanted.trim_start()),
                format!("It begins with {}.", quoted(text.trim_start())),
            ),
            _ => (text.trim() == wanted.trim(), differs(text)),
        };
        (passes, (!passes).then_some(detail))
    }
}

fn compared_json(against: &Against, value: &Value) -> Result<Judgement, Exhausted> {
    let fault = match against {
        Against::Schema(schema) => schema.fault(value, &Fuel::full())?,
        Against::Json(wanted) if wanted.is(value) => None,
        _ => Some(differs(&value.to_string())),
    };
    Ok(fault.map_or(PASSED, failed))
}

const PASSED: Judgement = (true, None);

fn failed(detail: impl Into<String>) -> Judgement {
    (false, Some(detail.into()))
}

fn differs(text: &str) -> String {
    format!("It is {}.", quoted(text))
}

/// The first characters of a text, in quotes.
fn quoted(text: &str) -> String {
    let mut first: String = text.chars().take(QUOTED).collect();
    if first.len() < text.len() {
        first.push('…');
    }
    format!("“{first}”")
}

/// Types that ask of the answer's cost and time, where no row expects anything.
fn measures(kind: CheckType) -> bool {
    matches!(kind, CheckType::MaxLatencyMs | CheckType::MaxCost)
}

fn path_of(check: &Check) -> Result<Option<Path>, Fault> {
    match (&check.path, check.kind) {
        (None, CheckType::JsonPath) => Err(Fault("is required for a check of this type".into())),
        (None, _) => Ok(None),
        (Some(_), CheckType::Similarity | CheckType::MaxLatencyMs | CheckType::MaxCost) => {
            Err(Fault("means nothing to a check of this type".into()))
        }
        (Some(path), _) => path.parse().map(Some),
    }
}

/// The one value of the output that the path selects.
fn part<'a>(path: &Path, output: &'a Output<'_>) -> Result<Result<&'a Value, String>, Exhausted> {
    let value = match output.json() {
        Ok(value) => value,
        Err(detail) => return Ok(Err(detail)),
    };
    Ok(match path.select(value, &Fuel::full())?.as_slice() {
        [value] => Ok(value),
        [] => Err("The path finds nothing.".into()),
        several => Err(format!(
            "The path finds {} values, and one is meant.",
            several.len()
        )),
    })
}

fn measured(against: Option<&Against>, subject: &Subject<'_>) -> Judgement {
    match against {
        Some(Against::Number(most)) => {
            let detail = format!("The answer took {} ms.", subject.latency_ms);
            (f64::from(subject.latency_ms) <= *most, Some(detail))
        }
        Some(Against::Amount(most)) => {
            let detail = format!("The answer cost {} US dollars.", subject.cost);
            (subject.cost <= *most, Some(detail))
        }
        _ => failed("The check has no value."),
    }
}

/// Whether a text is a number not further away than that. What binary fractions make of decimal ones
/// (1.1 − 1.0 is more than 0.1 to them) is forgiven.
fn near(wanted: f64, tolerance: f64, text: &str) -> Judgement {
    let Some(number) = number_of(text) else {
        return failed(format!("It is no number: {}.", quoted(text)));
    };
    let forgiven = 4.0 * f64::EPSILON * wanted.abs().max(number.abs());
    let distance = (number - wanted).abs();
    let detail = format!("It is {number}, which is {distance} away.");
    (distance <= tolerance + forgiven, Some(detail))
}

/// The number that a text is: in digits, with a point, an exponent, a sign.
pub(super) fn number_of(text: &str) -> Option<f64> {
    let text = text.trim();
    let plain = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
    let number: f64 = text.chars().all(plain).then(|| text.parse().ok())??;
    number.is_finite().then_some(number)
}

fn within_edits(wanted: &str, tolerance: f64, text: &str) -> Judgement {
    let (text, wanted) = (text.trim(), wanted.trim());
    let longer = text.chars().count().max(wanted.chars().count());
    if longer > levenshtein::MOST {
        let most = levenshtein::MOST;
        return failed(format!(
            "Texts of more than {most} characters are not compared."
        ));
    }
    let edits = levenshtein::distance(text, wanted);
    // Below 2^53, where floats are exact.
    #[expect(
        clippy::cast_precision_loss,
        reason = "texts are far shorter than 2^53"
    )]
    let (distance, longer) = (edits as f64, longer as f64);
    let most = if tolerance < 1.0 {
        tolerance * longer
    } else {
        tolerance
    };
    (distance <= most, Some(format!("It is {edits} edits away.")))
}
