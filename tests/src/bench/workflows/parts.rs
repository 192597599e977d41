//! The parts of the measurement.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    Arguments,
    course::{AT_ONCE, Course, Setup},
};
use crate::bench::{float, median, report::Report, stand::Cpu};

/// Tasks of a small workflow, each with what it depends on: seven steps.
const SMALL: [&[&str]; 10] = [
    &[],
    &["t0"],
    &["t0"],
    &["t1", "t2"],
    &["t3"],
    &["t3"],
    &["t4", "t5"],
    &["t6"],
    &["t6"],
    &["t7", "t8"],
];

/// Model tasks of an execution, one after another.
const ASKED: usize = 3;

/// Makes a task of this name that depends on these.
type Make = fn(&str, &[&str]) -> Value;

/// A task that puts what it depends on into a text.
fn text(id: &str, depends: &[&str]) -> Value {
    let seen: Vec<String> = depends
        .iter()
        .map(|name| format!(" {{{{{name}.length}}}}"))
        .collect();
    let seen = seen.concat();
    json!({
        "id": id, "name": id, "type": "DATA_INPUT", "outputKey": id, "dependencies": depends,
        "inputKeys": depends, "staticValue": format!("{id} of {{{{userInput.text}}}}{seen}"),
    })
}

/// The same by a function.
fn function(id: &str, depends: &[&str]) -> Value {
    let mut task = text(id, depends);
    task["type"] = json!("TEXT_MANIPULATION");
    let body = "return Object.values(inputs).map((text) => text.length).join(' ') + '.';";
    task["functionBody"] = json!(body);
    task
}

/// The same by a model.
fn asked(id: &str, depends: &[&str]) -> Value {
    let mut task = text(id, depends);
    task["type"] = json!("GEMINI_PROMPT");
    task["promptTemplate"] = task["staticValue"].take();
    task["agentConfig"] = json!({ "provider": "gemini", "model": "gemini-3.5-flash-lite" });
    task
}

/// Tasks one after another.
fn in_sequence(tasks: usize, make: Make) -> Vec<Value> {
    let name = |place: usize| format!("t{place}");
    let tasks = (0..tasks).map(|place| match place {
        0 => make("t0", &[]),
        _ => make(&name(place), &[&name(place - 1)]),
    });
    tasks.collect()
}

/// What a light task costs in a sequence of them.
pub async fn sequence(arguments: &Arguments, report: &mut Report) -> anyhow::Result<()> {
    let mut course = Course::start(Setup {
        latency: Duration::ZERO,
        at_once: AT_ONCE,
    })
    .await?;
    course.stand.start_worker()?;
    let kinds: [(&str, Make); 2] = [("DATA_INPUT", text), ("TEXT_MANIPULATION", function)];
    for (kind, make) in kinds {
        let tasks = in_sequence(arguments.tasks, make);
        course.perform(&tasks, 1).await?;
        let (mut each, before) = (Vec::new(), course.stand.cpu());
        for _ in 0..arguments.sequences {
            let (taken, _) = course.perform(&tasks, 1).await?;
            each.push(taken.seconds / float(arguments.tasks) * 1000.0);
        }
        let cpu = course.stand.cpu().since(&before);
        let all = float(arguments.sequences * arguments.tasks);
        let middle = median(&each);
        report.goal(
            &format!("{} {kind} in sequence: ms a task", arguments.tasks),
            format!("{middle:.2}"),
            "< 10",
            middle < 10.0,
        );
        report.line(
            format!("{kind}: CPU ms a task of all processes"),
            format!("{:.2}", cpu.product() / all * 1000.0),
        );
        report.detail(
            kind,
            json!({ "millisecondsEach": each, "cpuPerThousand": cpu.per_thousand(all) }),
        );
    }
    Ok(())
}

/// A turn.
struct Turn {
    speed: f64,
    seconds: f64,
    starts: f64,
    cpu: Cpu,
    peak: [f64; 2],
}

impl Turn {
    /// What it took for so many tasks.
    fn told(&self, tasks: f64) -> Value {
        json!({ "seconds": self.seconds, "tasksPerSecond": self.speed, "startsPerSecond": self.starts,
                "cpuPerThousand": self.cpu.per_thousand(tasks), "peakMiB": self.peak })
    }
}

/// Has a workflow performed so many times at once: all are started before a worker is there.
async fn turn(
    course: &mut Course,
    tasks: &[Value],
    executions: usize,
    workers: usize,
) -> anyhow::Result<Turn> {
    course.stand.stop("worker");
    let workflow = course.workflow(tasks).await?;
    let posted = course.begin(&workflow, executions).await?;
    let before = course.stand.cpu();
    for _ in 0..workers {
        course.stand.start_worker()?;
    }
    let taken = course.end(&workflow, executions).await?;
    Ok(Turn {
        speed: float(executions * tasks.len()) / taken.seconds,
        seconds: taken.seconds,
        starts: float(executions) / posted,
        cpu: course.stand.cpu().since(&before),
        peak: course.peak(),
    })
}

