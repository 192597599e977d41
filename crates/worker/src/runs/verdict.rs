//! What is made of an answer: its checks and grades, its price beforehand, and its form when kept.

use db::runs::lane::{NewGrade, Settled};
use domain::{
    models::Usd,
    providers::{
        EmbeddingTask,
        generate::{Citation, Finish, Reply, Request, Usage},
    },
    runs::{
        Grade, GradeId, GradeSource,
        checks::{self, Subject},
        estimate,
    },
};
use serde_json::{Value, json};

use super::{
    Lane,
    callee::Callee,
    cell::Answer,
    request::{Values, bounds},
};

/// Holds an output against the run's checks, and enters what they found.
pub async fn check(
    lane: &Lane<'_>,
    values: &Values,
    answer: &Answer,
    parsed: &str,
    settled: &mut Settled,
) {
    let Some(checks) = &lane.checks else {
        return;
    };
    let expected = lane.target.plan.expected_column.as_ref();
    let expected = expected
        .and_then(|column| values.get(column))
        .map(String::as_str);
    let similarity = match checks.meaning(expected) {
        Some(wanted) => similarity(lane, parsed, wanted).await,
        None => None,
    };
    let results = checks.run(&Subject {
        output: parsed,
        expected,
        latency_ms: answer.latency_ms.unsigned_abs(),
        cost: answer.cost,
        similarity,
    });
    let found = storable(serde_json::to_value(&results).unwrap_or_default());
    if let Some(grade) = checks::grade(&results) {
        settled.grade = Some(grade.millionths());
        settled.grade_source = Some(GradeSource::Checks);
        settled
            .grades
            .push(new_grade(GradeSource::Checks, grade, Some(found.clone())));
    }
    settled.checks = Some(found);
}

/// How alike two texts are in meaning, 1 for equal; `None` where that cannot be told now.
async fn similarity(lane: &Lane<'_>, output: &str, wanted: &str) -> Option<f64> {
    let texts = [output, wanted];
    let made = lane
        .worker
        .embedder
        .embed(&texts, EmbeddingTask::Document)
        .await
        .ok()?;
    let [one, other] = made.vectors.as_slice() else {
        return None;
    };
    let products = one
        .iter()
        .zip(other)
        .map(|(a, b)| f64::from(*a) * f64::from(*b));
    Some(products.sum())
}

/// Enters what a grader said.
pub fn enter_grade(mut settled: Settled, grade: Grade) -> Settled {
    settled.event = Some("grader_succeeded");
    settled.grade = Some(grade.millionths());
    settled.grade_source = Some(GradeSource::Grader);
    settled
        .grades
        .push(new_grade(GradeSource::Grader, grade, None));
    settled
}

fn new_grade(source: GradeSource, grade: Grade, detail: Option<Value>) -> NewGrade {
    NewGrade {
        id: GradeId::new(),
        source,
        grade: grade.millionths(),
        detail,
    }
}

/// The most a call may cost that is made now, by the prices of the model and of those that have
/// answered in its name; nothing where no price is known.
pub fn most(callee: &Callee, request: &Request) -> Usd {
    let (bounds, now) = (bounds(request), chrono::Utc::now());
    let amounts = callee.all_prices(|prices| estimate::reserve(&prices.0, bounds, now));
    amounts.into_iter().flatten().max().unwrap_or(Usd::ZERO)
}

/// An answer as it is kept.
pub fn to_kept(reply: &Reply) -> Value {
    let usage = &reply.usage;
    json!({
        "text": reply.text.replace('\0', "\u{fffd}"),
        "truncated": reply.finish == Finish::Truncated,
        "modelVersion": reply.model_version,
        "responseId": reply.response_id,
        "input": usage.input,
        "output": usage.output,
        "thinking": usage.thinking,
        "citations": reply.citations.iter().map(|source| json!([source.title, source.url])).collect::<Vec<_>>(),
    })
}

/// A kept answer; `None` if it is not of this form.
pub fn from_kept(kept: &Value) -> Option<Reply> {
    let count = |member: &str| kept[member].as_u64();
    Some(Reply {
        text: kept["text"].as_str()?.to_owned(),
        finish: if kept["truncated"].as_bool()? {
            Finish::Truncated
        } else {
            Finish::Stop
        },
        model_version: kept["modelVersion"].as_str()?.to_owned(),
        response_id: kept["responseId"].as_str().map(str::to_owned),
        citations: kept["citations"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(citation)
            .collect(),
        usage: Usage {
            input: count("input")?,
            output: count("output")?,
            thinking: count("thinking")?,
            ..Usage::default()
        },
        ..Reply::default()
    })
}

fn citation(kept: &Value) -> Option<Citation> {
    Some(Citation {
        title: kept[0].as_str()?.to_owned(),
        url: kept[1].as_str()?.to_owned(),
    })
}

/// JSON without what `jsonb` does not take: details of checks quote outputs.
fn storable(json: Value) -> Value {
    match json {
        Value::String(text) => Value::String(text.replace('\0', "\u{fffd}")),
        Value::Array(items) => items.into_iter().map(storable).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (name, storable(value)))
            .collect(),
        other => other,
    }
}
