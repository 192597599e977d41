//! What the prelude leaves to the host: writing results as JSON, and telling what was thrown.

use rquickjs::{Ctx, Error, Function, Object, Value, convert::List};

use super::{FILE, budget::Budget};
use crate::{CallError, MAX_RESULT_BYTES};

const PRELUDE: &str = include_str!("prelude.js");

/// What the host needs in a context, out of reach of the code that runs there.
pub(crate) struct Tools<'js> {
    encode: Function<'js>,
    describe: Function<'js>,
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
    pub fn prepare(ctx: &Ctx<'js>, seed: u64, budget: Budget) -> rquickjs::Result<Self> {
        let prelude: Function = ctx.eval(PRELUDE)?;
        let [a, b, c] = words(seed);
        let tools: Object = prelude.call((a, b, c, 1, MAX_RESULT_BYTES))?;
        Ok(Self {
            encode: tools.get("encode")?,
            describe: tools.get("describe")?,
            budget,
        })
    }

    /// Writes a value as JSON.
    pub fn encode(&self, value: &Value<'js>) -> rquickjs::Result<Encoded> {
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
        if self.budget.is_spent() {
            return self.too_late();
        }
        // With no memory left for an error either, the engine throws this.
        if thrown.is_null() && self.budget.took_much_memory() {
            return self.too_much();
        }
        let described = match error {
            Error::Exception => self.describe.call((thrown,)),
            other => Ok(List((other.to_string(), String::new()))),
        };
        let Ok(List((message, stack))) = described else {
            let _ = ctx.catch();
            // Whatever can be thrown can be described, with time and memory.
            return if self.budget.is_spent() {
                self.too_late()
            } else {
                self.too_much()
            };
        };
        if message.contains("out of memory") {
            self.too_much()
        } else if message.contains("stack overflow") || message.contains("call stack size") {
            CallError::Stack
        } else {
            let line = line(&stack);
            otherwise(Said { message, line })
        }
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

/// The line of the body in which something was thrown, by a trace of the stack, innermost first.
fn line(stack: &str) -> Option<u32> {
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
        assert_eq!(line(stack), Some(3));
        assert_eq!(line("    at function.js:12"), Some(12));
        assert_eq!(line("anything function.js:x"), None);
        assert_eq!(line(""), None);
    }

    #[test]
    fn seeds_that_differ_little_start_far_apart() {
        assert_ne!(words(0), words(1));
        assert_ne!(words(0), [0, 0, 0]);
    }
}