/// A turn of a crowd, in a place of its own.
async fn crowded(arguments: &Arguments, workers: usize) -> anyhow::Result<Turn> {
    let mut course = Course::start(Setup {
        latency: Duration::ZERO,
        at_once: AT_ONCE,
    })
    .await?;
    let tasks: Vec<Value> = (0..)
        .zip(SMALL)
        .map(|(place, depends)| text(&format!("t{place}"), depends))
        .collect();
    turn(&mut course, &tasks, arguments.executions, workers).await
}

/// Many small executions at once: one worker and three, in turns.
pub async fn crowd(arguments: &Arguments, report: &mut Report) -> anyhow::Result<()> {
    let (mut one, mut three) = (Vec::new(), Vec::new());
    for _ in 0..arguments.rounds.max(1) {
        one.push(crowded(arguments, 1).await?);
        three.push(crowded(arguments, 3).await?);
    }
    let middle =
        |turns: &[Turn], of: fn(&Turn) -> f64| median(&turns.iter().map(of).collect::<Vec<_>>());
    let tasks = float(arguments.executions * SMALL.len());
    report.line(
        format!(
            "{} executions of {} tasks: starts a second",
            arguments.executions,
            SMALL.len()
        ),
        format!("{:.0}", middle(&one, |turn| turn.starts)),
    );
    for (name, turns) in [("one worker", &one), ("three workers", &three)] {
        report.line(
            format!("{name}: tasks a second"),
            format!(
                "{:.0} ({:.1} s in all)",
                middle(turns, |turn| turn.speed),
                middle(turns, |turn| turn.seconds)
            ),
        );
        let of = |part: fn(&Turn) -> f64| middle(turns, part) / tasks * 1000.0;
        report.line(
            format!("{name}: CPU seconds per 1 000 tasks"),
            format!(
                "{:.3} (workers {:.3}, Postgres {:.3})",
                of(|turn| turn.cpu.product()),
                of(|turn| turn.cpu.worker),
                of(|turn| turn.cpu.postgres)
            ),
        );
        let [api, worker] = [0, 1].map(|place| {
            turns
                .iter()
                .map(|turn| turn.peak[place])
                .fold(0.0, f64::max)
        });
        report.goal(
            &format!("{name}: peak MiB of API and of a worker"),
            format!("{api:.0} and {worker:.0}"),
            "< 200",
            api.max(worker) < 200.0,
        );
        let parts: Vec<Value> = turns.iter().map(|turn| turn.told(tasks)).collect();
        report.detail(name, json!(parts));
    }
    let ratio = middle(&three, |turn| turn.speed) / middle(&one, |turn| turn.speed);
    report.line("three workers, times one", format!("{ratio:.2} ×"));
    Ok(())
}

/// How near executions come to what their models' latency allows.
pub async fn models(arguments: &Arguments, report: &mut Report) -> anyhow::Result<()> {
    let latency = Duration::from_millis(arguments.latency_ms);
    let mut course = Course::start(Setup {
        latency,
        at_once: arguments.concurrency,
    })
    .await?;
    let tasks = in_sequence(ASKED, asked);
    let rounds = arguments
        .executions
        .div_ceil(usize::from(arguments.concurrency));
    let least = float(rounds * ASKED) * latency.as_secs_f64();
    let (mut ratios, mut parts) = (Vec::new(), Vec::new());
    // The first turn is not counted: the governor lets few calls through at first.
    for round in 0..=arguments.rounds.max(1) {
        let turn = turn(&mut course, &tasks, arguments.executions, 1).await?;
        if round > 0 {
            let asked = float(arguments.executions * ASKED);
            ratios.push(turn.seconds / least);
            parts.push(turn.told(asked));
        }
    }
    let ratio = median(&ratios);
    report.line(
        format!(
            "{} executions of {ASKED} model tasks at {} ms, {} at once: times the least there can be",
            arguments.executions, arguments.latency_ms, arguments.concurrency
        ),
        format!("{ratio:.3} × ({:.2} s of {least:.2} s)", ratio * least),
    );
    let [api, worker] = course.peak();
    report.line(
        "the same: peak MiB of API and worker",
        format!("{api:.0} and {worker:.0}"),
    );
    report.detail("models", json!({ "ratios": ratios, "turns": parts }));
    Ok(())
}
