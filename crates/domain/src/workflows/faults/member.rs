//! What is wrong with a task whatever stands beside it.

use super::MemberFault;
use crate::{
    has_nul,
    workflows::{
        Task, TaskKind,
        task::{DataPath, Retry},
    },
};

/// The most documents that a search may be narrowed to.
const MOST_DOCUMENTS: usize = 1000;

/// The most milliseconds that a simulated process takes.
const MOST_SIMULATED: u64 = 60_000;

/// A rule: whether it holds, the member it is about, and what is needed.
type Rule = (bool, &'static str, &'static str);

/// What is wrong with a task whatever stands beside it: member and sentence.
pub fn task(task: &Task) -> Vec<MemberFault> {
    let rules = [needed(task)].into_iter().chain(bounds(task));
    let broken = rules.filter(|(holds, ..)| !holds);
    let broken = broken.map(|(_, member, sentence)| (member.to_owned(), sentence.to_owned()));
    let sampling = task.agent().sampling().faults().into_iter();
    let sampling =
        sampling.map(|(member, sentence)| (format!("agentConfig.{member}"), sentence.to_owned()));
    broken.chain(sampling).chain(alike(task)).collect()
}

/// What a task of its kind cannot be without.
fn needed(task: &Task) -> Rule {
    match task.kind {
        TaskKind::DataInput => (
            task.static_value.is_some(),
            "staticValue",
            "is required for a DATA_INPUT",
        ),
        TaskKind::GeminiPrompt | TaskKind::GeminiGrounded | TaskKind::ImageAnalysis => (
            task.template().is_some() || task.prompt().is_some(),
            "promptTemplate",
            "is required unless promptId links a prompt",
        ),
        TaskKind::TextManipulation => (
            task.function().is_some(),
            "functionBody",
            "is required for a TEXT_MANIPULATION",
        ),
        TaskKind::DisplayChart => (
            task.data_key
                .as_ref()
                .is_some_and(|path| path.root().is_some()),
            "dataKey",
            "is required for a DISPLAY_CHART",
        ),
        TaskKind::DocumentSearch => (
            task.template().is_some(),
            "promptTemplate",
            "is required for a DOCUMENT_SEARCH: it is what is searched for",
        ),
        TaskKind::SimulateProcess => {
            let is_time =
                |value: &serde_json::Value| value.as_u64().is_some_and(|ms| ms <= MOST_SIMULATED);
            (
                task.static_value.as_ref().is_none_or(is_time),
                "staticValue",
                "must be a number of milliseconds up to 60000",
            )
        }
    }
}

fn bounds(task: &Task) -> [Rule; 7] {
    let Retry {
        max_attempts,
        backoff_ms,
    } = task.retry.unwrap_or_default();
    let documents = task.document_ids.as_ref().map_or(0, Vec::len);
    [
        (
            task.kind != TaskKind::ImageAnalysis || task.inputs().next().is_some(),
            "inputKeys",
            "must name the picture first, such as `userInput.image`",
        ),
        (
            task.timeout_seconds
                .is_none_or(|seconds| (1..=3600).contains(&seconds)),
            "timeoutSeconds",
            "must be between 1 and 3600",
        ),
        (
            task.limit.is_none_or(|limit| (1..=50).contains(&limit)),
            "limit",
            "must be between 1 and 50",
        ),
        (
            documents <= MOST_DOCUMENTS,
            "documentIds",
            "must have at most 1000 items",
        ),
        (
            task.static_value
                .as_ref()
                .is_none_or(|value| !has_nul(value)),
            "staticValue",
            "must not contain the NUL character",
        ),
        (
            (1..=10).contains(&max_attempts),
            "retry.maxAttempts",
            "must be between 1 and 10",
        ),
        (
            backoff_ms <= 60_000,
            "retry.backoffMs",
            "must be at most 60000",
        ),
    ]
}

/// Inputs of a function that would hide each other; a text can name them by their paths.
fn alike(task: &Task) -> Vec<MemberFault> {
    if task.kind != TaskKind::TextManipulation {
        return Vec::new();
    }
    let inputs: Vec<(usize, &DataPath)> = (0..)
        .zip(&task.input_keys)
        .filter(|(_, path)| path.root().is_some())
        .collect();
    let hides = |(number, path): &(usize, &DataPath)| {
        let other = inputs.iter().find(|(before, other)| {
            before < number && other != path && other.last() == path.last()
        })?;
        let sentence = format!(
            "is called `{}` as `{}` is: one would hide the other",
            path.last(),
            other.1
        );
        Some((format!("inputKeys[{number}]"), sentence))
    };
    inputs.iter().filter_map(hides).collect()
}
