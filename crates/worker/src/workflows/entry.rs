//! How a task's end is written down, and what is measured of it.

use chrono::{DateTime, Utc};
use db::workflows::course::{Booking, Ended as Row};
use domain::{
    jobs::Wait,
    providers::ProviderError,
    workflows::{ExecutionId, Task, TaskStatus},
};
use serde_json::Value;
use tasks::{Ended, Failure, Spent};

/// What earlier tries of a task took, and how many there were.
pub type Carried = (Spent, i32);

/// The row of a task that ended.
pub fn ended(place: usize, ended: &Ended) -> Row {
    let spent = match &ended.result {
        Ok(made) => ended.spent.clone().and(made.spent.clone()),
        Err(_) => ended.spent.clone(),
    };
    let row = Row {
        retries: ended.retries,
        ..of(place, &spent)
    };
    match &ended.result {
        Ok(made) => Row {
            status: TaskStatus::Completed,
            result: Some(made.value.clone()),
            notice: made.notice.clone(),
            ..row
        },
        Err(cause) => with_failure(row, cause),
    }
}

fn of(place: usize, spent: &Spent) -> Row {
    // A provider that counts nonsense is not to spoil sums.
    let count = |tokens: u64| i64::from(i32::try_from(tokens).unwrap_or(i32::MAX));
    Row {
        place,
        status: TaskStatus::Failed,
        result: None,
        error_code: None,
        error_message: None,
        notice: None,
        retries: 0,
        tokens_in: count(spent.tokens_in),
        tokens_out: count(spent.tokens_out),
        tokens_thinking: count(spent.tokens_thinking),
        cost: spent.cost,
        priced: spent.priced,
        model_version: spent.model_version.as_deref().map(clean),
    }
}

fn with_failure(row: Row, cause: &Failure) -> Row {
    Row {
        error_code: Some(cause.code().to_owned()),
        error_message: Some(clean(&cause.to_string())),
        ..row
    }
}

/// Until when a task waits that has not come to its end: for a time that was named to it, or for the
/// next worker, since this one ends.
pub fn until(ended: &Ended) -> Option<DateTime<Utc>> {
    let named = ended.result.as_ref().err().and_then(Failure::until);
    named.or_else(|| ended.is_interrupted.then(Utc::now))
}

/// What a task waits for that waits for a time.
pub fn wait(ended: Ended) -> Wait {
    let cause = ended.result.err();
    let key = match &cause {
        Some(Failure::Provider(cause)) => match cause.said() {
            ProviderError::Paused(key) => Some(key.id),
            _ => None,
        },
        _ => None,
    };
    Wait {
        reason: cause.map(|cause| cause.to_string()).unwrap_or_default(),
        key,
    }
}

/// The row of a task that waits again for a time that was named to it.
pub fn put_off(place: usize, ended: &Ended) -> Row {
    Row {
        status: TaskStatus::Pending,
        ..self::ended(place, ended)
    }
}

/// The row of a task that was given up, with what it had taken before.
pub fn given_up(place: usize, why: &str, (spent, retries): &Carried) -> Row {
    Row {
        error_code: Some("halted".into()),
        error_message: Some(why.to_owned()),
        retries: *retries,
        ..of(place, spent)
    }
}

/// Says that a result is one too many.
pub fn crowded(row: &mut Row) {
    row.status = TaskStatus::Failed;
    row.result = None;
    row.error_code = Some("results_too_large".into());
    row.error_message =
        Some("All results together are larger than 32 MiB. Have tasks return less.".into());
}

/// Why an execution ended before its tasks did.
pub fn halted(why: &'static str) -> (String, String) {
    ("execution_halted".into(), why.into())
}

/// Why an execution failed: the first task of this step that did, or one before it.
pub fn failed(booking: &Booking, tasks: &[Task]) -> (String, String) {
    let failed = booking
        .ended
        .iter()
        .find(|row| row.status == TaskStatus::Failed);
    let sentence = failed.and_then(|row| {
        let (task, why) = (tasks.get(row.place)?, row.error_message.as_ref()?);
        Some(format!("The task \"{}\" failed: {why}", task.name))
    });
    let sentence = sentence.unwrap_or_else(|| "A task failed; the tasks say which and why.".into());
    ("task_failed".into(), sentence)
}

/// About how many bytes a value has.
pub fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 2,
        Value::Array(items) => items.iter().map(|item| weight(item) + 1).sum::<usize>() + 2,
        Value::Object(members) => {
            let sizes = members
                .iter()
                .map(|(name, value)| name.len() + weight(value) + 4);
            sizes.sum::<usize>() + 2
        }
        _ => 8,
    }
}

/// Where random numbers begin: the same whenever something of the execution is performed again.
pub fn seed(execution: ExecutionId) -> u64 {
    let (high, low) = execution.0.as_u64_pair();
    high.rotate_left(32) ^ low
}

/// Counts a task that ended.
pub fn measure(task: &Task, ended: &Ended) {
    let outcome = match &ended.result {
        Ok(_) => "completed",
        Err(_) if until(ended).is_some() => "put_off",
        Err(_) => "failed",
    };
    metrics::counter!("workflow_tasks_total", "type" => task.kind.as_str(), "outcome" => outcome)
        .increment(1);
}

/// Postgres stores no NUL.
fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
