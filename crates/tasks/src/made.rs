//! What a task brought, and what that took.

use domain::{models::Usd, providers::generate::Reply};
use serde_json::Value;

use crate::Failure;

/// What a task brought.
#[derive(Debug, Clone, Default)]
pub struct Made {
    /// Its result.
    pub value: Value,
    /// What it took.
    pub spent: Spent,
    /// What whoever reads it should know.
    pub notice: Option<String>,
}

/// What asking models took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spent {
    /// Tokens of all inputs.
    pub tokens_in: u64,
    /// Tokens of all outputs, thoughts included.
    pub tokens_out: u64,
    /// Tokens of all thoughts.
    pub tokens_thinking: u64,
    /// What it cost.
    pub cost: Usd,
    /// Whether all of that is known.
    pub priced: bool,
    /// The model that answered last, as its provider names it.
    pub model_version: Option<String>,
}

impl Default for Spent {
    fn default() -> Self {
        Self {
            tokens_in: 0,
            tokens_out: 0,
            tokens_thinking: 0,
            cost: Usd::ZERO,
            priced: true,
            model_version: None,
        }
    }
}

impl From<Value> for Made {
    fn from(value: Value) -> Self {
        Self {
            value,
            ..Self::default()
        }
    }
}

/// A failure together with what was spent before it.
pub type Costly<T> = Result<T, (Failure, Spent)>;

/// What an answer took.
pub fn spent(reply: &Reply, cost: Option<Usd>) -> Spent {
    Spent {
        tokens_in: reply.usage.input,
        tokens_out: reply.usage.output,
        tokens_thinking: reply.usage.thinking,
        cost: cost.unwrap_or(Usd::ZERO),
        priced: cost.is_some(),
        model_version: Some(reply.model_version.clone()),
    }
}

/// How many bytes a value has, written as JSON.
pub fn size(value: &Value) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    drop(serde_json::to_writer(&mut count, value));
    count.0
}

/// JSON without what `jsonb` does not take.
pub fn storable(value: Value) -> Value {
    let text = |text: String| {
        if text.contains('\0') {
            text.replace('\0', "\u{fffd}")
        } else {
            text
        }
    };
    match value {
        Value::String(string) => Value::String(text(string)),
        Value::Array(items) => items.into_iter().map(storable).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (text(name), storable(value)))
            .collect(),
        other => other,
    }
}
