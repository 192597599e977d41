//! The price of a call: processor time of parent and child together, user and system, against the same function in a
//! bare QuickJS in this process: once with an engine of its own for each call, once with one for all. The sides take
//! turns; the ratios within a turn are what counts. `docs/benchmarks.md` says what the figures mean.

use std::{path::PathBuf, time::Duration};

use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeValLike,
};
use rquickjs::{Context, Function, Runtime, Value as Js};
use sandbox::{Call, Sandbox, SandboxConfig};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// A small function as people write them.
const BODY: &str = "const lines = inputs.text.split('\\n').map((line) => line.trim()).filter(Boolean);
    return { title: inputs.title.toUpperCase(), lines: lines.length, longest: Math.max(...lines.map((l) => l.length)) };";

const TURNS: usize = 7;
const CALLS: u32 = 2000;

/// Calls of a turn that start a process each.
const STARTS: u32 = 100;

/// One side's turn.
struct Turn {
    /// Processor time of a call.
    processor: Duration,
    /// Time of a call on the clock.
    clock: Duration,
}

fn main() {
    let inputs: Map<String, Value> = [
        ("title".to_owned(), json!("bees and lamps")),
        (
            "text".to_owned(),
            json!("a line of some words\n".repeat(20)),
        ),
    ]
    .into_iter()
    .collect();
    let text = serde_json::to_string(&inputs).expect("JSON");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let program = PathBuf::from(env!("CARGO_BIN_EXE_sandboxed"));
    let config = SandboxConfig {
        function_memory_mib: 64,
        function_millis: 2000,
        function_processes: 1,
    };
    let sandbox = Sandbox::new(program, &[], &config);
    let call = Call {
        tenant: Uuid::new_v4(),
        body: BODY,
        inputs: &inputs,
        seed: 1,
    };
    let kept = Engine::new();
    let mut turns: [Vec<Turn>; 4] = Default::default();
    for turn in 0..=TURNS {
        let apart = |call: &Call| drop(runtime.block_on(sandbox.call(call)).expect("a result"));
        // Whoever calls for the first time gets a new process, in the place of the only one.
        let stranger = || Call {
            tenant: Uuid::new_v4(),
            ..call
        };
        let sides = [
            measured(CALLS, || apart(&call)),
            measured(STARTS, || apart(&stranger())),
            measured(CALLS, || drop(Engine::new().call(&text))),
            measured(CALLS, || drop(kept.call(&text))),
        ];
        // The first turn warms up.
        if turn > 0 {
            for (side, turn) in turns.iter_mut().zip(sides) {
                side.push(turn);
            }
        }
    }
    report(&turns);
}

/// The medians of all turns, side by side.
#[expect(clippy::print_stdout, reason = "it is what the program is for")]
fn report(turns: &[Vec<Turn>; 4]) {
    println!("| a call of a small function | processor | clock |\n| --- | --- | --- |");
    let names = [
        "in the sandbox",
        "in the sandbox, in a new process",
        "bare, an engine for each call",
        "bare, one engine for all",
    ];
    for (name, side) in names.iter().zip(turns) {
        let processor = median(side.iter().map(|turn| micros(turn.processor)).collect());
        let clock = median(side.iter().map(|turn| micros(turn.clock)).collect());
        println!("| {name} | {processor:.0} µs | {clock:.0} µs |");
    }
    let [apart, _, fresh, reused] = turns;
    let fresh = median(ratios(apart, fresh));
    let reused = median(ratios(apart, reused));
    println!(
        "\nprocessor time of the sandbox, times an engine for each call: {fresh:.2} (aim: at most 3)"
    );
    println!("processor time of the sandbox, times one engine for all: {reused:.1}");
}

/// Makes calls one after another.
fn measured(calls: u32, mut call: impl FnMut()) -> Turn {
    let (began, before) = (std::time::Instant::now(), processor());
    (0..calls).for_each(|_| call());
    Turn {
        processor: processor().saturating_sub(before) / calls,
        clock: began.elapsed() / calls,
    }
}

/// The processor time of this process, its children that live and those that ended.
fn processor() -> Duration {
    let own = getrusage(UsageWho::RUSAGE_SELF).expect("own usage");
    let own = (own.user_time() + own.system_time()).num_microseconds();
    let own = Duration::from_micros(own.try_into().expect("a time"));
    let me = std::process::id();
    let processes = std::fs::read_dir("/proc").expect("processes").flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    own + ids
        .filter(|id| parent(*id) == Some(me))
        .map(taken)
        .sum::<Duration>()
        + ended(me)
}

fn stat(id: u32, field: usize) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    fields.split_whitespace().nth(field)?.parse().ok()
}

fn parent(id: u32) -> Option<u32> {
    stat(id, 1)?.try_into().ok()
}

/// Children that ended, in hundredths of a second.
fn ended(id: u32) -> Duration {
    let ticks = |field| stat(id, field).unwrap_or_default();
    Duration::from_millis(10 * (ticks(13) + ticks(14)))
}

/// What a child with one thread has taken, to the nanosecond.
fn taken(id: u32) -> Duration {
    let told = std::fs::read_to_string(format!("/proc/{id}/schedstat")).unwrap_or_default();
    let nanos = told
        .split_whitespace()
        .next()
        .and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or_default())
}

/// QuickJS as one would use it without a thought of who wrote the function.
struct Engine {
    context: Context,
}

impl Engine {
    fn new() -> Self {
        let runtime = Runtime::new().expect("an engine");
        runtime.set_memory_limit(64 << 20);
        let context = Context::full(&runtime).expect("a context");
        Self { context }
    }

    fn call(&self, inputs: &str) -> Value {
        let json = self.context.with(|ctx| {
            let function: Function = ctx
                .eval(format!("(function (inputs) {{{BODY}\n}})"))
                .expect("a function");
            let inputs = ctx.json_parse(inputs).expect("inputs");
            let made: Js = function.call((inputs,)).expect("a result");
            let json = ctx.json_stringify(made).expect("JSON").expect("some JSON");
            json.to_string().expect("text")
        });
        serde_json::from_str(&json).expect("JSON")
    }
}

/// Turn by turn.
fn ratios(one: &[Turn], other: &[Turn]) -> Vec<f64> {
    let turns = one.iter().zip(other);
    turns
        .map(|(one, other)| one.processor.div_duration_f64(other.processor))
        .collect()
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
