//! The parts of the measurement.

use std::time::Duration;

use serde_json::json;

use super::{
    Arguments, bare,
    course::{Course, Setup},
};
use crate::bench::{float, median, report::Report};

/// Lanes of a worker, as it comes.
pub const LANES: u16 = 4;

/// Cells of a small run.
const FEW: usize = 5;

/// What a cell costs, beside a loop that makes the same calls; in turns.
pub async fn price(arguments: &Arguments, report: &mut Report) -> anyhow::Result<()> {
    let course = Course::start(Setup {
        latency: Duration::ZERO,
        workers: 1,
        lanes: LANES,
    })
    .await?;
    let dataset = course.dataset(arguments.rows).await?;
    let (mut costs, mut speeds, mut ratios, mut parts) = (vec![], vec![], vec![], vec![]);
    let at_once = usize::from(arguments.concurrency);
    // The first turn of each side meets cold caches and is not counted.
    for round in 0..=arguments.rounds {
        let before = course.stand.cpu();
        let run = course.begin(&dataset, 2, arguments.concurrency).await?;
        let seconds = course.end(&run, |_| {}).await?;
        let taken = course.stand.cpu().since(&before);
        let bare = bare::turn(&course.provider, arguments.rows, 2, at_once).await?;
        if round > 0 {
            let cost = taken.product() / float(run.cells) * 1000.0;
            costs.push(cost);
            speeds.push(float(run.cells) / seconds);
            ratios.push((cost / bare.cpu, bare));
            parts.push(taken.per_thousand(float(run.cells)));
        }
    }
    report.line(
        "CPU seconds per 1 000 cells",
        format!("{:.3}", median(&costs)),
    );
    report.detail("cpuPerThousand", json!({ "all": costs, "parts": parts }));
    let speed = median(&speeds);
    let figure = format!("{speed:.0}");
    report.goal("cells a second", figure, "≥ 1 000", speed >= 1000.0);
    let of_bare = |figure: fn(&bare::Turn) -> f64| {
        median(
            &ratios
                .iter()
                .map(|(_, bare)| figure(bare))
                .collect::<Vec<_>>(),
        )
    };
    let ratio = median(&ratios.iter().map(|(ratio, _)| *ratio).collect::<Vec<_>>());
    report.line(
        "CPU of a cell, times that of a bare loop's call",
        format!(
            "{ratio:.1} × ({:.3} s and {:.0} calls a second)",
            of_bare(|bare| bare.cpu),
            of_bare(|bare| bare.speed)
        ),
    );
    report.detail("cellsPerSecond", json!(speeds));
    Ok(())
}

/// How near a run comes to what its provider's latency allows.
pub async fn latency(arguments: &Arguments, report: &mut Report) -> anyhow::Result<()> {
    let course = Course::start(Setup {
        latency: arguments.latency(),
        workers: 1,
        lanes: LANES,
    })
    .await?;
    let dataset = course.dataset(arguments.rows).await?;
    for (concurrency, most) in [(50_u16, 1.05), (200, 1.15)] {
        let mut ratios = Vec::new();
        for _ in 0..arguments.rounds {
            let run = course.begin(&dataset, 2, concurrency).await?;
            let seconds = course.end(&run, |_| {}).await?;
            let rounds = run.cells.div_ceil(usize::from(concurrency));
            ratios.push(seconds / (float(rounds) * arguments.latency().as_secs_f64()));
        }
        let ratio = median(&ratios);
        report.goal(
            &format!(
                "{} ms a call, {concurrency} at once: times the least there can be",
                arguments.latency_ms
            ),
            format!("{ratio:.3} ×"),
            &format!("≤ {most} ×"),
            ratio <= most,
        );
        report.detail(&format!("latencyRatios{concurrency}"), json!(ratios));
    }
    Ok(())
}

