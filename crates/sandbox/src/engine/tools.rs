//! What the host does in a context: it prepares it, writes results as JSON, and tells what was thrown. Nothing here goes
//! through what the code in the context could have replaced, but for the getters and texts of what it threw.

use rquickjs::{Coerced, Ctx, Error, Function, Result, String as Text, Value};

use super::{FILE, budget::Budget, surrogates};
use crate::{CallError, MAX_RESULT_BYTES};

const PRELUDE: &str = include_str!("prelude.js");

/// The most characters of what was thrown.
const MESSAGE: usize = 2000;

/// How the engine words limits that were met.
const NO_MEMORY: &str = "InternalError: out of memory";
const NO_STACK: [&str; 2] = ["Maximum call stack size exceeded", "Error: stack overflow"];

/// What the host needs in a context, out of reach of the code that runs there.
pub(crate) struct Tools<'js> {
    encode: Function<'js>,
    /// What the call may take.
    pub budget: Budget,
}

/// What was thrown.
#[derive(Debug)]
pub(crate) struct Said {
    /// As text.
    pub message: String,
    /// The line of the body.
    pub line: Option<u32>,
}

/// A result on its way out.
pub(crate) enum Encoded {
    Json(String),
    TooLong,
    None,
}

impl<'js> Tools<'js> {
    /// Prepares a context for a call.
    pub fn prepare(ctx: &Ctx<'js>, seed: u64, budget: Budget) -> Result<Self> {
        let prelude: Function = ctx.eval(PRELUDE)?;
        let [a, b, c] = words(seed);
        let encode = prelude.call((a, b, c, MAX_RESULT_BYTES))?;
        Ok(Self { encode, budget })
    }

    /// Writes a value as JSON.
    pub fn encode(&self, value: &Value<'js>) -> Result<Encoded> {
        let json: Value = self.encode.call((value.clone(),))?;
        match json.as_string() {
            Some(json) => json.to_string().map(Encoded::Json),
            None if json.is_null() => Ok(Encoded::TooLong),
            None => Ok(Encoded::None),
        }
    }

    /// Why the engine failed: a limit that was met, or what was thrown, which `otherwise` gives its name.
    pub fn explain(
        &self,
        ctx: &Ctx<'js>,
        error: &Error,
        otherwise: impl FnOnce(Said) -> CallError,
    ) -> CallError {
        let thrown = ctx.catch();
        let message = match error {
            Error::Exception => told(ctx, describe(ctx, &thrown)),
            other => Some(other.to_string()),
        };
        let line = told(ctx, line(ctx, &thrown)).flatten();
        if self.budget.is_spent() {
            return self.too_late();
        }
        if self.lacked_memory(error, &thrown, message.as_deref()) {
            return self.too_much();
        }
        let message = message.unwrap_or_else(|| "something that has no text".into());
        if NO_STACK.iter().any(|words| message.ends_with(words)) {
            return CallError::Stack;
        }
        otherwise(Said { message, line })
    }

    /// Whether memory ran out. The engine throws an error of its own then; `null` if there is none left for that either;
    /// and for the copy of a text it just says no.
    fn lacked_memory(&self, error: &Error, thrown: &Value<'js>, message: Option<&str>) -> bool {
        matches!(error, Error::Allocation | Error::Unknown)
            || message == Some(NO_MEMORY)
            || (thrown.is_null() || message.is_none()) && self.budget.took_much_memory()
    }

    /// Why a promise came to nothing: it ran out of time, or of things to do.
    pub fn unsettled(&self) -> CallError {
        if self.budget.is_spent() {
            self.too_late()
        } else {
            CallError::NeverSettles
        }
    }

    fn too_late(&self) -> CallError {
        CallError::Time {
            millis: self.budget.limits.millis,
        }
    }

    fn too_much(&self) -> CallError {
        CallError::Memory {
            mib: self.budget.limits.memory_mib,
        }
    }
}

/// What could be told; if it could not, that is forgotten.
fn told<T>(ctx: &Ctx, told: Result<T>) -> Option<T> {
    told.inspect_err(|_| drop(ctx.catch())).ok()
}

/// What was thrown, as text: errors and values as they name themselves, other objects as JSON.
fn describe<'js>(ctx: &Ctx<'js>, thrown: &Value<'js>) -> Result<String> {
    if let Some(symbol) = thrown.as_symbol() {
        let description = symbol.description()?.into_string();
        let description = description.map(|description| text(ctx, description));
        let description = description.transpose()?.unwrap_or_default();
        return Ok(format!("Symbol({description})"));
    }
    if thrown.is_object()
        && !thrown.is_error()
        && let Some(json) = ctx.json_stringify(thrown)?
    {
        return text(ctx, json);
    }
    let said: Coerced<Text> = thrown.get()?;
    text(ctx, said.0)
}

/// A text, as far as it is told. It may hold halves of characters, which JSON can tell.
fn text<'js>(ctx: &Ctx<'js>, said: Text<'js>) -> Result<String> {
    let json = ctx.json_stringify(said)?.ok_or(Error::Unknown)?;
    let json = surrogates::replaced(json.to_string()?);
    let whole: String = serde_json::from_str(&json).map_err(|_| Error::Unknown)?;
    Ok(whole.chars().take(MESSAGE).collect())
}

/// The line of the body in which something was thrown, if it tells.
fn line<'js>(ctx: &Ctx<'js>, thrown: &Value<'js>) -> Result<Option<u32>> {
    let Some(object) = thrown.as_object() else {
        return Ok(None);
    };
    let stack: Value = object.get("stack")?;
    let stack = stack.into_string().map(|stack| text(ctx, stack));
    Ok(stack.transpose()?.as_deref().and_then(innermost))
}

/// The line of the body that a trace of the stack names first, which is the innermost.
fn innermost(stack: &str) -> Option<u32> {
    let (_, place) = stack.split_once(FILE)?;
    let digits = place.strip_prefix(':')?;
    let end = digits
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(digits.len());
    digits[..end].parse().ok()
}

/// The seed as the generator wants it: words of 32 bits that differ in many places for seeds that differ in one.
fn words(seed: u64) -> [i32; 3] {
    let mut state = seed;
    std::array::from_fn(|_| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bytes = mixed.to_le_bytes();
        i32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_line_of_the_body_is_told() {
        let stack = "    at pick (native)\n    at inner (function.js:3:9)\n    at <anonymous> (function.js:7:1)\n";
        assert_eq!(innermost(stack), Some(3));
        assert_eq!(innermost("    at function.js:12"), Some(12));
        assert_eq!(innermost("anything function.js:x"), None);
        assert_eq!(innermost(""), None);
    }

    #[test]
    fn seeds_that_differ_little_start_far_apart() {
        assert_ne!(words(0), words(1));
        assert_ne!(words(0), [0, 0, 0]);
    }
}
