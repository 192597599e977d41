//! One call in an engine of its own: QuickJS with the language and nothing else, prepared by `engine/prelude.js`.
//!
//! The engine keeps to its limits as well as it can, so that most functions that break them end here, with a sentence
//! and at once. It does not look at the clock within a built-in, nor while it compiles a regular expression; for that,
//! and for its own errors, there is the process around it.

mod budget;
mod surrogates;
mod tools;

use rquickjs::{
    Context, Ctx, Function, Runtime, Value,
    context::{EvalOptions, intrinsic},
    promise::PromiseState,
};

use crate::{CallError, MAX_RESULT_BYTES, config::Limits, frame::Question};
use budget::Budget;
use tools::{Encoded, Said, Tools};

/// What the body is called in stack traces.
const FILE: &str = "function.js";

/// How far functions may descend; the process has 8 MiB as a rule.
const STACK_BYTES: usize = 1 << 20;

/// The language. No `WeakRef` and no `Performance`, which tell of the collector and of the clock.
type Language = (
    intrinsic::Date,
    intrinsic::Eval,
    intrinsic::RegExpCompiler,
    intrinsic::RegExp,
    intrinsic::Json,
    intrinsic::Proxy,
    intrinsic::MapSet,
    intrinsic::TypedArrays,
    intrinsic::Promise,
);

/// Answers a question, with JSON.
pub(crate) fn run(question: &Question, limits: Limits) -> Result<String, CallError> {
    let broken = |_: rquickjs::Error| CallError::Crashed;
    let budget = Budget::new(limits);
    let runtime = Runtime::new().map_err(broken)?;
    runtime.set_memory_limit(usize::try_from(limits.memory_bytes()).unwrap_or(usize::MAX));
    runtime.set_max_stack_size(STACK_BYTES);
    let watch = budget.clone();
    runtime.set_interrupt_handler(Some(Box::new(move || watch.is_spent())));
    let context = Context::custom::<Language>(&runtime).map_err(broken)?;
    context.with(|ctx| {
        let tools = Tools::prepare(&ctx, question.seed, budget).map_err(broken)?;
        answer(&ctx, &tools, question)
    })
}

/// The function's answer, step by step; each fails in its own words.
fn answer<'js>(
    ctx: &Ctx<'js>,
    tools: &Tools<'js>,
    question: &Question,
) -> Result<String, CallError> {
    let function = compile(ctx, question.body).map_err(|error| {
        let syntax = |Said { message, line }| CallError::Syntax {
            message,
            line: within(question.body, line),
        };
        tools.explain(ctx, &error, syntax)
    })?;
    let Some(inputs) = question.inputs else {
        return Ok("null".into());
    };
    let returned = ctx
        .json_parse(inputs)
        .and_then(|inputs| function.call((inputs,)))
        .and_then(|returned| settled(ctx, tools, returned))
        .map_err(|error| {
            let threw = |Said { message, line }| CallError::Threw {
                message,
                line: within(question.body, line),
            };
            tools.explain(ctx, &error, threw)
        })?;
    encoded(ctx, tools, &returned.ok_or_else(|| tools.unsettled())?)
}

/// The body as a function. Who closes it early and goes on behind it gains nothing: the same limits hold there.
fn compile<'js>(ctx: &Ctx<'js>, body: &str) -> rquickjs::Result<Function<'js>> {
    let mut options = EvalOptions::default();
    options.strict = true;
    options.filename = Some(FILE.into());
    // On the line of the head, so that lines count as in the body; the end on its own, lest a comment swallow it. No
    // parenthesis around it, which would be read twice.
    ctx.eval_with_options(format!("0, function (inputs) {{{body}\n}}"), options)
}

/// What a promise comes to; nothing if it never does. Anything else is what it is.
fn settled<'js>(
    ctx: &Ctx<'js>,
    tools: &Tools<'js>,
    returned: Value<'js>,
) -> rquickjs::Result<Option<Value<'js>>> {
    let Some(promise) = returned.as_promise() else {
        return Ok(Some(returned));
    };
    while promise.state() == PromiseState::Pending {
        if tools.budget.is_spent() || !ctx.execute_pending_job() {
            return Ok(None);
        }
    }
    promise.result().transpose()
}

/// The JSON of a result. `toJSON` and getters of the function's run here, within the same limits.
fn encoded<'js>(
    ctx: &Ctx<'js>,
    tools: &Tools<'js>,
    result: &Value<'js>,
) -> Result<String, CallError> {
    if result.is_undefined() {
        return Ok("null".into());
    }
    let unfit = |Said { message, .. }| CallError::NotJson { message };
    let json = tools
        .encode(result)
        .map_err(|error| tools.explain(ctx, &error, unfit))?;
    match json {
        Encoded::None => Err(CallError::NotJson {
            message: format!("it is a {}", result.type_name()),
        }),
        Encoded::TooLong => Err(CallError::ResultTooLarge),
        Encoded::Json(json) => {
            let json = surrogates::replaced(json);
            let fits = json.len() <= MAX_RESULT_BYTES;
            fits.then_some(json).ok_or(CallError::ResultTooLarge)
        }
    }
}

/// The line, or the body's last if it lies behind: where the body ends too early, or says what it likes of its errors.
fn within(body: &str, line: Option<u32>) -> Option<u32> {
    let last = body.lines().count().max(1).try_into().unwrap_or(u32::MAX);
    line.map(|line| line.min(last))
}
