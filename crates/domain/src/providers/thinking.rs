//! How much a model is to think, as a request says it.

use std::ops::ControlFlow;

use deserr::{DeserializeError, Deserr, ErrorKind, IntoValue, Value, ValuePointerRef};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::generate::Thinking;
use crate::models::Effort;

/// The most tokens that can be wished for.
const MOST_TOKENS: u32 = 1_000_000;

const NEEDED: &str =
    "must be \"off\", {\"budget\": 1 to 1000000} or {\"level\": minimal, low, medium or high}";

/// A word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Off {
    /// Not at all.
    Off,
}

/// `"off"`, at most so many tokens, or with so much effort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum ThinkingWish {
    /// Not at all.
    Off(Off),
    /// At most so many tokens.
    Budget {
        /// 1 to 1 000 000.
        #[schema(minimum = 1, maximum = 1_000_000)]
        budget: u32,
    },
    /// By effort.
    Level {
        /// The effort.
        level: Effort,
    },
}

#[derive(Deserr)]
struct Amount {
    #[deserr(default)]
    budget: Option<u32>,
    #[deserr(default)]
    level: Option<Effort>,
}

impl<E: DeserializeError> Deserr<E> for ThinkingWish {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, E> {
        let wish = match value {
            Value::String(word) if word == "off" => Some(Self::Off(Off::Off)),
            value @ Value::Map(_) => {
                match <Amount as Deserr<E>>::deserialize_from_value(value, location)? {
                    Amount {
                        budget: Some(budget @ 1..=MOST_TOKENS),
                        level: None,
                    } => Some(Self::Budget { budget }),
                    Amount {
                        budget: None,
                        level: Some(level),
                    } => Some(Self::Level { level }),
                    _ => None,
                }
            }
            _ => None,
        };
        wish.ok_or_else(|| {
            let msg = NEEDED.to_owned();
            let fault = E::error::<V>(None, ErrorKind::Unexpected { msg }, location);
            let (ControlFlow::Continue(faults) | ControlFlow::Break(faults)) = fault;
            faults
        })
    }
}

impl From<ThinkingWish> for Thinking {
    fn from(wish: ThinkingWish) -> Self {
        match wish {
            ThinkingWish::Off(Off::Off) => Self::Off,
            ThinkingWish::Budget { budget } => Self::Budget(budget),
            ThinkingWish::Level { level } => Self::Level(level),
        }
    }
}