/// What a large run takes: its start, its speed, and the memory of API and worker.
pub async fn large(arguments: &Arguments, report: &mut Report) -> anyhow::Result<()> {
    let course = Course::start(Setup {
        latency: Duration::ZERO,
        workers: 1,
        lanes: LANES,
    })
    .await?;
    let dataset = course.dataset(arguments.many).await?;
    let run = course.begin(&dataset, 4, arguments.concurrency).await?;
    let posted = run.posted;
    let what = format!("start of {} cells, POST to 201", run.cells);
    report.goal(&what, format!("{posted:.2} s"), "≤ 5 s", posted <= 5.0);
    let mut memory = Vec::new();
    let seconds = course
        .end(&run, |done| memory.push((done, course.resident())))
        .await?;
    let [api, worker] = course.peak();
    report.line(
        "the whole of it",
        format!(
            "{seconds:.1} s, {:.0} cells a second",
            float(run.cells) / seconds
        ),
    );
    report.goal(
        "peak MiB of API and worker",
        format!("{api:.0} and {worker:.0}"),
        "< 200",
        api.max(worker) < 200.0,
    );
    let tenth = (memory.len() / 10).max(1);
    for (place, name) in ["API", "worker"].into_iter().enumerate() {
        let of = |samples: &[(f64, [f64; 2])]| {
            median(
                &samples
                    .iter()
                    .map(|(_, mib)| mib[place])
                    .collect::<Vec<_>>(),
            )
        };
        report.line(
            format!("resident MiB of the {name}, first to last tenth"),
            format!(
                "{:.0} to {:.0}",
                of(&memory[..tenth]),
                of(&memory[memory.len() - tenth..])
            ),
        );
    }
    report.detail("memory", json!(memory));
    Ok(())
}

/// How long a small run waits behind a large one, which leaves places free or takes them all.
pub async fn behind(arguments: &Arguments, report: &mut Report) -> anyhow::Result<()> {
    for concurrency in [32_u16, 200] {
        let course = Course::start(Setup {
            latency: arguments.latency(),
            workers: 1,
            lanes: LANES,
        })
        .await?;
        let small = course.dataset(FEW).await?;
        let alone = small_runs(&course, &small, arguments.rounds).await?;
        let many = course.dataset(arguments.many).await?;
        // It is never waited for: it ends with the course.
        course.begin(&many, 4, concurrency).await?;
        tokio::time::sleep(Duration::from_secs(2)).await;
        let behind = small_runs(&course, &small, arguments.rounds).await?;
        let (before, after) = (median(&alone), median(&behind));
        let ratio = after / before;
        report.goal(
            &format!("{FEW} cells behind a run of {concurrency} at once, times alone"),
            format!("{ratio:.2} × ({before:.2} s and {after:.2} s)"),
            "≤ 3 ×",
            ratio <= 3.0,
        );
        let name = format!("behind{concurrency}");
        report.detail(&name, json!({ "alone": alone, "behind": behind }));
    }
    Ok(())
}

async fn small_runs(
    course: &Course,
    dataset: &serde_json::Value,
    rounds: usize,
) -> anyhow::Result<Vec<f64>> {
    let mut taken = Vec::new();
    for _ in 0..rounds {
        let run = course.begin(dataset, 1, 32).await?;
        taken.push(course.end(&run, |_| {}).await?);
    }
    Ok(taken)
}

/// What more workers bring: each works on one lane of fifty calls.
pub async fn workers(arguments: &Arguments, report: &mut Report) -> anyhow::Result<()> {
    let mut speeds = Vec::new();
    for workers in [1, 2, 4] {
        let course = Course::start(Setup {
            latency: arguments.latency(),
            workers,
            lanes: 1,
        })
        .await?;
        let dataset = course.dataset(arguments.rows).await?;
        let mut taken = Vec::new();
        for _ in 0..arguments.rounds.min(3) {
            let run = course.begin(&dataset, 4, 200).await?;
            taken.push(float(run.cells) / course.end(&run, |_| {}).await?);
        }
        speeds.push(median(&taken));
    }
    let share = |place: usize, workers: f64| speeds[place] / speeds[0] / workers;
    let (two, four) = (share(1, 2.0), share(2, 4.0));
    report.goal(
        "two and four workers, times two and four times one",
        format!("{two:.2} and {four:.2}"),
        "≥ 0.9",
        two.min(four) >= 0.9,
    );
    report.line(
        "cells a second of one, two and four workers",
        format!("{:.0}, {:.0}, {:.0}", speeds[0], speeds[1], speeds[2]),
    );
    report.detail("workers", json!(speeds));
    Ok(())
}
